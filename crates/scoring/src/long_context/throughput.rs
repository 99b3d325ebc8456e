//! Speed: what a miner claims, what was measured, and what comes of the difference.

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// What a claimed speed earns in the field.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ClaimedSpeedScore {
    /// Measured speed divided by the claimed one, or 0.
    pub ratio: f64,
    /// Half of it, at most 1.
    pub normalised: f64,
}

/// The field's score of a claimed speed, both in tokens per second: `1 + (measured − claimed) /
/// claimed` if the measured speed is at least 0.9 of the claimed one, else 0; normalised to
/// `min(score / 2, 1)`. None for a claim of 0, which the field's formula divides by.
///
/// Claiming little raises the score without limit, and a negative claim is believed: rank measured
/// speeds instead ([`super::ranking::rank_measured`]).
///
/// # Errors
/// [`Error::NotFinite`].
pub fn score_claimed_speed(claimed: f64, measured: f64) -> Result<Option<ClaimedSpeedScore>> {
    check(&[claimed, measured])?;
    if claimed == 0.0 {
        return Ok(None);
    }
    let ratio = if measured >= claimed * 0.9 {
        1.0 + (measured - claimed) / claimed
    } else {
        0.0
    };
    check(&[ratio])?;
    Ok(Some(ClaimedSpeedScore {
        ratio,
        normalised: (ratio / 2.0).min(1.0),
    }))
}

/// Whether a measured speed is within `tolerance` (a share, such as 0.1) of the claimed one. No claim
/// of 0 or less is confirmed.
///
/// # Errors
/// [`Error::NotFinite`].
pub fn confirms_claim(claimed: f64, measured: f64, tolerance: f64) -> Result<bool> {
    check(&[claimed, measured, tolerance])?;
    Ok(claimed > 0.0 && (measured - claimed).abs() / claimed <= tolerance)
}

/// The context lengths at which a submission is measured, ascending: 512, 1,024, 2,048 and its target.
pub fn measured_lengths(target_tokens: u64) -> Vec<u64> {
    let mut lengths = vec![512, 1_024, 2_048, target_tokens];
    lengths.sort_unstable();
    lengths.dedup();
    lengths
}

/// Tokens per second; 0 without tokens, or unless the time is above 0.
pub fn tokens_per_second(tokens: usize, elapsed_seconds: f64) -> f64 {
    if tokens > 0 && elapsed_seconds > 0.0 {
        tokens as f64 / elapsed_seconds
    } else {
        0.0
    }
}

/// Seconds per token, lower being better: `1 / throughput` of a verified answer, infinite for any
/// other and for one without throughput.
pub fn seconds_per_token(throughput: f64, verified: bool) -> f64 {
    if verified && throughput > 0.0 {
        1.0 / throughput
    } else {
        f64::INFINITY
    }
}

/// Whether an answer to an inference request has what judging it needs: tokens, captured logits and
/// an elapsed time above 0.
pub fn is_complete(tokens: usize, captured_logits: usize, elapsed_seconds: f64) -> bool {
    tokens > 0 && captured_logits > 0 && elapsed_seconds > 0.0
}

fn check(numbers: &[f64]) -> Result<()> {
    if numbers.iter().all(|number| number.is_finite()) {
        Ok(())
    } else {
        Err(Error::NotFinite { what: "a speed" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_field_rewards_small_claims() {
        let score = |claimed, measured| score_claimed_speed(claimed, measured).unwrap();
        assert_eq!(score(1.0, 100.0).unwrap().normalised, 1.0);
        assert_eq!(score(100.0, 89.0).unwrap().ratio, 0.0);
        assert_eq!(score(0.0, 1.0), None);
        assert!(score_claimed_speed(f64::NAN, 1.0).is_err());
        assert!(score_claimed_speed(f64::MIN_POSITIVE, f64::MAX).is_err());
    }

    #[test]
    fn without_time_there_is_no_speed() {
        assert_eq!(tokens_per_second(3, f64::NAN), 0.0);
        assert_eq!(tokens_per_second(3, -1.0), 0.0);
        assert_eq!(seconds_per_token(f64::NAN, true), f64::INFINITY);
        assert!(!confirms_claim(0.0, 0.0, 0.1).unwrap());
        assert_eq!(measured_lengths(1_024), [512, 1_024, 2_048]);
    }
}
