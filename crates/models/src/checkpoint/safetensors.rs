//! The header of a safetensors file, hostile until proven otherwise.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{Read, Seek, SeekFrom},
    path::Path,
};

use serde::Deserialize;

use super::{Element, Entry, MOST_TENSORS, shown};
use crate::{Error, Result, digest::read_error};

/// Longest header, in bytes.
const LONGEST_HEADER: u64 = 8 << 20;

#[derive(Debug, Deserialize)]
struct Declared {
    dtype: String,
    shape: Vec<usize>,
    data_offsets: (u64, u64),
}

/// A sound header.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) entries: BTreeMap<String, Entry>,
    /// What stands under `__metadata__`, if that is what the format says: texts by name.
    pub(super) metadata: BTreeMap<String, String>,
}

/// Reads and checks a file's header; its tensors are of the file numbered `part`.
pub(super) fn read(path: &Path, file: &mut File, size: u64, part: usize) -> Result<Header> {
    let refuse = |reason: String| Error::Header {
        path: path.to_owned(),
        reason,
    };
    if size < 8 {
        return Err(refuse(format!("the file has {size} bytes only")));
    }
    let mut length = [0; 8];
    file.seek(SeekFrom::Start(0))
        .and_then(|_| file.read_exact(&mut length))
        .map_err(read_error(path))?;
    let length = u64::from_le_bytes(length);
    if length > size - 8 {
        return Err(refuse(format!(
            "it declares {length} bytes, the file has {} after the length",
            size - 8
        )));
    }
    if length > LONGEST_HEADER {
        return Err(refuse(format!(
            "it declares {length} bytes, at most {LONGEST_HEADER} are allowed"
        )));
    }
    let mut header = vec![0; length as usize];
    file.read_exact(&mut header).map_err(read_error(path))?;
    let start = 8 + length;
    let mut header = parse(&header, size - start, part).map_err(refuse)?;
    for entry in header.entries.values_mut() {
        entry.start += start;
    }
    Ok(header)
}

/// Parses a header; `available` bytes of data follow it. The tensors must cover the data exactly,
/// without holes or overlaps, as the format demands. Their starts are counted from the data's.
fn parse(header: &[u8], available: u64, part: usize) -> Result<Header, String> {
    let raw: BTreeMap<String, serde_json::Value> =
        serde_json::from_slice(header).map_err(|error| format!("it is not JSON: {error}"))?;
    if raw.len() > MOST_TENSORS {
        return Err(format!(
            "it names {} tensors, at most {MOST_TENSORS} are allowed",
            raw.len()
        ));
    }
    let mut entries = BTreeMap::new();
    let mut metadata = BTreeMap::new();
    let mut ranges = Vec::new();
    for (name, value) in raw {
        if name == "__metadata__" {
            metadata = BTreeMap::deserialize(value).unwrap_or_default();
            continue;
        }
        let shown = shown(&name);
        let declared = Declared::deserialize(value)
            .map_err(|error| format!("its entry {shown:?} is malformed: {error}"))?;
        let (start, end) = declared.data_offsets;
        if start > end || end > available {
            return Err(format!(
                "tensor {shown:?} claims the bytes {start} to {end} of {available}"
            ));
        }
        let element = Element::named(&declared.dtype)
            .ok_or_else(|| format!("tensor {shown:?} has an unknown element type"))?;
        let bytes = declared
            .shape
            .iter()
            .try_fold(element.bytes(), |product, side| {
                product.checked_mul(*side as u64)
            });
        if bytes != Some(end - start) {
            return Err(format!(
                "tensor {shown:?} has {} bytes, its shape {:?} another size",
                end - start,
                declared.shape.iter().take(8).collect::<Vec<_>>()
            ));
        }
        ranges.push((start, end));
        let entry = Entry {
            element,
            shape: declared.shape,
            strides: None,
            part,
            start,
        };
        entries.insert(name, entry);
    }
    ranges.sort_unstable();
    let mut covered = 0;
    for (start, end) in ranges {
        if start != covered {
            return Err(format!(
                "its tensors leave a hole or overlap at byte {start}"
            ));
        }
        covered = end;
    }
    if covered != available {
        return Err(format!("its tensors end at byte {covered} of {available}"));
    }
    Ok(Header { entries, metadata })
}
