//! Aligning sensors on a grid of nanoseconds, and decoding no more of a video than that needs.

use super::positive;
use crate::{Error, Result, rules::within};

/// Most points of a grid.
const POINTS_MOST: f64 = 1e8;
const NANOSECONDS: f64 = 1e9;

/// Where a grid ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GridEnd {
    /// The last point is at or before this moment, and the grid's end the point after it.
    Inclusive(i64),
    /// The last point is before this moment, which is the grid's end.
    Exclusive(i64),
}

/// Evenly spaced moments in nanoseconds, strictly ascending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimestampGrid {
    /// The first point, which the grid starts with.
    pub start: i64,
    /// The moment before which every point lies.
    pub exclusive_end: i64,
    /// The points.
    pub points: Vec<i64>,
}

/// The grid `start + k / rate` up to its end. Times are divided to seconds, the points are summed in
/// double precision seconds and rounded to nanoseconds, half to even, so that far from zero the grid
/// has the grain of doubles (about 240 ns today); an end that lies on the grid but for rounding
/// counts as on it.
///
/// # Errors
/// [`Error::Constant`] for a rate that is not positive, an end before the start, or more than 10⁸
/// points; [`Error::NotAscending`] when points fall together after rounding.
pub fn timestamp_grid(start: i64, end: GridEnd, rate: f64) -> Result<TimestampGrid> {
    positive("the sampling rate", rate)?;
    let (GridEnd::Inclusive(last) | GridEnd::Exclusive(last)) = end;
    within("the end of the grid", last as f64, start as f64, f64::MAX)?;
    let interval = 1.0 / rate;
    let from = seconds(start);
    let intervals = (seconds(last) - from) / interval;
    within("the number of points", intervals, 0.0, POINTS_MOST)?;
    let count = match end {
        GridEnd::Inclusive(_) => intervals.next_up().floor() as u64 + 2,
        GridEnd::Exclusive(_) => intervals.ceil() as u64,
    };
    let point = |k: u64| ((from + k as f64 * interval) * NANOSECONDS).round_ties_even() as i64;
    let mut points: Vec<i64> = (0..count).map(point).collect();
    if !points.is_sorted_by(|one, next| one < next) {
        return Err(Error::NotAscending { what: "the grid" });
    }
    let exclusive_end = match end {
        GridEnd::Inclusive(_) => points.pop().unwrap_or(start),
        GridEnd::Exclusive(end) => {
            points.retain(|point| *point < end);
            end
        }
    };
    Ok(TimestampGrid {
        start: points.first().copied().unwrap_or(start),
        exclusive_end,
        points,
    })
}

/// Nanoseconds as the double nearest to the exact number of seconds: dividing a rounded double
/// would round twice.
fn seconds(nanoseconds: i64) -> f64 {
    let (whole, rest) = (nanoseconds / 1_000_000_000, nanoseconds % 1_000_000_000);
    let sign = if nanoseconds < 0 { "-" } else { "" };
    let text = format!("{sign}{}.{:09}", whole.unsigned_abs(), rest.unsigned_abs());
    text.parse().unwrap_or(nanoseconds as f64 / NANOSECONDS)
}

/// Samples of a sensor that serve the moments of one window.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WindowSamples {
    /// Places of the samples in the sensor's list.
    pub samples: Vec<usize>,
    /// How many moments each serves.
    pub counts: Vec<usize>,
}

/// The sample of a sensor nearest to each `moment` of a window that ends before `exclusive_end`;
/// between two equally near, the earlier. Only samples from the first moment to before the end
/// count, none from neighbouring windows; without such samples, or without moments, nothing is
/// taken. With `deduplicate` a sample that serves several moments is named once. Both lists ascend.
/// O(m log n).
///
/// # Errors
/// [`Error::NotAscending`] for a list that does not, [`Error::Constant`] when a nearest sample is
/// farther away than `tolerance` nanoseconds: it states the largest such distance.
pub fn sample_window(
    samples: &[i64],
    moments: &[i64],
    exclusive_end: i64,
    tolerance: Option<u64>,
    deduplicate: bool,
) -> Result<WindowSamples> {
    for (list, what) in [
        (samples, "the list of samples"),
        (moments, "the list of moments"),
    ] {
        if !list.is_sorted_by(|one, next| one < next) {
            return Err(Error::NotAscending { what });
        }
    }
    let mut found = WindowSamples::default();
    let Some(&start) = moments.first() else {
        return Ok(found);
    };
    let begin = samples.partition_point(|sample| *sample < start);
    let end = samples.partition_point(|sample| *sample < exclusive_end);
    let window = samples.get(begin..end).unwrap_or_default();
    if window.is_empty() {
        return Ok(found);
    }
    let mut farthest = 0;
    for &moment in moments {
        let right = window.partition_point(|sample| *sample < moment);
        let left = right.saturating_sub(1);
        let distance = |place: usize| window.get(place).map(|sample| sample.abs_diff(moment));
        // Beyond the last sample there is no right one; before the first, left and right are one.
        let (place, away) = match (distance(left), distance(right)) {
            (Some(before), Some(after)) if after < before => (right, after),
            (Some(before), _) => (left, before),
            (None, _) => (left, 0),
        };
        farthest = farthest.max(away);
        match (found.samples.last(), found.counts.last_mut()) {
            (Some(last), Some(count)) if deduplicate && *last == begin + place => *count += 1,
            _ => {
                found.samples.push(begin + place);
                found.counts.push(1);
            }
        }
    }
    if let Some(tolerance) = tolerance
        && farthest > tolerance
    {
        return Err(Error::Constant {
            name: "the distance to the nearest sample",
            value: farthest as f64,
            least: 0.0,
            most: tolerance as f64,
        });
    }
    Ok(found)
}

