//! Every recorded function of the video system in the field, except the whole reward.

use adit_scoring::{
    average::update_averages,
    video::original::{
        self, Download, OriginalRules, SpotCheck, choose_spot_check, extraneous_chunks,
        length_multiplier,
    },
};
use adit_testkit::{GoldenCase, GoldenFile};
use serde_json::Value;

fn each(name: &str, least: usize, check: impl Fn(&GoldenCase, &OriginalRules)) {
    let file = GoldenFile::load(&format!("golden/omega/{name}.json")).unwrap();
    assert!(
        file.cases.len() >= least,
        "{name} has {} cases",
        file.cases.len()
    );
    for case in &file.cases {
        check(case, &OriginalRules::default());
    }
}

fn vector(value: &Value) -> Vec<f32> {
    let numbers = value.as_array().unwrap().iter();
    numbers
        .map(|number| number.as_f64().map_or(f32::NAN, |number| number as f32))
        .collect()
}

fn vectors(value: &Value) -> Vec<Vec<f32>> {
    value.as_array().unwrap().iter().map(vector).collect()
}

fn close(case: &GoldenCase, found: f64, expected: &Value) {
    let tolerance = case.tol.map_or(0.0, |tolerance| tolerance.0);
    let expected = expected.as_f64().unwrap();
    let near = (found - expected).abs() <= tolerance;
    assert!(near, "{}: {found} against {expected}", case.id);
}

fn all_close(case: &GoldenCase, found: &[f64]) {
    let expected = case.expected.as_array().unwrap();
    assert_eq!(found.len(), expected.len(), "{}", case.id);
    for (found, expected) in found.iter().zip(expected) {
        close(case, *found, expected);
    }
}

#[test]
fn metadata_check() {
    each("video_scoring_metadata_check", 8, |case, rules| {
        let clips = case.input["clips"].as_array().unwrap();
        let times: Vec<(i64, i64)> = clips
            .iter()
            .map(|clip| (clip[1].as_i64().unwrap(), clip[2].as_i64().unwrap()))
            .collect();
        let kept = original::metadata_check(rules, &times);
        let kept: Vec<&Value> = kept.iter().map(|index| &clips[*index][0]).collect();
        let expected: Vec<&Value> = case.expected.as_array().unwrap().iter().collect();
        assert_eq!(kept, expected, "{}", case.id);
    });
}

#[test]
fn is_valid_youtube_id() {
    each("video_scoring_is_valid_youtube_id", 10, |case, _| {
        let found = original::is_valid_youtube_id(case.input["youtube_id"].as_str());
        assert_eq!(case.expected, found, "{}", case.id);
    });
}

#[test]
fn is_similar() {
    each("video_scoring_is_similar", 40, |case, rules| {
        let (a, b) = (vector(&case.input["a"]), vector(&case.input["b"]));
        assert_eq!(
            case.expected,
            original::is_similar(rules, &a, &b).unwrap(),
            "{}",
            case.id
        );
    });
}

#[test]
fn strict_is_similar() {
    each("video_scoring_strict_is_similar", 20, |case, _| {
        let (a, b) = (vector(&case.input["a"]), vector(&case.input["b"]));
        assert_eq!(
            case.expected,
            original::strict_is_similar(&a, &b).unwrap(),
            "{}",
            case.id
        );
    });
}

#[test]
fn deduplicate_videos() {
    each("video_scoring_deduplicate_videos", 15, |case, rules| {
        let found = original::deduplicate(rules, &vectors(&case.input["video_embs"])).unwrap();
        assert_eq!(case.expected, Value::from(found), "{}", case.id);
    });
}

#[test]
fn compute_novelty_score_among_batch() {
    each(
        "video_scoring_compute_novelty_score_among_batch",
        15,
        |case, _| {
            let videos = vectors(&case.input["video_embs"]);
            all_close(case, &original::novelty_among_batch(&videos).unwrap());
        },
    );
}

#[test]
fn compute_final_novelty_score() {
    each(
        "video_scoring_compute_final_novelty_score",
        15,
        |case, rules| {
            let scores: Vec<f64> = case.input_as::<Scores>().unwrap().scores;
            close(
                case,
                original::final_novelty(rules, &scores),
                &case.expected,
            );
        },
    );
}

