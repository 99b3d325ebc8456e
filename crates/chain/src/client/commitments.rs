use std::collections::BTreeMap;

use adit_primitives::{CommitmentField, NetUid};
use subxt::ext::scale_value::Value;

use super::{
    Client, calls,
    outcome::TransactionReceipt,
    snapshot::{Snapshot, account_key, netuid_key},
    value::ChainValue,
};
use crate::{Error, Result};

/// How much a hotkey may still commit on a subnet before its next epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommitmentSpace {
    /// Bytes used since the epoch began; the chain starts anew with the first commitment after it.
    pub used: u64,
    /// Bytes in one epoch at most; each commitment counts for 100 at least.
    pub limit: u64,
}

impl Client {
    /// Publishes up to three fields under our hotkey on a subnet, in place of what we committed
    /// before. Free, but limited in space, see [`Client::commitment_space`].
    ///
    /// # Errors
    /// [`Error::NoSigner`]; [`Error::Commitment`] for more than a field or a commitment holds;
    /// [`Error::Refused`] or [`Error::Pool`] with the chain's reason (`SpaceLimitExceeded`,
    /// `AccountNotAllowedCommit`, …); [`Error::NotAsSent`]; or a failure to reach the chain.
    pub async fn set_commitment(
        &self,
        netuid: NetUid,
        fields: &[CommitmentField],
    ) -> Result<TransactionReceipt> {
        check(fields)?;
        let (shared, hotkey) = (&self.shared, self.hotkey()?);
        let call = calls::set_commitment(netuid, fields);
        let receipt = shared.submit_reported(&call, hotkey).await?.receipt;
        let committed = shared
            .retrying(|| async {
                let snapshot = shared.snapshot_at(receipt.head()).await?;
                block_of(&snapshot, netuid, hotkey.account()).await
            })
            .await?;
        if committed != Some(u128::from(receipt.block.0)) {
            return Err(Error::NotAsSent {
                call: call.label(),
                what: "the commitment's block",
                found: committed.map_or_else(|| "absent".to_owned(), |block| block.to_string()),
            });
        }
        Ok(receipt)
    }

    /// How much our hotkey has committed on a subnet lately, and how much it may.
    ///
    /// # Errors
    /// [`Error::NoSigner`], or a failure to reach or to understand the chain.
    pub async fn commitment_space(&self, netuid: NetUid) -> Result<CommitmentSpace> {
        let (shared, account) = (&self.shared, self.hotkey()?.account());
        shared
            .retrying(|| async {
                let snapshot = shared.snapshot().await?;
                let mut query = snapshot.query();
                let keys = vec![netuid_key(netuid), account_key(account)];
                let used =
                    query.item::<BTreeMap<String, u64>>("Commitments", "UsedSpaceOf", keys)?;
                let limit = query.item::<u32>("Commitments", "MaxSpace", vec![])?;
                let answers = query.fetch().await?;
                let used = answers.value(&used)?;
                Ok(CommitmentSpace {
                    used: used.get("used_space").copied().unwrap_or(0),
                    limit: answers.value(&limit)?.into(),
                })
            })
            .await
    }
}

fn check(fields: &[CommitmentField]) -> Result<()> {
    let refuse = |reason: String| Err(Error::Commitment { reason });
    if fields.len() > CommitmentField::FIELDS {
        let most = CommitmentField::FIELDS;
        return refuse(format!("{} fields, at most {most}", fields.len()));
    }
    for (nth, field) in fields.iter().enumerate() {
        let (size, most) = field.size();
        if size > most {
            return refuse(format!("field {nth} has {size} bytes, at most {most}"));
        }
    }
    Ok(())
}

/// The block at which an account committed last.
async fn block_of(
    snapshot: &Snapshot,
    netuid: NetUid,
    account: adit_primitives::AccountId,
) -> Result<Option<u128>> {
    let mut query = snapshot.query();
    let keys = vec![netuid_key(netuid), account_key(account)];
    let slot = query.item::<BTreeMap<String, Value>>("Commitments", "CommitmentOf", keys)?;
    let stored = query.fetch().await?.optional(&slot)?;
    let block = stored.and_then(|fields| fields.get("block").cloned());
    Ok(block.and_then(|block| ChainValue::from_scale(block).number()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_refused_before_anything_is_signed() {
        let raw = |bytes: usize| CommitmentField::Raw(vec![1; bytes]);
        assert!(check(&[raw(128), raw(0), CommitmentField::ResetBondsFlag]).is_ok());
        for bad in [
            vec![raw(129)],
            vec![raw(1); 4],
            vec![CommitmentField::BigRaw(vec![0; 513])],
        ] {
            assert!(matches!(check(&bad), Err(Error::Commitment { .. })));
        }
    }
}
