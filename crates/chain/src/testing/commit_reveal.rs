//! Commit-reveal as a [`FakeChain`](super::FakeChain) does it: the chain's rules about epochs,
//! windows and what is dropped, without sealing anything.

use std::{collections::BTreeMap, time::Duration};

use adit_primitives::{Block, Hotkey, MechId, NetUid, Uid, WeightVector};

use super::State;
use crate::{
    BeaconStanding, CommitRevealStanding, EpochState, Error, Result, StoredHash, StoredTimelocked,
    WeightsCall,
    commit_reveal::{Beacon, EpochSchedule, TIMELOCK_VERSION, commit_hash},
    preflight::{MOST_UNREVEALED, upscale},
};

/// The time of block 0, and between blocks.
const START: Duration = Duration::from_secs(1_800_000_000);
const SLOT: Duration = Duration::from_secs(12);

/// What this chain keeps of commits.
#[derive(Debug)]
pub(super) struct CommitReveal {
    schedules: BTreeMap<NetUid, EpochSchedule>,
    commits: Vec<Commit>,
    pub(super) reveal_period: u64,
    pub(super) takes_timelocked: bool,
    /// Epochs do not begin while this lasts.
    pub(super) deferred: u64,
    /// The newest round of the beacon, whatever the time.
    pub(super) beacon_held_at: Option<u64>,
}

#[derive(Debug, Clone)]
struct Commit {
    netuid: NetUid,
    mechid: MechId,
    hotkey: Hotkey,
    epoch: u64,
    block: Block,
    what: Hidden,
}

#[derive(Debug, Clone)]
enum Hidden {
    Hash([u8; 32]),
    Sealed {
        weights: WeightVector,
        version_key: u64,
        round: u64,
    },
}

impl Default for CommitReveal {
    fn default() -> Self {
        Self {
            schedules: BTreeMap::new(),
            commits: Vec::new(),
            reveal_period: 1,
            takes_timelocked: true,
            deferred: 0,
            beacon_held_at: None,
        }
    }
}

pub(super) fn time(block: Block) -> Duration {
    let blocks = u32::try_from(block.0).unwrap_or(u32::MAX);
    START.saturating_add(SLOT.saturating_mul(blocks))
}

impl CommitReveal {
    pub(super) fn last_stored_round(&self, head: Block) -> u64 {
        self.beacon_held_at
            .unwrap_or_else(|| Beacon::QUICKNET.round_at(time(head)))
    }

    fn schedule(&self, netuid: NetUid, tempo: u16, head: Block) -> EpochSchedule {
        let known = self.schedules.get(&netuid).copied();
        let new = EpochSchedule {
            last_epoch_block: head,
            ..EpochSchedule::default()
        };
        EpochSchedule {
            tempo,
            ..known.unwrap_or(new)
        }
    }

    pub(super) fn standing(
        &self,
        netuid: NetUid,
        mechid: MechId,
        hotkey: Hotkey,
        tempo: u16,
        head: Block,
    ) -> CommitRevealStanding {
        let schedule = self.schedule(netuid, tempo, head);
        let ours = |commit: &&Commit| {
            (commit.netuid, commit.mechid, commit.hotkey) == (netuid, mechid, hotkey)
        };
        let commits = || self.commits.iter().filter(ours);
        CommitRevealStanding {
            reveal_period: self.reveal_period,
            version: TIMELOCK_VERSION,
            takes_timelocked: self.takes_timelocked,
            epochs: EpochState::Stateful(schedule),
            now: Some(time(head)),
            block_time: SLOT,
            beacon: Some(BeaconStanding {
                beacon: Beacon::QUICKNET,
                last_stored_round: self.last_stored_round(head),
            }),
            hashes: commits()
                .filter_map(|commit| match commit.what {
                    Hidden::Hash(hash) => Some(StoredHash {
                        hash,
                        epoch: commit.epoch,
                        block: commit.block,
                    }),
                    Hidden::Sealed { .. } => None,
                })
                .collect(),
            timelocked: commits()
                .filter_map(|commit| match commit.what {
                    Hidden::Hash(_) => None,
                    Hidden::Sealed { round, .. } => Some(StoredTimelocked {
                        epoch: commit.epoch,
                        block: commit.block,
                        round,
                    }),
                })
                .collect(),
        }
    }
}

fn refused(error: &str) -> Error {
    Error::Refused {
        call: "SubtensorModule".into(),
        pallet: "SubtensorModule".into(),
        error: error.into(),
    }
}

impl State {
    /// Begins epochs at the new head and reveals what is due.
    pub(super) fn step(&mut self) -> Result<()> {
        let head = self.head;
        let deferred = self.commit_reveal.deferred > 0;
        self.commit_reveal.deferred = self.commit_reveal.deferred.saturating_sub(1);
        let subnets = self.metagraphs.values();
        let subnets: Vec<_> = subnets
            .map(|subnet| (subnet.netuid, subnet.parameters.tempo))
            .collect();
        for (netuid, tempo) in subnets {
            let before = Block(head.0.saturating_sub(1));
            let mut schedule = self.commit_reveal.schedule(netuid, tempo, before);
            if !deferred {
                schedule.step(head);
            }
            self.commit_reveal.schedules.insert(netuid, schedule);
            self.reveal_sealed(netuid, schedule.subnet_epoch_index)?;
        }
        Ok(())
    }

