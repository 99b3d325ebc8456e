//! Taking frames at a steady rate, by their timestamps.
//!
//! Timestamps are single precision seconds, as the field's systems keep them, and all arithmetic on
//! them is in single precision too: at some rates that decides which of two frames is nearer.

use super::positive;
use crate::{Error, Result, rules::within};

/// Most samples one call takes.
const SAMPLES_MOST: f64 = 1e7;

/// Which frame is nearest to each moment: its place in `timestamps`, which ascend. Between two
/// frames equally near, the earlier. From the last timestamp on, the last. O(m log n).
///
/// # Errors
/// [`Error::Empty`] without timestamps, [`Error::NotFinite`] for a NaN among the numbers.
pub fn nearest_frames(timestamps: &[f32], moments: &[f32]) -> Result<Vec<usize>> {
    let Some(last) = timestamps.len().checked_sub(1) else {
        return Err(Error::Empty {
            what: "the list of timestamps",
        });
    };
    if timestamps.iter().chain(moments).any(|time| time.is_nan()) {
        return Err(Error::NotFinite {
            what: "a timestamp",
        });
    }
    let latest = timestamps.last().copied().unwrap_or(f32::INFINITY);
    let nearest = |moment: &f32| {
        if *moment >= latest {
            return last;
        }
        let right = timestamps.partition_point(|time| time < moment);
        match (
            right.checked_sub(1).and_then(|left| timestamps.get(left)),
            timestamps.get(right),
        ) {
            (None, _) => 0,
            (Some(_), None) => last,
            (Some(before), Some(after)) => {
                let later = (moment - after).abs() < (moment - before).abs();
                if later { right } else { right - 1 }
            }
        }
    };
    Ok(moments.iter().map(nearest).collect())
}

/// Where and how densely frames are taken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SamplingRange {
    /// Samples per second.
    pub rate: f64,
    /// First moment in seconds; the first timestamp if none.
    pub start: Option<f64>,
    /// Last moment in seconds; the last timestamp if none.
    pub stop: Option<f64>,
    /// Whether the last moment itself may be sampled, where it fits the rate.
    pub endpoint: bool,
    /// Whether a frame that is nearest to several moments is named once, with its count.
    pub deduplicate: bool,
}

/// Frames taken at a steady rate.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SampledFrames {
    /// Places of the frames.
    pub frames: Vec<usize>,
    /// How often each was sampled.
    pub counts: Vec<usize>,
    /// The moments, in seconds.
    pub moments: Vec<f32>,
}

/// Frames nearest to the moments `start, start + 1/rate, …` before `stop`, or, with `endpoint`, up
/// to half an interval beyond it. Without it, a last moment that rounds to `stop` (within 10⁻⁵
/// relative) is left out. A range without moments has no frames.
///
/// # Errors
/// [`Error::Empty`] without timestamps, [`Error::Constant`] for a rate that is not positive or that
/// takes more than ten million samples, [`Error::NotFinite`] for a bound or timestamp that is not.
pub fn sample_frames(timestamps: &[f32], range: &SamplingRange) -> Result<SampledFrames> {
    let (Some(&first), Some(&last)) = (timestamps.first(), timestamps.last()) else {
        return Err(Error::Empty {
            what: "the list of timestamps",
        });
    };
    positive("the sampling rate", range.rate)?;
    let interval = 1.0 / range.rate;
    positive("the sampling interval", interval)?;
    let start = Seconds::of(range.start, first);
    let stop = Seconds::of(range.stop, last);
    let end = if range.endpoint {
        stop.plus(interval * 0.5)
    } else {
        stop
    };
    let mut moments = steps(start, end, interval)?;
    if !range.endpoint
        && let Some(&latest) = moments.last()
        && (f64::from(latest) - stop.wide()).abs() <= 1e-8 + 1e-5 * stop.wide().abs()
    {
        moments.pop();
    }
    let nearest = nearest_frames(timestamps, &moments)?;
    let mut sampled = SampledFrames {
        moments,
        ..SampledFrames::default()
    };
    for frame in nearest {
        match (sampled.frames.last(), sampled.counts.last_mut()) {
            (Some(before), Some(count)) if range.deduplicate && *before == frame => *count += 1,
            _ => {
                sampled.frames.push(frame);
                sampled.counts.push(1);
            }
        }
    }
    Ok(sampled)
}

/// A bound as it was given: single precision where it is a timestamp, double where the caller
/// stated it. Sums and differences with a timestamp are single precision.
#[derive(Clone, Copy)]
enum Seconds {
    Single(f32),
    Double(f64),
}

impl Seconds {
    fn of(stated: Option<f64>, timestamp: f32) -> Self {
        stated.map_or(Self::Single(timestamp), Self::Double)
    }

    fn wide(self) -> f64 {
        match self {
            Self::Single(time) => f64::from(time),
            Self::Double(time) => time,
        }
    }

    fn narrow(self) -> f32 {
        match self {
            Self::Single(time) => time,
            Self::Double(time) => time as f32,
        }
    }

