use super::policy::SybilPolicy;
use crate::{Error, Result, inference::SimilarityMatrix};

/// How the likenesses of a round are spread; zeros when there are too few pairs to tell.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct SimilarityDistribution {
    /// Number of pairs.
    pub pairs: usize,
    /// Mean.
    pub mean: f64,
    /// Standard deviation of the whole.
    pub deviation: f64,
    /// Half of the likenesses are at most this.
    pub p50: f64,
    /// 90 of 100 are.
    pub p90: f64,
    /// 95 of 100 are.
    pub p95: f64,
    /// 99 of 100 are.
    pub p99: f64,
    /// 999 of 1,000 are.
    pub p999: f64,
    /// 9,999 of 10,000 are; the largest when there are fewer than 100 pairs.
    pub p9999: f64,
}

/// From which likeness on two answers of a round are suspected.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SybilThresholds {
    /// Suspicious from here on.
    pub high: f64,
    /// Highly suspicious from here on; can exceed 1.
    pub very_high: f64,
    /// The likenesses that the thresholds follow.
    pub distribution: SimilarityDistribution,
}

/// The thresholds of a round. Likenesses are those of each two answers that are `looked_at`:
/// `high = max(percentile 99.9, 0.80)` and `very_high = max(percentile 99.99, 0.88, high + 0.01)` in
/// the original; of too few pairs the two floors. Percentiles are interpolated linearly. O(n² log n).
///
/// # Errors
/// [`Error::Count`] unless there is one flag for each answer, [`Error::Constant`] for the policy.
pub fn adaptive_thresholds(
    policy: &SybilPolicy,
    similarities: &SimilarityMatrix,
    looked_at: &[bool],
) -> Result<SybilThresholds> {
    policy.validate()?;
    check_flags(similarities, looked_at)?;
    let mut sorted: Vec<f64> = pairs_looked_at(similarities, looked_at)
        .map(|(_, _, likeness)| likeness)
        .collect();
    if sorted.len() < policy.least_pairs.max(1) {
        return Ok(SybilThresholds {
            high: policy.high_floor,
            very_high: policy.very_high_floor,
            distribution: SimilarityDistribution::default(),
        });
    }
    let pairs = sorted.len();
    let mean = sorted.iter().sum::<f64>() / pairs as f64;
    let squares = sorted.iter().map(|likeness| (likeness - mean).powi(2));
    let deviation = (squares.sum::<f64>() / pairs as f64).sqrt();
    sorted.sort_unstable_by(f64::total_cmp);
    let at = |percent: f64| percentile(&sorted, percent);
    let high = at(policy.high_percentile)
        .max(policy.high_floor)
        .min(policy.high_ceiling.unwrap_or(f64::INFINITY));
    let very_high = at(policy.very_high_percentile)
        .max(policy.very_high_floor)
        .max(high + policy.threshold_step);
    Ok(SybilThresholds {
        high,
        very_high,
        distribution: SimilarityDistribution {
            pairs,
            mean,
            deviation,
            p50: at(50.0),
            p90: at(90.0),
            p95: at(95.0),
            p99: at(99.0),
            p999: at(99.9),
            p9999: at(if pairs >= 100 { 99.99 } else { 100.0 }),
        },
    })
}

/// Whether there is one flag for each answer.
pub(super) fn check_flags(similarities: &SimilarityMatrix, looked_at: &[bool]) -> Result<()> {
    if similarities.len() == looked_at.len() {
        return Ok(());
    }
    Err(Error::Count {
        what: "the list of answers to look at",
        expected: similarities.len(),
        found: looked_at.len(),
    })
}

/// Pairs of answers that are both looked at, row by row.
pub(super) fn pairs_looked_at<'a>(
    similarities: &'a SimilarityMatrix,
    looked_at: &'a [bool],
) -> impl Iterator<Item = (usize, usize, f64)> {
    let flag = |answer: usize| looked_at.get(answer).copied().unwrap_or(false);
    similarities
        .pairs()
        .filter(move |(first, second, _)| flag(*first) && flag(*second))
}

/// Interpolated linearly between the two nearest, as `NumPy` does it.
fn percentile(sorted: &[f64], percent: f64) -> f64 {
    let place = percent / 100.0 * sorted.len().saturating_sub(1) as f64;
    let below = place.floor();
    // Within the list, as percentages lie in 0 to 100.
    let lower = sorted.get(below as usize).copied().unwrap_or(0.0);
    let upper = sorted.get(below as usize + 1).copied().unwrap_or(lower);
    let part = place - below;
    if part >= 0.5 {
        upper - (upper - lower) * (1.0 - part)
    } else {
        lower + (upper - lower) * part
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_of_few() {
        assert_eq!(percentile(&[], 50.0), 0.0);
        assert_eq!(percentile(&[1.0], 99.9), 1.0);
        assert_eq!(percentile(&[1.0, 2.0, 4.0], 50.0), 2.0);
        assert_eq!(percentile(&[1.0, 2.0, 4.0], 75.0), 3.0);
        assert_eq!(percentile(&[1.0, 2.0, 4.0], 100.0), 4.0);
    }
}