    fn reveal_sealed(&mut self, netuid: NetUid, epoch: u64) -> Result<()> {
        let (period, stored) = (
            self.commit_reveal.reveal_period,
            self.commit_reveal.last_stored_round(self.head),
        );
        let mut due = Vec::new();
        self.commit_reveal.commits.retain(|commit| {
            let Hidden::Sealed { round, .. } = commit.what else {
                return true;
            };
            let reveal = commit.epoch + period;
            if commit.netuid != netuid || reveal > epoch {
                return true;
            }
            if reveal == epoch && round <= stored {
                due.push(commit.clone());
            }
            // Without its signature it is tried again, but only in this epoch.
            reveal == epoch && round > stored
        });
        for commit in due {
            let Hidden::Sealed {
                weights,
                version_key,
                ..
            } = commit.what
            else {
                continue;
            };
            let standing = self.standing(netuid, commit.mechid, commit.hotkey);
            let fine = standing
                .filter(|standing| standing.reveal_refusal(&weights, version_key).is_none());
            // The chain drops what it cannot set without a word.
            if let Some(uid) = fine.and_then(|standing| standing.uid) {
                self.store_row(netuid, commit.mechid, uid, &weights)?;
            }
        }
        Ok(())
    }

    fn store_row(
        &mut self,
        netuid: NetUid,
        mechid: MechId,
        uid: Uid,
        weights: &WeightVector,
    ) -> Result<()> {
        let row = WeightVector::new(upscale(weights))?;
        self.rows.insert((netuid, mechid, uid), row);
        Ok(())
    }

    /// Does what a transaction of the next block would do, at the present head.
    pub(super) fn execute(
        &mut self,
        netuid: NetUid,
        mechid: MechId,
        hotkey: Hotkey,
        call: &WeightsCall,
    ) -> Result<()> {
        let Some(standing) = self.standing(netuid, mechid, hotkey) else {
            return Err(refused("SubnetNotExists"));
        };
        let Some(uid) = standing.uid else {
            return Err(refused("HotKeyNotRegisteredInSubNet"));
        };
        let state = &standing.commit_reveal;
        let epoch = state.epochs.current(self.head);
        let what = match call {
            WeightsCall::Set {
                weights,
                version_key,
            } => {
                if standing.refusal(weights, *version_key).is_some() {
                    return Err(refused("SettingWeightsRefused"));
                }
                self.take(netuid, hotkey, weights, *version_key);
                self.store_row(netuid, mechid, uid, weights)?;
                let head = self.head;
                return self.change(netuid, uid, |neuron| neuron.last_update = head);
            }
            WeightsCall::Reveal {
                weights,
                salt,
                version_key,
            } => {
                let index = mechid.storage_index(netuid);
                let hash = commit_hash(hotkey, index, weights.pairs(), salt, *version_key);
                let Some(stored) = state.hashes.iter().find(|stored| stored.hash == hash) else {
                    return Err(refused("InvalidRevealCommitHashNotMatch"));
                };
                let reveal = stored.epoch + state.reveal_period;
                if epoch != reveal {
                    let early = if epoch < reveal {
                        "RevealTooEarly"
                    } else {
                        "ExpiredWeightCommit"
                    };
                    return Err(refused(early));
                }
                if standing.reveal_refusal(weights, *version_key).is_some() {
                    return Err(refused("RevealRefused"));
                }
                let at = stored.block;
                self.commit_reveal.commits.retain(|commit| {
                    let older = matches!(commit.what, Hidden::Hash(_)) && commit.block <= at;
                    !(older
                        && (commit.netuid, commit.mechid, commit.hotkey)
                            == (netuid, mechid, hotkey))
                });
                self.take(netuid, hotkey, weights, *version_key);
                return self.store_row(netuid, mechid, uid, weights);
            }
            WeightsCall::Commit { hash } => Hidden::Hash(*hash),
            WeightsCall::CommitTimelocked {
                weights,
                version_key,
                round,
                ..
            } => {
                if *round < self.commit_reveal.last_stored_round(self.head) {
                    return Err(Error::Pool {
                        call: "SubtensorModule".into(),
                        code: 1010,
                        message: "Custom error: 15 (InvalidRevealRound)".into(),
                    });
                }
                Hidden::Sealed {
                    weights: weights.clone(),
                    version_key: *version_key,
                    round: *round,
                }
            }
        };
        if !standing.parameters.commit_reveal {
            return Err(refused("CommitRevealDisabled"));
        }
        let limit = standing.parameters.weights_rate_limit;
        if standing.last_update != Block(0) && self.head.since(standing.last_update) < limit {
            return Err(refused("CommittingWeightsTooFast"));
        }
        if state.hashes.len().max(state.timelocked.len()) >= MOST_UNREVEALED {
            return Err(refused("TooManyUnrevealedCommits"));
        }
        let block = self.head;
        self.commit_reveal.commits.push(Commit {
            netuid,
            mechid,
            hotkey,
            epoch,
            block,
            what,
        });
        self.change(netuid, uid, |neuron| neuron.last_update = block)
    }
}
