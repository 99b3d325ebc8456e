use std::collections::BTreeMap;

use adit_primitives::Uid;
use serde::{Deserialize, Serialize};

use super::{
    ServingCandidate, ServingPolicy, freshness_gate, serving_miners,
    sybil::{SybilPenaltyPolicy, SybilStanding, penalise_sybils},
};
use crate::{Error, Result, rules::all_within};

/// How averages become shares of the weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WeightSharesPolicy {
    /// Name and version.
    pub name: String,
    /// Who counts as a serving miner.
    pub serving: ServingPolicy,
    /// What suspicion costs.
    pub sybil: SybilPenaltyPolicy,
    /// Fewest serving miners.
    pub serving_least: usize,
    /// Blocks since the last weights from which a validator is in a hurry.
    pub degraded_blocks: u64,
    /// Blocks since the last weights from which any weights are better than none: after 5,000 the
    /// chain counts the validator as gone.
    pub emergency_blocks: u64,
    /// Oldest last success of a miner that is paid, in seconds.
    pub max_age_seconds: f64,
    /// The same for a validator in a hurry.
    pub degraded_max_age_seconds: f64,
}

impl WeightSharesPolicy {
    /// The constants of the system in the field.
    pub fn original() -> Self {
        Self {
            name: "inference-weights/original-1".into(),
            serving: ServingPolicy::original(),
            sybil: SybilPenaltyPolicy::original(),
            serving_least: 1,
            degraded_blocks: 4_000,
            emergency_blocks: 4_500,
            max_age_seconds: 3.0 * 3_600.0,
            degraded_max_age_seconds: 24.0 * 3_600.0,
        }
    }

    /// With [`ServingPolicy::hardened`] and [`SybilPenaltyPolicy::hardened`].
    pub fn hardened() -> Self {
        Self {
            name: "inference-weights/hardened-1".into(),
            serving: ServingPolicy::hardened(),
            sybil: SybilPenaltyPolicy::hardened(),
            ..Self::original()
        }
    }

    /// Checks every constant.
    ///
    /// # Errors
    /// [`Error::Constant`] names the first out of range.
    pub fn validate(&self) -> Result<()> {
        let longest = 365.0 * 24.0 * 3_600.0;
        all_within([
            ("max_age_seconds", self.max_age_seconds, 0.0, longest),
            (
                "degraded_max_age_seconds",
                self.degraded_max_age_seconds,
                0.0,
                longest,
            ),
        ])?;
        self.sybil.validate()
    }

    /// How pressing weights are; normal where the chain did not say.
    pub fn urgency(&self, blocks_since_update: Option<u64>) -> WeightUrgency {
        match blocks_since_update {
            Some(blocks) if blocks >= self.emergency_blocks => WeightUrgency::Emergency,
            Some(blocks) if blocks >= self.degraded_blocks => WeightUrgency::Degraded,
            _ => WeightUrgency::Normal,
        }
    }
}

/// How pressing it is to set weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WeightUrgency {
    /// Only what is fresh is paid.
    Normal,
    /// What is a day old is paid too.
    Degraded,
    /// Every average is paid, and without any, everybody alike.
    Emergency,
}

/// What is known of a hotkey that has an average; it need not be on the subnet any more.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct AveragedMiner<'a> {
    /// The key.
    pub hotkey: &'a str,
    /// Its average, 0 or more.
    pub average: f64,
    /// Seconds since its last success, where there was one.
    pub success_age_seconds: Option<f64>,
    /// How strongly it is suspected to be a copy, 0 to 1, where that is known.
    pub suspicion: Option<f64>,
}

/// What [`weight_shares`] judges.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WeightEvidence<'a> {
    /// The neurons of the subnet.
    pub neurons: &'a [(Uid, ServingCandidate<'a>)],
    /// The validator's own hotkey.
    pub own_hotkey: &'a str,
    /// The validators' hotkeys, where a list is known.
    pub validators: Option<&'a [&'a str]>,
    /// Blocks since the validator's last weights, where the chain said so.
    pub blocks_since_update: Option<u64>,
    /// Fewest blocks between two settings of weights.
    pub rate_limit: u64,
    /// Everybody with an average, each hotkey once.
    pub miners: &'a [AveragedMiner<'a>],
}

/// A hotkey whose average was lowered.
#[derive(Debug, Clone, PartialEq)]
pub struct PenalisedMiner {
    /// The key.
    pub hotkey: String,
    /// Its uid, where it is a serving miner.
    pub uid: Option<Uid>,
    /// How strongly it is suspected.
    pub suspicion: f64,
    /// What is left of its average.
    pub average: f64,
}

/// Why no weights are set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoShares {
    /// The chain would refuse them so soon.
    TooSoon,
    /// Too few serving miners.
    TooFewServing,
    /// No serving miner has earned anything.
    NothingEarned,
}

/// The shares of the weights, or why there are none.
#[derive(Debug, Clone, PartialEq)]
pub struct WeightShares {
    /// How pressing weights are.
    pub urgency: WeightUrgency,
    /// One share for each serving miner, in the neurons' order; together 1.
    pub shares: std::result::Result<Vec<(Uid, f64)>, NoShares>,
    /// Who was penalised on the way, in the order of the averages.
    pub penalised: Vec<PenalisedMiner>,
}

