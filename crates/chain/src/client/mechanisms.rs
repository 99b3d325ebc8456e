use std::collections::BTreeMap;

use adit_primitives::{MechId, NetUid, Uid};

use super::{
    Pinned,
    snapshot::{Snapshot, netuid_key, uid_key},
};
use crate::Result;

/// The incentive mechanisms of a subnet. Mechanism `m` keeps its weights, bonds and last updates
/// under [`MechId::storage_index`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MechanismSplit {
    /// How many there are, at least one.
    pub count: u8,
    /// Shares of the emission by mechanism, 1/65535; `None` for equal ones.
    pub emission: Option<Vec<u16>>,
}

/// Rows by uid as they are stored: in the order submitted, zeros kept. Weights are in units of
/// 1/65535 of the row's largest, bonds of 1/65535 of the column's.
pub type NeuronRows = BTreeMap<Uid, Vec<(Uid, u16)>>;

impl Pinned {
    /// How many mechanisms a subnet has and how it splits its emission among them.
    ///
    /// # Errors
    /// A failure to reach or to understand the chain.
    pub async fn mechanisms(&self, netuid: NetUid) -> Result<MechanismSplit> {
        let read = |snapshot: Snapshot| async move {
            let mut query = snapshot.query();
            let key = || vec![netuid_key(netuid)];
            let count = query.subtensor::<u8>("MechanismCountCurrent", key())?;
            let emission = query.subtensor::<Vec<u16>>("MechanismEmissionSplit", key())?;
            let answers = query.fetch().await?;
            Ok(MechanismSplit {
                count: answers.value(&count)?.max(1),
                emission: answers.optional(&emission)?,
            })
        };
        self.read(read).await
    }

    /// The weights every neuron has set on one mechanism; neurons without are left out.
    ///
    /// # Errors
    /// A failure to reach or to understand the chain.
    pub async fn weights(&self, netuid: NetUid, mechanism: MechId) -> Result<NeuronRows> {
        self.rows("Weights", netuid, mechanism).await
    }

    /// The bonds every validator holds on one mechanism; neurons without are left out.
    ///
    /// # Errors
    /// A failure to reach or to understand the chain.
    pub async fn bonds(&self, netuid: NetUid, mechanism: MechId) -> Result<NeuronRows> {
        self.rows("Bonds", netuid, mechanism).await
    }

    /// The weights of one neuron on one mechanism as they are stored; empty when it set none.
    ///
    /// # Errors
    /// A failure to reach or to understand the chain.
    pub async fn weights_of(
        &self,
        netuid: NetUid,
        mechanism: MechId,
        uid: Uid,
    ) -> Result<Vec<(Uid, u16)>> {
        let index = NetUid(mechanism.storage_index(netuid));
        let read = |snapshot: Snapshot| async move {
            let mut query = snapshot.query();
            let key = vec![netuid_key(index), uid_key(uid)];
            let slot = query.subtensor::<Vec<(u16, u16)>>("Weights", key)?;
            query.fetch().await?.value(&slot)
        };
        let row = self.read(read).await?.into_iter();
        Ok(row.map(|(to, weight)| (Uid(to), weight)).collect())
    }

    /// Two requests: how many neurons there are, and all their rows.
    async fn rows(
        &self,
        item: &'static str,
        netuid: NetUid,
        mechanism: MechId,
    ) -> Result<NeuronRows> {
        let read = |snapshot: Snapshot| async move {
            let mut query = snapshot.query();
            let neurons = query.subtensor::<u16>("SubnetworkN", vec![netuid_key(netuid)])?;
            let neurons = query.fetch().await?.value(&neurons)?;
            let index = NetUid(mechanism.storage_index(netuid));
            let mut query = snapshot.query();
            let mut slots = Vec::with_capacity(usize::from(neurons));
            for uid in (0..neurons).map(Uid) {
                let key = vec![netuid_key(index), uid_key(uid)];
                slots.push((uid, query.subtensor::<Vec<(u16, u16)>>(item, key)?));
            }
            let answers = query.fetch().await?;
            let mut rows = NeuronRows::new();
            for (uid, slot) in &slots {
                let row = answers.value(slot)?;
                if !row.is_empty() {
                    let row = row.into_iter().map(|(to, value)| (Uid(to), value));
                    rows.insert(*uid, row.collect());
                }
            }
            Ok(rows)
        };
        self.read(read).await
    }
}