    fn plus(self, seconds: f64) -> Self {
        match self {
            Self::Single(time) => Self::Single(time + seconds as f32),
            Self::Double(time) => Self::Double(time + seconds),
        }
    }
}

/// `start, start + interval, …` before `end`, as numpy's `arange` makes them in single precision:
/// ⌈(end − start) / interval⌉ of them, `start + k · ((start + interval) − start)`.
fn steps(start: Seconds, end: Seconds, interval: f64) -> Result<Vec<f32>> {
    if !(start.wide().is_finite() && end.wide().is_finite()) {
        return Err(Error::NotFinite {
            what: "a bound of the range",
        });
    }
    let count = match (start, end) {
        (Seconds::Double(start), Seconds::Double(end)) => (end - start) / interval,
        _ => f64::from((end.narrow() - start.narrow()) / interval as f32),
    };
    let count = within(
        "the number of samples",
        count.ceil().max(0.0),
        0.0,
        SAMPLES_MOST,
    )?;
    let first = start.narrow();
    let step = start.plus(interval).narrow() - first;
    Ok((0..count as u32).map(|k| first + k as f32 * step).collect())
}

/// The least common multiple of whole frame rates, at which one decoding serves all of them.
///
/// # Errors
/// [`Error::Empty`] without rates, [`Error::Constant`] for a rate of 0 or a multiple beyond 2⁵³.
pub fn least_common_multiple(rates: &[u64]) -> Result<u64> {
    const EXACT_MOST: u64 = 1 << 53;
    let mut rates = rates.iter().copied();
    let first = rates.next().ok_or(Error::Empty {
        what: "the list of rates",
    })?;
    let check = |rate: u64| within("a rate", rate as f64, 1.0, EXACT_MOST as f64).map(|_| rate);
    rates.try_fold(check(first)?, |multiple, rate| {
        let product = u128::from(multiple) * u128::from(check(rate)?);
        let least = product / u128::from(greatest_common_divisor(multiple, rate));
        check(u64::try_from(least).unwrap_or(u64::MAX))
    })
}

/// The greatest common divisor by Euclid's algorithm; of 0 and a number, the number.
pub(super) fn greatest_common_divisor(mut one: u64, mut other: u64) -> u64 {
    while other != 0 {
        (one, other) = (other, one % other);
    }
    one
}

#[cfg(test)]
mod tests {
    use super::*;

    const RANGE: SamplingRange = SamplingRange {
        rate: 2.0,
        start: None,
        stop: None,
        endpoint: true,
        deduplicate: true,
    };

    #[test]
    fn the_earlier_of_two_equally_near_frames_is_taken() {
        let found = nearest_frames(&[0.0, 1.0, 2.0], &[-9.0, 0.5, 0.51, 1.5, 2.0, 9.0]).unwrap();
        assert_eq!(found, [0, 0, 1, 1, 2, 2]);
        assert_eq!(nearest_frames(&[4.0], &[0.0, 9.0]).unwrap(), [0, 0]);
        assert!(nearest_frames(&[], &[1.0]).is_err());
        assert!(nearest_frames(&[f32::NAN], &[1.0]).is_err());
    }

    #[test]
    fn an_empty_range_has_no_frames() {
        // Where the field's code fails: nothing between the bounds and no endpoint.
        let range = SamplingRange {
            rate: 0.5,
            start: Some(0.5),
            endpoint: false,
            ..RANGE
        };
        let sampled = sample_frames(&[0.0, 0.033], &range).unwrap();
        assert_eq!(sampled, SampledFrames::default());
    }

    #[test]
    fn repeated_frames_are_counted() {
        let range = SamplingRange { rate: 4.0, ..RANGE };
        let sampled = sample_frames(&[0.0, 1.0], &range).unwrap();
        assert_eq!(sampled.frames, [0, 1]);
        assert_eq!(sampled.counts, [3, 2]);
        assert_eq!(sampled.moments, [0.0, 0.25, 0.5, 0.75, 1.0]);
        let open = SamplingRange {
            endpoint: false,
            ..range
        };
        assert_eq!(sample_frames(&[0.0, 1.0], &open).unwrap().counts, [3, 1]);
    }

    #[test]
    fn hostile_ranges_are_refused() {
        for rate in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e12, 1e-320] {
            assert!(sample_frames(&[0.0, 9.0], &SamplingRange { rate, ..RANGE }).is_err());
        }
        let start = Some(f64::NAN);
        assert!(sample_frames(&[0.0, 9.0], &SamplingRange { start, ..RANGE }).is_err());
        assert!(sample_frames(&[], &RANGE).is_err());
        assert!(sample_frames(&[0.0, f32::INFINITY], &RANGE).is_err());
    }

    #[test]
    fn multiples_are_least() {
        assert_eq!(least_common_multiple(&[8, 12, 18]).unwrap(), 72);
        assert!(least_common_multiple(&[]).is_err());
        assert!(least_common_multiple(&[3, 0]).is_err());
        assert!(least_common_multiple(&[(1 << 53) - 1, 1 << 52]).is_err());
    }
}