/// Frames that one seek serves: all lie behind the same keyframe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodeGroup {
    /// The keyframe's timestamp, to seek to.
    pub keyframe: i64,
    /// Timestamps of the frames wanted and how often each is, ascending.
    pub frames: Vec<(i64, u64)>,
}

/// Groups frames by the keyframe that governs them, the last at or before the frame, so that every
/// group of pictures is sought and decoded once. Frames before the first keyframe belong to it. Both
/// lists ascend. O(keyframes + frames).
///
/// # Errors
/// [`Error::Empty`] without keyframes while frames are wanted, [`Error::NotAscending`] for a list
/// that does not.
pub fn decode_plan(keyframes: &[i64], frames: &[(i64, u64)]) -> Result<Vec<DecodeGroup>> {
    if !keyframes.is_sorted_by(|one, next| one < next) {
        return Err(Error::NotAscending {
            what: "the list of keyframes",
        });
    }
    if !frames.is_sorted_by(|one, next| one.0 < next.0) {
        return Err(Error::NotAscending {
            what: "the list of frames",
        });
    }
    let mut ahead = keyframes.iter().copied().peekable();
    let mut governing = None;
    let mut groups: Vec<DecodeGroup> = Vec::new();
    for &frame in frames {
        while let Some(next) = ahead.next_if(|next| governing.is_none() || *next <= frame.0) {
            governing = Some(next);
        }
        let Some(keyframe) = governing else {
            return Err(Error::Empty {
                what: "the list of keyframes",
            });
        };
        match groups.last_mut() {
            Some(group) if group.keyframe == keyframe => group.frames.push(frame),
            _ => groups.push(DecodeGroup {
                keyframe,
                frames: vec![frame],
            }),
        }
    }
    Ok(groups)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grid_reaches_its_end() {
        let grid = timestamp_grid(0, GridEnd::Inclusive(1_000_000_000), 2.0).unwrap();
        assert_eq!(grid.points, [0, 500_000_000, 1_000_000_000]);
        assert_eq!(grid.exclusive_end, 1_500_000_000);
        let grid = timestamp_grid(5, GridEnd::Exclusive(1_000_000_005), 1.0).unwrap();
        assert_eq!(grid.points, [5]);
        assert_eq!(grid.exclusive_end, 1_000_000_005);
        let epoch = 1_700_000_000_000_000_000;
        let grid = timestamp_grid(epoch, GridEnd::Inclusive(epoch + 999_999_999), 3.0).unwrap();
        assert_eq!(grid.points[1], 1_700_000_000_333_333_248);
        assert_eq!(grid.points.len(), 4);
        assert!(
            timestamp_grid(9, GridEnd::Exclusive(9), 1.0)
                .unwrap()
                .points
                .is_empty()
        );
    }

    #[test]
    fn hostile_grids_are_refused() {
        for rate in [0.0, -1.0, f64::NAN, 1e300] {
            assert!(timestamp_grid(0, GridEnd::Inclusive(1_000_000_000), rate).is_err());
        }
        assert!(timestamp_grid(5, GridEnd::Inclusive(1), 1.0).is_err());
        assert!(timestamp_grid(i64::MIN, GridEnd::Inclusive(i64::MAX), 1.0).is_err());
        let epoch = 1_700_000_000_000_000_000;
        let fine = timestamp_grid(epoch, GridEnd::Inclusive(epoch + 1000), 1e9);
        assert!(matches!(fine, Err(Error::NotAscending { .. })));
    }

    #[test]
    fn seconds_are_rounded_once() {
        for nanoseconds in [0, -1, 1, 1_999_999_999, -2_500_000_000, i64::MAX, i64::MIN] {
            let text = format!("{}e-9", nanoseconds);
            assert_eq!(seconds(nanoseconds), text.parse::<f64>().unwrap());
        }
    }

    #[test]
    fn windows_do_not_borrow_from_their_neighbours() {
        let found = sample_window(&[0, 90, 210], &[100, 200], 205, None, true).unwrap();
        assert_eq!(found, WindowSamples::default());
        let found = sample_window(&[99, 101, 199], &[100, 200], 205, Some(1), false).unwrap();
        assert_eq!(found.samples, [1, 2]);
        let found = sample_window(&[150], &[100, 120, 200], 205, None, true).unwrap();
        assert_eq!((found.samples, found.counts), (vec![0], vec![3]));
        assert!(sample_window(&[150], &[100], 205, Some(49), true).is_err());
        assert!(sample_window(&[150, 150], &[100], 205, None, true).is_err());
        assert!(sample_window(&[150], &[100, 100], 205, None, true).is_err());
        // Half way between two samples, the earlier.
        assert_eq!(
            sample_window(&[10, 20], &[10, 15], 99, None, true)
                .unwrap()
                .samples,
            [0]
        );
    }

    #[test]
    fn every_group_of_pictures_is_sought_once() {
        let plan = decode_plan(&[10, 20, 30], &[(5, 1), (19, 2), (30, 1), (99, 1)]).unwrap();
        let groups: Vec<_> = plan
            .iter()
            .map(|group| (group.keyframe, group.frames.len()))
            .collect();
        assert_eq!(groups, [(10, 2), (30, 2)]);
        assert!(decode_plan(&[], &[]).unwrap().is_empty());
        assert!(decode_plan(&[], &[(1, 1)]).is_err());
        assert!(decode_plan(&[2, 1], &[]).is_err());
        assert!(decode_plan(&[1], &[(3, 1), (3, 1)]).is_err());
    }
}