#[derive(serde::Deserialize)]
struct Scores {
    scores: Vec<f64>,
}

#[test]
fn get_text_similarity_score() {
    each(
        "video_scoring_get_text_similarity_score",
        16,
        |case, rules| {
            let (a, b) = (vector(&case.input["cls_a"]), vector(&case.input["cls_b"]));
            close(
                case,
                original::text_similarity(rules, &a, &b).unwrap(),
                &case.expected,
            );
        },
    );
}

/// The chunks' vectors are recorded; splitting a description belongs to the tokenizer.
#[test]
fn check_extraneous_chunks() {
    each(
        "video_scoring_check_extraneous_chunks",
        14,
        |case, rules| {
            let chunks = case.input["chunk_text_embs"].as_object().unwrap();
            let chunks: Vec<Vec<f32>> = chunks.values().map(vector).collect();
            let (video, audio) = (
                vector(&case.input["video_emb"]),
                vector(&case.input["audio_emb"]),
            );
            let counts = extraneous_chunks(rules, &video, &audio, &chunks).unwrap();
            close(
                case,
                f64::from(counts.really_bad),
                &case.expected["really_bad"],
            );
            close(
                case,
                f64::from(counts.low_quality),
                &case.expected["low_quality"],
            );
            close(case, f64::from(counts.total), &case.expected["total"]);
        },
    );
}

/// Deviation `original-raises`: without clips the original raises; ours is a typed error.
#[test]
fn get_random_youtube_video() {
    each("video_scoring_get_random_youtube_video", 15, |case, _| {
        let ids = case.input["video_ids"].as_array().unwrap();
        let outcomes = case.input["download_outcomes"].as_array().unwrap();
        let mut tried = Vec::new();
        let check = case.input["check_video"].as_bool().unwrap();
        let found = choose_spot_check(
            check,
            ids.len(),
            |_| 0,
            |clip| {
                tried.push(ids[clip].clone());
                serde_json::from_value::<Download>(outcomes[clip].clone()).unwrap()
            },
        );
        assert_eq!(case.expected["tried"], Value::from(tried), "{}", case.id);
        let (result, clip) = match found {
            Ok(SpotCheck::PunishFake) => ("punish_fake", None),
            Ok(SpotCheck::DescriptionOnly(clip)) => ("description_only", Some(clip)),
            Ok(SpotCheck::Full(clip)) => ("full_check", Some(clip)),
            Err(_) => ("exception", None),
        };
        assert_eq!(case.expected["result"], result, "{}", case.id);
        if let Some(clip) = clip {
            assert_eq!(case.expected["video_id"], ids[clip], "{}", case.id);
        }
    });
}

#[test]
fn description_length_multiplier() {
    let check = |case: &GoldenCase, rules: &OriginalRules, tokens: &Value| {
        let found = length_multiplier(rules, u32::try_from(tokens.as_u64().unwrap()).unwrap());
        close(case, found.scaler, &case.expected["length_scaler"]);
        close(case, found.multiplier, &case.expected["multiplier"]);
    };
    each(
        "text_description_length_multiplier_from_count",
        15,
        |case, rules| {
            check(case, rules, &case.input["unique_tokens"]);
        },
    );
    // Here the count is among the answers: counting belongs to the tokenizer.
    each("text_description_length_multiplier", 49, |case, rules| {
        check(case, rules, &case.expected["unique_tokens"]);
    });
}

#[test]
fn update_scores() {
    each("weights_update_scores", 14, |case, _| {
        let input: Updates = case.input_as().unwrap();
        let mut averages = input.initial;
        for round in input.rounds {
            update_averages(&mut averages, &round.uids, &round.rewards(), input.alpha).unwrap();
        }
        all_close(case, &averages);
    });
}

#[derive(serde::Deserialize)]
struct Updates {
    alpha: f64,
    initial: Vec<f64>,
    rounds: Vec<Round>,
}

#[derive(serde::Deserialize)]
struct Round {
    uids: Vec<usize>,
    rewards: Vec<Value>,
}

impl Round {
    fn rewards(&self) -> Vec<f64> {
        self.rewards
            .iter()
            .map(|reward| reward.as_f64().unwrap_or(f64::NAN))
            .collect()
    }
}
