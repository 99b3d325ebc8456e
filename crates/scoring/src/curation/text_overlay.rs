//! Whether text was laid over a clip: captions, logos, watermarks.
//!
//! A text detector says where text is in a frame. Text that stays where it is while the picture
//! moves on, or that sits in a corner, was added later.

use serde::{Deserialize, Serialize};

use super::positive;
use crate::{Result, rules::within};

/// Most frames whose boxes are compared with the tracks of the frame before.
const TRACKS_MOST: usize = 10_000;

/// A rectangle in whole pixels, from `left` to `right` and from `top` to `bottom`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TextBox {
    /// Left edge.
    pub left: i32,
    /// Upper edge.
    pub top: i32,
    /// Right edge.
    pub right: i32,
    /// Lower edge.
    pub bottom: i32,
}

impl TextBox {
    /// The box around the corners of a detected text, cut to whole pixels towards zero. What does not
    /// have four corners is the empty box at the origin. NaN counts as 0, and numbers beyond 2²⁴ as
    /// that.
    pub fn around(corners: &[[f64; 2]]) -> Self {
        const FARTHEST: f64 = 16_777_216.0;
        if corners.len() != 4 {
            return Self {
                left: 0,
                top: 0,
                right: 0,
                bottom: 0,
            };
        }
        let bound = |axis: usize, pick: fn(f64, f64) -> f64| {
            let numbers = corners.iter().filter_map(|corner| corner.get(axis));
            let bound = numbers.copied().reduce(pick).unwrap_or(0.0);
            bound.clamp(-FARTHEST, FARTHEST) as i32
        };
        Self {
            left: bound(0, f64::min),
            top: bound(1, f64::min),
            right: bound(0, f64::max),
            bottom: bound(1, f64::max),
        }
    }

    /// Intersection over union, 0 to 1 for boxes that are not inside out: the area both cover, by the
    /// area either covers. 0 when neither covers any.
    ///
    /// ```
    /// use adit_scoring::curation::text_overlay::TextBox;
    ///
    /// let box_at = |left| TextBox { left, top: 0, right: left + 10, bottom: 10 };
    /// assert_eq!(box_at(0).overlap(box_at(5)), 50.0 / 150.0);
    /// assert_eq!(box_at(0).overlap(box_at(50)), 0.0);
    /// ```
    pub fn overlap(self, other: Self) -> f64 {
        let side = |from: i32, to: i32| i64::from(to) - i64::from(from);
        let area =
            |of: Self| i128::from(side(of.left, of.right)) * i128::from(side(of.top, of.bottom));
        let width = side(self.left.max(other.left), self.right.min(other.right)).max(0);
        let height = side(self.top.max(other.top), self.bottom.min(other.bottom)).max(0);
        let both = i128::from(width) * i128::from(height);
        let either = area(self) + area(other) - both;
        if either > 0 {
            both as f64 / either as f64
        } else {
            0.0
        }
    }
}

/// Constants of the overlay rule, cosmos-curate's by default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OverlayRules {
    /// Name and version.
    pub name: String,
    /// Every so many frames the detector is run.
    pub frame_interval: u64,
    /// From this overlap on, a box continues a track.
    pub match_overlap: f64,
    /// A track ends after more than so many intervals without a box.
    pub gap_most: u64,
    /// Frames a track must last to count, divided by the interval.
    pub frames_least: u64,
    /// Mean overlap of a track's consecutive boxes from which on it is still.
    pub stable_overlap: f64,
    /// Whether text in corners counts.
    pub judge_corners: bool,
    /// Among the frames with text, the share with text in a corner above which it counts.
    pub corner_share: f64,
    /// Whether text in corners is ignored altogether.
    pub ignore_corners: bool,
    /// Width of a corner, as a part of the frame.
    pub corner_width: f64,
    /// Height of a corner.
    pub corner_height: f64,
}

impl OverlayRules {
    /// The rules of the system in the field; no hole of them is known.
    pub fn original() -> Self {
        Self {
            name: "curation/overlay/original-1".to_owned(),
            frame_interval: 3,
            match_overlap: 0.9,
            gap_most: 5,
            frames_least: 10,
            stable_overlap: 0.9,
            judge_corners: true,
            corner_share: 0.1,
            ignore_corners: false,
            corner_width: 0.1,
            corner_height: 0.1,
        }
    }
}

impl Default for OverlayRules {
    fn default() -> Self {
        Self::original()
    }
}

/// Size and rate of a video.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct VideoShape {
    /// Pixels of a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Frames per second.
    pub rate: f64,
}

/// Why a stretch counts as overlay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum OverlayReason {
    /// Text that stays where it is.
    #[serde(rename = "stable_location_text")]
    Stable,
    /// Text in a corner.
    #[serde(rename = "corner_text")]
    Corner,
}

