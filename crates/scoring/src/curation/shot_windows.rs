//! The windows in which a transition model looks at a video: 100 frames, of which the middle 50
//! count.

use serde::{Deserialize, Serialize};

/// Frames of a full window.
pub const WINDOW_FRAMES: u64 = 100;
/// Frames at either end of a window whose predictions are thrown away.
pub const WINDOW_MARGIN: u64 = 25;
/// From one window's first counted frame to the next one's.
pub const WINDOW_STRIDE: u64 = 50;

/// One window of the model: `lead` times the first frame, then frames `first` to `last`, then `tail`
/// times the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ShotWindow {
    /// How often frame 0 is repeated before the window: only before the first.
    pub lead: u64,
    /// The first frame.
    pub first: u64,
    /// The last frame, inclusive.
    pub last: u64,
    /// How often the last frame is repeated behind it: only when the tail is padded.
    pub tail: u64,
}

impl ShotWindow {
    /// Frames the model is given, with repetitions.
    pub const fn frames(&self) -> u64 {
        self.lead + (self.last - self.first + 1) + self.tail
    }

    /// The frame numbers in order, with repetitions.
    pub fn indices(&self) -> impl Iterator<Item = u64> + use<> {
        let repeated = |frame: u64, times: u64| std::iter::repeat_n(frame, times as usize);
        repeated(self.first, self.lead)
            .chain(self.first..=self.last)
            .chain(repeated(self.last, self.tail))
    }
}

/// The windows of a video of `frames` frames: one every 50 frames, from 25 before to 75 after. Of
/// each window's predictions the rows 25 to 75 are kept, and their sequence is cut to `frames`.
///
/// The system in the field repeats frame 0 before the first window but never pads the tail
/// (`pad_tail: false`), so that the model sees short windows there, which the published
/// TransNetV2 pads with its last frame (`pad_tail: true`).
pub fn shot_windows(
    frames: u64,
    pad_tail: bool,
) -> impl ExactSizeIterator<Item = ShotWindow> + use<> {
    // Windows are indexed by usize so that the iterator knows its length.
    let count = usize::try_from(frames.div_ceil(WINDOW_STRIDE)).unwrap_or(usize::MAX);
    (0..count).map(move |index| {
        let start = index as u64 * WINDOW_STRIDE;
        let lead = WINDOW_MARGIN.saturating_sub(start);
        let first = start.saturating_sub(WINDOW_MARGIN);
        let end = start
            .saturating_add(WINDOW_FRAMES - WINDOW_MARGIN)
            .min(frames);
        let window = ShotWindow {
            lead,
            first,
            last: end - 1,
            tail: 0,
        };
        ShotWindow {
            tail: if pad_tail {
                WINDOW_FRAMES.saturating_sub(window.frames())
            } else {
                0
            },
            ..window
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_frame_is_counted_once() {
        for frames in [1, 24, 25, 26, 49, 50, 51, 75, 76, 100, 149, 150, 1001] {
            for pad_tail in [false, true] {
                let mut counted: Vec<u64> = Vec::new();
                for window in shot_windows(frames, pad_tail) {
                    let indices: Vec<u64> = window.indices().collect();
                    assert_eq!(indices.len() as u64, window.frames());
                    assert!(!pad_tail || indices.len() == 100);
                    counted.extend(indices.iter().skip(25).take(50));
                }
                counted.truncate(frames as usize);
                assert!(counted.into_iter().eq(0..frames), "{frames}");
            }
        }
        assert_eq!(shot_windows(0, true).len(), 0);
        assert!(shot_windows(u64::MAX, true).len() > 1);
    }
}
