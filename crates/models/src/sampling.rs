//! Which moments of a recording the joint model sees.

use std::ops::Range;

use crate::{Error, Result};

/// Longest recording, in seconds.
const LONGEST: f64 = (1_u64 << 30) as f64;
/// Longest clip, in seconds.
const LONGEST_CLIP: f64 = 3_600.0;
/// Most clips.
const MOST_CLIPS: usize = 1_000;
/// Bits after the point of a [`Moment`].
const FRACTION: i32 = 80;

/// Clips of equal length, spread evenly over a recording: the first at its start, the last at its end.
///
/// The original computes with fractions of whole numbers, which stand between two roundings to
/// floating point; so does this, because a frame or a sample more or less hangs on the last digit.
///
/// ```
/// use adit_models::ClipSampling;
///
/// let times = ClipSampling::AUDIO.times(10.0)?;
/// assert_eq!(times, [0.0..2.0, 4.0..6.0, 8.0..10.0]);
/// assert_eq!(ClipSampling::VIDEO.frames(300, 30.0)?[4], [240, 299]);
/// # Ok::<(), adit_models::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClipSampling {
    clips: usize,
    seconds: f64,
}

impl ClipSampling {
    /// What ImageBind sees of a video: five clips of two seconds.
    pub const VIDEO: Self = Self {
        clips: 5,
        seconds: 2.0,
    };
    /// What ImageBind hears of a recording: three clips of two seconds.
    pub const AUDIO: Self = Self {
        clips: 3,
        seconds: 2.0,
    };

    /// 1 to 1,000 clips of more than 0 and at most 3,600 seconds each.
    ///
    /// # Errors
    /// [`Error::Input`] outside these bounds.
    pub fn new(clips: usize, seconds: f64) -> Result<Self> {
        if !(1..=MOST_CLIPS).contains(&clips) {
            return Err(input(format!(
                "{clips} clips, 1 to {MOST_CLIPS} are allowed"
            )));
        }
        if !(seconds > 0.0 && seconds <= LONGEST_CLIP) {
            return Err(input(format!(
                "clips of {seconds} s, more than 0 and at most {LONGEST_CLIP} are allowed"
            )));
        }
        Ok(Self { clips, seconds })
    }

    /// Number of clips.
    pub fn clips(&self) -> usize {
        self.clips
    }

    /// Start and end of each clip in seconds, for a recording of `duration` seconds. All clips of a
    /// recording that is shorter than one start at 0 and end after it.
    ///
    /// # Errors
    /// [`Error::Input`] for a duration that is negative, not finite, or above 2^30 seconds.
    pub fn times(&self, duration: f64) -> Result<Vec<Range<f64>>> {
        let length = Moment::at(self.seconds);
        let times = self
            .starts(duration)?
            .map(|start| start.seconds()..start.plus(length).seconds());
        Ok(times.collect())
    }

    /// The first and the last frame of each clip, for a video of `frames` frames at `rate` frames per
    /// second on average.
    ///
    /// # Errors
    /// [`Error::Input`] for no frames, a rate that is not positive and finite, or a video longer than
    /// 2^30 seconds.
    pub fn frames(&self, frames: usize, rate: f64) -> Result<Vec<[usize; 2]>> {
        if frames == 0 {
            return Err(input("a video without frames".to_owned()));
        }
        if !(rate.is_finite() && rate > 0.0) {
            return Err(input(format!("{rate} frames per second")));
        }
        let window = |time: Range<f64>| {
            let first = ((rate * time.start).ceil() as usize).min(frames - 1);
            let end = ((rate * time.end).ceil() as usize).min(frames);
            [first, end.saturating_sub(1).max(first)]
        };
        let times = self.times(frames as f64 / rate)?;
        Ok(times.into_iter().map(window).collect())
    }

    /// The samples of each clip, for a recording of `samples` samples at `rate` per second.
    ///
    /// # Errors
    /// [`Error::Input`] for no samples, a rate of 0, or a recording longer than 2^30 seconds.
    pub fn samples(&self, samples: usize, rate: u32) -> Result<Vec<Range<usize>>> {
        if samples == 0 || rate == 0 {
            return Err(input(format!("{samples} samples at {rate} per second")));
        }
        let length = Moment::at(self.seconds);
        let place = |moment: Moment| moment.samples(rate).min(samples);
        let windows = self
            .starts(samples as f64 / f64::from(rate))?
            .map(|start| place(start)..place(start.plus(length)));
        Ok(windows.collect())
    }

    fn starts(&self, duration: f64) -> Result<impl Iterator<Item = Moment>> {
        if !(0.0..=LONGEST).contains(&duration) {
            return Err(input(format!("a recording of {duration} s")));
        }
        let last = Moment::at((duration - self.seconds).max(0.0));
        let gaps = (self.clips - 1).max(1) as u128;
        Ok((0..self.clips).map(move |clip| Moment(last.0 * clip as u128 / gaps)))
    }
}

fn input(reason: String) -> Error {
    Error::Input { reason }
}

/// A time in units of 2^-80 seconds: exact for every f64 from 2^-27 to 2^30 seconds.
#[derive(Debug, Clone, Copy)]
struct Moment(u128);

impl Moment {
    fn at(seconds: f64) -> Self {
        // A product by a power of two is exact.
        Self((seconds * 2_f64.powi(FRACTION)) as u128)
    }

    fn plus(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }

    fn seconds(self) -> f64 {
        self.0 as f64 * 2_f64.powi(-FRACTION)
    }

    /// Whole samples before it.
    fn samples(self, rate: u32) -> usize {
        let whole = (self.0 >> FRACTION) * u128::from(rate);
        let part = (self.0 & ((1 << FRACTION) - 1)) * u128::from(rate);
        usize::try_from(whole + (part >> FRACTION)).unwrap_or(usize::MAX)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::ClipSampling;

    #[test]
    fn what_is_no_recording_is_refused() {
        for duration in [-1.0, f64::NAN, f64::INFINITY, 1e12] {
            assert!(ClipSampling::VIDEO.times(duration).is_err());
        }
        for (frames, rate) in [
            (0, 30.0),
            (9, 0.0),
            (9, -1.0),
            (9, f64::NAN),
            (usize::MAX, 1e-9),
        ] {
            assert!(ClipSampling::VIDEO.frames(frames, rate).is_err());
        }
        assert!(ClipSampling::AUDIO.samples(0, 16_000).is_err());
        assert!(ClipSampling::AUDIO.samples(9, 0).is_err());
        for (clips, seconds) in [(0, 2.0), (1_001, 2.0), (1, 0.0), (1, f64::NAN), (1, 1e9)] {
            assert!(ClipSampling::new(clips, seconds).is_err());
        }
    }

    proptest! {
        #[test]
        fn clips_lie_within_the_recording(
            frames in 1_usize..1_000_000, rate in 0.5_f64..240.0, clips in 1_usize..9,
            samples in 1_usize..50_000_000,
        ) {
            let sampling = ClipSampling::new(clips, 2.0).unwrap();
            let found = sampling.frames(frames, rate).unwrap();
            prop_assert_eq!(found.len(), clips);
            prop_assert!(found.iter().all(|[first, last]| first <= last && *last < frames));
            prop_assert!(found.is_sorted());
            for window in sampling.samples(samples, 16_000).unwrap() {
                prop_assert_eq!(window.len(), samples.min(32_000));
                prop_assert!(window.end <= samples);
            }
        }
    }
}
