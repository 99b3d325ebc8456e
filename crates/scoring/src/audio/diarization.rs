use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::turns::{PRECISION_S, SpeakerTurn, finite};
use crate::{Error, Result, video::number};

mod assignment;

use assignment::best_pairs;

/// Most different speakers that a diarization may name.
const MOST_SPEAKERS: usize = 512;

/// How a diarization differs from a reference, in seconds.
///
/// Stretches where the reference itself has several turns at once are left out, and no collar around
/// its borders is forgiven.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct DiarizationErrors {
    /// Speech of the reference.
    #[serde(with = "number")]
    pub reference_s: f64,
    /// Speech of the reference that the diarization lacks.
    #[serde(with = "number")]
    pub missed_s: f64,
    /// Speech that the reference lacks; every further speaker at once counts again.
    #[serde(with = "number")]
    pub false_alarm_s: f64,
    /// Speech of another speaker than the reference's.
    #[serde(with = "number")]
    pub confused_s: f64,
}

/// One minus each share of error in the reference's speech; not held to 0 to 1, except the first.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct DiarizationAgreement {
    /// One minus the diarization error rate, which is held to 0 to 1 first.
    #[serde(with = "number")]
    pub inverse_error: f64,
    /// One minus the missed share.
    #[serde(with = "number")]
    pub inverse_miss: f64,
    /// One minus the falsely found share.
    #[serde(with = "number")]
    pub inverse_false_alarm: f64,
    /// One minus the confused share.
    #[serde(with = "number")]
    pub inverse_confusion: f64,
}

impl DiarizationErrors {
    fn is_finite(&self) -> bool {
        let parts = [self.missed_s, self.false_alarm_s, self.confused_s];
        (self.reference_s + parts.iter().sum::<f64>()).is_finite()
    }

    /// The diarization error rate: missed, falsely found and confused speech over the reference's.
    ///
    /// # Errors
    /// [`Error::Empty`] when the reference has no speech.
    pub fn rate(&self) -> Result<f64> {
        if self.reference_s > 0.0 {
            Ok((self.missed_s + self.false_alarm_s + self.confused_s) / self.reference_s)
        } else {
            Err(Error::Empty {
                what: "the speech of the reference",
            })
        }
    }

    /// What is right, as the field's system logs it.
    ///
    /// # Errors
    /// [`Error::Empty`] when the reference has no speech, where the original raises.
    pub fn agreement(&self) -> Result<DiarizationAgreement> {
        let rate = self.rate()?;
        let inverse = |seconds: f64| 1.0 - seconds / self.reference_s;
        Ok(DiarizationAgreement {
            inverse_error: 1.0 - rate.clamp(0.0, 1.0),
            inverse_miss: inverse(self.missed_s),
            inverse_false_alarm: inverse(self.false_alarm_s),
            inverse_confusion: inverse(self.confused_s),
        })
    }
}

/// Compares a diarization with a reference, as the `DiarizationErrorRate` of `pyannote.metrics`
/// 3.2.1 does without collar and with overlap of the reference skipped.
///
/// Names of speakers mean nothing across the two: each speaker of the reference is given the one of
/// the diarization with whom it shares most time, in the best assignment of all; between equally
/// good ones the order of the names decides. Empty turns are
/// left out; of turns over the very same span in one list the last counts.
///
/// O(n log n + n·k) and O(k³) for the assignment, for `n` turns and `k` speakers.
///
/// # Errors
/// [`Error::NotFinite`]; [`Error::TooMany`] beyond 512 speakers on one side.
///
/// ```
/// use adit_scoring::audio::{SpeakerTurn, diarization_errors};
///
/// let reference = [SpeakerTurn::new(0.0, 6.0, "a"), SpeakerTurn::new(6.0, 10.0, "b")];
/// let found = [SpeakerTurn::new(0.0, 7.0, "1"), SpeakerTurn::new(7.0, 9.0, "2")];
/// let errors = diarization_errors(&reference, &found)?;
/// assert_eq!((errors.missed_s, errors.confused_s), (1.0, 1.0));
/// assert_eq!(errors.rate()?, 0.2);
/// # Ok::<(), adit_scoring::Error>(())
/// ```
pub fn diarization_errors(
    reference: &[SpeakerTurn],
    diarization: &[SpeakerTurn],
) -> Result<DiarizationErrors> {
    let reference = Track::new(reference)?;
    let diarization = Track::new(diarization)?;
    let mut events = Vec::with_capacity(2 * (reference.turns.len() + diarization.turns.len()));
    for (is_reference, track) in [(true, &reference), (false, &diarization)] {
        for (start, end, speaker) in &track.turns {
            events.push((*start, is_reference, *speaker, true));
            events.push((*end, is_reference, *speaker, false));
        }
    }
    events.sort_by(|one, other| one.0.total_cmp(&other.0));

    let partners = partners(&events, &reference, &diarization);
    let mut errors = DiarizationErrors::default();
    sweep(&events, &diarization, |seconds, now| {
        let found = f64::from(now.found);
        if now.reference == 0 {
            errors.false_alarm_s += seconds * found;
        } else if let Some(speaker) = now.alone() {
            errors.reference_s += seconds;
            if now.found == 0 {
                errors.missed_s += seconds;
                return;
            }
            errors.false_alarm_s += seconds * (found - 1.0);
            let partner = partners.get(speaker).copied().flatten();
            let active = partner.and_then(|partner| now.active.get(partner));
            if active.is_none_or(|turns| *turns == 0) {
                errors.confused_s += seconds;
            }
        }
    });
    if errors.is_finite() {
        Ok(errors)
    } else {
        Err(Error::NotFinite { what: "a time" })
    }
}

