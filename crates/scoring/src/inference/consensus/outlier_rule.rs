use super::{BetterOutliers, ConsensusPolicy};
use crate::{Error, Result};

/// Which answers stay after outliers were looked at.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OutlierVerdict {
    /// Numbers of the answers that stay, in order.
    pub kept: Vec<usize>,
    /// Whether the outliers were so much better that they stayed.
    pub reversed: bool,
}

/// Drops answers whose local outlier factor is above the policy's, unless they are better than the
/// rest by more than its margin, by mean quality: then [`BetterOutliers`] says who stays. All stay when
/// all are outliers.
///
/// # Errors
/// [`Error::Count`] unless there is a quality for each factor, [`Error::NotFinite`] for a number,
/// [`Error::Constant`] for the policy.
pub fn outlier_rule(
    policy: &ConsensusPolicy,
    factors: &[f64],
    quality: &[f64],
) -> Result<OutlierVerdict> {
    policy.validate()?;
    if factors.len() != quality.len() {
        return Err(Error::Count {
            what: "the list of qualities",
            expected: factors.len(),
            found: quality.len(),
        });
    }
    if factors.iter().any(|factor| !factor.is_finite()) {
        return Err(Error::NotFinite {
            what: "an outlier factor",
        });
    }
    if quality.iter().any(|quality| !quality.is_finite()) {
        return Err(Error::NotFinite { what: "a quality" });
    }
    let (outliers, inliers): (Vec<usize>, Vec<usize>) = (0..factors.len()).partition(|answer| {
        factors
            .get(*answer)
            .is_some_and(|f| *f > policy.outlier_factor)
    });
    let all = || (0..factors.len()).collect();
    if outliers.is_empty() || inliers.is_empty() {
        return Ok(OutlierVerdict {
            kept: all(),
            reversed: false,
        });
    }
    let mean = |answers: &[usize]| {
        let sum: f64 = answers
            .iter()
            .filter_map(|answer| quality.get(*answer))
            .sum();
        sum / answers.len() as f64
    };
    let reversed = mean(&outliers) - mean(&inliers) > policy.outlier_margin;
    let kept = match (reversed, policy.better_outliers) {
        (false, _) => inliers,
        (true, BetterOutliers::ReplaceOthers) => outliers,
        (true, BetterOutliers::Stay) => all(),
    };
    Ok(OutlierVerdict { kept, reversed })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_outliers_replace_others_only_in_the_original() {
        let factors = [1.0, 1.0, 1.0, 9.0];
        let rule = |policy: &ConsensusPolicy, quality: &[f64]| {
            let verdict = outlier_rule(policy, &factors, quality).unwrap();
            (verdict.kept, verdict.reversed)
        };
        let (original, hardened) = (ConsensusPolicy::original(), ConsensusPolicy::hardened());
        let good = [0.5, 0.5, 0.5, 0.9];
        assert_eq!(rule(&original, &good), (vec![3], true));
        assert_eq!(rule(&hardened, &good), (vec![0, 1, 2, 3], true));
        let equal = [0.5; 4];
        assert_eq!(rule(&original, &equal), (vec![0, 1, 2], false));
        assert_eq!(rule(&hardened, &equal), (vec![0, 1, 2], false));
        assert!(outlier_rule(&original, &[1.0], &[]).is_err());
        assert!(outlier_rule(&original, &[f64::NAN], &[1.0]).is_err());
    }
}
