use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

/// What equal scores get.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RankMethod {
    /// Equal scores share the best of their ranks, and the next ranks are left out: 1, 2, 2, 4.
    #[default]
    Competition,
    /// Equal scores share a rank, and none is left out: 1, 2, 2, 3.
    Dense,
    /// Every score has its own rank; of equal scores, the one that comes first is better:
    /// 1, 2, 3, 4.
    Ordinal,
}

/// Better first: the higher score, NaN after every number.
pub fn compare_scores(left: f64, right: f64) -> Ordering {
    right
        .partial_cmp(&left)
        .unwrap_or_else(|| left.is_nan().cmp(&right.is_nan()))
}

/// The rank of each score, 1 for the best, in the order given. Scores by uid thus tie by uid.
/// `O(n log n)`.
///
/// ```
/// use adit_scoring::rank::{RankMethod, ranks};
///
/// let scores = [0.5, 0.9, f64::NAN, 0.5, 0.1];
/// assert_eq!(ranks(&scores, RankMethod::Competition), [2, 1, 5, 2, 4]);
/// assert_eq!(ranks(&scores, RankMethod::Dense), [2, 1, 4, 2, 3]);
/// assert_eq!(ranks(&scores, RankMethod::Ordinal), [2, 1, 5, 3, 4]);
/// ```
pub fn ranks(scores: &[f64], method: RankMethod) -> Vec<usize> {
    let mut order: Vec<(usize, f64)> = scores.iter().copied().enumerate().collect();
    order.sort_unstable_by(better);
    let mut ranks = vec![0; scores.len()];
    let mut previous = None;
    let mut rank = 0;
    for (above, (place, score)) in order.into_iter().enumerate() {
        let ties = previous.is_some_and(|previous| compare_scores(previous, score).is_eq());
        rank = match method {
            RankMethod::Ordinal => above + 1,
            _ if ties => rank,
            RankMethod::Competition => above + 1,
            RankMethod::Dense => rank + 1,
        };
        if let Some(slot) = ranks.get_mut(place) {
            *slot = rank;
        }
        previous = Some(score);
    }
    ranks
}

/// The entries from the best to the worst, equal scores by key. `O(n log n)`.
///
/// ```
/// use adit_primitives::Uid;
/// use adit_scoring::rank::best_first;
///
/// let order = best_first(&[(Uid(9), 0.5), (Uid(4), 0.5), (Uid(1), 0.7)]);
/// assert_eq!(order, [(Uid(1), 0.7), (Uid(4), 0.5), (Uid(9), 0.5)]);
/// ```
pub fn best_first<K: Ord + Copy>(scores: &[(K, f64)]) -> Vec<(K, f64)> {
    let mut order = scores.to_vec();
    order.sort_by(better);
    order
}

pub(super) fn better<K: Ord>(left: &(K, f64), right: &(K, f64)) -> Ordering {
    compare_scores(left.1, right.1).then_with(|| left.0.cmp(&right.0))
}