/// A stretch of a clip with text laid over it. Times are seconds, rounded to milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct OverlaySegment {
    /// The first frame.
    pub start_frame: u64,
    /// The last frame.
    pub end_frame: u64,
    /// When it starts.
    pub start: f64,
    /// When it ends.
    pub end: f64,
    /// In how many frames the text was found.
    pub frames: u64,
    /// From start to end.
    pub duration: f64,
    /// Mean overlap of consecutive boxes, rounded to thousandths; none for text in a corner.
    pub mean_overlap: Option<f64>,
    /// Why it counts.
    pub reason: OverlayReason,
}

/// Finds text laid over a clip. `frames` are frame numbers, ascending, with the boxes of their text;
/// frames without text may be left out, which changes nothing but the order of segments.
///
/// Stable text: boxes are followed from frame to frame. A box continues the first track, in order of
/// their beginning, whose last box it overlaps by at least `match_overlap`, even when another box of
/// the frame did so already, or begins a new one; tracks without a box for more than
/// `gap_most · frame_interval` frames end. A track counts when it has
/// `max(1, frames_least / frame_interval)` boxes and their mean consecutive overlap is at least
/// `stable_overlap`; a single box is still. Tracks are told as they end.
///
/// Corner text: a box whose centre lies in a corner. When its share among the frames with text is
/// above `corner_share`, each such frame is told. A clip with any segment is dropped by the field.
///
/// O(boxes · tracks), with at most 10,000 tracks at a time: further ones are not begun.
///
/// # Errors
/// [`crate::Error::Constant`] for a side of 0, a rate that is not positive or an interval of 0,
/// [`crate::Error::NotAscending`] for frames that do not ascend.
pub fn find_overlays(
    rules: &OverlayRules,
    shape: VideoShape,
    frames: &[(u64, Vec<TextBox>)],
) -> Result<Vec<OverlaySegment>> {
    within("the width", f64::from(shape.width), 1.0, f64::MAX)?;
    within("the height", f64::from(shape.height), 1.0, f64::MAX)?;
    positive("the frame rate", shape.rate)?;
    within(
        "the frame interval",
        rules.frame_interval as f64,
        1.0,
        f64::MAX,
    )?;
    if !frames.is_sorted_by(|one, next| one.0 < next.0) {
        return Err(crate::Error::NotAscending {
            what: "the list of frames",
        });
    }
    let gap = rules.gap_most.saturating_mul(rules.frame_interval);
    let mut segments = Vec::new();
    let mut tracks: Vec<Track> = Vec::new();
    let mut with_text = 0_u64;
    let mut corners = Vec::new();
    for (frame, boxes) in frames {
        tracks.retain(|track| {
            let goes_on = frame - track.last_frame <= gap;
            if !goes_on {
                segments.extend(track.segment(rules, shape));
            }
            goes_on
        });
        let mut text = boxes
            .iter()
            .filter(|text| !(rules.ignore_corners && in_corner(rules, shape, **text)))
            .peekable();
        with_text += u64::from(text.peek().is_some());
        let mut in_corners = false;
        for &text in text {
            in_corners |= in_corner(rules, shape, text);
            let matching = tracks
                .iter()
                .position(|track| text.overlap(track.last_box) >= rules.match_overlap);
            if let Some(track) = matching.and_then(|place| tracks.get_mut(place)) {
                track.follow(*frame, text);
            } else if tracks.len() < TRACKS_MOST {
                tracks.push(Track::begin(*frame, text));
            }
        }
        if in_corners {
            corners.push(*frame);
        }
    }
    for track in &tracks {
        segments.extend(track.segment(rules, shape));
    }
    if rules.judge_corners && corners.len() as f64 / with_text.max(1) as f64 > rules.corner_share {
        segments.extend(corners.into_iter().map(|frame| {
            let time = thousandths(frame as f64 / shape.rate);
            OverlaySegment {
                start_frame: frame,
                end_frame: frame,
                start: time,
                end: time,
                frames: 1,
                duration: 0.0,
                mean_overlap: None,
                reason: OverlayReason::Corner,
            }
        }));
    }
    Ok(segments)
}

fn in_corner(rules: &OverlayRules, shape: VideoShape, text: TextBox) -> bool {
    let near_edge = |low: i32, high: i32, side: u32, part: f64| {
        let centre = f64::midpoint(f64::from(low), f64::from(high));
        let margin = part * f64::from(side);
        centre <= margin || centre >= f64::from(side) - margin
    };
    near_edge(text.left, text.right, shape.width, rules.corner_width)
        && near_edge(text.top, text.bottom, shape.height, rules.corner_height)
}

struct Track {
    first_frame: u64,
    last_frame: u64,
    last_box: TextBox,
    boxes: u64,
    overlaps: f64,
}

impl Track {
    fn begin(frame: u64, text: TextBox) -> Self {
        Self {
            first_frame: frame,
            last_frame: frame,
            last_box: text,
            boxes: 1,
            overlaps: 0.0,
        }
    }

    fn follow(&mut self, frame: u64, text: TextBox) {
        self.overlaps += self.last_box.overlap(text);
        self.boxes += 1;
        self.last_frame = frame;
        self.last_box = text;
    }

