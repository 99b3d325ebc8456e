//! Deciding about clips: scenes, spans, windows, motion, semantic duplicates, sampling, filters.
//!
//! The formulas by which curation systems of the field turn footage into clips and keep or drop
//! them, one by one and equal to the digit (cosmos-curate 1.4.0 and NeMo-Curator 1.3.0), and
//! policies that hold their constants: `original` is the system in the field, `hardened` closes its
//! holes and is the one to use.
//!
//! | decision | module | policy |
//! |---|---|---|
//! | where scenes begin and end | [`scenes`], [`shot_windows`], [`spans`], [`clip_id`] | [`scenes::ScenePolicy`] |
//! | what a captioner sees | [`windows`], [`vision_input`], [`sampling`], [`timestamps`] | |
//! | whether anything moves | [`motion`] | [`motion::MotionPolicy`] |
//! | whether text was laid over it | [`text_overlay`] | [`text_overlay::OverlayRules`] |
//! | what a model said about it | [`answers`] | [`answers::AnswerPolicy`] |
//! | whether it is there already | [`duplicates`], [`clusters`], [`minhash`] | [`duplicates::DuplicatePolicy`] |
//! | where it goes | [`grouping`], [`shards`] | |
//!
//! ```
//! use adit_scoring::curation::scenes::{ScenePolicy, scene_clips};
//!
//! // 100 frames, a cut, 200 frames, at 25 frames per second.
//! let mut transition = vec![false; 301];
//! transition[100] = true;
//! let clips = scene_clips(&ScenePolicy::hardened(), "film.mp4", 25.0, &transition)?;
//! let seconds: Vec<_> = clips.iter().map(|clip| (clip.span.start, clip.span.end)).collect();
//! assert_eq!(seconds, [(0.48, 3.52), (4.52, 11.56)]);
//! # Ok::<(), adit_scoring::Error>(())
//! ```

pub mod answers;
pub mod clip_id;
pub mod clusters;
pub mod duplicates;
pub mod grouping;
pub mod minhash;
pub mod motion;
pub mod sampling;
pub mod scenes;
pub mod shards;
pub mod shot_windows;
pub mod spans;
pub mod text_overlay;
pub mod timestamps;
pub mod vision_input;
pub mod windows;

use crate::{Result, rules::within};

/// The number, if it is finite and at least `least`.
fn at_least(name: &'static str, value: f64, least: f64) -> Result<f64> {
    within(name, value, least, f64::MAX)
}

/// The number, if it is finite and positive.
fn positive(name: &'static str, value: f64) -> Result<f64> {
    at_least(name, value, f64::MIN_POSITIVE)
}
