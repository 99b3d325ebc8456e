//! Every recorded function of judging videos, except the whole reward.

use adit_scoring::{
    average::update_averages,
    video::original::{
        Download, OriginalRules, SpotCheck, choose_spot_check, deduplicate, extraneous_chunks,
        final_novelty, is_similar, is_valid_youtube_id, length_multiplier, metadata_check,
        novelty_among_batch, strict_is_similar, text_similarity,
    },
};
use adit_testkit::{GoldenCase, GoldenFile, GoldenSuite, Outcome, Real, real};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{RAISES, vector, vectors};

pub(super) fn register(suite: &mut GoldenSuite) {
    let mut on = |function: &str, answer: fn(&Value) -> Value| {
        suite.on("omega", function, move |file, case| {
            Outcome::compare(file, case, &answer(&case.input))
        });
    };
    on("video_scoring.metadata_check", kept_ids);
    on("video_scoring.is_valid_youtube_id", |input| {
        is_valid_youtube_id(input["youtube_id"].as_str()).into()
    });
    on("video_scoring.is_similar", |input| {
        let (a, b) = (vector(&input["a"]), vector(&input["b"]));
        is_similar(&rules(), &a, &b).unwrap().into()
    });
    on("video_scoring.strict_is_similar", |input| {
        let (a, b) = (vector(&input["a"]), vector(&input["b"]));
        strict_is_similar(&a, &b).unwrap().into()
    });
    on("video_scoring.deduplicate_videos", |input| {
        let videos = vectors(&input["video_embs"]);
        deduplicate(&rules(), &videos).unwrap().into()
    });
    on("video_scoring.compute_novelty_score_among_batch", |input| {
        let novelty = novelty_among_batch(&vectors(&input["video_embs"])).unwrap();
        novelty.into_iter().map(real).collect()
    });
    on("video_scoring.compute_final_novelty_score", |input| {
        let scores: Vec<Real> = serde_json::from_value(input["scores"].clone()).unwrap();
        let scores: Vec<f64> = scores.iter().map(|score| score.0).collect();
        real(final_novelty(&rules(), &scores))
    });
    on("video_scoring.get_text_similarity_score", |input| {
        let (a, b) = (vector(&input["cls_a"]), vector(&input["cls_b"]));
        real(text_similarity(&rules(), &a, &b).unwrap())
    });
    on("video_scoring.check_extraneous_chunks", chunks);
    on("text.description_length_multiplier_from_count", |input| {
        let tokens = u32::try_from(input["unique_tokens"].as_u64().unwrap()).unwrap();
        let found = length_multiplier(&rules(), tokens);
        json!({"length_scaler": found.scaler, "multiplier": found.multiplier})
    });
    on("weights.update_scores", averages);
    suite.on(
        "omega",
        "video_scoring.get_random_youtube_video",
        spot_check,
    );
}

fn rules() -> OriginalRules {
    OriginalRules::default()
}

fn kept_ids(input: &Value) -> Value {
    let clips = input["clips"].as_array().unwrap();
    let times: Vec<(i64, i64)> = clips
        .iter()
        .map(|clip| (clip[1].as_i64().unwrap(), clip[2].as_i64().unwrap()))
        .collect();
    let kept = metadata_check(&rules(), &times);
    kept.iter().map(|index| clips[*index][0].clone()).collect()
}

/// The chunks' vectors are recorded; splitting a description belongs to the tokenizer.
fn chunks(input: &Value) -> Value {
    let chunks = input["chunk_text_embs"].as_object().unwrap();
    let chunks: Vec<Vec<f32>> = chunks.values().map(vector).collect();
    let (video, audio) = (vector(&input["video_emb"]), vector(&input["audio_emb"]));
    let counts = extraneous_chunks(&rules(), &video, &audio, &chunks).unwrap();
    json!({
        "really_bad": counts.really_bad, "low_quality": counts.low_quality, "total": counts.total,
    })
}

fn spot_check(file: &GoldenFile, case: &GoldenCase) -> Outcome {
    let ids = case.input["video_ids"].as_array().unwrap();
    let outcomes: Vec<Download> =
        serde_json::from_value(case.input["download_outcomes"].clone()).unwrap();
    let mut tried = Vec::new();
    let found = choose_spot_check(
        case.input["check_video"].as_bool().unwrap(),
        ids.len(),
        |_| 0,
        |clip| {
            tried.push(ids[clip].clone());
            outcomes[clip]
        },
    );
    let found = match found {
        Ok(SpotCheck::PunishFake) => json!({"result": "punish_fake", "tried": tried}),
        Ok(SpotCheck::DescriptionOnly(clip)) => {
            json!({"result": "description_only", "video_id": ids[clip], "tried": tried})
        }
        Ok(SpotCheck::Full(clip)) => {
            json!({"result": "full_check", "video_id": ids[clip], "tried": tried})
        }
        Err(_) if ids.is_empty() && case.expected["result"] == "exception" => {
            return Outcome::Deviates(RAISES);
        }
        Err(error) => return Outcome::Failed(error.to_string()),
    };
    Outcome::compare(file, case, &found)
}

#[derive(Deserialize)]
struct Updates {
    alpha: f64,
    initial: Vec<Real>,
    rounds: Vec<Round>,
}

#[derive(Deserialize)]
struct Round {
    uids: Vec<usize>,
    rewards: Vec<Option<Real>>,
}

fn averages(input: &Value) -> Value {
    let input = Updates::deserialize(input).unwrap();
    let mut averages: Vec<f64> = input.initial.iter().map(|average| average.0).collect();
    for round in input.rounds {
        let rewards = round.rewards.iter();
        let rewards: Vec<f64> = rewards
            .map(|reward| reward.map_or(f64::NAN, |reward| reward.0))
            .collect();
        update_averages(&mut averages, &round.uids, &rewards, input.alpha).unwrap();
    }
    averages.into_iter().map(real).collect()
}
