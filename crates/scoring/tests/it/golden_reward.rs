//! The whole reward of the video system in the field.

use std::collections::HashMap;

use adit_scoring::{
    Error,
    video::original::{
        ChunkCounts, OriginalAnswer, OriginalClip, OriginalRules, SpotCheckVectors, reward,
    },
};
use adit_testkit::{GoldenCase, GoldenFile, load_json};
use serde_json::Value;

fn vector(value: &Value) -> Vec<f32> {
    let numbers = value.as_array().unwrap().iter();
    numbers
        .map(|number| number.as_f64().map_or(f32::NAN, |number| number as f32))
        .collect()
}

fn answer(case: &GoldenCase, unique_tokens: &[u32]) -> OriginalAnswer {
    let input = &case.input;
    let clips = input["clips"].as_array().unwrap().iter().zip(unique_tokens);
    let clip = |(clip, unique_tokens): (&Value, &u32)| {
        let id = clip["video_id"].as_str().unwrap();
        let stuffed = &input["stuffed_by_id"][id];
        let chunks = &input["extraneous_by_id"][id];
        let count = |index: usize| u32::try_from(chunks[index].as_u64().unwrap_or(0)).unwrap();
        OriginalClip {
            video_id: Some(id.to_owned()),
            start_s: clip["start_time"].as_i64().unwrap(),
            end_s: clip["end_time"].as_i64().unwrap(),
            video: vector(&clip["video_emb"]),
            audio: vector(&clip["audio_emb"]),
            description: vector(&clip["description_emb"]),
            unique_tokens: *unique_tokens,
            text_similarity: input["text_similarity_by_id"][id].as_f64().unwrap_or(0.0),
            stuffed: stuffed[0].as_bool().unwrap_or(false),
            stuffed_confidence: stuffed[1].as_f64().unwrap_or(0.0),
            chunks: ChunkCounts {
                really_bad: count(0),
                low_quality: count(1),
                total: count(2),
            },
            global_novelty: input["global_novelty_by_id"][id].as_f64(),
        }
    };
    OriginalAnswer {
        clips_wanted: usize::try_from(input["num_videos_requested"].as_u64().unwrap()).unwrap(),
        clips: clips.map(clip).collect(),
        query: vector(&input["query_emb"]),
        spot_check: spot_check(&input["spot_check"]),
        novelty_answered: !input["global_novelty_by_id"].is_null(),
    }
}

fn spot_check(check: &Value) -> SpotCheckVectors {
    let clip = || usize::try_from(check["clip_index_in_filtered_list"].as_u64().unwrap()).unwrap();
    match check["mode"].as_str().unwrap() {
        "fake" => SpotCheckVectors::PunishFake,
        "description_only" => SpotCheckVectors::DescriptionOnly {
            clip: clip(),
            description: vector(&check["recomputed_description_emb"]),
        },
        "full" => SpotCheckVectors::Full {
            clip: clip(),
            video: vector(&check["recomputed"]["video"]),
            audio: vector(&check["recomputed"]["audio"]),
            description: vector(&check["recomputed"]["description"]),
        },
        mode => panic!("unknown mode {mode}"),
    }
}

/// Deviation `original-gives-none`: where the original swallows an exception or misses a service's
/// answer and returns no score, ours is a typed error that names the reason. Everything else is
/// equal.
#[test]
fn check_videos_and_calculate_rewards_youtube() {
    let name = "check_videos_and_calculate_rewards_youtube";
    let file = GoldenFile::load(&format!("golden/omega/video_scoring_{name}.json")).unwrap();
    let tokens: HashMap<String, Vec<u32>> = load_json("golden/omega/unique_tokens.json").unwrap();
    let rules = OriginalRules::default();
    let (mut equal, mut none) = (0, 0);
    for case in &file.cases {
        let tolerance = case.tol.unwrap().0;
        let close = |found: f64, expected: &Value, what: &str| {
            let expected = expected.as_f64().unwrap();
            let near = (found - expected).abs() <= tolerance;
            assert!(near, "{} {what}: {found} against {expected}", case.id);
        };
        let answer = answer(case, &tokens[&case.id]);
        let found = reward(&rules, &answer);
        if case.expected["reward"].is_null() {
            let error = found.unwrap_err();
            let named = matches!(
                error,
                Error::OutOfStep { .. }
                    | Error::Empty { .. }
                    | Error::Unavailable { .. }
                    | Error::NotFinite { .. }
            );
            assert!(named, "{}: {error}", case.id);
            none += 1;
            continue;
        }
        let found = found.unwrap_or_else(|error| panic!("{}: {error}", case.id));
        close(found.reward, &case.expected["reward"], "reward");
        let expected = &case.expected["upload"];
        assert_eq!(found.upload.is_some(), expected.is_object(), "{}", case.id);
        if let Some(upload) = found.upload {
            let id = |index: &usize| answer.clips[*index].video_id.clone().unwrap();
            let ids: Vec<String> = upload.clips.iter().map(id).collect();
            assert_eq!(expected["uploaded_ids"], Value::from(ids), "{}", case.id);
            for (index, found) in upload.description_relevance.iter().enumerate() {
                close(
                    *found,
                    &expected["description_relevance_scores"][index],
                    "description",
                );
            }
            for (index, found) in upload.query_relevance.iter().enumerate() {
                close(*found, &expected["query_relevance_scores"][index], "query");
            }
        }
        equal += 1;
    }
    assert_eq!((equal, none), (51, 7));
}
