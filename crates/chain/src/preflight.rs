//! What the chain will say about a weight vector, computed before anything is signed.
//!
//! The order of the checks is the chain's own (`do_set_weights` of runtime 425), so that the named
//! reason is the one the chain would give.

mod standing;

use adit_primitives::{Block, NetUid, Uid, WeightVector};

pub use standing::{
    BeaconStanding, CommitRevealStanding, EpochState, StoredHash, StoredTimelocked, WeightsStanding,
};

use crate::WeightsRefusal;

/// Commits of one neuron that the chain keeps unrevealed.
pub(crate) const MOST_UNREVEALED: usize = 10;

/// Blocks before an epoch in which nothing is committed: a transaction that is included one block
/// later than hoped for would belong to the next epoch, and what is sealed would be open before the
/// chain reveals it. Skipped where the tempo is so short that little else would be left.
pub(crate) const EPOCH_MARGIN: u64 = 2;

impl WeightsStanding {
    /// The first reason for which the chain would not take these weights as they are, without a
    /// commit.
    pub fn refusal(&self, weights: &WeightVector, version_key: u64) -> Option<WeightsRefusal> {
        if self.netuid != NetUid(0) && self.parameters.commit_reveal {
            return Some(WeightsRefusal::CommitRevealRequired);
        }
        self.substance(weights, version_key, true)
    }

    /// The first reason for which the chain would not take a commit of these weights, or would not
    /// reveal them if all stayed as it is.
    pub fn commit_refusal(
        &self,
        weights: &WeightVector,
        version_key: u64,
    ) -> Option<WeightsRefusal> {
        if let Some(refusal) = self.substance(weights, version_key, true) {
            return Some(refusal);
        }
        if self.parameters.tempo == 0 {
            return Some(WeightsRefusal::NoEpochs);
        }
        let unrevealed = self.unrevealed();
        if unrevealed >= MOST_UNREVEALED {
            return Some(WeightsRefusal::TooManyUnrevealed {
                unrevealed,
                most: MOST_UNREVEALED,
            });
        }
        let left = self.commit_reveal.epochs.next_epoch(self.block).ok()?;
        let left = left.since(self.block);
        let avoidable = u64::from(self.parameters.tempo) > 8 * EPOCH_MARGIN;
        (avoidable && left <= EPOCH_MARGIN).then_some(WeightsRefusal::EpochEnds {
            blocks_to_wait: left,
        })
    }

    /// The first reason for which the chain would not reveal these weights now.
    pub fn reveal_refusal(
        &self,
        weights: &WeightVector,
        version_key: u64,
    ) -> Option<WeightsRefusal> {
        self.substance(weights, version_key, false)
    }

    /// Our commits that count against the limit: all hashes, and what was sealed in this epoch.
    fn unrevealed(&self) -> usize {
        let state = &self.commit_reveal;
        let epoch = state.epochs.of_next_block(self.block);
        let sealed = state.timelocked.iter();
        let sealed = sealed.filter(|commit| commit.epoch == epoch).count();
        state.hashes.len().max(sealed)
    }

