use std::collections::BTreeMap;

use adit_primitives::{AccountId, Hotkey, NetUid, Rao, Uid};
use adit_wallet::Keypair;
use subxt::ext::scale_value::{Composite, Value, ValueDef};

use super::{
    Client, calls,
    connection::unreadable,
    outcome::TransactionReceipt,
    snapshot::{Snapshot, account_key, netuid_key},
    submit::Included,
    value::ChainValue,
};
use crate::Result;

impl From<Included> for TransactionReceipt {
    fn from(included: Included) -> Self {
        Self {
            block: included.head.number,
            block_hash: included.head.hash,
            extrinsic: included.extrinsic.0,
        }
    }
}

impl Client {
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

    /// Moves TAO from one account to another; the sender's account stays alive.
    ///
    /// # Errors
    /// [`Error::Refused`](crate::Error::Refused) with the chain's reason,
    /// [`Error::Pool`](crate::Error::Pool), or a failure to reach the chain.
    pub async fn transfer(
        &self,
        to: AccountId,
        amount: Rao,
        from: &Keypair,
    ) -> Result<TransactionReceipt> {
        let call = calls::transfer_keep_alive(to, amount);
        Ok(self.shared.submit_reported(&call, from).await?.receipt)
    }

    /// As [`Client::transfer`], but the sender's account may vanish: what is left on it below the
    /// existential deposit (500 rao) is lost.
    ///
    /// # Errors
    /// As [`Client::transfer`].
    pub async fn transfer_allow_death(
        &self,
        to: AccountId,
        amount: Rao,
        from: &Keypair,
    ) -> Result<TransactionReceipt> {
        let call = calls::transfer_allow_death(to, amount);
        Ok(self.shared.submit_reported(&call, from).await?.receipt)
    }

    /// Moves all free TAO to another account, but for the existential deposit with `keep_alive`,
    /// and says how much that was.
    ///
    /// # Errors
    /// As [`Client::transfer`]; [`Error::Decode`](crate::Error::Decode) when the chain does not
    /// tell the amount.
    pub async fn transfer_all(
        &self,
        to: AccountId,
        keep_alive: bool,
        from: &Keypair,
    ) -> Result<(TransactionReceipt, Rao)> {
        let call = calls::transfer_all(to, keep_alive);
        let report = self.shared.submit_reported(&call, from).await?;
        let mut events = report.events.iter();
        let moved = events.find(|event| event.is("Balances", "Transfer"));
        let amount = moved.and_then(|event| amount(event.fields.field("amount")));
        let amount = amount.ok_or_else(|| unreadable("Balances.Transfer", "it tells no amount"))?;
        Ok((report.receipt, amount))
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

/// An amount in an event.
pub(super) fn amount(value: Option<&ChainValue>) -> Option<Rao> {
    let number = value?.number()?;
    u64::try_from(number).ok().map(Rao)
}

pub(super) async fn read_uid(
    snapshot: &Snapshot,
    netuid: NetUid,
    hotkey: Hotkey,
) -> Result<Option<Uid>> {
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
