use serde::{Deserialize, Serialize};

use crate::{AxonInfo, Hotkey, Metagraph, Uid};

/// What is different between two pictures of a subnet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum MetagraphChange {
    /// A neuron took a place that nobody had.
    Registered {
        /// Its place.
        uid: Uid,
        /// Its hotkey.
        hotkey: Hotkey,
    },
    /// A place went to another neuron. What was known of the old one says nothing of the new one.
    Replaced {
        /// The place.
        uid: Uid,
        /// Who had it.
        old: Hotkey,
        /// Who has it.
        new: Hotkey,
    },
    /// A place is gone, as when a subnet is made smaller.
    Removed {
        /// The place.
        uid: Uid,
        /// Who had it.
        hotkey: Hotkey,
    },
    /// The same neuron listens elsewhere, begins to listen or stops.
    AxonChanged {
        /// Its place.
        uid: Uid,
        /// Where it listened.
        old: Option<AxonInfo>,
        /// Where it listens.
        new: Option<AxonInfo>,
    },
    /// The same neuron won or lost its validator permit.
    PermitChanged {
        /// Its place.
        uid: Uid,
        /// Whether it has one now.
        permit: bool,
    },
}

impl Metagraph {
    /// What became different since an older picture, in the order of uids.
    ///
    /// A hotkey that registered anew at the same place counts as replaced by itself, because its
    /// bonds and weights are gone: the blocks of registration differ.
    pub fn changes_since(&self, older: &Self) -> Vec<MetagraphChange> {
        let mut changes = Vec::new();
        for new in self.neurons() {
            let uid = new.uid;
            let Some(old) = older.neuron(uid) else {
                let hotkey = new.hotkey;
                changes.push(MetagraphChange::Registered { uid, hotkey });
                continue;
            };
            if old.hotkey != new.hotkey || old.registered_at != new.registered_at {
                let (old, new) = (old.hotkey, new.hotkey);
                changes.push(MetagraphChange::Replaced { uid, old, new });
                continue;
            }
            if old.axon != new.axon {
                let (old, new) = (old.axon, new.axon);
                changes.push(MetagraphChange::AxonChanged { uid, old, new });
            }
            if old.validator_permit != new.validator_permit {
                let permit = new.validator_permit;
                changes.push(MetagraphChange::PermitChanged { uid, permit });
            }
        }
        let gone = older.neurons().iter().skip(self.neurons().len());
        changes.extend(gone.map(|old| MetagraphChange::Removed {
            uid: old.uid,
            hotkey: old.hotkey,
        }));
        changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Block, BlockHash, Coldkey, NetUid, Neuron, Rao, SubnetParameters};

    fn neuron(uid: u16, key: u8) -> Neuron {
        Neuron {
            uid: Uid(uid),
            hotkey: Hotkey::new([key; 32]),
            coldkey: Coldkey::new([0; 32]),
            axon: None,
            stake: Rao(0),
            validator_permit: false,
            active: true,
            incentive: 0,
            dividends: 0,
            consensus: 0,
            validator_trust: 0,
            emission: Rao(0),
            last_update: Block(0),
            registered_at: Block(0),
        }
    }

    fn metagraph(neurons: Vec<Neuron>) -> Metagraph {
        let parameters = SubnetParameters {
            tempo: 360,
            min_allowed_weights: 0,
            max_weights_limit: u16::MAX,
            weights_rate_limit: 0,
            weights_version: 0,
            commit_reveal: false,
        };
        let hash = BlockHash::default();
        Metagraph::new(NetUid(1), Block(1), hash, parameters, neurons).unwrap()
    }

    #[test]
    fn every_kind_of_change_is_told_once() {
        let old = metagraph(vec![neuron(0, 1), neuron(1, 2), neuron(2, 3), neuron(3, 4)]);
        assert_eq!(old.changes_since(&old), []);

        let mut new = vec![
            neuron(0, 1),
            neuron(1, 9),
            neuron(2, 3),
            neuron(3, 4),
            neuron(4, 5),
        ];
        new[0].validator_permit = true;
        // Registered anew in its own place.
        new[2].registered_at = Block(7);
        // Stake and incentive move all the time and are not told.
        new[3].stake = Rao(5);
        let axon = Some(AxonInfo {
            ip: "192.0.2.1".parse().unwrap(),
            port: 1,
            protocol: 4,
            version: 0,
            block: Block(1),
        });
        new[3].axon = axon;
        let new = metagraph(new);
        let key = |key: u8| Hotkey::new([key; 32]);
        assert_eq!(
            new.changes_since(&old),
            [
                MetagraphChange::PermitChanged {
                    uid: Uid(0),
                    permit: true
                },
                MetagraphChange::Replaced {
                    uid: Uid(1),
                    old: key(2),
                    new: key(9)
                },
                MetagraphChange::Replaced {
                    uid: Uid(2),
                    old: key(3),
                    new: key(3)
                },
                MetagraphChange::AxonChanged {
                    uid: Uid(3),
                    old: None,
                    new: axon
                },
                MetagraphChange::Registered {
                    uid: Uid(4),
                    hotkey: key(5)
                },
            ]
        );
        let removed = MetagraphChange::Removed {
            uid: Uid(4),
            hotkey: key(5),
        };
        assert!(old.changes_since(&new).contains(&removed));
    }
}