    /// What every way of setting weights checks, in the chain's order.
    fn substance(
        &self,
        weights: &WeightVector,
        version_key: u64,
        rate_limited: bool,
    ) -> Option<WeightsRefusal> {
        if self.netuid == NetUid(0) {
            return Some(WeightsRefusal::RootNetwork);
        }
        if self.mechid.0 >= self.mechanisms.max(1) {
            return Some(WeightsRefusal::NoSuchMechanism {
                mechid: self.mechid,
                mechanisms: self.mechanisms.max(1),
            });
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
            .or_else(|| rate_limited.then(|| self.rate_limit()).flatten())
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

/// What the chain stores for these weights (`vec_u16_max_upscale_to_u16`). All zeros stay as they
/// are.
pub(crate) fn upscale(weights: &WeightVector) -> Vec<(Uid, u16)> {
    let values: Vec<u16> = weights.pairs().iter().map(|(_, value)| *value).collect();
    let uids = weights.pairs().iter().map(|(uid, _)| *uid);
    uids.zip(adit_yuma::max_upscale(&values)).collect()
}

/// Whether what storage holds is what was sent, up to the chain's own scaling.
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
    use adit_primitives::{BlockHash, Hotkey, MechId, Rao, SubnetParameters};
    use proptest::prelude::*;

    use super::*;
    use crate::commit_reveal::EpochSchedule;

    fn standing() -> WeightsStanding {
        WeightsStanding {
            netuid: NetUid(1),
            mechid: MechId(0),
            block: Block(1_000),
            block_hash: BlockHash::default(),
            parameters: SubnetParameters {
                tempo: 360,
                min_allowed_weights: 2,
                max_weights_limit: u16::MAX,
                weights_rate_limit: 100,
                weights_version: 0,
                commit_reveal: false,
            },
            mechanisms: 1,
            neurons: 4,
            hotkey: Hotkey::new([1; 32]),
            uid: Some(Uid(0)),
            registered_at: Block(1),
            validator_permit: true,
            is_owner: false,
            last_update: Block(0),
            stake: Some(Rao(10)),
            stake_threshold: Rao(0),
            row: WeightVector::default(),
            commit_reveal: CommitRevealStanding {
                reveal_period: 1,
                version: 4,
                takes_timelocked: true,
                epochs: EpochState::Stateful(EpochSchedule {
                    tempo: 360,
                    last_epoch_block: Block(900),
                    pending_epoch_at: Block(0),
                    subnet_epoch_index: 5,
                    blocks_since_last_step: 100,
                }),
                now: None,
                block_time: std::time::Duration::from_secs(12),
                beacon: None,
                hashes: Vec::new(),
                timelocked: Vec::new(),
            },
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
        change: impl FnOnce(&mut WeightsStanding),
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
                refused(|s| s.mechid = MechId(1), fine, 0),
                WeightsRefusal::NoSuchMechanism {
                    mechid: MechId(1),
                    mechanisms: 1,
                },
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
        let owner = |s: &mut WeightsStanding| {
            (s.is_owner, s.validator_permit, s.stake_threshold) = (true, false, Rao(99));
        };
        assert_eq!(refused(owner, &[(1, 5), (2, 5)], 0), None);
    }

    #[test]
    fn commits_have_reasons_of_their_own() {
        let fine = weights(&[(1, 5), (2, 5)]);
        let refused = |change: &dyn Fn(&mut WeightsStanding)| {
            let mut standing = standing();
            standing.parameters.commit_reveal = true;
            change(&mut standing);
            standing.commit_refusal(&fine, 0)
        };
        assert_eq!(refused(&|_| ()), None);
        assert_eq!(
            refused(&|s| s.parameters.tempo = 0),
            Some(WeightsRefusal::NoEpochs)
        );
        let hash = StoredHash {
            hash: [0; 32],
            epoch: 5,
            block: Block(950),
        };
        let sealed = StoredTimelocked {
            epoch: 5,
            block: Block(950),
            round: 1,
        };
        let many = Some(WeightsRefusal::TooManyUnrevealed {
            unrevealed: 10,
            most: 10,
        });
        assert_eq!(refused(&|s| s.commit_reveal.hashes = vec![hash; 9]), None);
        assert_eq!(refused(&|s| s.commit_reveal.hashes = vec![hash; 10]), many);
        assert_eq!(
            refused(&|s| s.commit_reveal.timelocked = vec![sealed; 10]),
            many
        );
        let older = StoredTimelocked { epoch: 4, ..sealed };
        assert_eq!(
            refused(&|s| s.commit_reveal.timelocked = vec![older; 10]),
            None
        );
        // The epoch begins at block 1,260.
        for (block, blocks_to_wait) in [(1_258, 2), (1_259, 1)] {
            let ends = WeightsRefusal::EpochEnds { blocks_to_wait };
            assert_eq!(refused(&|s| s.block = Block(block)), Some(ends));
        }
        assert_eq!(refused(&|s| s.block = Block(1_257)), None);
        // What limits how often, limits commits; reveals have their own time.
        let limited = WeightsRefusal::RateLimited { blocks_to_wait: 1 };
        assert_eq!(refused(&|s| s.last_update = Block(901)), Some(limited));
        let mut recent = standing();
        recent.last_update = Block(901);
        assert_eq!(recent.reveal_refusal(&fine, 0), None);
        recent.validator_permit = false;
        let no_permit = WeightsRefusal::NoValidatorPermit { uid: Uid(0) };
        assert_eq!(recent.reveal_refusal(&fine, 0), Some(no_permit));
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
