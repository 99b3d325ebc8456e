//! What the chain will say about a weight vector, computed before anything is signed.
//!
//! The order of the checks is the chain's own (`do_set_weights` of runtime 425), so that the named
//! reason is the one the chain would give.

use adit_primitives::{Block, Hotkey, NetUid, Rao, SubnetParameters, Uid, WeightVector};

use crate::WeightsRefusal;

/// State of one subnet and of our neuron in it, all at one block.
#[derive(Debug, Clone)]
pub(crate) struct Standing {
    pub(crate) netuid: NetUid,
    pub(crate) block: Block,
    pub(crate) parameters: SubnetParameters,
    pub(crate) neurons: usize,
    pub(crate) hotkey: Hotkey,
    /// `None` when the hotkey is not registered.
    pub(crate) uid: Option<Uid>,
    pub(crate) validator_permit: bool,
    /// The subnet owner's hotkey needs neither stake nor permit.
    pub(crate) is_owner: bool,
    /// 0 when no weights were ever set.
    pub(crate) last_update: Block,
    /// `None` where the runtime does not tell.
    pub(crate) stake: Option<Rao>,
    pub(crate) stake_threshold: Rao,
}

impl Standing {
    /// The first reason for which the chain would not take these weights.
    pub(crate) fn refusal(
        &self,
        weights: &WeightVector,
        version_key: u64,
    ) -> Option<WeightsRefusal> {
        if self.netuid == NetUid(0) {
            return Some(WeightsRefusal::RootNetwork);
        }
        if self.parameters.commit_reveal {
            return Some(WeightsRefusal::CommitRevealRequired);
        }
        if weights.len() > self.neurons {
            return Some(WeightsRefusal::TooMany {
                given: weights.len(),
                most: self.neurons,
            });
        }
        let Some(uid) = self.uid else {
            return Some(WeightsRefusal::NotRegistered {
                hotkey: self.hotkey,
            });
        };
        if let Some(stake) = self.stake
            && stake < self.stake_threshold
            && !self.is_owner
        {
            return Some(WeightsRefusal::StakeBelowThreshold {
                stake,
                threshold: self.stake_threshold,
            });
        }
        self.version(version_key)
            .or_else(|| self.rate_limit())
            .or_else(|| self.shape(uid, weights))
    }

    fn version(&self, given: u64) -> Option<WeightsRefusal> {
        let required = self.parameters.weights_version;
        (required != 0 && given < required)
            .then_some(WeightsRefusal::VersionKey { given, required })
    }

    fn rate_limit(&self) -> Option<WeightsRefusal> {
        let limit = self.parameters.weights_rate_limit;
        let waited = self.block.since(self.last_update);
        (self.last_update != Block(0) && waited < limit).then(|| WeightsRefusal::RateLimited {
            blocks_to_wait: limit - waited,
        })
    }

    fn shape(&self, uid: Uid, weights: &WeightVector) -> Option<WeightsRefusal> {
        let lone_self_weight = matches!(weights.pairs(), [(only, _)] if *only == uid);
        if !self.validator_permit && !lone_self_weight && !self.is_owner {
            return Some(WeightsRefusal::NoValidatorPermit { uid });
        }
        let unknown = |(uid, _): &&(Uid, u16)| usize::from(uid.0) >= self.neurons;
        if let Some((uid, _)) = weights.pairs().iter().find(unknown) {
            return Some(WeightsRefusal::UnknownUid {
                uid: *uid,
                neurons: self.neurons,
            });
        }
        if lone_self_weight {
            return None;
        }
        let required = self
            .neurons
            .min(usize::from(self.parameters.min_allowed_weights));
        if weights.len() < required {
            return Some(WeightsRefusal::TooFew {
                given: weights.len(),
                required,
            });
        }
        self.largest_share(weights)
    }

