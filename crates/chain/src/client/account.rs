use std::collections::BTreeMap;

use adit_primitives::{AccountId, Hotkey, NetUid, Rao, Uid};
use adit_wallet::Keypair;
use subxt::ext::scale_value::{Composite, Value, ValueDef};

use super::{
    Client,
    connection::unreadable,
    outcome::TransactionReceipt,
    snapshot::{Snapshot, account_key, netuid_key},
    submit::{Call, Included},
};
use crate::{Error, Result};

impl From<Included> for TransactionReceipt {
    fn from(included: Included) -> Self {
        Self {
            block: included.head.number,
            block_hash: included.head.hash,
            extrinsic: included.extrinsic.0,
        }
    }
}

/// A hotkey's place in a subnet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Registration {
    /// Its uid.
    pub uid: Uid,
    /// The transaction that brought it there, `None` when it already was there.
    pub receipt: Option<TransactionReceipt>,
}

impl Client {
    /// Registers a hotkey on a subnet for the current burn price, paid by the coldkey. Nothing is
    /// sent when it is registered already.
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
    ) -> Result<Registration> {
        /// Blocks to try; a subnet takes at least one registration a block.
        const ATTEMPTS: usize = 64;
        if let Some(uid) = self.uid(netuid, hotkey).await? {
            return Ok(Registration { uid, receipt: None });
        }
        let call = Call {
            name: "SubtensorModule.burned_register",
            arguments: Composite::named([
                ("netuid", netuid_key(netuid)),
                ("hotkey", account_key(hotkey.account())),
            ]),
        };
        let mut attempt = 1;
        let included = loop {
            match self.shared.submit(&call, coldkey).await {
                Err(Error::Refused { error, .. })
                    if error == "TooManyRegistrationsThisBlock" && attempt < ATTEMPTS =>
                {
                    attempt += 1;
                }
                other => break other?,
            }
        };
        let uid = self.uid(netuid, hotkey).await?;
        let uid = uid.ok_or_else(|| unreadable("Uids", "the hotkey is not there after all"))?;
        Ok(Registration {
            uid,
            receipt: Some(included.into()),
        })
    }

    /// The uid of a hotkey, `None` when it is not registered.
    ///
    /// # Errors
    /// A failure to reach or to understand the chain.
    pub async fn uid(&self, netuid: NetUid, hotkey: Hotkey) -> Result<Option<Uid>> {
        let shared = &self.shared;
        shared
            .retrying(|| async { read_uid(&shared.snapshot().await?, netuid, hotkey).await })
            .await
    }

    /// Moves TAO from the coldkey into stake behind a hotkey on a subnet.
    ///
    /// # Errors
    /// [`Error::Refused`] with the chain's reason, [`Error::Pool`], or a failure to reach the
    /// chain.
    pub async fn add_stake(
        &self,
        netuid: NetUid,
        hotkey: Hotkey,
        amount: Rao,
        coldkey: &Keypair,
    ) -> Result<TransactionReceipt> {
        let call = Call {
            name: "SubtensorModule.add_stake",
            arguments: Composite::named([
                ("hotkey", account_key(hotkey.account())),
                ("netuid", netuid_key(netuid)),
                ("amount_staked", Value::u128(amount.0.into())),
            ]),
        };
        Ok(self.shared.submit(&call, coldkey).await?.into())
    }

    /// Moves TAO from one account to another; the sender's account stays alive.
    ///
    /// # Errors
    /// [`Error::Refused`] with the chain's reason, [`Error::Pool`], or a failure to reach the
    /// chain.
    pub async fn transfer(
        &self,
        to: AccountId,
        amount: Rao,
        from: &Keypair,
    ) -> Result<TransactionReceipt> {
        let call = Call {
            name: "Balances.transfer_keep_alive",
            arguments: Composite::named([
                ("dest", Value::unnamed_variant("Id", [account_key(to)])),
                ("value", Value::u128(amount.0.into())),
            ]),
        };
        Ok(self.shared.submit(&call, from).await?.into())
    }

    /// An account's free balance, 0 for one that does not exist.
    ///
    /// # Errors
    /// A failure to reach or to understand the chain.
    pub async fn balance(&self, account: AccountId) -> Result<Rao> {
        let shared = &self.shared;
        shared
            .retrying(|| async { read_balance(&shared.snapshot().await?, account).await })
            .await
    }
}

async fn read_uid(snapshot: &Snapshot, netuid: NetUid, hotkey: Hotkey) -> Result<Option<Uid>> {
    let mut query = snapshot.query();
    let key = vec![netuid_key(netuid), account_key(hotkey.account())];
    let slot = query.subtensor::<u16>("Uids", key)?;
    Ok(query.fetch().await?.optional(&slot)?.map(Uid))
}

async fn read_balance(snapshot: &Snapshot, account: AccountId) -> Result<Rao> {
    let mut query = snapshot.query();
    let slot =
        query.item::<BTreeMap<String, Value>>("System", "Account", vec![account_key(account)])?;
    let fields = query.fetch().await?.value(&slot)?;
    let Some(free) = fields.get("data").and_then(|data| field(data, "free")) else {
        return Ok(Rao(0));
    };
    let free = number(free).ok_or_else(|| unreadable("System.Account", "free is no number"))?;
    Ok(Rao(u64::try_from(free).unwrap_or(u64::MAX)))
}

fn field<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    match &value.value {
        ValueDef::Composite(Composite::Named(fields)) => fields
            .iter()
            .find(|(found, _)| found == name)
            .map(|(_, value)| value),
        _ => None,
    }
}

/// A number, possibly inside of newtypes.
fn number(value: &Value) -> Option<u128> {
    match &value.value {
        ValueDef::Composite(fields) if fields.len() == 1 => fields.values().next().and_then(number),
        _ => value.as_u128(),
    }
}
