use adit_primitives::{Coldkey, Hotkey, NetUid, Rao};
use scale_info::{PortableRegistry, TypeDef};
use subxt::ext::{
    codec::Encode as _,
    scale_decode::{self, DecodeAsType},
};

use super::{axon::AxonFields, connection::unreadable, runtime::Runtime, snapshot::Snapshot};
use crate::Result;

const API: &str = "SubnetInfoRuntimeApi";
const METHOD: &str = "get_selective_metagraph";

/// The fields asked for. The runtime knows them by their place in its answer, and the places come
/// from its metadata, so that one that moves is still found.
const FIELDS: [&str; 5] = [
    "hotkeys",
    "coldkeys",
    "axons",
    "block_at_registration",
    "total_stake",
];

/// What a neuron is, apart from the columns that are storage items of their own.
pub(super) struct NeuronIdentity {
    pub(super) hotkey: Hotkey,
    pub(super) coldkey: Coldkey,
    pub(super) axon: Option<AxonFields>,
    pub(super) stake: Rao,
    pub(super) registered_at: u64,
}

#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "scale_decode")]
struct SelectiveFields {
    hotkeys: Option<Vec<[u8; 32]>>,
    coldkeys: Option<Vec<[u8; 32]>>,
    axons: Option<Vec<AxonFields>>,
    block_at_registration: Option<Vec<u64>>,
    total_stake: Option<Vec<u64>>,
}

/// The type of the runtime's answer and the places of our fields in it; `None` where the runtime
/// has no such function, or one that no longer knows them all.
fn places(runtime: &Runtime) -> Option<(u32, Vec<u16>)> {
    let metadata = runtime.metadata();
    let api = metadata.runtime_api_trait_by_name(API)?;
    let output = api.method_by_name(METHOD)?.output_ty();
    let names = field_names(metadata.types(), output)?;
    let place = |field: &&str| {
        let place = names.iter().position(|name| name == field)?;
        u16::try_from(place).ok()
    };
    let places = FIELDS.iter().map(place).collect::<Option<Vec<_>>>()?;
    Some((output, places))
}

/// The names of a record's fields, in an option or not.
fn field_names(types: &PortableRegistry, id: u32) -> Option<Vec<String>> {
    match &types.resolve(id)?.type_def {
        TypeDef::Composite(composite) => {
            let names = composite.fields.iter().map(|field| field.name.clone());
            names.collect()
        }
        TypeDef::Variant(option) => {
            let some = option.variants.iter().find(|case| case.name == "Some")?;
            field_names(types, some.fields.first()?.ty.id)
        }
        _ => None,
    }
}

/// Who the neurons of a subnet are, in one request; `None` where the runtime cannot tell so.
pub(super) async fn identities(
    snapshot: &Snapshot,
    netuid: NetUid,
) -> Result<Option<Vec<NeuronIdentity>>> {
    let Some((output, places)) = places(&snapshot.runtime) else {
        return Ok(None);
    };
    let input = (netuid.0, places).encode();
    let name = format!("{API}_{METHOD}");
    let connection = &snapshot.connection;
    let bytes = connection.call(&name, &input, snapshot.head.hash).await?;
    let types = snapshot.runtime.metadata().types();
    let read = Option::<SelectiveFields>::decode_as_type(&mut &*bytes, output, types)
        .map_err(|error| unreadable(METHOD, &error.to_string()))?;
    read.map(line_up).transpose()
}

/// Puts the columns side by side; they must be equally long.
fn line_up(fields: SelectiveFields) -> Result<Vec<NeuronIdentity>> {
    let missing = |name: &str| unreadable(METHOD, &format!("{name} is missing"));
    let hotkeys = fields.hotkeys.ok_or_else(|| missing("hotkeys"))?;
    let coldkeys = fields.coldkeys.ok_or_else(|| missing("coldkeys"))?;
    let axons = fields.axons.ok_or_else(|| missing("axons"))?;
    let blocks = fields.block_at_registration;
    let blocks = blocks.ok_or_else(|| missing("block_at_registration"))?;
    let stakes = fields.total_stake.ok_or_else(|| missing("total_stake"))?;
    let count = hotkeys.len();
    if [coldkeys.len(), axons.len(), blocks.len(), stakes.len()] != [count; 4] {
        return Err(unreadable(METHOD, "its columns differ in length"));
    }
    let rest = coldkeys
        .into_iter()
        .zip(axons)
        .zip(blocks.into_iter().zip(stakes));
    let neurons = hotkeys.into_iter().zip(rest);
    let neurons =
        neurons.map(
            |(hotkey, ((coldkey, axon), (registered_at, stake)))| NeuronIdentity {
                hotkey: Hotkey::new(hotkey),
                coldkey: Coldkey::new(coldkey),
                axon: Some(axon),
                stake: Rao(stake),
                registered_at,
            },
        );
    Ok(neurons.collect())
}
