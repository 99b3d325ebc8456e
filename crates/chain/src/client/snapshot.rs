use std::{marker::PhantomData, sync::Arc};

use adit_primitives::{AccountId, NetUid, Uid};
use subxt::ext::{
    frame_decode::storage::encode_storage_key, scale_decode::DecodeAsType, scale_value::Value,
};

use super::{connection::Connection, runtime::Runtime};
use crate::{BlockHead, Error, Result};

/// A block to read from: everything read through it belongs together.
#[derive(Clone)]
pub(super) struct Snapshot {
    pub(super) connection: Arc<Connection>,
    pub(super) runtime: Arc<Runtime>,
    pub(super) head: BlockHead,
}

/// The pallet of subnets and neurons.
pub(super) const SUBTENSOR: &str = "SubtensorModule";

/// Storage values to be read with one request.
pub(super) struct Query<'a> {
    snapshot: &'a Snapshot,
    keys: Vec<Vec<u8>>,
    items: Vec<Option<Item>>,
}

#[derive(Clone)]
struct Item {
    pallet: &'static str,
    name: &'static str,
    /// Place in the list of keys.
    place: usize,
    value_type: u32,
    /// What an absent value reads as, in SCALE bytes.
    default: Option<Vec<u8>>,
}

/// Where an answer to a query lies, and its type.
pub(super) struct Slot<T>(usize, PhantomData<fn() -> T>);

/// The values of a query.
pub(super) struct Answers<'a> {
    snapshot: &'a Snapshot,
    values: Vec<Option<Vec<u8>>>,
    items: Vec<Option<Item>>,
}

impl Snapshot {
    pub(super) fn query(&self) -> Query<'_> {
        Query {
            snapshot: self,
            keys: Vec::new(),
            items: Vec::new(),
        }
    }
}

impl<'a> Query<'a> {
    /// Adds a storage item of the subnet pallet.
    pub(super) fn subtensor<T>(&mut self, name: &'static str, keys: Vec<Value>) -> Result<Slot<T>> {
        self.item(SUBTENSOR, name, keys)
    }

    /// Adds a storage item. One that this runtime does not have reads as absent.
    pub(super) fn item<T>(
        &mut self,
        pallet: &'static str,
        name: &'static str,
        keys: Vec<Value>,
    ) -> Result<Slot<T>> {
        let slot = Slot(self.items.len(), PhantomData);
        let metadata = self.snapshot.runtime.metadata();
        let found = metadata.pallet_by_name(pallet);
        let storage = found.as_ref().and_then(|pallet| pallet.storage());
        let Some(entry) = storage.and_then(|storage| storage.entry_by_name(name)) else {
            self.items.push(None);
            return Ok(slot);
        };
        let key = encode_storage_key(pallet, name, keys, metadata, metadata.types());
        let key = key.map_err(|error| Error::TypeChanged {
            pallet: pallet.to_owned(),
            item: name.to_owned(),
            reason: format!("its key: {error}").chars().take(300).collect(),
        })?;
        self.items.push(Some(Item {
            pallet,
            name,
            place: self.keys.len(),
            value_type: entry.value_ty(),
            default: entry.default_value().map(<[u8]>::to_vec),
        }));
        self.keys.push(key);
        Ok(slot)
    }

    /// Reads everything added so far.
    pub(super) async fn fetch(self) -> Result<Answers<'a>> {
        let at = self.snapshot.head.hash;
        let values = self.snapshot.connection.storage(&self.keys, at).await?;
        Ok(Answers {
            snapshot: self.snapshot,
            values,
            items: self.items,
        })
    }
}

impl Answers<'_> {
    /// The value, its default where storage holds none, or `None` where the runtime has neither.
    pub(super) fn optional<T: DecodeAsType>(&self, slot: &Slot<T>) -> Result<Option<T>> {
        let Some(item) = self.items.get(slot.0).and_then(Option::as_ref) else {
            return Ok(None);
        };
        let stored = self.values.get(item.place).and_then(Option::as_ref);
        let Some(bytes) = stored.or(item.default.as_ref()) else {
            return Ok(None);
        };
        let types = self.snapshot.runtime.metadata().types();
        let changed = |reason: String| Error::TypeChanged {
            pallet: item.pallet.to_owned(),
            item: item.name.to_owned(),
            reason: reason.chars().take(300).collect(),
        };
        let mut left = &**bytes;
        let value = T::decode_as_type(&mut left, item.value_type, types)
            .map_err(|error| changed(error.to_string()))?;
        // A longer type can begin with what a shorter one would read as; never guess.
        if !left.is_empty() {
            return Err(changed(format!("{} bytes are left over", left.len())));
        }
        Ok(Some(value))
    }

    /// As [`Answers::optional`], with Rust's default for what is not there.
    pub(super) fn value<T: DecodeAsType + Default>(&self, slot: &Slot<T>) -> Result<T> {
        Ok(self.optional(slot)?.unwrap_or_default())
    }

    /// Whether storage itself holds something.
    pub(super) fn is_stored<T>(&self, slot: &Slot<T>) -> bool {
        let item = self.items.get(slot.0).and_then(Option::as_ref);
        let value = item.and_then(|item| self.values.get(item.place));
        value.is_some_and(Option::is_some)
    }

    /// Whether the runtime has the item at all.
    pub(super) fn is_known<T>(&self, slot: &Slot<T>) -> bool {
        matches!(self.items.get(slot.0), Some(Some(_)))
    }
}

/// Storage keys as subxt wants them.
pub(super) fn netuid_key(netuid: NetUid) -> Value {
    Value::u128(netuid.0.into())
}

pub(super) fn uid_key(uid: Uid) -> Value {
    Value::u128(uid.0.into())
}

pub(super) fn account_key(account: AccountId) -> Value {
    Value::from_bytes(account.as_bytes())
}
