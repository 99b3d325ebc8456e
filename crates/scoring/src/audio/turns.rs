use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use crate::{Error, Result, video::number};

/// Spans not longer than this, in seconds, are empty, and gaps not longer are none, as the field's
/// diarization library has it.
pub(super) const PRECISION_S: f64 = 1e-6;

/// A stretch of a recording.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct TimeSpan {
    /// Start, in seconds.
    #[serde(with = "number")]
    pub start_s: f64,
    /// End, in seconds.
    #[serde(with = "number")]
    pub end_s: f64,
}

impl TimeSpan {
    /// From `start_s` to `end_s`, in seconds.
    pub const fn new(start_s: f64, end_s: f64) -> Self {
        Self { start_s, end_s }
    }

    /// End minus start, in seconds; negative when they are swapped.
    pub fn duration_s(&self) -> f64 {
        self.end_s - self.start_s
    }

    pub(super) fn is_finite(&self) -> bool {
        self.start_s.is_finite() && self.end_s.is_finite()
    }
}

impl AsRef<TimeSpan> for TimeSpan {
    fn as_ref(&self) -> &TimeSpan {
        self
    }
}

/// One speaker's stretch of speech, as a diarization gives it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SpeakerTurn {
    /// When.
    pub span: TimeSpan,
    /// Who, under a name that means nothing outside its diarization.
    pub speaker: String,
}

impl SpeakerTurn {
    /// `speaker` from `start_s` to `end_s`, in seconds.
    pub fn new(start_s: f64, end_s: f64, speaker: impl Into<String>) -> Self {
        Self {
            span: TimeSpan::new(start_s, end_s),
            speaker: speaker.into(),
        }
    }
}

impl AsRef<TimeSpan> for SpeakerTurn {
    fn as_ref(&self) -> &TimeSpan {
        &self.span
    }
}

/// Spans and turns of at least `least_s` seconds, in their order.
pub fn keep_long<T: AsRef<TimeSpan> + Clone>(spans: &[T], least_s: f64) -> Vec<T> {
    let long = |span: &&T| (*span).as_ref().duration_s() >= least_s;
    spans.iter().filter(long).cloned().collect()
}

/// The stretches that spans cover together, ascending and apart: spans that overlap or meet become
/// one, empty ones vanish. O(n log n).
///
/// # Errors
/// [`Error::NotFinite`] for a time that is NaN or infinite.
pub fn merge_spans(spans: &[TimeSpan]) -> Result<Vec<TimeSpan>> {
    finite(spans)?;
    let mut sorted: Vec<TimeSpan> = spans
        .iter()
        .filter(|span| span.duration_s() > PRECISION_S)
        .copied()
        .collect();
    sorted.sort_by(|one, other| one.start_s.total_cmp(&other.start_s));
    let mut merged: Vec<TimeSpan> = Vec::new();
    for span in sorted {
        match merged.last_mut() {
            Some(last) if span.start_s - last.end_s <= PRECISION_S => {
                last.end_s = last.end_s.max(span.end_s);
            }
            _ => merged.push(span),
        }
    }
    Ok(merged)
}

/// What is left of turns outside the overlaps: every piece is longer than nothing and keeps its
/// speaker. Overlaps may be given in any order; O((n + m) log m) and the pieces.
///
/// # Errors
/// [`Error::NotFinite`] for a time that is NaN or infinite.
pub fn subtract_overlap(turns: &[SpeakerTurn], overlaps: &[TimeSpan]) -> Result<Vec<SpeakerTurn>> {
    finite(turns)?;
    let overlaps = merge_spans(overlaps)?;
    let mut pieces = Vec::new();
    for turn in turns {
        let mut from = turn.span.start_s;
        let first = overlaps.partition_point(|overlap| overlap.end_s <= from);
        for overlap in overlaps.get(first..).unwrap_or_default() {
            if overlap.start_s >= turn.span.end_s {
                break;
            }
            if overlap.start_s > from {
                pieces.push(SpeakerTurn::new(from, overlap.start_s, &turn.speaker));
            }
            from = overlap.end_s;
        }
        if turn.span.end_s > from {
            pieces.push(SpeakerTurn::new(from, turn.span.end_s, &turn.speaker));
        }
    }
    Ok(pieces)
}

/// How many different speakers take turns.
pub fn count_speakers(turns: &[SpeakerTurn]) -> usize {
    let names: HashSet<&str> = turns.iter().map(|turn| turn.speaker.as_str()).collect();
    names.len()
}

/// Seconds of speech of the speaker who says least and of the one who says most; none without
/// turns. Turns are summed in their order, swapped ones as negative.
pub(super) fn least_and_most(turns: &[SpeakerTurn]) -> Option<(f64, f64)> {
    let mut seconds: HashMap<&str, f64> = HashMap::new();
    for turn in turns {
        *seconds.entry(&turn.speaker).or_default() += turn.span.duration_s();
    }
    let bounds = |bounds: Option<(f64, f64)>, seconds: &f64| {
        let (least, most) = bounds.unwrap_or((*seconds, *seconds));
        Some((least.min(*seconds), most.max(*seconds)))
    };
    seconds.values().fold(None, bounds)
}

pub(super) fn finite<T: AsRef<TimeSpan>>(spans: &[T]) -> Result<()> {
    if spans.iter().all(|span| span.as_ref().is_finite()) {
        Ok(())
    } else {
        Err(Error::NotFinite { what: "a time" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merging_joins_what_meets() {
        let spans = [(3.0, 4.0), (0.0, 1.0), (1.0, 2.0), (3.5, 3.6), (9.0, 8.0)];
        let spans = spans.map(|(start, end)| TimeSpan::new(start, end));
        let merged = merge_spans(&spans).unwrap();
        assert_eq!(merged, [TimeSpan::new(0.0, 2.0), TimeSpan::new(3.0, 4.0)]);
    }

    #[test]
    fn subtracting_leaves_only_what_is_outside() {
        let turns = [
            SpeakerTurn::new(0.0, 10.0, "a"),
            SpeakerTurn::new(4.0, 5.0, "b"),
        ];
        let overlaps = [TimeSpan::new(6.0, 7.0), TimeSpan::new(4.0, 5.0)];
        let left = subtract_overlap(&turns, &overlaps).unwrap();
        let expected = [(0.0, 4.0), (5.0, 6.0), (7.0, 10.0)];
        assert_eq!(
            left,
            expected.map(|(start, end)| SpeakerTurn::new(start, end, "a"))
        );
    }
}