    fn largest_share(&self, weights: &WeightVector) -> Option<WeightsRefusal> {
        let limit = self.parameters.max_weights_limit;
        let upscaled = upscale(weights);
        let sum: u64 = upscaled.iter().map(|(_, weight)| u64::from(*weight)).sum();
        let (uid, largest) = upscaled.iter().max_by_key(|(_, weight)| *weight).copied()?;
        // The chain compares largest/sum with limit/65535; cross-multiplied it is exact.
        if limit == u16::MAX || u64::from(largest) * u64::from(u16::MAX) <= u64::from(limit) * sum {
            return None;
        }
        let share = (u64::from(largest) * u64::from(u16::MAX)).div_ceil(sum.max(1));
        Some(WeightsRefusal::MaxWeightExceeded {
            uid,
            share: u16::try_from(share).unwrap_or(u16::MAX),
            limit,
        })
    }
}

/// What the chain stores for these weights: `weight · 65535 / largest`, rounded half up, in the
/// runtime's I32F32 arithmetic (`vec_u16_max_upscale_to_u16`). All zeros stay as they are.
pub(crate) fn upscale(weights: &WeightVector) -> Vec<(Uid, u16)> {
    const HALF: u64 = 1 << 31;
    let largest = weights.pairs().iter().map(|(_, weight)| *weight).max();
    let largest = u64::from(largest.unwrap_or(0));
    if largest == 0 {
        return weights.pairs().to_vec();
    }
    // Above 32768 the runtime divides first, because the product would not fit 31 bits.
    let factor = (u64::from(u16::MAX) << 32) / largest;
    let scale = |weight: u16| {
        let bits = if largest > 32_768 {
            u64::from(weight) * factor
        } else {
            ((u64::from(weight) * u64::from(u16::MAX)) << 32) / largest
        };
        u16::try_from((bits + HALF) >> 32).unwrap_or(u16::MAX)
    };
    let pairs = weights.pairs().iter();
    pairs.map(|(uid, weight)| (*uid, scale(*weight))).collect()
}

