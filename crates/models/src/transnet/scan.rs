use std::ops::Range;

use super::{TransNetV2, whole_frames};
use crate::Result;

/// Frames of a window.
const WINDOW: usize = 100;
/// Frames of a window whose answers count; from one window to the next.
const STRIDE: usize = 50;
/// Frames at either end whose answers do not.
const MARGIN: usize = 25;

/// What TransNetV2 says about a frame, as probabilities.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FrameTransition {
    /// That a transition has its middle here: at one frame of each. [`shots`] takes these.
    pub single_frame: f32,
    /// That the frame belongs to a transition: several frames of a dissolve.
    pub many_hot: f32,
}

/// Judges a video as its frames come.
#[derive(Debug)]
pub struct ShotScan<'model> {
    model: &'model TransNetV2,
    /// The frames that are still to be looked at, from 25 before the first that is not yet judged.
    pending: Vec<u8>,
    /// Frames given so far.
    given: usize,
    /// Frames judged so far.
    judged: usize,
}

impl<'model> ShotScan<'model> {
    pub(super) fn new(model: &'model TransNetV2) -> Self {
        Self {
            model,
            pending: Vec::new(),
            given: 0,
            judged: 0,
        }
    }

    /// Takes the next frames, any number of them, and tells what is known by now: answers come 50 at a
    /// time, in the order of the frames, once 75 frames after the last answer are there.
    ///
    /// # Errors
    /// [`Error::Input`](crate::Error::Input) for a number of bytes that makes no whole frames; nothing
    /// was taken then.
    pub fn push(&mut self, frames: &[u8]) -> Result<Vec<FrameTransition>> {
        whole_frames(frames)?;
        let mut answers = Vec::new();
        for frame in frames.chunks_exact(TransNetV2::FRAME) {
            if self.given == 0 {
                self.pending = frame.repeat(MARGIN);
            }
            self.given += 1;
            self.take(frame, &mut answers)?;
        }
        Ok(answers)
    }

    /// Tells the rest, after the last frame.
    ///
    /// # Errors
    /// As [`Self::push`].
    pub fn finish(mut self) -> Result<Vec<FrameTransition>> {
        let mut answers = Vec::new();
        let start = self.pending.len().saturating_sub(TransNetV2::FRAME);
        let last = self.pending.get(start..).unwrap_or_default().to_vec();
        let rest = self.given - self.judged;
        while self.judged < self.given {
            self.take(&last, &mut answers)?;
        }
        answers.truncate(rest);
        Ok(answers)
    }

    fn take(&mut self, frame: &[u8], answers: &mut Vec<FrameTransition>) -> Result<()> {
        self.pending.extend_from_slice(frame);
        if self.pending.len() < WINDOW * TransNetV2::FRAME {
            return Ok(());
        }
        for logits in self.model.logits_of_windows(&[&self.pending])? {
            let middle = logits.iter().skip(MARGIN).take(STRIDE);
            answers.extend(middle.map(|[single, many]| FrameTransition {
                single_frame: sigmoid(*single),
                many_hot: sigmoid(*many),
            }));
        }
        self.judged += STRIDE;
        self.pending.drain(..STRIDE * TransNetV2::FRAME);
        Ok(())
    }
}

fn sigmoid(logit: f32) -> f32 {
    1.0 / (1.0 + (-logit).exp())
}

/// The shots of a video, from the probability of each frame: the frames between transitions, which are
/// the frames whose probability is above `threshold` (0.5 in the original).
///
/// A shot begins with the first frame after a transition and ends with the first frame *of* the next
/// one, which is still the old picture when the transition is a cut. A video that is all transition is
/// one shot, one without frames none. NaN is no transition. This is the original's
/// `predictions_to_scenes`, whose scenes name their last frame instead of the end. Systems that curate
/// read scenes in ways of their own.
///
/// ```
/// use adit_models::shots;
///
/// assert_eq!(shots(&[0.1, 0.1, 0.9, 0.1, 0.1], 0.5), [0..3, 3..5]);
/// ```
pub fn shots(probabilities: &[f32], threshold: f32) -> Vec<Range<usize>> {
    let mut shots = Vec::new();
    let mut start = 0;
    let mut before = false;
    for (frame, probability) in probabilities.iter().enumerate() {
        let now = *probability > threshold;
        if before && !now {
            start = frame;
        }
        if !before && now && frame != 0 {
            shots.push(start..frame + 1);
        }
        before = now;
    }
    let end = probabilities.len();
    if !before && start < end {
        shots.push(start..end);
    }
    if shots.is_empty() && end > 0 {
        shots.push(0..end);
    }
    shots
}
