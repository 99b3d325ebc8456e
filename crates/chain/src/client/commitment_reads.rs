use std::collections::BTreeMap;

use adit_primitives::{Block, CommitmentField, Hotkey, NetUid, Rao, Uid};
use subxt::ext::scale_value::Value;

use super::{
    Pinned,
    snapshot::{Snapshot, account_key, netuid_key, uid_key},
    value::ChainValue,
};
use crate::Result;

/// What a hotkey has committed to publicly on a subnet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HotkeyCommitment {
    /// What was deposited for it; nothing on today's runtimes.
    pub deposit: Rao,
    /// The block of the commitment.
    pub block: Block,
    /// Its fields, in order.
    pub fields: Vec<CommitmentField>,
    /// Fields of kinds that are newer than this library, left out above.
    pub unknown: usize,
}

/// A commitment as storage holds it.
type Stored = BTreeMap<String, Value>;

const PALLET: &str = "Commitments";

impl Pinned {
    /// What a hotkey has committed to on a subnet, `None` for nothing.
    ///
    /// # Errors
    /// A failure to reach or to understand the chain.
    pub async fn commitment(
        &self,
        netuid: NetUid,
        hotkey: Hotkey,
    ) -> Result<Option<HotkeyCommitment>> {
        let read = |snapshot: Snapshot| async move {
            let mut query = snapshot.query();
            let key = vec![netuid_key(netuid), account_key(hotkey.account())];
            let slot = query.item::<Stored>(PALLET, "CommitmentOf", key)?;
            query.fetch().await?.optional(&slot)
        };
        Ok(self.read(read).await?.map(understood))
    }

    /// What the neurons of a subnet have committed to, in three requests; hotkeys without a
    /// commitment are left out, and so are those that are no longer registered.
    ///
    /// # Errors
    /// A failure to reach or to understand the chain.
    pub async fn commitments(&self, netuid: NetUid) -> Result<BTreeMap<Hotkey, HotkeyCommitment>> {
        let read = |snapshot: Snapshot| async move {
            let mut query = snapshot.query();
            let neurons = query.subtensor::<u16>("SubnetworkN", vec![netuid_key(netuid)])?;
            let neurons = query.fetch().await?.value(&neurons)?;
            let mut query = snapshot.query();
            let keys = (0..neurons).map(|uid| {
                let key = vec![netuid_key(netuid), uid_key(Uid(uid))];
                query.subtensor::<[u8; 32]>("Keys", key)
            });
            let keys = keys.collect::<Result<Vec<_>>>()?;
            let answers = query.fetch().await?;
            let mut query = snapshot.query();
            let mut slots = Vec::with_capacity(keys.len());
            for key in &keys {
                let hotkey = Hotkey::new(answers.value(key)?);
                let key = vec![netuid_key(netuid), account_key(hotkey.account())];
                slots.push((hotkey, query.item::<Stored>(PALLET, "CommitmentOf", key)?));
            }
            let answers = query.fetch().await?;
            let mut found = BTreeMap::new();
            for (hotkey, slot) in &slots {
                if let Some(stored) = answers.optional(slot)? {
                    found.insert(*hotkey, understood(stored));
                }
            }
            Ok(found)
        };
        self.read(read).await
    }
}

fn understood(mut stored: Stored) -> HotkeyCommitment {
    let mut take = |name: &str| stored.remove(name).map(ChainValue::from_scale);
    let number = |value: Option<ChainValue>| {
        let number = value.as_ref().and_then(ChainValue::number).unwrap_or(0);
        u64::try_from(number).unwrap_or(u64::MAX)
    };
    let (deposit, block) = (number(take("deposit")), number(take("block")));
    let info = take("info");
    let fields = info.as_ref().and_then(|info| info.field("fields"));
    let fields = fields.map(items).unwrap_or_default();
    let read = fields.iter().filter_map(field).collect::<Vec<_>>();
    HotkeyCommitment {
        deposit: Rao(deposit),
        block: Block(block),
        unknown: fields.len() - read.len(),
        fields: read,
    }
}

/// The values of a list, without the newtypes around it.
fn items(value: &ChainValue) -> &[ChainValue] {
    match value {
        ChainValue::List(values) => match values.as_slice() {
            [inner @ ChainValue::List(_)] => items(inner),
            values => values,
        },
        ChainValue::Record(fields) => match fields.as_slice() {
            [(_, inner)] => items(inner),
            _ => &[],
        },
        _ => &[],
    }
}

/// One field; `None` for a kind we do not know. Some kinds hold nothing at all.
fn field(value: &ChainValue) -> Option<CommitmentField> {
    let (name, content) = value.case()?;
    let bytes = || content.item(0).and_then(ChainValue::bytes);
    let hash = || bytes().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    Some(match name {
        "None" => CommitmentField::None,
        "ResetBondsFlag" => CommitmentField::ResetBondsFlag,
        "BlakeTwo256" => CommitmentField::BlakeTwo256(hash()?),
        "Sha256" => CommitmentField::Sha256(hash()?),
        "Keccak256" => CommitmentField::Keccak256(hash()?),
        "ShaThree256" => CommitmentField::ShaThree256(hash()?),
        "BigRaw" => CommitmentField::BigRaw(bytes()?),
        "TimelockEncrypted" => CommitmentField::TimelockEncrypted {
            encrypted: content.field("encrypted")?.bytes()?,
            reveal_round: u64::try_from(content.field("reveal_round")?.number()?).ok()?,
        },
        // Raw0 holds nothing, Raw1 to Raw128 as many bytes.
        raw if raw.strip_prefix("Raw")?.parse::<u8>().ok()? == 0 => {
            CommitmentField::Raw(Vec::new())
        }
        _ => CommitmentField::Raw(bytes()?),
    })
}
