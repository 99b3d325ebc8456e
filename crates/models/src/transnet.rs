//! TransNetV2: where the shots of a video begin.

mod columns;
mod network;
mod parameters;
mod scan;
mod size;
mod volume;

use std::path::Path;

use crate::{Device, Error, Placement, Result, checkpoint::Checkpoint, placement::place};
use network::Judge;
use parameters::JudgeParts;
pub use scan::{FrameTransition, ShotScan, shots};
use size::Size;

/// Most frames of a window.
const LONGEST_WINDOW: usize = 1_000;

/// TransNetV2, which tells for each frame of a video whether a transition between shots is there, be
/// it a cut or a dissolve.
///
/// It looks at frames of [`Self::WIDTH`] × [`Self::HEIGHT`] pixels, of packed RGB bytes, *all* frames
/// of the video: whoever decodes scales them (`ffmpeg -i VIDEO -s 48x27 -f rawvideo -pix_fmt rgb24 -`),
/// whatever the proportions, because scaling while decoding costs least.
/// [`Self::transitions`] judges a video in memory, [`Self::scan`] one that streams past, and [`shots`]
/// reads shots off the probabilities.
///
/// It looks at windows of 100 frames and keeps what it says about the middle 50; before the first frame
/// it sees that frame 25 times, after the last one that one, so that every frame is judged from the
/// middle, as in the original. Logits equal the original's in PyTorch to 1e-4 at f32.
///
/// One window at a time is in memory, some 200 MB at the published size.
///
/// Model: <https://github.com/soCzech/TransNetV2>, MIT.
///
/// ```
/// use std::path::Path;
/// use adit_models::{Device, TransNetV2};
///
/// let error = TransNetV2::load(Path::new("no-such-file"), Device::Cpu).unwrap_err();
/// assert!(error.to_string().contains("no-such-file"));
/// ```
#[derive(Debug)]
pub struct TransNetV2 {
    placement: Placement,
    judge: Box<dyn Judge>,
}

impl TransNetV2 {
    /// Pixels in a row of a frame.
    pub const WIDTH: usize = 48;
    /// Rows of a frame.
    pub const HEIGHT: usize = 27;
    /// Bytes of a frame.
    pub const FRAME: usize = Self::WIDTH * Self::HEIGHT * 3;

    /// Loads a safetensors file with the names of the original's PyTorch port. Sizes (the original's
    /// `F`, `L`, `S` and `D`) are read off its tensors.
    ///
    /// # Errors
    /// - [`Error::Missing`], [`Error::Read`] and [`Error::Header`] for the file itself.
    /// - [`Error::Config`] for sizes that no such network has.
    /// - [`Error::TensorShape`], [`Error::TensorElement`], [`Error::TensorsMissing`],
    ///   [`Error::TensorsUnexpected`], [`Error::TensorNotFinite`] with the tensors' names.
    /// - [`Error::DeviceUnavailable`] for a device that is not compiled in or not there.
    pub fn load(weights: &Path, placement: impl Into<Placement>) -> Result<Self> {
        let placement = placement.into();
        let mut checkpoint = Checkpoint::open(weights)?;
        let size = Size::of(&checkpoint).map_err(|reason| Error::Config {
            path: weights.to_owned(),
            reason,
        })?;
        let parts = JudgeParts {
            checkpoint: &mut checkpoint,
            size,
        };
        let judge = place(placement, parts)?;
        tracing::debug!(weights = %weights.display(), %placement, ?size, "TransNetV2 loaded");
        Ok(Self { placement, judge })
    }

    /// Where it runs.
    pub fn device(&self) -> Device {
        self.placement.device
    }

    /// What the network itself says about each frame of each window: the logits of the middle frame of
    /// a transition, and of any of its frames. A window has 1 to 1,000 frames, each of [`Self::FRAME`]
    /// bytes; it was trained on 100.
    ///
    /// # Errors
    /// [`Error::Input`] for a window of another size.
    pub fn logits_of_windows(&self, windows: &[&[u8]]) -> Result<Vec<Vec<[f32; 2]>>> {
        for window in windows {
            let frames = whole_frames(window)?;
            if !(1..=LONGEST_WINDOW).contains(&frames) {
                return Err(Error::Input {
                    reason: format!("a window of {frames} frames, not 1 to {LONGEST_WINDOW}"),
                });
            }
        }
        let judged = windows.iter().map(|window| self.judge.window(window));
        Ok(judged.collect())
    }

    /// What it says about each frame of a video, of which `frames` are all frames in order; nothing for
    /// a video without frames.
    ///
    /// # Errors
    /// [`Error::Input`] for a number of bytes that makes no whole frames.
    pub fn transitions(&self, frames: &[u8]) -> Result<Vec<FrameTransition>> {
        let mut scan = self.scan();
        let mut transitions = scan.push(frames)?;
        transitions.append(&mut scan.finish()?);
        Ok(transitions)
    }

    /// Judges a video as its frames come, with at most a hundred of them in memory.
    pub fn scan(&self) -> ShotScan<'_> {
        ShotScan::new(self)
    }
}

/// How many frames these bytes are.
fn whole_frames(bytes: &[u8]) -> Result<usize> {
    if bytes.len().is_multiple_of(TransNetV2::FRAME) {
        return Ok(bytes.len() / TransNetV2::FRAME);
    }
    Err(Error::Input {
        reason: format!(
            "{} bytes, which are no whole frames of {} × {} pixels",
            bytes.len(),
            TransNetV2::WIDTH,
            TransNetV2::HEIGHT
        ),
    })
}