/// For each speaker of the reference the one of the diarization who is taken for him.
fn partners(events: &[Event], reference: &Track, diarization: &Track) -> Vec<Option<usize>> {
    // Only who is heard outside the reference's overlaps takes part, in the library's order of names:
    // it decides between equally good assignments.
    let mut shared = vec![0.0; reference.speakers * diarization.speakers];
    let mut heard = vec![false; reference.speakers];
    let mut found = vec![false; diarization.speakers];
    sweep(events, diarization, |seconds, now| {
        if now.reference > 1 {
            return;
        }
        for (found, turns) in found.iter_mut().zip(&now.active) {
            *found |= *turns > 0;
        }
        if let Some(speaker) = now.alone() {
            if let Some(heard) = heard.get_mut(speaker) {
                *heard = true;
            }
            let row = shared.get_mut(speaker * diarization.speakers..);
            for (cell, turns) in row.unwrap_or_default().iter_mut().zip(&now.active) {
                *cell += seconds * f64::from(*turns);
            }
        }
    });
    let rows = in_order(&found, |place| place.to_string());
    let columns = in_order(&heard, letters);
    let cell = |row: usize, column: usize| {
        let place = column * diarization.speakers + row;
        shared.get(place).copied().unwrap_or(0.0)
    };
    let cells: Vec<f64> = rows
        .iter()
        .flat_map(|row| columns.iter().map(move |column| cell(*row, *column)))
        .collect();
    let mut partners = vec![None; reference.speakers];
    for (row, column) in best_pairs(&cells, rows.len(), columns.len()) {
        if let (Some(row), Some(column)) = (rows.get(row), columns.get(column))
            && let Some(partner) = partners.get_mut(*column)
            && cell(*row, *column) > 0.0
        {
            *partner = Some(*row);
        }
    }
    partners
}

/// The speakers that are there, in the order of the names that the library gives them by place.
fn in_order(there: &[bool], name: impl Fn(usize) -> String) -> Vec<usize> {
    let there = there.iter().enumerate();
    let mut named: Vec<(String, usize)> = there
        .filter_map(|(speaker, there)| there.then_some(speaker))
        .enumerate()
        .map(|(place, speaker)| (name(place), speaker))
        .collect();
    named.sort_unstable();
    named.into_iter().map(|(_, speaker)| speaker).collect()
}

/// A, B, …, Z, AA, AB, … for 0, 1, ….
fn letters(place: usize) -> String {
    let mut left = place + 1;
    let mut letters = Vec::new();
    while left > 0 {
        left -= 1;
        letters.push(char::from(b'A' + (left % 26) as u8));
        left /= 26;
    }
    letters.iter().rev().collect()
}

/// Time, whether of the reference, whose turn, whether it starts.
type Event = (f64, bool, usize, bool);

/// One list of turns with numbered speakers.
struct Track {
    turns: Vec<(f64, f64, usize)>,
    speakers: usize,
}

impl Track {
    fn new(turns: &[SpeakerTurn]) -> Result<Self> {
        finite(turns)?;
        let mut kept: Vec<&SpeakerTurn> = turns
            .iter()
            .filter(|turn| turn.span.duration_s() > PRECISION_S)
            .collect();
        kept.sort_by(|one, other| {
            let start = one.span.start_s.total_cmp(&other.span.start_s);
            start.then(one.span.end_s.total_cmp(&other.span.end_s))
        });
        // Sorting is stable: of equal spans the last given stands last.
        kept.reverse();
        kept.dedup_by_key(|turn| turn.span);
        let names: BTreeSet<&str> = kept.iter().map(|turn| turn.speaker.as_str()).collect();
        let names: Vec<&str> = names.into_iter().collect();
        let number = |turn: &&SpeakerTurn| {
            let number = names.binary_search(&turn.speaker.as_str()).unwrap_or(0);
            (turn.span.start_s, turn.span.end_s, number)
        };
        let turns = kept.iter().map(number).collect();
        let speakers = names.len();
        if speakers > MOST_SPEAKERS {
            return Err(Error::TooMany {
                what: "speakers",
                most: MOST_SPEAKERS,
                found: speakers,
            });
        }
        Ok(Self { turns, speakers })
    }
}

/// Who speaks at one moment.
struct Moment {
    /// Turns of the reference.
    reference: u32,
    /// Sum of their speakers' numbers: the number itself when there is one turn.
    speakers: usize,
    /// Turns of the diarization.
    found: u32,
    /// The same by speaker.
    active: Vec<u32>,
}

impl Moment {
    /// The reference's speaker, if just one turn is his.
    fn alone(&self) -> Option<usize> {
        (self.reference == 1).then_some(self.speakers)
    }
}

/// Calls `visit` for every stretch in which nobody starts or stops, in the order of time.
fn sweep(events: &[Event], diarization: &Track, mut visit: impl FnMut(f64, &Moment)) {
    let mut now = Moment {
        reference: 0,
        speakers: 0,
        found: 0,
        active: vec![0; diarization.speakers],
    };
    let mut before = f64::NEG_INFINITY;
    for (time, is_reference, speaker, starts) in events {
        if *time > before && (now.reference > 0 || now.found > 0) {
            visit(*time - before, &now);
        }
        before = *time;
        let step = |count: &mut u32| {
            *count = if *starts {
                count.saturating_add(1)
            } else {
                count.saturating_sub(1)
            };
        };
        if *is_reference {
            step(&mut now.reference);
            now.speakers = if *starts {
                now.speakers.saturating_add(*speaker)
            } else {
                now.speakers.saturating_sub(*speaker)
            };
        } else {
            step(&mut now.found);
            if let Some(count) = now.active.get_mut(*speaker) {
                step(count);
            }
        }
    }
}
