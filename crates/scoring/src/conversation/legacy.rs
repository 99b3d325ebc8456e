//! Formulas that the field's system has dropped.

use crate::{Error, Result, weights::numpy::pairwise_sum};

/// The bell curve over scores: `r_i = φ((x_i − μ)/σ) / Σ φ`, with mean `μ` and population standard
/// deviation `σ` (ReadyAI until revision `55ed28e`). It pays the average miner most. All zeros when
/// `σ = 0`.
///
/// # Errors
/// [`Error::NotFinite`] for a score that is not finite, or so large that the deviation is not.
pub fn bell_curve_rewards(scores: &[f64]) -> Result<Vec<f64>> {
    if scores.is_empty() {
        return Ok(Vec::new());
    }
    let count = scores.len() as f64;
    // The field's order of summation: its rounding decides whether equal scores deviate.
    let mean = pairwise_sum(scores) / count;
    let squares: Vec<f64> = scores.iter().map(|score| (score - mean).powi(2)).collect();
    let deviation = (pairwise_sum(&squares) / count).sqrt();
    if !deviation.is_finite() {
        return Err(Error::NotFinite {
            what: "the deviation of the scores",
        });
    }
    if deviation == 0.0 {
        return Ok(vec![0.0; scores.len()]);
    }
    let densities: Vec<f64> = scores
        .iter()
        .map(|score| (-0.5 * ((score - mean) / deviation).powi(2)).exp())
        .collect();
    let sum = pairwise_sum(&densities);
    Ok(densities.iter().map(|density| density / sum).collect())
}

/// How many tags the ground truth and an answer have, share, and have alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TagCounts {
    /// Of the ground truth.
    pub reference: usize,
    /// Of the answer.
    pub answer: usize,
    /// Only of the ground truth.
    pub reference_only: usize,
    /// Only of the answer.
    pub answer_only: usize,
    /// Of both.
    pub both: usize,
}

/// The base score of an answer by counts alone (ReadyAI until revision `55ed28e`): 0 without tags;
/// 0.1 for the ground truth itself; 0.2 when more than half are alone; else
/// `0.8·both/max(|G|, |A|) + 0.2·min(alone/(|G| + alone), 0.2)`.
pub fn base_score(counts: TagCounts) -> f64 {
    if counts.answer == 0 {
        return 0.0;
    }
    if counts.reference_only == 0 && counts.answer_only == 0 {
        return 0.1;
    }
    let (reference, answer) = (counts.reference as f64, counts.answer as f64);
    let (alone, both) = (counts.answer_only as f64, counts.both as f64);
    if alone / answer > 0.5 {
        return 0.2;
    }
    // Nothing alone and no ground truth: 0/0 in the field.
    let new = if alone == 0.0 {
        0.0
    } else {
        alone / (reference + alone)
    };
    0.8 * (both / reference.max(answer)) + 0.2 * new.min(0.2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_average_miner_earns_most() {
        let rewards = bell_curve_rewards(&[0.1, 0.5, 0.9]).unwrap();
        assert!((rewards.iter().sum::<f64>() - 1.0).abs() < 1e-15);
        assert!(rewards[1] > rewards[0] && (rewards[0] - rewards[2]).abs() < 1e-15);
        assert_eq!(bell_curve_rewards(&[0.5; 9]).unwrap(), [0.0; 9]);
        assert!(bell_curve_rewards(&[]).unwrap().is_empty());
        assert!(bell_curve_rewards(&[0.1, f64::NAN]).is_err());
        assert!(bell_curve_rewards(&[f64::MAX, -f64::MAX]).is_err());
    }

    #[test]
    fn base_scores_by_hand() {
        let counts = |reference, answer, both| TagCounts {
            reference,
            answer,
            both,
            reference_only: reference - both,
            answer_only: answer - both,
        };
        assert_eq!(base_score(counts(5, 0, 0)), 0.0);
        assert_eq!(base_score(counts(5, 5, 5)), 0.1);
        assert_eq!(base_score(counts(4, 5, 0)), 0.2);
        assert_eq!(base_score(counts(15, 15, 8)), 0.8 * 8.0 / 15.0 + 0.2 * 0.2);
        assert_eq!(
            base_score(TagCounts {
                answer: 1,
                reference_only: 1,
                ..TagCounts::default()
            }),
            0.0
        );
    }
}
