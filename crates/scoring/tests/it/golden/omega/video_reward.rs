//! The whole reward of the video system in the field.

use adit_scoring::video::original::{
    ChunkCounts, OriginalAnswer, OriginalClip, OriginalReward, OriginalRules, SpotCheckVectors,
    reward,
};
use adit_testkit::{GoldenCase, GoldenFile, GoldenSuite, Outcome, real};
use serde_json::{Value, json};

use super::{NO_SCORE, clip_tokens::unique_tokens, vector};

pub(super) fn register(suite: &mut GoldenSuite) {
    suite.on(
        "omega",
        "video_scoring.check_videos_and_calculate_rewards_youtube",
        whole_reward,
    );
}

fn whole_reward(file: &GoldenFile, case: &GoldenCase) -> Outcome {
    let answer = answer(&case.input);
    match reward(&OriginalRules::default(), &answer) {
        Ok(found) => Outcome::compare(file, case, &told(&answer, found)),
        Err(_) if case.expected["reward"].is_null() || has_a_poisoned_number(&answer) => {
            Outcome::Deviates(NO_SCORE)
        }
        Err(error) => Outcome::Failed(error.to_string()),
    }
}

fn told(answer: &OriginalAnswer, found: OriginalReward) -> Value {
    let reward = real(found.reward);
    let Some(upload) = found.upload else {
        return json!({"reward": reward});
    };
    let id = |index: &usize| answer.clips[*index].video_id.clone().unwrap();
    let reals = |numbers: Vec<f64>| numbers.into_iter().map(real).collect::<Vec<_>>();
    json!({
        "reward": reward,
        "upload": {
            "uploaded_ids": upload.clips.iter().map(id).collect::<Vec<_>>(),
            "description_relevance_scores": reals(upload.description_relevance),
            "query_relevance_scores": reals(upload.query_relevance),
            "novelty_score": null,
            "total_score": reward,
        },
    })
}

fn has_a_poisoned_number(answer: &OriginalAnswer) -> bool {
    let clips = answer.clips.iter();
    clips
        .flat_map(|clip| [&clip.video, &clip.audio, &clip.description])
        .chain([&answer.query])
        .flatten()
        .any(|number| !number.is_finite())
}

fn answer(input: &Value) -> OriginalAnswer {
    let clip = |clip: &Value| {
        let id = clip["video_id"].as_str();
        let by_id = |table: &str| id.map_or(&Value::Null, |id| &input[table][id]);
        let (stuffed, chunks) = (by_id("stuffed_by_id"), by_id("extraneous_by_id"));
        let count = |index: usize| u32::try_from(chunks[index].as_u64().unwrap_or(0)).unwrap();
        OriginalClip {
            video_id: id.map(str::to_owned),
            start_s: clip["start_time"].as_i64().unwrap(),
            end_s: clip["end_time"].as_i64().unwrap(),
            video: vector(&clip["video_emb"]),
            audio: vector(&clip["audio_emb"]),
            description: vector(&clip["description_emb"]),
            unique_tokens: unique_tokens(clip["description"].as_str().unwrap()),
            text_similarity: by_id("text_similarity_by_id").as_f64().unwrap_or(0.0),
            stuffed: stuffed[0].as_bool().unwrap_or(false),
            stuffed_confidence: stuffed[1].as_f64().unwrap_or(0.0),
            chunks: ChunkCounts {
                really_bad: count(0),
                low_quality: count(1),
                total: count(2),
            },
            global_novelty: by_id("global_novelty_by_id").as_f64(),
        }
    };
    OriginalAnswer {
        clips_wanted: usize::try_from(input["num_videos_requested"].as_u64().unwrap()).unwrap(),
        clips: input["clips"]
            .as_array()
            .unwrap()
            .iter()
            .map(clip)
            .collect(),
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
