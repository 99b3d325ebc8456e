use std::collections::BTreeMap;

use adit_primitives::{AxonInfo, Block, Hotkey, HotkeyStake, NetUid, PrometheusInfo, Uid};

use super::{
    Pinned,
    axon::{self, AxonFields},
    metagraph::StakeSlots,
    snapshot::{Snapshot, account_key, netuid_key},
};
use crate::Result;

impl Pinned {
    /// The uid of a hotkey, `None` when it is not registered.
    ///
    /// # Errors
    /// A failure to reach or to understand the chain.
    pub async fn uid(&self, netuid: NetUid, hotkey: Hotkey) -> Result<Option<Uid>> {
        let read = |snapshot: Snapshot| async move {
            let mut query = snapshot.query();
            let keys = vec![netuid_key(netuid), account_key(hotkey.account())];
            let slot = query.subtensor::<u16>("Uids", keys)?;
            Ok(query.fetch().await?.optional(&slot)?.map(Uid))
        };
        self.read(read).await
    }

    /// Whether the neuron at a uid may set weights on others.
    ///
    /// # Errors
    /// A failure to reach or to understand the chain.
    pub async fn validator_permit(&self, netuid: NetUid, uid: Uid) -> Result<bool> {
        let read = |snapshot: Snapshot| async move {
            let mut query = snapshot.query();
            let slot = query.subtensor::<Vec<bool>>("ValidatorPermit", vec![netuid_key(netuid)])?;
            query.fetch().await?.value(&slot)
        };
        let permits = self.read(read).await?;
        Ok(permits.get(usize::from(uid.0)).copied().unwrap_or(false))
    }

    /// The stake behind a hotkey on a subnet.
    ///
    /// # Errors
    /// A failure to reach or to understand the chain.
    pub async fn stake(&self, netuid: NetUid, hotkey: Hotkey) -> Result<HotkeyStake> {
        let read = |snapshot: Snapshot| async move {
            let mut query = snapshot.query();
            let slots = StakeSlots::add(&mut query, netuid, hotkey.account())?;
            slots.read_parts(&query.fetch().await?)
        };
        self.read(read).await
    }

    /// Where a neuron listens, `None` when it never said so or said nonsense.
    ///
    /// # Errors
    /// A failure to reach or to understand the chain.
    pub async fn axon(&self, netuid: NetUid, hotkey: Hotkey) -> Result<Option<AxonInfo>> {
        let fields = self.served("Axons", netuid, hotkey).await?;
        Ok(fields.as_ref().and_then(axon::read))
    }

    /// Where a neuron's metrics are served, `None` when it never said so or said nonsense.
    ///
    /// # Errors
    /// A failure to reach or to understand the chain.
    pub async fn prometheus(
        &self,
        netuid: NetUid,
        hotkey: Hotkey,
    ) -> Result<Option<PrometheusInfo>> {
        let fields = self.served("Prometheus", netuid, hotkey).await?;
        // It is an axon without a protocol.
        let axon = fields.as_ref().and_then(axon::read);
        Ok(axon.map(|axon| PrometheusInfo {
            ip: axon.ip,
            port: axon.port,
            version: axon.version,
            block: axon.block,
        }))
    }

    async fn served(
        &self,
        item: &'static str,
        netuid: NetUid,
        hotkey: Hotkey,
    ) -> Result<Option<AxonFields>> {
        let read = |snapshot: Snapshot| async move {
            let mut query = snapshot.query();
            let keys = vec![netuid_key(netuid), account_key(hotkey.account())];
            let slot = query.subtensor::<AxonFields>(item, keys)?;
            query.fetch().await?.optional(&slot)
        };
        self.read(read).await
    }

    /// When the block was made, in milliseconds since the Unix epoch, by its author's clock.
    ///
    /// # Errors
    /// A failure to reach or to understand the chain.
    pub async fn unix_millis(&self) -> Result<u64> {
        let read = |snapshot: Snapshot| async move {
            let mut query = snapshot.query();
            let slot = query.item::<u64>("Timestamp", "Now", vec![])?;
            query.fetch().await?.value(&slot)
        };
        self.read(read).await
    }

    /// The block of each neuron's last weights on one mechanism of a subnet.
    ///
    /// # Errors
    /// A failure to reach or to understand the chain.
    pub async fn last_updates(
        &self,
        netuid: NetUid,
        mechanism: adit_primitives::MechId,
    ) -> Result<BTreeMap<Uid, Block>> {
        let index = NetUid(mechanism.storage_index(netuid));
        let read = |snapshot: Snapshot| async move {
            let mut query = snapshot.query();
            let slot = query.subtensor::<Vec<u64>>("LastUpdate", vec![netuid_key(index)])?;
            query.fetch().await?.value(&slot)
        };
        let blocks = self.read(read).await?;
        let pairs = (0..=u16::MAX).zip(blocks);
        Ok(pairs.map(|(uid, block)| (Uid(uid), Block(block))).collect())
    }
}