/// Whether what storage holds is what was sent, up to the chain's own scaling.
#[cfg(any(test, feature = "client"))]
pub(crate) fn holds(stored: &WeightVector, sent: &WeightVector) -> bool {
    let expected = upscale(sent);
    stored.len() == expected.len()
        && stored
            .pairs()
            .iter()
            .zip(&expected)
            .all(|(found, expected)| found.0 == expected.0 && found.1.abs_diff(expected.1) <= 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn standing() -> Standing {
        Standing {
            netuid: NetUid(1),
            block: Block(1_000),
            parameters: SubnetParameters {
                tempo: 360,
                min_allowed_weights: 2,
                max_weights_limit: u16::MAX,
                weights_rate_limit: 100,
                weights_version: 0,
                commit_reveal: false,
            },
            neurons: 4,
            hotkey: Hotkey::new([1; 32]),
            uid: Some(Uid(0)),
            validator_permit: true,
            is_owner: false,
            last_update: Block(0),
            stake: Some(Rao(10)),
            stake_threshold: Rao(0),
        }
    }

    fn weights(pairs: &[(u16, u16)]) -> WeightVector {
        WeightVector::new(
            pairs
                .iter()
                .map(|(uid, weight)| (Uid(*uid), *weight))
                .collect(),
        )
        .unwrap()
    }

    /// A change to a standing that is otherwise fine.
    fn refused(
        change: impl FnOnce(&mut Standing),
        pairs: &[(u16, u16)],
        version_key: u64,
    ) -> Option<WeightsRefusal> {
        let mut standing = standing();
        change(&mut standing);
        standing.refusal(&weights(pairs), version_key)
    }

    #[test]
    fn good_weights_pass() {
        assert_eq!(refused(|_| (), &[(1, 5), (2, 5)], 0), None);
    }

    #[test]
    fn every_rule_has_its_name_and_numbers() {
        let fine = &[(1, 5), (2, 5)][..];
        let hotkey = standing().hotkey;
        let cases = [
            (
                refused(|s| s.netuid = NetUid(0), fine, 0),
                WeightsRefusal::RootNetwork,
            ),
            (
                refused(|s| s.parameters.commit_reveal = true, fine, 0),
                WeightsRefusal::CommitRevealRequired,
            ),
            (
                refused(|s| s.neurons = 1, fine, 0),
                WeightsRefusal::TooMany { given: 2, most: 1 },
            ),
            (
                refused(|s| s.uid = None, fine, 0),
                WeightsRefusal::NotRegistered { hotkey },
            ),
            (
                refused(|s| s.stake_threshold = Rao(11), fine, 0),
                WeightsRefusal::StakeBelowThreshold {
                    stake: Rao(10),
                    threshold: Rao(11),
                },
            ),
            (
                refused(|s| s.parameters.weights_version = 7, fine, 6),
                WeightsRefusal::VersionKey {
                    given: 6,
                    required: 7,
                },
            ),
            (
                refused(|s| s.last_update = Block(901), fine, 0),
                WeightsRefusal::RateLimited { blocks_to_wait: 1 },
            ),
            (
                refused(|s| s.validator_permit = false, fine, 0),
                WeightsRefusal::NoValidatorPermit { uid: Uid(0) },
            ),
            (
                refused(|_| (), &[(1, 5), (4, 5)], 0),
                WeightsRefusal::UnknownUid {
                    uid: Uid(4),
                    neurons: 4,
                },
            ),
            (
                refused(|_| (), &[(1, 5)], 0),
                WeightsRefusal::TooFew {
                    given: 1,
                    required: 2,
                },
            ),
            (
                refused(
                    |s| s.parameters.max_weights_limit = 32_767,
                    &[(1, 3), (2, 1)],
                    0,
                ),
                WeightsRefusal::MaxWeightExceeded {
                    uid: Uid(1),
                    share: 49_152,
                    limit: 32_767,
                },
            ),
        ];
        for (found, expected) in cases {
            assert_eq!(found, Some(expected));
        }
    }

    #[test]
    fn the_limits_themselves_are_allowed() {
        let fine = &[(1, 5), (2, 5)][..];
        assert_eq!(refused(|s| s.last_update = Block(900), fine, 0), None);
        assert_eq!(refused(|s| s.parameters.weights_version = 7, fine, 7), None);
        assert_eq!(refused(|s| s.stake_threshold = Rao(10), fine, 0), None);
        assert_eq!(
            refused(|s| s.parameters.max_weights_limit = 32_768, fine, 0),
            None
        );
    }

    #[test]
    fn a_lone_self_weight_needs_no_permit_and_the_owner_no_stake() {
        assert_eq!(refused(|s| s.validator_permit = false, &[(0, 1)], 0), None);
        let owner = |s: &mut Standing| {
            (s.is_owner, s.validator_permit, s.stake_threshold) = (true, false, Rao(99));
        };
        assert_eq!(refused(owner, &[(1, 5), (2, 5)], 0), None);
    }

    #[test]
    fn read_back_accepts_the_chains_scaling_only() {
        let sent = weights(&[(1, 100), (2, 50)]);
        assert!(holds(&weights(&[(1, 65_535), (2, 32_768)]), &sent));
        assert!(!holds(&weights(&[(1, 65_535), (2, 30_000)]), &sent));
        assert!(!holds(&weights(&[(1, 65_535)]), &sent));
        assert!(!holds(&weights(&[(1, 65_535), (3, 32_768)]), &sent));
    }

    proptest! {
        #[test]
        fn upscaling_agrees_with_real_division(values in proptest::collection::vec(0_u16.., 1..64)) {
            let pairs = values.iter().zip(0..).map(|(weight, uid)| (uid, *weight)).collect::<Vec<_>>();
            let largest = f64::from(*values.iter().max().unwrap());
            for ((_, scaled), weight) in upscale(&weights(&pairs)).into_iter().zip(values) {
                let exact = if largest == 0.0 { 0.0 } else { f64::from(weight) * 65_535.0 / largest };
                prop_assert!((f64::from(scaled) - exact).abs() <= 0.5 + 1e-4, "{scaled} is not {exact}");
            }
        }
    }
}
