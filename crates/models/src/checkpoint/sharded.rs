//! The index of a checkpoint in several files.

use std::{
    collections::BTreeMap,
    path::{Component, Path},
};

use serde::Deserialize;

use super::{MOST_TENSORS, shown};
use crate::{Error, Result, digest::read_bounded};

/// Largest index, in bytes.
const LARGEST_INDEX: u64 = 16 << 20;
/// Most files of a checkpoint.
const MOST_SHARDS: usize = 1_024;

#[derive(Deserialize)]
struct Declared {
    weight_map: BTreeMap<String, String>,
}

/// Which tensors stand in which file beside the index, by the files' names.
pub(super) fn read(path: &Path) -> Result<BTreeMap<String, Vec<String>>> {
    let refuse = |reason: String| Error::ShardIndex {
        path: path.to_owned(),
        reason,
    };
    let bytes = read_bounded(path, LARGEST_INDEX)?;
    let declared: Declared =
        serde_json::from_slice(&bytes).map_err(|error| refuse(error.to_string()))?;
    let tensors = declared.weight_map.len();
    if tensors == 0 || tensors > MOST_TENSORS {
        return Err(refuse(format!(
            "it lists {tensors} tensors, not 1 to {MOST_TENSORS}"
        )));
    }
    let mut shards: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (tensor, shard) in declared.weight_map {
        if !is_file_name(&shard) {
            return Err(refuse(format!(
                "it looks for tensor {:?} in {:?}, which is no name of a file beside it",
                shown(&tensor),
                shown(&shard)
            )));
        }
        shards.entry(shard).or_default().push(tensor);
    }
    if shards.len() > MOST_SHARDS {
        return Err(refuse(format!(
            "it names {} files, at most {MOST_SHARDS} are allowed",
            shards.len()
        )));
    }
    Ok(shards)
}

/// Whether a name stays in the folder it is looked up in.
fn is_file_name(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    let plain = matches!(parts.next(), Some(Component::Normal(part)) if part == name);
    plain && parts.next().is_none() && !name.contains(['/', '\\', '\0', ':'])
}
