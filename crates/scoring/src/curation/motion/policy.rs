use serde::{Deserialize, Serialize};

use super::super::{positive, sampling::greatest_common_divisor};
use crate::{Result, rules::within};

/// Which pixels stand for a patch of 256 by 256.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MotionPatch {
    /// The four around its centre. `⌊side/256⌉` patches fit a side, half to even.
    Centre,
    /// All of them. A rest of at least 128 pixels is a patch of its own, a smaller one joins the
    /// last patch, and a smaller frame is one patch.
    Whole,
}

/// Which frames' motion vectors are read.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MotionSampling {
    /// The length the clip is taken to have, in seconds.
    pub seconds: f64,
    /// Every so many frames one is read.
    pub step: u64,
    /// At most so many that have motion vectors.
    pub frames_most: u64,
}

/// Whether a clip moves.
///
/// # What `hardened` does differently, and the hole each difference closes
///
/// | constant | original | hardened | hole |
/// |---|---|---|---|
/// | `missing_is_still` | a clip without motion vectors is dropped | it is [`Unknown`](super::MotionDecision::Unknown) | moving clips are dropped (0.5a) |
/// | `avoid_keyframes` | a step that is a multiple of the distance between keyframes reads only keyframes, which have no vectors | the step has no divisor in common with that distance | moving clips are dropped, scores depend on the encoder (0.5a) |
/// | `patch` | four pixels stand for 65,536 | all do, and frames of less than 256 pixels have a patch | not a mean of the patch (3.6) |
/// | `whole_seconds` | a clip's length is cut to whole seconds | it is not | durations cut or read as 0 (3.6) |
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MotionPolicy {
    /// Name and version.
    pub name: String,
    /// Below this mean over all pixels a clip is still.
    pub global_mean_least: f64,
    /// Below this mean of the stillest patch a clip is still.
    pub patch_least: f64,
    /// Which pixels stand for a patch.
    pub patch: MotionPatch,
    /// Whether a clip without motion vectors is still.
    pub missing_is_still: bool,
    /// Whether the step avoids the distance between keyframes.
    pub avoid_keyframes: bool,
    /// Whether a clip's length is cut to whole seconds.
    pub whole_seconds: bool,
    /// Frames per second to read.
    pub frames_per_second: f64,
    /// Part of the clip to read.
    pub duration_share: f64,
}

impl MotionPolicy {
    /// cosmos-curate's defaults.
    pub fn original() -> Self {
        Self {
            name: "curation/motion/original-1".to_owned(),
            global_mean_least: 0.000_98,
            patch_least: 1e-6,
            patch: MotionPatch::Centre,
            missing_is_still: true,
            avoid_keyframes: false,
            whole_seconds: true,
            frames_per_second: 2.0,
            duration_share: 0.5,
        }
    }

    /// The default: the same bounds without the holes.
    pub fn hardened() -> Self {
        Self {
            name: "curation/motion/hardened-1".to_owned(),
            patch: MotionPatch::Whole,
            missing_is_still: false,
            avoid_keyframes: true,
            whole_seconds: false,
            ..Self::original()
        }
    }

    /// Which frames to read of a clip of `rate` frames per second: every
    /// `max(1, ⌊rate / frames_per_second⌉)`-th, and at most
    /// `max(10, ⌊frames_per_second · duration_share · seconds⌉)`, both rounded half to even. A clip
    /// whose length is unknown or comes to 0 counts as 30 seconds. `keyframe_distance` is the
    /// number of frames from one keyframe to the next, where known.
    ///
    /// # Errors
    /// [`crate::Error::Constant`] when the rate or a constant is not positive and finite.
    pub fn sampling(
        &self,
        rate: f64,
        microseconds: Option<u64>,
        keyframe_distance: Option<u64>,
    ) -> Result<MotionSampling> {
        const UNKNOWN_SECONDS: f64 = 30.0;
        positive("the frame rate", rate)?;
        positive("the frames per second to read", self.frames_per_second)?;
        positive("the part of the clip to read", self.duration_share)?;
        let seconds = microseconds.map_or(0.0, |time| time as f64 / 1e6);
        let seconds = if self.whole_seconds {
            seconds.floor()
        } else {
            seconds
        };
        let seconds = if seconds > 0.0 {
            seconds
        } else {
            UNKNOWN_SECONDS
        };
        let frames = (self.frames_per_second * self.duration_share * seconds).round_ties_even();
        let step = (rate / self.frames_per_second).round_ties_even();
        within("the frames to read", frames, 0.0, u64::MAX as f64)?;
        within("the step", step, 0.0, u64::MAX as f64)?;
        let mut step = (step as u64).max(1);
        if let Some(distance) = keyframe_distance.filter(|_| self.avoid_keyframes) {
            // Soon ends: no long run of numbers has a divisor in common with one of 64 bits.
            while step > 1 && greatest_common_divisor(step, distance) != 1 {
                step -= 1;
            }
        }
        Ok(MotionSampling {
            seconds,
            step,
            frames_most: (frames as u64).max(10),
        })
    }
}

impl Default for MotionPolicy {
    fn default() -> Self {
        Self::hardened()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hardened_step_meets_every_phase_of_the_group_of_pictures() {
        let steps = |policy: MotionPolicy| {
            [
                (24.0, 12),
                (25.0, 12),
                (60.0, 30),
                (30.0, 250),
                (30.0, 0),
                (30.0, 1),
            ]
            .map(|(rate, distance)| policy.sampling(rate, None, Some(distance)).unwrap().step)
        };
        assert_eq!(steps(MotionPolicy::original()), [12, 12, 30, 15, 15, 15]);
        assert_eq!(steps(MotionPolicy::hardened()), [11, 11, 29, 13, 1, 15]);
    }

    #[test]
    fn lengths_are_cut_to_whole_seconds_only_originally() {
        let most = |policy: MotionPolicy, time| {
            policy.sampling(24.0, Some(time), None).unwrap().frames_most
        };
        assert_eq!(most(MotionPolicy::original(), 999_999), 30);
        assert_eq!(most(MotionPolicy::hardened(), 999_999), 10);
        assert_eq!(most(MotionPolicy::original(), 61_900_000), 61);
        assert_eq!(most(MotionPolicy::hardened(), 61_900_000), 62);
        assert!(MotionPolicy::original().sampling(0.0, None, None).is_err());
        assert!(
            MotionPolicy::original()
                .sampling(f64::NAN, None, None)
                .is_err()
        );
    }
}
