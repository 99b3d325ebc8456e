use serde::{Deserialize, Serialize};

use super::super::at_least;
use crate::{Result, rules::within};

/// What becomes of a scene longer than the most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OverlongScene {
    /// It is cut into pieces ([`super::split_span`](crate::curation::spans::split_span)).
    Stride,
    /// Its beginning is kept.
    Truncate,
}

/// How seconds become whole frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LengthRounding {
    /// Up, as cosmos-curate does.
    Up,
    /// Down, as NeMo-Curator does.
    Down,
}

/// Lengths of scenes in frames; none: no such limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SceneLengths {
    /// Shortest scene that is kept.
    pub least: Option<u64>,
    /// Longest scene.
    pub most: Option<u64>,
    /// Frames cropped at either end.
    pub crop: Option<u64>,
}

/// Where scenes begin and end.
///
/// # What `hardened` does differently, and the hole each difference closes
///
/// | constant | original | hardened | hole |
/// |---|---|---|---|
/// | `keep_last_frame` | the last scene ends before the last frame, is forgotten when no other scene ended before it, and an opening transition is left in it | scenes are the runs between transitions | last frame lost (10.1, 3) |
/// | `pad_tail` | the model sees short windows at the end | they are padded, as the model was trained | tail window lacks padding (10.1, 3) |
///
/// ```
/// use adit_scoring::curation::scenes::ScenePolicy;
///
/// let policy = ScenePolicy::hardened();
/// assert_eq!(policy.name, "curation/scenes/hardened-1");
/// assert_eq!(policy.lengths(29.97)?.least, Some(60));
/// # Ok::<(), adit_scoring::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScenePolicy {
    /// Name and version.
    pub name: String,
    /// Above this probability a frame belongs to a transition.
    pub threshold: f32,
    /// Shortest clip in seconds.
    pub least_seconds: Option<f64>,
    /// Shortest clip in frames; the larger of the two counts.
    pub least_frames: Option<u64>,
    /// Longest clip in seconds.
    pub most_seconds: Option<f64>,
    /// What becomes of longer ones.
    pub overlong: OverlongScene,
    /// Seconds cropped at either end, rounded down to frames.
    pub crop_seconds: Option<f64>,
    /// How the shortest and the longest length become frames.
    pub rounding: LengthRounding,
    /// Whether a video without transitions is one scene.
    pub whole_video: bool,
    /// Whether scenes are the runs between transitions
    /// ([`runs_between_transitions`](super::runs_between_transitions)), or what
    /// [`scenes_with_lost_tail`](super::scenes_with_lost_tail) finds.
    pub keep_last_frame: bool,
    /// Whether the model's last windows are padded
    /// ([`shot_windows`](crate::curation::shot_windows::shot_windows)).
    pub pad_tail: bool,
}

impl ScenePolicy {
    /// cosmos-curate's defaults.
    pub fn original() -> Self {
        Self {
            name: "curation/scenes/original-1".to_owned(),
            threshold: 0.4,
            least_seconds: Some(2.0),
            least_frames: Some(48),
            most_seconds: Some(60.0),
            overlong: OverlongScene::Stride,
            crop_seconds: Some(0.5),
            rounding: LengthRounding::Up,
            whole_video: true,
            keep_last_frame: false,
            pad_tail: false,
        }
    }

    /// NeMo-Curator's defaults: lengths rounded down, none in frames, ten seconds at most.
    pub fn original_nemo() -> Self {
        Self {
            name: "curation/scenes/original-nemo-1".to_owned(),
            least_frames: None,
            most_seconds: Some(10.0),
            rounding: LengthRounding::Down,
            ..Self::original()
        }
    }

    /// The default: cosmos-curate's lengths, without its holes.
    pub fn hardened() -> Self {
        Self {
            name: "curation/scenes/hardened-1".to_owned(),
            keep_last_frame: true,
            pad_tail: true,
            ..Self::original()
        }
    }

    /// The lengths in frames, at `rate` frames per second: `seconds · rate`, rounded as the policy
    /// says, and for the shortest the larger of that and `least_frames`. A crop of 0 is none.
    ///
    /// # Errors
    /// [`crate::Error::Constant`] when the rate or a constant is negative or not finite.
    pub fn lengths(&self, rate: f64) -> Result<SceneLengths> {
        at_least("the frame rate", rate, 0.0)?;
        let frames = |seconds: Option<f64>| -> Result<Option<u64>> {
            let Some(seconds) = seconds else {
                return Ok(None);
            };
            at_least("a length in seconds", seconds, 0.0)?;
            let frames = seconds * rate;
            within("a length in frames", frames, 0.0, u64::MAX as f64)?;
            // In range, so that the conversions lose nothing but the fraction.
            Ok(Some(match self.rounding {
                LengthRounding::Up => frames.ceil() as u64,
                LengthRounding::Down => frames as u64,
            }))
        };
        let crop = self.crop_seconds.filter(|seconds| *seconds != 0.0);
        Ok(SceneLengths {
            least: frames(self.least_seconds)?.max(self.least_frames),
            most: frames(self.most_seconds)?,
            crop: match crop {
                None => None,
                Some(seconds) => {
                    at_least("the crop in seconds", seconds, 0.0)?;
                    Some((seconds * rate) as u64)
                }
            },
        })
    }
}

impl Default for ScenePolicy {
    fn default() -> Self {
        Self::hardened()
    }
}
