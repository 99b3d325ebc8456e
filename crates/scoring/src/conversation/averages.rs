//! Averages of scores over rounds, in single precision as the field keeps them.

use super::TagAverageRules;
use crate::{Error, Result, rules::within, weights::numpy::pairwise_sum};

/// The averages after a round and what they are worth.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TagAverages {
    /// The moving average of each uid.
    pub averages: Vec<f32>,
    /// `p³/Σp³` of the averages' shares `p` (with the policy's power): 0 to 1, summing to 1 unless
    /// nobody has anything.
    pub scores: Vec<f32>,
}

impl TagAverages {
    /// Whether the field's system would keep them: neither list is empty nor has a NaN.
    pub fn are_usable(&self) -> bool {
        let lists = [&self.averages, &self.scores];
        lists
            .iter()
            .all(|list| !list.is_empty() && list.iter().all(|value| !value.is_nan()))
    }
}

/// One round of `rewards` for `uids` on the averages of all.
///
/// With `s` the averages, overwritten by the rewards of this round (of a uid given twice, the last
/// counts): `average' = (1 − α/2)·average` where `s` is 0, else `α·s + (1 − α)·average`, so that the
/// others keep theirs up to rounding.
///
/// `original`: a round that does not fit (unequal lengths unless there is a single reward, which
/// everybody gets; a uid beyond the averages) changes nobody; a NaN counts as 0, and only then
/// infinities are cut to the largest number, else they spread and everybody scores the same. Without
/// any average everybody scores the same.
/// `hardened`: uids beyond the averages begin at 0, what does not fit is refused, and without any
/// average everybody scores 0.
///
/// # Errors
/// Only of strict rules: [`Error::OutOfStep`] for lists of different lengths, [`Error::NotFinite`]
/// for a reward or an average, [`Error::Constant`] for a uid beyond `u16`. Any rules:
/// [`Error::Constant`] for `alpha` beyond 0 to 1.
pub fn update_tag_averages(
    rules: &TagAverageRules,
    averages: &[f32],
    uids: &[usize],
    rewards: &[f64],
) -> Result<TagAverages> {
    within("alpha", rules.alpha, 0.0, 1.0)?;
    let mut averages = averages.to_vec();
    let mut rewards: Vec<f32> = rewards.iter().map(|reward| *reward as f32).collect();
    if rules.strict {
        check(&averages, uids, &rewards)?;
    } else if rewards.iter().any(|reward| reward.is_nan()) {
        for reward in &mut rewards {
            *reward = if reward.is_nan() {
                0.0
            } else {
                reward.clamp(f32::MIN, f32::MAX)
            };
        }
    }
    if rules.grows
        && let Some(last) = uids.iter().max()
        && *last >= averages.len()
    {
        averages.resize(last + 1, 0.0);
    }
    let newest = scatter(&averages, uids, &rewards);
    let (zero_kept, alpha, kept) = (
        (1.0 - rules.alpha * rules.zero_alpha_factor) as f32,
        rules.alpha as f32,
        (1.0 - rules.alpha) as f32,
    );
    for (average, newest) in averages.iter_mut().zip(newest) {
        *average = if newest == 0.0 {
            zero_kept * *average
        } else {
            alpha * newest + kept * *average
        };
    }
    let scores = sharpened(rules, &averages);
    Ok(TagAverages { averages, scores })
}

fn check(averages: &[f32], uids: &[usize], rewards: &[f32]) -> Result<()> {
    if uids.len() != rewards.len() {
        return Err(Error::OutOfStep {
            what: "the list of rewards",
            expected: uids.len(),
            found: rewards.len(),
        });
    }
    for uid in uids {
        within("uid", *uid as f64, 0.0, f64::from(u16::MAX))?;
    }
    if rewards.iter().any(|reward| !reward.is_finite()) {
        return Err(Error::NotFinite { what: "a reward" });
    }
    if averages.iter().any(|average| !average.is_finite()) {
        return Err(Error::NotFinite { what: "an average" });
    }
    Ok(())
}

