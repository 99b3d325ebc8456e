//! From the cosines of an answer's tags to one score.

use serde::{Deserialize, Serialize};

use super::{TagPenaltyRules, TagScoreRules};

/// Statistics of an answer's cosines. One that is not finite is 0.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct TagStatistics {
    /// Mean of the best scores ([`TagScoreRules::top`]), zeros filling up.
    pub top: f64,
    /// The median; of an even number, the mean of the two in the middle.
    pub median: f64,
    /// The mean.
    pub mean: f64,
    /// The largest.
    pub max: f64,
    /// The smallest; no formula uses it.
    pub min: f64,
    /// Share of the ground truth that the answer's tags reach ([`super::TagReference`]), 0 to 1; 0
    /// where the policy does not ask for it.
    pub coverage: f64,
}

/// The statistics of `scores`, the best of them sought in `top_scores`; zeros without scores. A NaN
/// makes every statistic of its list 0, an infinity those that it reaches. Sorts both lists.
///
/// O(n log n); nothing is allocated.
pub fn tag_statistics(
    rules: &TagScoreRules,
    scores: &mut [f64],
    top_scores: &mut [f64],
) -> TagStatistics {
    if scores.is_empty() {
        return TagStatistics::default();
    }
    let finite = |value: f64| if value.is_finite() { value } else { 0.0 };
    let mean = finite(scores.iter().sum::<f64>() / scores.len() as f64);
    top_scores.sort_unstable_by(f64::total_cmp);
    let best = top_scores.iter().rev().take(rules.top).sum::<f64>();
    let top = if top_scores.iter().any(|score| score.is_nan()) {
        0.0
    } else {
        finite(best / rules.top as f64)
    };
    if scores.iter().any(|score| score.is_nan()) {
        return TagStatistics {
            top,
            ..TagStatistics::default()
        };
    }
    scores.sort_unstable_by(f64::total_cmp);
    let at = |place: usize| scores.get(place).copied().unwrap_or_default();
    let (below, above) = ((scores.len() - 1) / 2, scores.len() / 2);
    let median = if below == above {
        at(below)
    } else {
        (at(below) + at(above)) / 2.0
    };
    TagStatistics {
        top,
        median: finite(median),
        mean,
        max: finite(at(scores.len() - 1)),
        min: finite(at(0)),
        coverage: 0.0,
    }
}

/// `(1 − k)·(0.55·top + 0.10·median + 0.25·mean + 0.10·max) + k·coverage` with the policy's weights
/// and its share `k` of coverage (`original`: 0).
pub fn adjusted_score(rules: &TagScoreRules, statistics: &TagStatistics) -> f64 {
    let adjusted = rules.top_weight * statistics.top
        + rules.median_weight * statistics.median
        + rules.mean_weight * statistics.mean
        + rules.max_weight * statistics.max;
    if rules.coverage_share == 0.0 {
        return adjusted;
    }
    (1.0 - rules.coverage_share) * adjusted + rules.coverage_share * statistics.coverage
}

/// The score times each factor that applies: no tag shared with the ground truth, a low largest
/// score, few different tags, few tags that the ground truth lacks (`unique` of `tags`).
///
/// ```
/// use adit_scoring::conversation::{ConversationPolicy, penalised_score};
///
/// let rules = ConversationPolicy::original().penalties;
/// assert_eq!(penalised_score(&rules, 1.0, 5, 3, 0.7), 1.0);
/// assert_eq!(penalised_score(&rules, 1.0, 5, 5, 0.7), 0.9);
/// assert_eq!(penalised_score(&rules, 1.0, 5, 0, 0.1), 0.5 * 0.85);
/// ```
pub fn penalised_score(
    rules: &TagPenaltyRules,
    score: f64,
    tags: usize,
    unique: usize,
    max: f64,
) -> f64 {
    let mut score = score;
    if tags == unique {
        score *= rules.none_shared;
    }
    if max < rules.low_max_below {
        score *= rules.low_max;
    }
    if tags < rules.few_tags_below {
        score *= rules.few_tags;
    }
    score * rules.few_unique.get(unique).copied().unwrap_or(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::ConversationPolicy;

    fn statistics(scores: &[f64], unique: &[f64]) -> TagStatistics {
        let rules = ConversationPolicy::original().scores;
        tag_statistics(&rules, &mut scores.to_vec(), &mut unique.to_vec())
    }

    #[test]
    fn few_unique_scores_are_filled_up_with_zeros() {
        assert_eq!(statistics(&[0.5], &[0.6]).top, 0.6 / 3.0);
        assert_eq!(statistics(&[-0.3], &[-0.3]).top, -0.3 / 3.0);
        assert_eq!(statistics(&[0.5, 0.1], &[]).top, 0.0);
        assert_eq!(statistics(&[], &[]), TagStatistics::default());
    }

    #[test]
    fn a_poisoned_score_is_zero_wherever_it_enters() {
        let found = statistics(&[0.5, f64::NAN, 0.2], &[0.5, 0.2]);
        assert!((found.top - 0.7 / 3.0).abs() < 1e-15);
        assert_eq!(
            (found.mean, found.median, found.max, found.min),
            (0.0, 0.0, 0.0, 0.0)
        );
        assert_eq!(
            statistics(&[0.9; 5], &[0.9, 0.9, 0.9, 0.9, -f64::NAN]).top,
            0.0
        );
        let found = statistics(&[0.5, f64::INFINITY], &[0.5]);
        assert_eq!(
            (found.mean, found.median, found.max, found.min),
            (0.0, 0.0, 0.0, 0.5)
        );
    }
}
