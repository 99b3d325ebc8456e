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
