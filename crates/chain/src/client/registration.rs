use adit_primitives::{Hotkey, NetUid, Rao, Uid};
use adit_wallet::Keypair;

use super::{
    Client, account::read_uid, call::ChainCall, calls, connection::unreadable,
    outcome::TransactionReceipt, snapshot::netuid_key,
};
use crate::{Error, Result};

/// A hotkey's place in a subnet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RegistrationReport {
    /// Its uid.
    pub uid: Uid,
    /// The transaction that brought it there, `None` when it already was there.
    pub receipt: Option<TransactionReceipt>,
}

impl Client {
    /// Registers a hotkey on a subnet for the current burn price, paid by the coldkey. Nothing is
    /// sent when it is registered already. See [`Client::register_within`] for a limit.
    ///
    /// A block that has no place left for registrations is no failure: the next one is tried.
    ///
    /// # Errors
    /// [`Error::Refused`] with the chain's reason (`NotEnoughBalanceToStake`, `SubnetNotExists`,
    /// …), [`Error::Pool`], or a failure to reach the chain.
    pub async fn register_burned(
        &self,
        netuid: NetUid,
        hotkey: Hotkey,
        coldkey: &Keypair,
    ) -> Result<RegistrationReport> {
        let call = calls::burned_register(netuid, hotkey);
        self.register(netuid, hotkey, coldkey, &call).await
    }

    /// Registers a hotkey on a subnet for at most `limit`, paid by the coldkey. Nothing is sent
    /// when it is registered already.
    ///
    /// The chain itself enforces the limit where it can (runtimes from 425 on). On an older one the
    /// price is looked at before sending, and another registration in between can raise it once
    /// more.
    ///
    /// # Errors
    /// [`Error::PriceAboveLimit`] where the price is looked at here; else as
    /// [`Client::register_burned`], with `RegistrationPriceLimitExceeded` from the chain.
    pub async fn register_within(
        &self,
        netuid: NetUid,
        hotkey: Hotkey,
        limit: Rao,
        coldkey: &Keypair,
    ) -> Result<RegistrationReport> {
        let shared = &self.shared;
        let limited = shared
            .retrying(|| async {
                let runtime = shared.snapshot().await?.runtime;
                Ok(runtime.has_call("SubtensorModule", "register_limit"))
            })
            .await?;
        if limited {
            let call = calls::register_limit(netuid, hotkey, limit);
            return self.register(netuid, hotkey, coldkey, &call).await;
        }
        let price = self.burn_price(netuid).await?;
        if price > limit {
            return Err(Error::PriceAboveLimit {
                netuid,
                price,
                limit,
            });
        }
        self.register_burned(netuid, hotkey, coldkey).await
    }

    /// Takes a place on the root network for a hotkey, signed by its coldkey. Nothing is sent when
    /// it has one.
    ///
    /// # Errors
    /// [`Error::Refused`] with the chain's reason, [`Error::Pool`], or a failure to reach the
    /// chain.
    pub async fn register_root(
        &self,
        hotkey: Hotkey,
        coldkey: &Keypair,
    ) -> Result<RegistrationReport> {
        let call = calls::root_register(hotkey);
        self.register(NetUid(0), hotkey, coldkey, &call).await
    }

    /// What a place in a subnet costs now.
    ///
    /// # Errors
    /// A failure to reach or to understand the chain.
    pub async fn burn_price(&self, netuid: NetUid) -> Result<Rao> {
        let shared = &self.shared;
        shared
            .retrying(|| async {
                let snapshot = shared.snapshot().await?;
                let mut query = snapshot.query();
                let slot = query.subtensor::<u64>("Burn", vec![netuid_key(netuid)])?;
                let price = query.fetch().await?.optional(&slot)?;
                price.map(Rao).ok_or(Error::NotInRuntime {
                    pallet: "SubtensorModule",
                    item: "Burn",
                })
            })
            .await
    }

    /// Moves everything of one hotkey to a new one, on one subnet or on all, signed by its coldkey.
    ///
    /// # Errors
    /// [`Error::Refused`] with the chain's reason, [`Error::Pool`], [`Error::NotAsSent`] when the
    /// chain does not tell of the swap, or a failure to reach the chain.
    pub async fn swap_hotkey(
        &self,
        old: Hotkey,
        new: Hotkey,
        netuid: Option<NetUid>,
        coldkey: &Keypair,
    ) -> Result<TransactionReceipt> {
        let call = calls::swap_hotkey(old, new, netuid);
        let report = self.shared.submit_reported(&call, coldkey).await?;
        let told = report.events.iter().any(|event| {
            event.name.starts_with("HotkeySwapped")
                && event
                    .fields
                    .field("new_hotkey")
                    .and_then(|key| key.account())
                    == Some(new.account())
        });
        match told {
            true => Ok(report.receipt),
            false => Err(Error::NotAsSent {
                call: call.label(),
                what: "the event HotkeySwapped",
                found: "absent".to_owned(),
            }),
        }
    }

    async fn register(
        &self,
        netuid: NetUid,
        hotkey: Hotkey,
        coldkey: &Keypair,
        call: &ChainCall,
    ) -> Result<RegistrationReport> {
        /// Blocks to try; a subnet takes at least one registration a block.
        const ATTEMPTS: usize = 64;
        if let Some(uid) = self.uid(netuid, hotkey).await? {
            return Ok(RegistrationReport { uid, receipt: None });
        }
        let mut attempt = 1;
        let receipt = loop {
            match self.shared.submit_reported(call, coldkey).await {
                Err(Error::Refused { error, .. })
                    if error == "TooManyRegistrationsThisBlock" && attempt < ATTEMPTS =>
                {
                    attempt += 1;
                }
                other => break other?.receipt,
            }
        };
        let shared = &self.shared;
        let uid = shared
            .retrying(|| async {
                let snapshot = shared.snapshot_at(receipt.head()).await?;
                read_uid(&snapshot, netuid, hotkey).await
            })
            .await?;
        let uid = uid.ok_or_else(|| unreadable("Uids", "the hotkey is not there after all"))?;
        Ok(RegistrationReport {
            uid,
            receipt: Some(receipt),
        })
    }
}