/// The averages overwritten by the rewards; as they are when the lists do not fit.
fn scatter(averages: &[f32], uids: &[usize], rewards: &[f32]) -> Vec<f32> {
    let mut newest = averages.to_vec();
    let known = uids.iter().all(|uid| *uid < newest.len());
    // The field's array library hands a single reward to every uid.
    let single = rewards.len() == 1;
    if !known || !(single || rewards.len() == uids.len()) {
        return newest;
    }
    for (uid, reward) in uids.iter().zip(rewards.iter().cycle()) {
        if let Some(slot) = newest.get_mut(*uid) {
            *slot = *reward;
        }
    }
    newest
}

fn sharpened(rules: &TagAverageRules, averages: &[f32]) -> Vec<f32> {
    let count = averages.len();
    let uniform = vec![1.0 / count as f32; count];
    let total = pairwise_sum(averages);
    if !(total > 0.0 || rules.idle_is_uniform) {
        return vec![0.0; count];
    }
    let shares = if total > 0.0 {
        averages.iter().map(|average| average / total).collect()
    } else {
        uniform.clone()
    };
    let power = rules.power as f32;
    let powers: Vec<f32> = shares.iter().map(|share| share.powf(power)).collect();
    let total = pairwise_sum(&powers);
    if total > 0.0 {
        powers.iter().map(|share| share / total).collect()
    } else if rules.idle_is_uniform {
        uniform
    } else {
        vec![0.0; count]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::ConversationPolicy;

    fn round(
        policy: &ConversationPolicy,
        averages: &[f32],
        uids: &[usize],
        rewards: &[f64],
    ) -> Result<TagAverages> {
        update_tag_averages(&policy.averages, averages, uids, rewards)
    }

    #[test]
    fn a_zero_costs_half_and_a_nan_counts_as_zero() {
        let policy = ConversationPolicy::original();
        let found = round(&policy, &[0.5, 0.5, 0.5], &[0, 1], &[0.0, f64::NAN]).unwrap();
        assert_eq!(found.averages, [0.475, 0.475, 0.5]);
        assert!(found.are_usable());
    }

    #[test]
    fn the_original_forgets_a_round_with_a_new_uid_and_is_uniform_when_idle() {
        let policy = ConversationPolicy::original();
        let found = round(&policy, &[0.5, 0.25], &[0, 2], &[1.0, 1.0]).unwrap();
        assert!((found.averages[0] - 0.5).abs() < 1e-7);
        let found = round(&policy, &[0.0, 0.0], &[], &[]).unwrap();
        assert_eq!(found.scores, [0.5, 0.5]);
        let found = round(&policy, &[0.5, 0.25], &[0], &[f64::INFINITY]).unwrap();
        assert_eq!(found.scores, [0.5, 0.5]);
        assert!(!round(&policy, &[], &[], &[]).unwrap().are_usable());
    }

    #[test]
    fn hardened_grows_refuses_and_gives_nothing_for_nothing() {
        let policy = ConversationPolicy::hardened();
        let found = round(&policy, &[0.5, 0.25], &[0, 3], &[1.0, 1.0]).unwrap();
        assert_eq!(found.averages, [0.55, 0.25, 0.0, 0.1]);
        assert_eq!(
            round(&policy, &[0.0, 0.0], &[], &[]).unwrap().scores,
            [0.0, 0.0]
        );
        assert!(matches!(
            round(&policy, &[0.5], &[0], &[f64::INFINITY]),
            Err(Error::NotFinite { .. })
        ));
        assert!(matches!(
            round(&policy, &[0.5], &[0, 0], &[1.0]),
            Err(Error::OutOfStep { .. })
        ));
        assert!(matches!(
            round(&policy, &[0.5], &[usize::MAX], &[1.0]),
            Err(Error::Constant { .. })
        ));
    }
}
