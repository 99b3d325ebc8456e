use adit_primitives::{Block, Hotkey, NetUid};
use adit_wallet::Keypair;
use subxt::ext::scale_value::Value;

use super::{
    Client, calls,
    outcome::TransactionReceipt,
    snapshot::{account_key, netuid_key},
};
use crate::{BlockHead, Error, Result};

/// Children that were asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChildrenScheduled {
    /// The transaction.
    pub receipt: TransactionReceipt,
    /// The block after whose next epoch they are in force; `None` where the chain does not tell.
    pub from: Option<Block>,
}

/// A take as it is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TakeSet {
    /// In 1/65535, as read back from the chain.
    pub take: u16,
    /// The transaction that made it so, `None` when it already was so.
    pub receipt: Option<TransactionReceipt>,
}

impl Client {
    /// Shares a hotkey's stake on a subnet with up to five others, each with a proportion of
    /// 2⁶⁴ − 1. In force after a cooldown; an empty list takes all back.
    ///
    /// # Errors
    /// [`Error::Refused`] with the chain's reason (`TooManyChildren`, `ProportionOverflow`,
    /// `NonAssociatedColdKey`, …), [`Error::Pool`], or a failure to reach the chain.
    pub async fn set_children(
        &self,
        netuid: NetUid,
        hotkey: Hotkey,
        children: &[(u64, Hotkey)],
        coldkey: &Keypair,
    ) -> Result<ChildrenScheduled> {
        let call = calls::set_children(netuid, hotkey, children);
        let report = self.shared.submit_reported(&call, coldkey).await?;
        let mut events = report.events.iter();
        let told = events.find(|event| event.is("SubtensorModule", "SetChildrenScheduled"));
        let from = told.and_then(|event| event.fields.item(2)?.number());
        Ok(ChildrenScheduled {
            receipt: report.receipt,
            from: from.and_then(|block| u64::try_from(block).ok()).map(Block),
        })
    }

    /// Sets what a hotkey keeps, as a child, of its parents' dividends on a subnet, in 1/65535.
    /// Nothing is sent when it is so already.
    ///
    /// # Errors
    /// [`Error::Refused`] with the chain's reason (`InvalidChildkeyTake`,
    /// `TxChildkeyTakeRateLimitExceeded`, …), [`Error::Pool`], [`Error::NotAsSent`], or a failure
    /// to reach the chain.
    pub async fn set_childkey_take(
        &self,
        netuid: NetUid,
        hotkey: Hotkey,
        take: u16,
        coldkey: &Keypair,
    ) -> Result<TakeSet> {
        let keys = || vec![account_key(hotkey.account()), netuid_key(netuid)];
        if self.take("ChildkeyTake", keys(), None).await? == take {
            return Ok(TakeSet {
                take,
                receipt: None,
            });
        }
        let call = calls::set_childkey_take(netuid, hotkey, take);
        let receipt = self.shared.submit_reported(&call, coldkey).await?.receipt;
        let found = self.take("ChildkeyTake", keys(), Some(receipt.head()));
        read_back(
            found.await?,
            take,
            receipt,
            "SubtensorModule.set_childkey_take",
        )
    }

    /// Sets what a hotkey keeps, as a delegate, of its nominators' dividends, in 1/65535: by raising
    /// it, which the chain allows only now and then, or by lowering it. Nothing is sent when it is
    /// so already.
    ///
    /// # Errors
    /// [`Error::Refused`] or [`Error::Pool`] with the chain's reason (`DelegateTakeTooHigh`,
    /// `DelegateTxRateLimitExceeded`, …), [`Error::NotAsSent`], or a failure to reach the chain.
    pub async fn set_delegate_take(
        &self,
        hotkey: Hotkey,
        take: u16,
        coldkey: &Keypair,
    ) -> Result<TakeSet> {
        let keys = || vec![account_key(hotkey.account())];
        let now = self.take("Delegates", keys(), None).await?;
        let (call, name) = match now.cmp(&take) {
            std::cmp::Ordering::Equal => {
                return Ok(TakeSet {
                    take,
                    receipt: None,
                });
            }
            std::cmp::Ordering::Less => (
                calls::increase_take(hotkey, take),
                "SubtensorModule.increase_take",
            ),
            std::cmp::Ordering::Greater => (
                calls::decrease_take(hotkey, take),
                "SubtensorModule.decrease_take",
            ),
        };
        let receipt = self.shared.submit_reported(&call, coldkey).await?.receipt;
        let found = self.take("Delegates", keys(), Some(receipt.head()));
        read_back(found.await?, take, receipt, name)
    }

    /// A take as stored, at a block or now.
    async fn take(
        &self,
        item: &'static str,
        keys: Vec<Value>,
        at: Option<BlockHead>,
    ) -> Result<u16> {
        let shared = &self.shared;
        let keys = &keys;
        shared
            .retrying(|| async move {
                let snapshot = match at {
                    Some(head) => shared.snapshot_at(head).await?,
                    None => shared.snapshot().await?,
                };
                let mut query = snapshot.query();
                let slot = query.subtensor::<u16>(item, keys.clone())?;
                query.fetch().await?.value(&slot)
            })
            .await
    }
}

fn read_back(
    found: u16,
    take: u16,
    receipt: TransactionReceipt,
    call: &'static str,
) -> Result<TakeSet> {
    if found != take {
        return Err(Error::NotAsSent {
            call: call.into(),
            what: "the take",
            found: found.to_string(),
        });
    }
    Ok(TakeSet {
        take,
        receipt: Some(receipt),
    })
}
