//! The metadata, with the paths the live chain's types have. Clients find what they treat apart by
//! path: the Python SDK knows events by a path of two parts that ends in `RuntimeEvent`.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use codec::{Decode as _, Encode as _};
use frame_metadata::{RuntimeMetadata, RuntimeMetadataPrefixed};
use frame_support::traits::Get as _;
use scale_info::PortableRegistry;

use crate::runtime::{Runtime, Version};

/// Made ones kept at most.
const MOST: usize = 16;
/// Bytes by format and spec version.
type Made = HashMap<(u32, u32), Vec<u8>>;
static MADE: Mutex<Option<Made>> = Mutex::new(None);

/// The formats there are.
pub(crate) fn versions() -> Vec<u32> {
    Runtime::metadata_versions()
}

/// The metadata in a format, from its magic number on. Runs inside the runtime.
pub(crate) fn at(format: u32) -> Option<Vec<u8>> {
    let key = (format, Version::get().spec_version);
    {
        let made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bytes) = made.as_ref().and_then(|made| made.get(&key)) {
            return Some(bytes.clone());
        }
    }
    let bytes = make(format)?;
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    let kept = made.get_or_insert_default();
    if kept.len() >= MOST {
        kept.clear();
    }
    kept.insert(key, bytes.clone());
    Some(bytes)
}

fn make(format: u32) -> Option<Vec<u8>> {
    let own = Runtime::metadata_at_version(format)?;
    let mut prefixed = RuntimeMetadataPrefixed::decode(&mut own.as_slice()).ok()?;
    match &mut prefixed.1 {
        RuntimeMetadata::V14(metadata) => rename(&mut metadata.types),
        RuntimeMetadata::V15(metadata) => rename(&mut metadata.types),
        RuntimeMetadata::V16(metadata) => rename(&mut metadata.types),
        _ => {}
    }
    Some(prefixed.encode())
}

fn rename(types: &mut PortableRegistry) {
    for entry in &mut types.types {
        let segments = &mut entry.ty.path.segments;
        let own: Vec<&str> = segments.iter().map(String::as_str).collect();
        if let Some(path) = live_path(&own) {
            *segments = path.iter().map(|part| (*part).to_owned()).collect();
        }
    }
}

/// The live chain's path of one of our types.
fn live_path<'a>(own: &[&'a str]) -> Option<Vec<&'a str>> {
    let ["adit_devnet", rest @ ..] = own else {
        return None;
    };
    Some(match *rest {
        [.., "U64F64"] => vec!["substrate_fixed", "FixedU128"],
        [.., "I96F32"] => vec!["substrate_fixed", "FixedI128"],
        [.., "I32F32"] => vec!["substrate_fixed", "FixedI64"],
        [.., "StoredAxon"] => vec!["pallet_subtensor", "pallet", "AxonInfo"],
        [.., "StoredPrometheus"] => vec!["pallet_subtensor", "pallet", "PrometheusInfo"],
        [.., "SubnetInfoV2"] => vec![
            "pallet_subtensor",
            "rpc_info",
            "subnet_info",
            "SubnetInfov2",
        ],
        ["runtime", name] => vec!["node_subtensor_runtime", name],
        ["check_nonce", name] => vec!["node_subtensor_runtime", "check_nonce", name],
        ["extensions", name] => vec!["pallet_subtensor", "transaction_extension", name],
        ["subtensor", _, name] => vec!["pallet_subtensor", "pallet", name],
        ["commitments", "pallet", name] => vec!["pallet_commitments", "pallet", name],
        ["commitments", _, name] => vec!["pallet_commitments", "types", name],
        ["drand", "pallet", name] => vec!["pallet_drand", "pallet", name],
        ["drand", name] => vec!["pallet_drand", "types", name],
        ["info", module, name] => {
            let module = match module {
                "neurons" => "neuron_info",
                "stakes" => "stake_info",
                "state" => "show_subnet",
                "dynamic" => "dynamic_info",
                "subnets" | "hyperparameters" => "subnet_info",
                other => other,
            };
            vec!["pallet_subtensor", "rpc_info", module, name]
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::live_path;

    #[test]
    fn our_types_have_the_live_chains_paths() {
        let path = |own: &str| {
            let own: Vec<&str> = own.split("::").collect();
            live_path(&own).map(|path| path.join("::"))
        };
        for (own, live) in [
            (
                "adit_devnet::runtime::RuntimeEvent",
                "node_subtensor_runtime::RuntimeEvent",
            ),
            (
                "adit_devnet::subtensor::pallet::Call",
                "pallet_subtensor::pallet::Call",
            ),
            (
                "adit_devnet::subtensor::pallet::StoredAxon",
                "pallet_subtensor::pallet::AxonInfo",
            ),
            (
                "adit_devnet::info::neurons::NeuronInfoLite",
                "pallet_subtensor::rpc_info::neuron_info::NeuronInfoLite",
            ),
            ("adit_devnet::drand::Pulse", "pallet_drand::types::Pulse"),
        ] {
            assert_eq!(path(own).as_deref(), Some(live));
        }
        assert_eq!(path("frame_system::pallet::Event"), None);
    }
}
