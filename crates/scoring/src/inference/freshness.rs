use crate::{Error, Result};

/// Scores after those of miners that were not heard from lately are taken away.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FreshScores {
    /// The scores, 0 for a stale miner.
    pub scores: Vec<f64>,
    /// Stale miners whose score was above 0.
    pub stale: usize,
}

/// Zeroes the score of each miner whose last success is unknown or older than `max_age_seconds`. The
/// original counts an answered ping as a success; a mechanism that counts only answered challenges
/// closes that hole.
///
/// # Errors
/// [`Error::Count`] unless there is an age for each score, [`Error::NotFinite`] for a score, an age or
/// the limit. A negative age, from a clock that ran ahead, is fresh.
pub fn freshness_gate(
    scores: &[f64],
    ages_seconds: &[Option<f64>],
    max_age_seconds: f64,
) -> Result<FreshScores> {
    if scores.len() != ages_seconds.len() {
        return Err(Error::Count {
            what: "the list of ages",
            expected: scores.len(),
            found: ages_seconds.len(),
        });
    }
    if !max_age_seconds.is_finite() {
        return Err(Error::NotFinite {
            what: "the age limit",
        });
    }
    let mut fresh = FreshScores::default();
    for (score, age) in scores.iter().zip(ages_seconds) {
        if !score.is_finite() {
            return Err(Error::NotFinite { what: "a score" });
        }
        if age.is_some_and(|age| !age.is_finite()) {
            return Err(Error::NotFinite { what: "an age" });
        }
        let kept = age.is_some_and(|age| age <= max_age_seconds);
        fresh.scores.push(if kept { *score } else { 0.0 });
        fresh.stale += usize::from(!kept && *score > 0.0);
    }
    Ok(fresh)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_itself_is_fresh() {
        let ages = [Some(10.0), Some(10.1), None, Some(-3.0), None];
        let fresh = freshness_gate(&[1.0, 1.0, 1.0, 0.5, 0.0], &ages, 10.0).unwrap();
        assert_eq!(fresh.scores, [1.0, 0.0, 0.0, 0.5, 0.0]);
        assert_eq!(fresh.stale, 2);
        assert!(freshness_gate(&[1.0], &[], 1.0).is_err());
        assert!(freshness_gate(&[f64::NAN], &[None], 1.0).is_err());
        assert!(freshness_gate(&[1.0], &[Some(f64::NAN)], 1.0).is_err());
        assert!(freshness_gate(&[1.0], &[None], f64::INFINITY).is_err());
    }
}
