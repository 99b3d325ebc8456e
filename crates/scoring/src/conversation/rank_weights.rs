//! From averaged scores to shares of the subnet's emission.

use rand::{Rng, seq::SliceRandom as _};

use super::{RankWeightRules, WeightShape};
use crate::{Error, Result};

/// Weight of a rank among `count`: `low + spread·(x³ + 1)/2` with `x = 2(count − rank − 1)/count − 1`;
/// rank 0 is the best. With the field's constants 0.001 to below 0.003.
///
/// # Errors
/// [`Error::Empty`] for no ranks at all, [`Error::Constant`] for a rank that is not below `count`.
pub fn cubic_rank_weight(rules: &RankWeightRules, rank: usize, count: usize) -> Result<f64> {
    if count == 0 {
        return Err(Error::Empty {
            what: "the ranking",
        });
    }
    if rank >= count {
        return Err(Error::Constant {
            name: "rank",
            value: rank as f64,
            least: 0.0,
            most: (count - 1) as f64,
        });
    }
    let x = 2.0 * (count - rank - 1) as f64 / count as f64 - 1.0;
    Ok(rules.low + rules.spread * (x.powi(3) + 1.0) / 2.0)
}

/// The weight of every uid, in their order: each at least 0, summing to 1, or to the burnt share
/// alone when nobody has a score, or to 0 when nothing is burnt either.
///
/// Uids with a score of 0, and the uid that burns, get nothing by their score. By rank, the best
/// come first, negative scores last; equal scores are put in random order, by `rng` alone. In
/// proportion, negative scores get nothing, equal scores the same. `burn_uid` then gets the policy's
/// share, held to 0 to 1; nobody burns when it is no uid of the list. O(n log n).
///
/// # Errors
/// [`Error::Empty`] without scores, [`Error::NotFinite`] for a NaN (in proportion, also for an
/// infinity): no weights are set then.
pub fn ranked_weights(
    rules: &RankWeightRules,
    scores: &[f64],
    burn_uid: Option<usize>,
    rng: &mut impl Rng,
) -> Result<Vec<f64>> {
    if scores.is_empty() {
        return Err(Error::Empty {
            what: "the list of scores",
        });
    }
    if scores.iter().any(|score| score.is_nan()) {
        return Err(Error::NotFinite { what: "a score" });
    }
    let burn_uid = burn_uid.filter(|uid| *uid < scores.len());
    let burnt = match burn_uid {
        Some(_) if rules.burn_rate > 0.0 => rules.burn_rate.min(1.0),
        _ => 0.0,
    };
    let mut paid: Vec<usize> = (0..scores.len())
        .filter(|uid| Some(*uid) != burn_uid)
        .collect();
    let score = |uid: &usize| scores.get(*uid).copied().unwrap_or_default();
    let mut weights = vec![0.0; scores.len()];
    match rules.shape {
        WeightShape::RankCubic => {
            paid.retain(|uid| score(uid) != 0.0);
            // A stable sort of a shuffled list leaves equal scores in random order.
            paid.shuffle(rng);
            paid.sort_by(|left, right| score(right).total_cmp(&score(left)));
            for (rank, uid) in paid.iter().enumerate() {
                if let Some(weight) = weights.get_mut(*uid) {
                    *weight = cubic_rank_weight(rules, rank, paid.len())?;
                }
            }
        }
        WeightShape::Proportional => {
            if scores.iter().any(|score| score.is_infinite()) {
                return Err(Error::NotFinite { what: "a score" });
            }
            // In parts of the best, so that neither tiny nor huge scores leave the range of sums.
            let best = paid.iter().map(score).fold(0.0, f64::max);
            for uid in paid.iter().filter(|_| best > 0.0) {
                if let Some(weight) = weights.get_mut(*uid) {
                    *weight = score(uid).max(0.0) / best;
                }
            }
        }
    }
    let sum: f64 = weights.iter().sum();
    if sum > 0.0 {
        let scale = (1.0 - burnt) / sum;
        weights.iter_mut().for_each(|weight| *weight *= scale);
    }
    if let Some(weight) = burn_uid.and_then(|uid| weights.get_mut(uid)) {
        *weight = burnt;
    }
    Ok(weights)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::conversation::ConversationPolicy;

    fn weights(
        policy: &ConversationPolicy,
        scores: &[f64],
        burn_uid: Option<usize>,
        seed: u64,
    ) -> Vec<f64> {
        ranked_weights(
            &policy.weights,
            scores,
            burn_uid,
            &mut ChaCha8Rng::seed_from_u64(seed),
        )
        .unwrap()
    }

    #[test]
    fn only_rank_matters_in_the_original() {
        let policy = ConversationPolicy::original();
        let spread = weights(&policy, &[0.9, 0.02, 0.01], None, 1);
        assert_eq!(spread, weights(&policy, &[0.3, 0.29, 0.28], None, 1));
        assert!((spread.iter().sum::<f64>() - 1.0).abs() < 1e-15);
        let burning = weights(&policy, &[0.9, 0.5, 0.0, 0.1], Some(0), 1);
        assert_eq!((burning[0], burning[2]), (0.9, 0.0));
        assert_eq!(weights(&policy, &[0.0, 0.0], Some(1), 1), [0.0, 0.9]);
        assert_eq!(weights(&policy, &[0.0, 0.0], None, 1), [0.0, 0.0]);
    }

    #[test]
    fn ties_are_broken_by_the_generator_alone() {
        let policy = ConversationPolicy::original();
        let scores = [0.5_f64; 12];
        assert_eq!(
            weights(&policy, &scores, None, 5),
            weights(&policy, &scores, None, 5)
        );
        assert_ne!(
            weights(&policy, &scores, None, 5),
            weights(&policy, &scores, None, 6)
        );
    }

    #[test]
    fn a_hundred_mediocre_keys_earn_less_than_one_good_miner_in_hardened() {
        // What 100 keys of 0.2 and one of 1.0 are worth after the cube.
        let scores: Vec<f64> = [1.0].into_iter().chain([0.008; 100]).collect();
        let sybils = |weights: Vec<f64>| weights.iter().skip(1).sum::<f64>();
        assert!(sybils(weights(&ConversationPolicy::original(), &scores, None, 1)) > 0.97);
        let hardened = ConversationPolicy::hardened();
        assert!(sybils(weights(&hardened, &scores, None, 1)) < 0.45);
        let tied = weights(&hardened, &[0.5, 0.5, 0.0, -1.0], None, 1);
        assert_eq!(tied, [0.5, 0.5, 0.0, 0.0]);
    }

    #[test]
    fn poisoned_scores_are_refused() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let original = ConversationPolicy::original().weights;
        assert!(ranked_weights(&original, &[], None, &mut rng).is_err());
        assert!(ranked_weights(&original, &[0.1, f64::NAN], None, &mut rng).is_err());
        assert!(ranked_weights(&original, &[0.1, f64::INFINITY], None, &mut rng).is_ok());
        let hardened = ConversationPolicy::hardened().weights;
        assert!(ranked_weights(&hardened, &[0.1, f64::INFINITY], None, &mut rng).is_err());
        assert!(cubic_rank_weight(&original, 0, 0).is_err());
        assert!(cubic_rank_weight(&original, 3, 3).is_err());
    }
}
