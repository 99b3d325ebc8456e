//! The video system in the field.

use adit_testkit::{GoldenSuite, Real};
use serde_json::Value;

mod audio;
mod audio_reward;
mod clip_tokens;
mod text;
mod video;
mod video_reward;

pub(super) fn register(suite: &mut GoldenSuite) {
    audio::register(suite);
    audio_reward::register(suite);
    text::register(suite);
    video::register(suite);
    video_reward::register(suite);
}

/// Rule: where the original raises, ours is a typed error.
const RAISES: &str = "raising-is-a-typed-error";
/// Rule: where the original gives no score, ours is a typed error that names the reason.
const NO_SCORE: &str = "no-score-is-a-typed-error";

fn vector(value: &Value) -> Vec<f32> {
    let numbers: Vec<Real> = serde_json::from_value(value.clone()).unwrap();
    numbers.iter().map(|number| number.0 as f32).collect()
}

fn vectors(value: &Value) -> Vec<Vec<f32>> {
    value.as_array().unwrap().iter().map(vector).collect()
}
