use std::collections::BTreeMap;

use scale_info::TypeDef;
use subxt::{
    Metadata,
    ext::{
        codec::{Decode as _, Encode as _},
        frame_decode::storage::encode_storage_key,
        frame_metadata::{RuntimeMetadata, RuntimeMetadataPrefixed, v16::RuntimeMetadataV16},
        scale_encode::EncodeAsType,
        scale_value::Value,
    },
};

/// A runtime as the node serves it.
pub(crate) struct NodeRuntime {
    pub(crate) spec_version: u32,
    pub(crate) transaction_version: u32,
    /// Metadata by version as nodes hand it out, prefix included.
    pub(crate) metadata: BTreeMap<u32, Vec<u8>>,
    decoded: Metadata,
}

impl NodeRuntime {
    /// Finney at spec 365, metadata V16 only.
    pub(crate) fn finney() -> Self {
        let bytes = std::fs::read(adit_testkit::fixture("chain/finney-365.scale")).unwrap();
        Self::new(365, bytes)
    }

    /// Finney's metadata after a change of it, under a spec version of its own.
    pub(crate) fn edited(spec_version: u32, edit: impl FnOnce(&mut RuntimeMetadataV16)) -> Self {
        let finney = Self::finney();
        let mut metadata = RuntimeMetadataPrefixed::decode(&mut &*finney.metadata[&16]).unwrap();
        let RuntimeMetadata::V16(inner) = &mut metadata.1 else {
            unreachable!("the fixture is V16")
        };
        edit(inner);
        Self::new(spec_version, metadata.encode())
    }

    fn new(spec_version: u32, bytes: Vec<u8>) -> Self {
        let decoded = Metadata::decode_from(&bytes).unwrap();
        Self {
            spec_version,
            transaction_version: 1,
            metadata: BTreeMap::from([(16, bytes)]),
            decoded,
        }
    }

    /// A storage key by names.
    pub(crate) fn key(&self, pallet: &str, item: &str, keys: Vec<Value>) -> Vec<u8> {
        let types = self.decoded.types();
        encode_storage_key(pallet, item, keys, &self.decoded, types).unwrap()
    }

    /// A storage value as this runtime writes it.
    pub(crate) fn value(&self, pallet: &str, item: &str, value: &impl EncodeAsType) -> Vec<u8> {
        let found = self.decoded.pallet_by_name(pallet).unwrap();
        let entry = found.storage().unwrap().entry_by_name(item).unwrap();
        let encoded = value.encode_as_type(entry.value_ty(), self.decoded.types());
        encoded.unwrap_or_else(|error| panic!("{pallet}.{item}: {error}"))
    }

    /// What a runtime function returns, as this runtime writes it.
    pub(crate) fn returned(&self, api: &str, method: &str, value: &impl EncodeAsType) -> Vec<u8> {
        let found = self.decoded.runtime_api_trait_by_name(api).unwrap();
        let output = found.method_by_name(method).unwrap().output_ty();
        let encoded = value.encode_as_type(output, self.decoded.types());
        encoded.unwrap_or_else(|error| panic!("{api}.{method}: {error}"))
    }

    /// The names of the fields of the record that a runtime function returns, in an option.
    pub(crate) fn fields_returned(&self, api: &str, method: &str) -> Vec<String> {
        let found = self.decoded.runtime_api_trait_by_name(api).unwrap();
        let output = found.method_by_name(method).unwrap().output_ty();
        let type_of = |id: u32| &self.decoded.types().resolve(id).unwrap().type_def;
        let TypeDef::Variant(option) = type_of(output) else {
            panic!("{api}.{method} returns no option")
        };
        let some = option.variants.iter().find(|case| case.name == "Some");
        let TypeDef::Composite(record) = type_of(some.unwrap().fields[0].ty.id) else {
            panic!("{api}.{method} returns no record")
        };
        let names = record.fields.iter().map(|field| field.name.clone());
        names.collect::<Option<_>>().unwrap()
    }

    /// Pallet and error by index, for a dispatch error.
    pub(super) fn error(&self, pallet: &str, error: &str) -> (u8, u8) {
        let found = self.decoded.pallet_by_name(pallet).unwrap();
        let mut variants = found.error_variants().unwrap().iter();
        let variant = variants.find(|variant| variant.name == error).unwrap();
        (found.error_index(), variant.index)
    }
}

/// A number in a storage key or an event.
pub(crate) fn number(number: impl Into<u128>) -> Value {
    Value::u128(number.into())
}

/// An event, as [`super::Node::block_with`] takes it: of the transaction at a place in its block,
/// or of the block itself.
pub(crate) fn event(
    place: Option<u32>,
    pallet: &str,
    name: &str,
    fields: impl IntoIterator<Item = Value>,
) -> Value {
    let phase = match place {
        Some(place) => Value::unnamed_variant("ApplyExtrinsic", [number(place)]),
        None => Value::unnamed_variant("Initialization", []),
    };
    let inner = Value::unnamed_variant(name, fields);
    Value::named_composite([
        ("phase", phase),
        ("event", Value::unnamed_variant(pallet, [inner])),
        ("topics", Value::unnamed_composite([])),
    ])
}
