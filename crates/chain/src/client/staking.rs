use adit_primitives::{Coldkey, Hotkey, NetUid, Rao};
use adit_wallet::Keypair;

use super::{
    Client, account::amount, call::ChainCall, calls, outcome::TransactionReceipt, value::ChainEvent,
};
use crate::Result;

/// Stake that was added or removed, as the chain tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StakeChange {
    /// The subnet.
    pub netuid: NetUid,
    /// The hotkey it lies behind.
    pub hotkey: Hotkey,
    /// Whether it was added.
    pub added: bool,
    /// TAO paid in or out.
    pub tao: Rao,
    /// Alpha got or given.
    pub alpha: Rao,
    /// What the pool kept: rao of TAO when staking, of alpha when unstaking.
    pub fee: Rao,
}

/// What came of a call that moves stake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StakeReport {
    /// The transaction.
    pub receipt: TransactionReceipt,
    /// All stake that was added or removed, in order. With a price limit and `allow_partial` this
    /// can be less than was asked.
    pub changes: Vec<StakeChange>,
    /// What moved between hotkeys, subnets or coldkeys, in TAO.
    pub moved: Option<Rao>,
}

impl Client {
    /// Turns TAO of the coldkey into stake behind a hotkey on a subnet, at whatever price.
    ///
    /// # Errors
    /// [`Error::Refused`](crate::Error::Refused) with the chain's reason,
    /// [`Error::Pool`](crate::Error::Pool), or a failure to reach the chain; so do all methods that
    /// move stake.
    pub async fn add_stake(
        &self,
        netuid: NetUid,
        hotkey: Hotkey,
        tao: Rao,
        coldkey: &Keypair,
    ) -> Result<StakeReport> {
        let call = calls::add_stake(netuid, hotkey, tao);
        self.stake(&call, coldkey).await
    }

    /// As [`Client::add_stake`], for at most `limit` rao of TAO for one alpha; with `allow_partial`
    /// as much of it as that price allows, else all or nothing (`SlippageTooHigh`).
    ///
    /// # Errors
    /// As [`Client::add_stake`].
    pub async fn add_stake_within(
        &self,
        netuid: NetUid,
        hotkey: Hotkey,
        tao: Rao,
        (limit, allow_partial): (Rao, bool),
        coldkey: &Keypair,
    ) -> Result<StakeReport> {
        let call = calls::add_stake_limit(netuid, hotkey, tao, limit, allow_partial);
        self.stake(&call, coldkey).await
    }

    /// Turns stake of the coldkey behind a hotkey on a subnet back into TAO, at whatever price.
    ///
    /// # Errors
    /// As [`Client::add_stake`].
    pub async fn remove_stake(
        &self,
        netuid: NetUid,
        hotkey: Hotkey,
        alpha: Rao,
        coldkey: &Keypair,
    ) -> Result<StakeReport> {
        let call = calls::remove_stake(netuid, hotkey, alpha);
        self.stake(&call, coldkey).await
    }

    /// As [`Client::remove_stake`], for at least `limit` rao of TAO for one alpha; with
    /// `allow_partial` as much of it as that price allows, else all or nothing.
    ///
    /// # Errors
    /// As [`Client::add_stake`].
    pub async fn remove_stake_within(
        &self,
        netuid: NetUid,
        hotkey: Hotkey,
        alpha: Rao,
        (limit, allow_partial): (Rao, bool),
        coldkey: &Keypair,
    ) -> Result<StakeReport> {
        let call = calls::remove_stake_limit(netuid, hotkey, alpha, limit, allow_partial);
        self.stake(&call, coldkey).await
    }

    /// Turns all stake of the coldkey behind a hotkey, on every subnet, back into TAO.
    ///
    /// # Errors
    /// As [`Client::add_stake`].
    pub async fn unstake_all(&self, hotkey: Hotkey, coldkey: &Keypair) -> Result<StakeReport> {
        self.stake(&calls::unstake_all(hotkey), coldkey).await
    }

    /// Moves stake of the coldkey from one hotkey and subnet to others.
    ///
    /// # Errors
    /// As [`Client::add_stake`].
    pub async fn move_stake(
        &self,
        from: (Hotkey, NetUid),
        to: (Hotkey, NetUid),
        alpha: Rao,
        coldkey: &Keypair,
    ) -> Result<StakeReport> {
        self.stake(&calls::move_stake(from, to, alpha), coldkey)
            .await
    }

    /// Gives stake of the coldkey behind a hotkey to another coldkey, on the same subnet or on
    /// another one.
    ///
    /// # Errors
    /// As [`Client::add_stake`].
    pub async fn transfer_stake(
        &self,
        to: Coldkey,
        hotkey: Hotkey,
        (from_netuid, to_netuid): (NetUid, NetUid),
        alpha: Rao,
        coldkey: &Keypair,
    ) -> Result<StakeReport> {
        let call = calls::transfer_stake(to, hotkey, from_netuid, to_netuid, alpha);
        self.stake(&call, coldkey).await
    }

    /// Moves stake of the coldkey behind a hotkey from one subnet to another at whatever price.
    ///
    /// # Errors
    /// As [`Client::add_stake`].
    pub async fn swap_stake(
        &self,
        hotkey: Hotkey,
        from: NetUid,
        to: NetUid,
        alpha: Rao,
        coldkey: &Keypair,
    ) -> Result<StakeReport> {
        let call = calls::swap_stake(hotkey, from, to, alpha);
        self.stake(&call, coldkey).await
    }

    /// As [`Client::swap_stake`], as long as the price of the one in the other is at least `limit`;
    /// with `allow_partial` as much of it as that price allows, else all or nothing.
    ///
    /// # Errors
    /// As [`Client::add_stake`].
    pub async fn swap_stake_within(
        &self,
        hotkey: Hotkey,
        (from, to): (NetUid, NetUid),
        alpha: Rao,
        (limit, allow_partial): (Rao, bool),
        coldkey: &Keypair,
    ) -> Result<StakeReport> {
        let call = calls::swap_stake_limit(hotkey, from, to, alpha, limit, allow_partial);
        self.stake(&call, coldkey).await
    }

    async fn stake(&self, call: &ChainCall, coldkey: &Keypair) -> Result<StakeReport> {
        let report = self.shared.submit_reported(call, coldkey).await?;
        Ok(StakeReport {
            receipt: report.receipt,
            changes: report.events.iter().filter_map(change).collect(),
            moved: report.events.iter().find_map(moved),
        })
    }
}

/// `StakeAdded` and `StakeRemoved`: coldkey, hotkey, TAO, alpha, netuid, fee.
fn change(event: &ChainEvent) -> Option<StakeChange> {
    let added = event.is("SubtensorModule", "StakeAdded");
    if !added && !event.is("SubtensorModule", "StakeRemoved") {
        return None;
    }
    let fields = &event.fields;
    let netuid = fields.item(4)?.number()?;
    Some(StakeChange {
        netuid: NetUid(u16::try_from(netuid).ok()?),
        hotkey: fields.item(1)?.account()?.into(),
        added,
        tao: amount(fields.item(2))?,
        alpha: amount(fields.item(3))?,
        fee: amount(fields.item(5)).unwrap_or_default(),
    })
}

/// The amount is the last field of these.
fn moved(event: &ChainEvent) -> Option<Rao> {
    let names = ["StakeMoved", "StakeTransferred", "StakeSwapped"];
    let is = event.pallet == "SubtensorModule" && names.contains(&event.name.as_str());
    let last = event.fields.len().checked_sub(1).filter(|_| is)?;
    amount(event.fields.item(last))
}
