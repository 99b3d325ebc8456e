//! Stretches of a video, and cutting one into pieces of a fixed length.

use serde::{Deserialize, Serialize};

use super::{at_least, positive};
use crate::{Error, Result, rules::within};

/// Most pieces one video is cut into: a hostile stride asks for no more memory than this.
const PIECES_MOST: f64 = 1e6;

/// A half-open stretch of frames, `start` to before `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct FrameSpan {
    /// The first frame.
    pub start: u64,
    /// The frame after the last.
    pub end: u64,
}

impl FrameSpan {
    /// How many frames; 0 when the end lies before the start.
    pub const fn frames(self) -> u64 {
        self.end.saturating_sub(self.start)
    }

    /// The same stretch in seconds, at `rate` frames per second: both bounds divided by the rate.
    ///
    /// # Errors
    /// [`Error::Constant`] unless the rate is positive and finite.
    pub fn seconds(self, rate: f64) -> Result<SecondsSpan> {
        positive("the frame rate", rate)?;
        Ok(SecondsSpan {
            start: self.start as f64 / rate,
            end: self.end as f64 / rate,
        })
    }
}

/// A stretch of time, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SecondsSpan {
    /// Where it starts.
    pub start: f64,
    /// Where it ends.
    pub end: f64,
}

/// How a video is cut at a fixed stride, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct FixedStride {
    /// Length of a piece.
    pub length: f64,
    /// From the start of one piece to the start of the next.
    pub stride: f64,
    /// Shortest piece that is kept.
    pub least: f64,
}

/// Ten seconds every ten seconds, none shorter than two: the field's default.
impl Default for FixedStride {
    fn default() -> Self {
        Self {
            length: 10.0,
            stride: 10.0,
            least: 2.0,
        }
    }
}

/// Pieces `[t, min(t + length, end)]` for `t = start, start + stride, …` while `t < end`, without
/// those shorter than `least`. The starts are summed up one by one, in double precision, as both
/// field systems do; the sums are part of a clip's name.
///
/// # Errors
/// [`Error::NotFinite`] for a bound, [`Error::Constant`] for a negative length, a stride that is not
/// positive or that yields more than a million pieces.
pub fn fixed_stride_spans(start: f64, end: f64, cut: FixedStride) -> Result<Vec<SecondsSpan>> {
    if !(start.is_finite() && end.is_finite()) {
        return Err(Error::NotFinite {
            what: "a bound of the video",
        });
    }
    at_least("the length of a piece", cut.length, 0.0)?;
    positive("the stride", cut.stride)?;
    if cut.least.is_nan() {
        return Err(Error::NotFinite {
            what: "the shortest piece",
        });
    }
    within(
        "the number of pieces",
        ((end - start) / cut.stride).max(0.0),
        0.0,
        PIECES_MOST,
    )?;
    let mut spans = Vec::new();
    let mut at = start;
    while at < end {
        let until = (at + cut.length).min(end);
        if until - at >= cut.least {
            spans.push(SecondsSpan {
                start: at,
                end: until,
            });
        }
        let next = at + cut.stride;
        // A stride below the precision of the start moves nothing.
        at_least("the stride", next - at, f64::MIN_POSITIVE)?;
        at = next;
    }
    Ok(spans)
}

/// Consecutive pieces of `most` frames each; the last is the remainder, dropped when it is shorter
/// than `least`. The others are never compared with `least`.
///
/// # Errors
/// [`Error::Constant`] when `most` is 0 or yields more than a million pieces.
pub fn split_span(span: FrameSpan, most: u64, least: Option<u64>) -> Result<Vec<FrameSpan>> {
    let pieces = span.frames().checked_div(most).unwrap_or(u64::MAX);
    within("the number of pieces", pieces as f64, 0.0, PIECES_MOST)?;
    let mut spans = Vec::with_capacity(pieces as usize + 1);
    let mut start = span.start;
    while span.end.saturating_sub(start) > most {
        let end = start + most;
        spans.push(FrameSpan { start, end });
        start = end;
    }
    let rest = FrameSpan {
        start,
        end: span.end,
    };
    if rest.frames() > 0 && rest.frames() >= least.unwrap_or(0) {
        spans.push(rest);
    }
    Ok(spans)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_a_fixed_length_end_with_the_video() {
        let spans = fixed_stride_spans(0.0, 25.0, FixedStride::default()).unwrap();
        let bounds: Vec<_> = spans.iter().map(|span| (span.start, span.end)).collect();
        assert_eq!(bounds, [(0.0, 10.0), (10.0, 20.0), (20.0, 25.0)]);
        let spans = fixed_stride_spans(0.0, 21.0, FixedStride::default()).unwrap();
        assert_eq!(spans.len(), 2, "the last second is too short");
        assert!(
            fixed_stride_spans(5.0, 5.0, FixedStride::default())
                .unwrap()
                .is_empty()
        );
        assert!(
            fixed_stride_spans(5.0, 1.0, FixedStride::default())
                .unwrap()
                .is_empty()
        );
    }

    #[test]
    fn a_hostile_stride_is_refused_and_never_loops() {
        for stride in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e-9] {
            let cut = FixedStride {
                stride,
                ..FixedStride::default()
            };
            assert!(fixed_stride_spans(0.0, 25.0, cut).is_err(), "{stride}");
        }
        let cut = FixedStride {
            stride: 1.0,
            ..FixedStride::default()
        };
        assert!(fixed_stride_spans(1e17, 1e17 + 64.0, cut).is_err());
        assert!(fixed_stride_spans(f64::NEG_INFINITY, 1.0, cut).is_err());
    }

    #[test]
    fn only_the_last_piece_is_compared_with_the_least_length() {
        let span = FrameSpan {
            start: 208,
            end: 213,
        };
        assert_eq!(split_span(span, 1, Some(5)).unwrap().len(), 4);
        assert_eq!(split_span(span, 1, None).unwrap().len(), 5);
        assert_eq!(split_span(span, 1800, Some(5)).unwrap(), [span]);
        assert!(
            split_span(FrameSpan { start: 9, end: 9 }, 3, None)
                .unwrap()
                .is_empty()
        );
        assert!(split_span(span, 0, None).is_err());
        assert!(
            split_span(
                FrameSpan {
                    start: 0,
                    end: u64::MAX
                },
                1,
                None
            )
            .is_err()
        );
    }
}
