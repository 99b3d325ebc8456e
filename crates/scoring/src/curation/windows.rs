//! Windows within a clip: what a captioner is shown, and what an upscaler works on at a time.

use serde::{Deserialize, Serialize};

use super::spans::SecondsSpan;
use crate::{Error, Result, rules::within};

/// Shortest clip that has a window.
pub const WINDOW_LEAST: u64 = 4;
/// Most windows of one clip.
const WINDOWS_MOST: f64 = 1e6;

/// Frames `first` to `last` of a clip, both inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct FrameWindow {
    /// The first frame.
    pub first: u64,
    /// The last frame.
    pub last: u64,
}

/// Windows of `size` frames that cover a clip of `frames` frames. A remainder of at least
/// `remainder_least` frames becomes a window of its own, a smaller one lengthens the last window.
/// A clip of at most `size` frames is one window, one of fewer than [`WINDOW_LEAST`] has none.
///
/// # Errors
/// [`Error::Constant`] when the size is 0 or yields more than a million windows.
pub fn caption_windows(frames: u64, size: u64, remainder_least: u64) -> Result<Vec<FrameWindow>> {
    if frames < WINDOW_LEAST {
        return Ok(Vec::new());
    }
    let full = frames.checked_div(size).unwrap_or(u64::MAX);
    within("the number of windows", full as f64, 0.0, WINDOWS_MOST)?;
    if full == 0 {
        return Ok(vec![FrameWindow {
            first: 0,
            last: frames - 1,
        }]);
    }
    let mut windows: Vec<FrameWindow> = (0..full)
        .map(|index| FrameWindow {
            first: index * size,
            last: (index + 1) * size - 1,
        })
        .collect();
    let remainder = frames - full * size;
    if remainder > 0 && remainder >= remainder_least {
        windows.push(FrameWindow {
            first: full * size,
            last: frames - 1,
        });
    } else if let Some(last) = windows.last_mut() {
        last.last = frames - 1;
    }
    Ok(windows)
}

/// When a window's frames were in the source: a clip's `frames` frames are taken to lie evenly over
/// its span, the first at its start and the last at its end:
/// `start + frame / max(frames − 1, 1) · max(end − start, 0)`, in seconds.
///
/// # Errors
/// [`Error::NotFinite`] for a bound of the span.
pub fn source_times(span: SecondsSpan, window: FrameWindow, frames: u64) -> Result<SecondsSpan> {
    if !(span.start.is_finite() && span.end.is_finite()) {
        return Err(Error::NotFinite {
            what: "a bound of the clip",
        });
    }
    let length = (span.end - span.start).max(0.0);
    let steps = frames.saturating_sub(1).max(1) as f64;
    let time = |frame: u64| span.start + (frame as f64 / steps) * length;
    Ok(SecondsSpan {
        start: time(window.first),
        end: time(window.last),
    })
}

/// Overlapping windows of `size` frames: each starts `size − overlap` after the one before, the last
/// is the first to reach the end and may be shorter. An overlap of `size` or more counts as
/// `size − 1`.
///
/// # Errors
/// [`Error::Constant`] when the size is 0 or yields more than a million windows.
pub fn overlapping_windows(frames: u64, size: u64, overlap: u64) -> Result<Vec<FrameWindow>> {
    within("the window's size", size as f64, 1.0, u64::MAX as f64)?;
    let stride = size - overlap.min(size - 1);
    let count = match frames.checked_sub(size) {
        _ if frames == 0 => 0,
        None => 1,
        Some(beyond) => beyond.div_ceil(stride).saturating_add(1),
    };
    within("the number of windows", count as f64, 0.0, WINDOWS_MOST)?;
    Ok((0..count)
        .map(|index| FrameWindow {
            first: index * stride,
            last: (index * stride).saturating_add(size - 1).min(frames - 1),
        })
        .collect())
}

/// How many frames a window is padded to before upscaling: the least `4 · group · n + 1` that is not
/// fewer than `frames`, with `n ≥ 1` unless there is only one frame. Padding repeats the last frame.
///
/// # Errors
/// [`Error::Constant`] when the group is 0 or the numbers are beyond 2⁶³.
pub fn padded_frames(frames: u64, group: u64) -> Result<u64> {
    const LARGEST: u64 = 1 << 61;
    within("the group's size", group as f64, 1.0, LARGEST as f64)?;
    within("the number of frames", frames as f64, 0.0, LARGEST as f64)?;
    if frames <= 1 {
        return Ok(frames);
    }
    let multiple = 4 * group;
    Ok((frames - 1).div_ceil(multiple) * multiple + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bounds(windows: &[FrameWindow]) -> Vec<(u64, u64)> {
        windows
            .iter()
            .map(|window| (window.first, window.last))
            .collect()
    }

    #[test]
    fn a_remainder_becomes_a_window_or_lengthens_the_last() {
        let windows = |frames, size, least| bounds(&caption_windows(frames, size, least).unwrap());
        assert!(windows(3, 256, 128).is_empty());
        assert_eq!(windows(4, 256, 128), [(0, 3)]);
        assert_eq!(windows(383, 256, 128), [(0, 382)]);
        assert_eq!(windows(384, 256, 128), [(0, 255), (256, 383)]);
        assert_eq!(windows(512, 256, 128), [(0, 255), (256, 511)]);
        assert!(caption_windows(5, 0, 0).is_err());
        assert!(caption_windows(u64::MAX, 1, 0).is_err());
    }

    #[test]
    fn no_window_is_empty() {
        // Where a remainder of 0 frames counts as enough, the field adds a window that ends before
        // it starts.
        assert_eq!(
            bounds(&caption_windows(171, 57, 0).unwrap()),
            [(0, 56), (57, 113), (114, 170)]
        );
    }

    #[test]
    fn overlapping_windows_end_with_the_clip() {
        let windows =
            |frames, size, overlap| bounds(&overlapping_windows(frames, size, overlap).unwrap());
        assert_eq!(windows(192, 128, 64), [(0, 127), (64, 191)]);
        assert_eq!(windows(192, 128, 16), [(0, 127), (112, 191)]);
        assert_eq!(windows(66, 64, 200), [(0, 63), (1, 64), (2, 65)]);
        assert!(windows(0, 64, 0).is_empty());
        assert!(overlapping_windows(9, 0, 0).is_err());
        assert!(overlapping_windows(u64::MAX, 2, 1).is_err());
        assert!(overlapping_windows(u64::MAX, 1, 0).is_err());
        assert_eq!(padded_frames(64, 2).unwrap(), 65);
        assert_eq!(padded_frames(4, 2).unwrap(), 9);
        assert_eq!(padded_frames(1, 2).unwrap(), 1);
        assert!(padded_frames(4, 0).is_err());
    }

    #[test]
    fn frames_lie_evenly_over_the_span() {
        let span = SecondsSpan {
            start: 10.0,
            end: 20.0,
        };
        let window = FrameWindow {
            first: 0,
            last: 100,
        };
        assert_eq!(source_times(span, window, 101).unwrap(), span);
        let backwards = SecondsSpan {
            start: 10.0,
            end: 5.0,
        };
        let times = source_times(backwards, window, 101).unwrap();
        assert_eq!((times.start, times.end), (10.0, 10.0));
        let endless = SecondsSpan {
            start: 0.0,
            end: f64::INFINITY,
        };
        assert!(source_times(endless, window, 3).is_err());
    }
}
