use serde::{Deserialize, Serialize};

use crate::{Error, Result, rules::all_within};

/// What suspicion costs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SybilPenaltyPolicy {
    /// Suspicion below which nothing happens, 0 to 1.
    pub suspicious: f64,
    /// Suspicion from which a miner is penalised whatever the number of others, 0 to 1.
    pub certain: f64,
    /// Largest part of the serving miners penalised for less than certainty, 0 to 1; one always may be.
    pub most_uncertain: f64,
    /// Largest part of an average that is taken, 0 to 1.
    pub most_taken: f64,
    /// Part of an average that stays in any case, 0 to 1.
    pub least_left: f64,
}

impl SybilPenaltyPolicy {
    /// The constants of the system in the field.
    pub fn original() -> Self {
        Self {
            suspicious: 0.1,
            certain: 0.6,
            most_uncertain: 0.33,
            most_taken: 1.0,
            least_left: 0.2,
        }
    }

    /// 2 % of an average stays, as the original's change log says; its code leaves 20 %, so that five
    /// proven copies earn together what one honest miner does.
    pub fn hardened() -> Self {
        Self {
            least_left: 0.02,
            ..Self::original()
        }
    }

    /// Checks that every constant lies in 0 to 1.
    ///
    /// # Errors
    /// [`Error::Constant`] names the first that does not.
    pub fn validate(&self) -> Result<()> {
        all_within([
            ("suspicious", self.suspicious, 0.0, 1.0),
            ("certain", self.certain, 0.0, 1.0),
            ("most_uncertain", self.most_uncertain, 0.0, 1.0),
            ("most_taken", self.most_taken, 0.0, 1.0),
            ("least_left", self.least_left, 0.0, 1.0),
        ])
    }
}

/// A miner before penalties.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SybilStanding {
    /// Its average, 0 or more.
    pub average: f64,
    /// How strongly it is suspected to be a copy, 0 to 1; 0 when nothing is known.
    pub suspicion: f64,
}

/// Averages after penalties.
#[derive(Debug, Clone, PartialEq)]
pub struct SybilPenalties {
    /// The average of each miner, as they were given.
    pub averages: Vec<f64>,
    /// Whether each miner is penalised.
    pub penalised: Vec<bool>,
    /// Miners that are suspicious but go free because too many are.
    pub spared: usize,
}

/// Lowers the averages of suspicious miners that have one to
/// `max(average · (1 − min(suspicion, most_taken)), average · least_left)`.
///
/// From [`SybilPenaltyPolicy::certain`] on every miner is penalised. Of the less suspicious at most
/// `max(1, ⌊most_uncertain · serving⌋)` are: the most suspicious, and of equally suspicious ones the
/// first. O(n log n).
///
/// # Errors
/// [`Error::NotFinite`] and [`Error::Negative`] for an average or a suspicion, [`Error::Constant`].
pub fn penalise_sybils(
    policy: &SybilPenaltyPolicy,
    miners: &[SybilStanding],
    serving: usize,
) -> Result<SybilPenalties> {
    policy.validate()?;
    for miner in miners {
        for (what, number) in [
            ("an average", miner.average),
            ("a suspicion", miner.suspicion),
        ] {
            if !number.is_finite() {
                return Err(Error::NotFinite { what });
            }
            if number < 0.0 {
                return Err(Error::Negative { what });
            }
        }
    }
    let suspect =
        |miner: &SybilStanding| miner.average > 0.0 && miner.suspicion >= policy.suspicious;
    let certain = |miner: &SybilStanding| suspect(miner) && miner.suspicion >= policy.certain;
    let mut penalised: Vec<bool> = miners.iter().map(certain).collect();
    let mut uncertain: Vec<(usize, f64)> = miners
        .iter()
        .enumerate()
        .filter(|(_, miner)| suspect(miner) && !certain(miner))
        .map(|(place, miner)| (place, miner.suspicion))
        .collect();
    // Rounds down; a count of miners is far below the limits of both types.
    let most = ((serving as f64 * policy.most_uncertain) as usize).max(1);
    let spared = uncertain.len().saturating_sub(most);
    if spared > 0 {
        uncertain.sort_by(|left, right| right.1.total_cmp(&left.1));
        uncertain.truncate(most);
    }
    for (place, _) in uncertain {
        if let Some(flag) = penalised.get_mut(place) {
            *flag = true;
        }
    }
    let averages = miners.iter().zip(&penalised).map(|(miner, penalised)| {
        if *penalised {
            let taken = miner.suspicion.min(policy.most_taken);
            (miner.average * (1.0 - taken)).max(miner.average * policy.least_left)
        } else {
            miner.average
        }
    });
    Ok(SybilPenalties {
        averages: averages.collect(),
        penalised,
        spared,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn miner(average: f64, suspicion: f64) -> SybilStanding {
        SybilStanding { average, suspicion }
    }

    #[test]
    fn too_many_suspects_go_free_but_the_certain_never() {
        let miners = [
            miner(1.0, 0.3),
            miner(1.0, 0.5),
            miner(1.0, 0.5),
            miner(1.0, 0.6),
            miner(1.0, 0.9),
            miner(0.0, 0.9),
            miner(1.0, 0.09),
        ];
        let found = penalise_sybils(&SybilPenaltyPolicy::original(), &miners, 5).unwrap();
        assert_eq!(found.averages, [1.0, 0.5, 1.0, 0.4, 0.2, 0.0, 1.0]);
        assert_eq!(found.spared, 2);
    }

    #[test]
    fn five_copies_earn_less_than_one_honest_miner() {
        let sum = |policy: SybilPenaltyPolicy| -> f64 {
            let found = penalise_sybils(&policy, &[miner(1.0, 1.0); 5], 6).unwrap();
            found.averages.iter().sum()
        };
        assert_eq!(sum(SybilPenaltyPolicy::original()), 1.0);
        assert!((sum(SybilPenaltyPolicy::hardened()) - 0.1).abs() < 1e-12);
    }

    #[test]
    fn poison_is_refused() {
        let policy = SybilPenaltyPolicy::original();
        for bad in [
            miner(f64::NAN, 0.0),
            miner(1.0, f64::INFINITY),
            miner(-1.0, 0.0),
        ] {
            assert!(penalise_sybils(&policy, &[bad], 1).is_err());
        }
    }
}
