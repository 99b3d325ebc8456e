use super::turns::{SpeakerTurn, TimeSpan, finite, least_and_most};
use crate::{Error, Result};

/// Which part of the quietest frames counts as the noise floor.
const NOISE_PERCENTILE: f64 = 0.1;
/// Length of the frames that the noise floor is looked for in, in seconds.
const FRAME_S: f64 = 0.025;

/// Share of a recording in which somebody speaks: `Σ span / duration`, 0 to 1 for disjoint spans
/// inside the recording. Spans are what a voice activity detector found; overlapping ones count
/// twice ([`super::merge_spans`] them first where a detector gives such).
///
/// # Errors
/// [`Error::NotFinite`]; [`Error::Empty`] for a recording without duration.
pub fn speech_content(duration_s: f64, speech: &[TimeSpan]) -> Result<f64> {
    finite(speech)?;
    let spoken: f64 = speech.iter().map(TimeSpan::duration_s).sum();
    Ok(spoken / positive(duration_s)?)
}

/// How far a recording stands above its own noise floor, in decibels:
/// `10·log10(mean(x²) / p)`, where `p` is the tenth percentile (linear between ranks) of the mean
/// energies of frames of 25 ms that do not overlap. None when that floor is exactly silent.
///
/// `samples` are amplitudes of one channel, `sample_rate` their number per second. O(n).
///
/// # Errors
/// [`Error::NotFinite`]; [`Error::Empty`] when there is not one whole frame.
pub fn signal_to_noise_db(samples: &[f32], sample_rate: u32) -> Result<Option<f64>> {
    // Truncated, as the field's system does; a rate below 40 has no frames.
    let frame = (FRAME_S * f64::from(sample_rate)) as usize;
    if frame == 0 || samples.len() < frame {
        return Err(Error::Empty {
            what: "the recording",
        });
    }
    let mut energies: Vec<f64> = samples
        .chunks_exact(frame)
        .map(|frame| energy(frame) / frame.len() as f64)
        .collect();
    let signal = energy(samples) / samples.len() as f64;
    if !signal.is_finite() {
        return Err(Error::NotFinite { what: "a sample" });
    }
    let floor = percentile(&mut energies, NOISE_PERCENTILE);
    Ok((floor > 0.0).then(|| 10.0 * (signal / floor).log10()))
}

/// How even the shares of the speakers are: 0 for a single speaker, otherwise one minus the
/// difference of the longest and the shortest speaking time over the recording's duration. The
/// field calls it speaker dominance; 1 means that nobody dominates.
///
/// # Errors
/// [`Error::NotFinite`]; [`Error::Empty`] without turns (the original raises) or without duration.
pub fn speaker_balance(duration_s: f64, turns: &[SpeakerTurn]) -> Result<f64> {
    finite(turns)?;
    let (least, most) = least_and_most(turns).ok_or(Error::Empty {
        what: "the list of speakers",
    })?;
    if super::count_speakers(turns) == 1 {
        return Ok(0.0);
    }
    Ok(1.0 - (most - least) / positive(duration_s)?)
}

/// What a number of speakers is worth: 1 for two, 1/2 for three, 1/3 for four, otherwise 0.
///
/// ```
/// use adit_scoring::audio::speaker_count_score;
///
/// let scores: Vec<f64> = (0..6).map(speaker_count_score).collect();
/// assert_eq!(scores, [0.0, 0.0, 1.0, 1.0 / 2.0, 1.0 / 3.0, 0.0]);
/// ```
pub fn speaker_count_score(speakers: usize) -> f64 {
    match speakers {
        2..=4 => 1.0 / (speakers - 1) as f64,
        _ => 0.0,
    }
}

fn positive(duration_s: f64) -> Result<f64> {
    if !duration_s.is_finite() {
        return Err(Error::NotFinite { what: "a time" });
    }
    if duration_s <= 0.0 {
        return Err(Error::Empty {
            what: "the recording",
        });
    }
    Ok(duration_s)
}

/// Sum of squares, in lanes that do not wait for each other.
fn energy(samples: &[f32]) -> f64 {
    let mut lanes = [0.0_f64; 8];
    for part in samples.chunks(lanes.len()) {
        for (lane, sample) in lanes.iter_mut().zip(part) {
            *lane += f64::from(*sample) * f64::from(*sample);
        }
    }
    lanes.iter().sum()
}

/// The value below which the `share` (0 to 1) of the values lies, linear between ranks, without
/// sorting them all; 0 without values.
fn percentile(values: &mut [f64], share: f64) -> f64 {
    let Some(last) = values.len().checked_sub(1) else {
        return 0.0;
    };
    let rank = last as f64 * share;
    let (_, lower, above) = values.select_nth_unstable_by(rank as usize, f64::total_cmp);
    let lower = *lower;
    let upper = above.iter().copied().fold(f64::INFINITY, f64::min);
    if upper.is_finite() {
        lower + (upper - lower) * rank.fract()
    } else {
        lower
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_lie_between_ranks() {
        let mut values = [3.0, 1.0, 2.0, 5.0, 4.0];
        assert_eq!(percentile(&mut values, 0.1), 1.4);
        assert_eq!(percentile(&mut values, 1.0), 5.0);
        assert_eq!(percentile(&mut [], 0.5), 0.0);
    }

    #[test]
    fn silence_has_no_floor_and_short_sound_no_frame() {
        assert_eq!(signal_to_noise_db(&[0.0; 400], 16_000), Ok(None));
        assert!(signal_to_noise_db(&[0.0; 399], 16_000).is_err());
        assert!(signal_to_noise_db(&[0.5; 100], 39).is_err());
        let poisoned = signal_to_noise_db(&[f32::NAN; 400], 16_000);
        assert_eq!(poisoned, Err(Error::NotFinite { what: "a sample" }));
    }
}