    fn segment(&self, rules: &OverlayRules, shape: VideoShape) -> Option<OverlaySegment> {
        let least = rules.frames_least.checked_div(rules.frame_interval);
        let mean = if self.boxes > 1 {
            self.overlaps / (self.boxes - 1) as f64
        } else {
            1.0
        };
        let counts = self.boxes >= least.unwrap_or(0).max(1) && mean >= rules.stable_overlap;
        let start = thousandths(self.first_frame as f64 / shape.rate);
        let end = thousandths(self.last_frame as f64 / shape.rate);
        counts.then(|| OverlaySegment {
            start_frame: self.first_frame,
            end_frame: self.last_frame,
            start,
            end,
            frames: self.boxes,
            duration: if self.boxes > 1 {
                thousandths(end - start)
            } else {
                0.0
            },
            mean_overlap: Some(thousandths(mean)),
            reason: OverlayReason::Stable,
        })
    }
}

/// The number's nearest thousandth as decimal digits say it, half to even: the number is rounded as
/// it is, not times 1,000, which would round twice.
fn thousandths(number: f64) -> f64 {
    format!("{number:.3}").parse().unwrap_or(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: VideoShape = VideoShape {
        width: 640,
        height: 480,
        rate: 25.0,
    };

    fn text_at(left: i32, top: i32) -> TextBox {
        TextBox {
            left,
            top,
            right: left + 80,
            bottom: top + 30,
        }
    }

    fn rules() -> OverlayRules {
        OverlayRules {
            frame_interval: 1,
            ..OverlayRules::original()
        }
    }

    #[test]
    fn text_that_stays_is_overlay_and_text_that_moves_is_not() {
        let staying: Vec<_> = (0..12)
            .map(|frame| (frame, vec![text_at(300, 200)]))
            .collect();
        let found = find_overlays(&rules(), SHAPE, &staying).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].end_frame, found[0].frames, found[0].end),
            (11, 12, 0.44)
        );
        assert_eq!(found[0].mean_overlap, Some(1.0));
        let moving: Vec<_> = (0..12)
            .map(|frame| (frame, vec![text_at(frame as i32 * 20, 200)]))
            .collect();
        assert!(find_overlays(&rules(), SHAPE, &moving).unwrap().is_empty());
    }

    #[test]
    fn corners_count_by_share_or_are_ignored() {
        let frames: Vec<_> = (0..4).map(|frame| (frame, vec![text_at(0, 0)])).collect();
        let found = find_overlays(&rules(), SHAPE, &frames).unwrap();
        assert_eq!(found.len(), 4);
        assert!(
            found
                .iter()
                .all(|segment| segment.reason == OverlayReason::Corner)
        );
        let ignoring = OverlayRules {
            ignore_corners: true,
            ..rules()
        };
        assert!(find_overlays(&ignoring, SHAPE, &frames).unwrap().is_empty());
    }

    #[test]
    fn a_gap_ends_a_track() {
        let frames = [0, 1, 2, 8, 9].map(|frame| (frame, vec![text_at(300, 200)]));
        let rules = OverlayRules {
            frames_least: 2,
            ..rules()
        };
        let found = find_overlays(&rules, SHAPE, &frames).unwrap();
        let bounds: Vec<_> = found
            .iter()
            .map(|found| (found.start_frame, found.end_frame))
            .collect();
        assert_eq!(bounds, [(0, 2), (8, 9)]);
    }

    #[test]
    fn thousandths_are_those_of_the_decimal_digits() {
        for (number, rounded) in [
            (0.0625, 0.062),
            (0.1875, 0.188),
            (2.6675, 2.667),
            (1.0005, 1.0),
        ] {
            assert_eq!(thousandths(number), rounded);
        }
    }

    #[test]
    fn boxes_are_cut_towards_zero() {
        let corners = [[-2.4, 2.2], [82.3, 2.1], [82.6, 32.9], [-2.2, 32.5]];
        let found = TextBox::around(&corners);
        assert_eq!(
            (found.left, found.top, found.right, found.bottom),
            (-2, 2, 82, 32)
        );
        assert_eq!(
            TextBox::around(&corners[..3]),
            TextBox {
                left: 0,
                top: 0,
                right: 0,
                bottom: 0
            }
        );
        let far = TextBox::around(&[[f64::NAN, f64::INFINITY]; 4]);
        assert_eq!((far.left, far.bottom), (0, 1 << 24));
    }

    #[test]
    fn hostile_input_is_refused() {
        let backwards = [(1, vec![]), (0, vec![])];
        assert!(find_overlays(&rules(), SHAPE, &backwards).is_err());
        let none = VideoShape { rate: 0.0, ..SHAPE };
        assert!(find_overlays(&rules(), none, &[]).is_err());
        let no_interval = OverlayRules {
            frame_interval: 0,
            ..rules()
        };
        assert!(find_overlays(&no_interval, SHAPE, &[]).is_err());
    }
}