/// From averages to shares of the weights: averages of stale miners count nothing, those of suspicious
/// ones less, serving miners share what is left. `O(n log n)`.
///
/// # Errors
/// [`Error::NotFinite`] and [`Error::Negative`] for an average, an age or a suspicion,
/// [`Error::Constant`] for the policy.
pub fn weight_shares(
    policy: &WeightSharesPolicy,
    evidence: &WeightEvidence<'_>,
) -> Result<WeightShares> {
    policy.validate()?;
    let urgency = policy.urgency(evidence.blocks_since_update);
    let none = |reason, penalised| {
        Ok(WeightShares {
            urgency,
            shares: Err(reason),
            penalised,
        })
    };
    let too_soon = |blocks| blocks < evidence.rate_limit;
    if evidence.blocks_since_update.is_some_and(too_soon) {
        return none(NoShares::TooSoon, Vec::new());
    }
    let candidates: Vec<ServingCandidate<'_>> =
        evidence.neurons.iter().map(|(_, neuron)| *neuron).collect();
    let kept = serving_miners(
        &policy.serving,
        &candidates,
        evidence.own_hotkey,
        evidence.validators,
    )
    .kept;
    let serving: Vec<(Uid, &str)> = kept
        .iter()
        .filter_map(|place| evidence.neurons.get(*place))
        .map(|(uid, neuron)| (*uid, neuron.hotkey))
        .collect();
    if serving.len() < policy.serving_least.max(1) {
        return none(NoShares::TooFewServing, Vec::new());
    }
    let (averages, penalised) = settled(policy, evidence, urgency, &serving)?;
    let earned = serving
        .iter()
        .map(|(uid, hotkey)| (*uid, averages.get(hotkey).copied().unwrap_or(0.0)));
    let mut shares: Vec<(Uid, f64)> = earned.collect();
    let sum: f64 = shares.iter().map(|(_, share)| share).sum();
    if !sum.is_finite() {
        return Err(Error::NotFinite {
            what: "the sum of the averages",
        });
    }
    if sum > 0.0 {
        shares.iter_mut().for_each(|(_, share)| *share /= sum);
    } else if urgency == WeightUrgency::Emergency {
        let alike = 1.0 / shares.len() as f64;
        shares.iter_mut().for_each(|(_, share)| *share = alike);
    } else {
        return none(NoShares::NothingEarned, penalised);
    }
    Ok(WeightShares {
        urgency,
        shares: Ok(shares),
        penalised,
    })
}

type Settled<'a> = (BTreeMap<&'a str, f64>, Vec<PenalisedMiner>);

/// Averages after freshness and penalties.
fn settled<'a>(
    policy: &WeightSharesPolicy,
    evidence: &WeightEvidence<'a>,
    urgency: WeightUrgency,
    serving: &[(Uid, &str)],
) -> Result<Settled<'a>> {
    let averages: Vec<f64> = evidence.miners.iter().map(|miner| miner.average).collect();
    let ages: Vec<Option<f64>> = evidence
        .miners
        .iter()
        .map(|miner| miner.success_age_seconds)
        .collect();
    let averages = match urgency {
        WeightUrgency::Normal => freshness_gate(&averages, &ages, policy.max_age_seconds)?.scores,
        WeightUrgency::Degraded => {
            freshness_gate(&averages, &ages, policy.degraded_max_age_seconds)?.scores
        }
        WeightUrgency::Emergency => averages,
    };
    let standing = evidence.miners.iter().zip(averages);
    let standing: Vec<SybilStanding> = standing
        .map(|(miner, average)| SybilStanding {
            average,
            suspicion: miner.suspicion.unwrap_or(0.0),
        })
        .collect();
    let found = penalise_sybils(&policy.sybil, &standing, serving.len())?;
    let uids: BTreeMap<&str, Uid> = serving
        .iter()
        .map(|(uid, hotkey)| (*hotkey, *uid))
        .collect();
    let lowered = evidence
        .miners
        .iter()
        .zip(&standing)
        .zip(&found.averages)
        .zip(&found.penalised);
    let penalised = lowered
        .filter(|(_, penalised)| **penalised)
        .map(|(((miner, standing), average), _)| PenalisedMiner {
            hotkey: miner.hotkey.to_owned(),
            uid: uids.get(miner.hotkey).copied(),
            suspicion: standing.suspicion,
            average: *average,
        })
        .collect();
    let hotkeys = evidence.miners.iter().map(|miner| miner.hotkey);
    Ok((hotkeys.zip(found.averages).collect(), penalised))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(blocks: u64, average: f64) -> WeightShares {
        let neuron = |hotkey| ServingCandidate {
            hotkey,
            ip: "1.2.3.4",
            port: 80,
            stake: 0.0,
        };
        let miner = AveragedMiner {
            hotkey: "a",
            average,
            success_age_seconds: Some(20_000.0),
            suspicion: Some(1.0),
        };
        let evidence = WeightEvidence {
            neurons: &[(Uid(3), neuron("a")), (Uid(5), neuron("b"))],
            own_hotkey: "me",
            validators: None,
            blocks_since_update: Some(blocks),
            rate_limit: 100,
            miners: &[miner],
        };
        weight_shares(&WeightSharesPolicy::hardened(), &evidence).unwrap()
    }

    #[test]
    fn the_longer_without_weights_the_older_the_averages_that_count() {
        assert_eq!(shares(99, 1.0).shares, Err(NoShares::TooSoon));
        assert_eq!(shares(100, 1.0).shares, Err(NoShares::NothingEarned));
        assert_eq!(
            shares(4_000, 1.0).shares,
            Ok(vec![(Uid(3), 1.0), (Uid(5), 0.0)])
        );
        assert_eq!(
            shares(4_500, 0.0).shares,
            Ok(vec![(Uid(3), 0.5), (Uid(5), 0.5)])
        );
        let penalised = shares(4_000, 1.0).penalised;
        assert_eq!((penalised.len(), penalised[0].uid), (1, Some(Uid(3))));
        assert!((penalised[0].average - 0.02).abs() < 1e-12);
    }
}
