//! Reads safetensors files. The header is hostile until proven otherwise: it is bounded before it
//! is read, and every declared range is checked against the file before anything is allocated.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::{Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

use serde::Deserialize;

use crate::{
    Error, Result,
    digest::{open, read_error},
};

/// Longest header, in bytes.
const LONGEST_HEADER: u64 = 8 << 20;
/// Most tensors in a file.
const MOST_TENSORS: usize = 65_536;
/// Most names in an error.
const NAMES_SHOWN: usize = 20;
/// The element type of every tensor so far.
const ELEMENT: &str = "F32";

/// A safetensors file whose header is sound.
#[derive(Debug)]
pub(crate) struct Checkpoint {
    path: PathBuf,
    file: File,
    /// Where the tensors' bytes start in the file.
    data_start: u64,
    entries: BTreeMap<String, Entry>,
}

/// Where a tensor lies.
#[derive(Debug, Deserialize)]
pub(crate) struct Entry {
    dtype: String,
    pub(crate) shape: Vec<usize>,
    data_offsets: (u64, u64),
}

/// A tensor that a model needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) name: String,
    pub(crate) shape: Vec<usize>,
}

impl Checkpoint {
    /// Opens a file and checks its header.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let refuse = |reason: String| Error::Header {
            path: path.to_owned(),
            reason,
        };
        let mut file = open(path)?;
        let size = file.metadata().map_err(read_error(path))?.len();
        if size < 8 {
            return Err(refuse(format!("the file has {size} bytes only")));
        }
        let mut length = [0; 8];
        file.read_exact(&mut length).map_err(read_error(path))?;
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
        let data_start = 8 + length;
        let entries = parse(&header, size - data_start).map_err(refuse)?;
        Ok(Self {
            path: path.to_owned(),
            file,
            data_start,
            entries,
        })
    }

    /// The tensors, by name.
    pub(crate) fn entries(&self) -> &BTreeMap<String, Entry> {
        &self.entries
    }

    /// Checks that the file holds exactly the wanted tensors, besides those that are `ignored`.
    ///
    /// # Errors
    /// [`Error::TensorShape`] and [`Error::TensorElement`] for the first of them in `wanted`'s
    /// order; then [`Error::TensorsMissing`]; then [`Error::TensorsUnexpected`].
    pub(crate) fn expect(&self, wanted: &[Wanted], ignored: impl Fn(&str) -> bool) -> Result<()> {
        let mut missing = Vec::new();
        for tensor in wanted {
            match self.entries.get(&tensor.name) {
                Some(entry) => check(tensor, entry)?,
                None => missing.push(tensor.name.clone()),
            }
        }
        if !missing.is_empty() {
            missing.sort();
            return Err(Error::TensorsMissing {
                path: self.path.clone(),
                names: missing,
            });
        }
        let known: BTreeSet<&str> = wanted.iter().map(|tensor| tensor.name.as_str()).collect();
        let unexpected: Vec<String> = self
            .entries
            .keys()
            .filter(|name| !known.contains(name.as_str()) && !ignored(name))
            .take(NAMES_SHOWN)
            .cloned()
            .collect();
        if !unexpected.is_empty() {
            return Err(Error::TensorsUnexpected {
                path: self.path.clone(),
                names: unexpected,
            });
        }
        Ok(())
    }

    /// Reads one tensor, row by row.
    ///
    /// # Errors
    /// As [`Checkpoint::expect`], and [`Error::TensorNotFinite`].
    pub(crate) fn tensor(&mut self, wanted: &Wanted) -> Result<Vec<f32>> {
        let entry = self
            .entries
            .get(&wanted.name)
            .ok_or_else(|| Error::TensorsMissing {
                path: self.path.clone(),
                names: vec![wanted.name.clone()],
            })?;
        check(wanted, entry)?;
        let (start, end) = entry.data_offsets;
        let mut bytes = vec![0; (end - start) as usize];
        self.file
            .seek(SeekFrom::Start(self.data_start + start))
            .and_then(|_| self.file.read_exact(&mut bytes))
            .map_err(read_error(&self.path))?;
        let (elements, _) = bytes.as_chunks::<4>();
        let values: Vec<f32> = elements
            .iter()
            .map(|four| f32::from_le_bytes(*four))
            .collect();
        match values.iter().position(|value| !value.is_finite()) {
            Some(index) => Err(Error::TensorNotFinite {
                name: wanted.name.clone(),
                index,
            }),
            None => Ok(values),
        }
    }
}

fn check(wanted: &Wanted, entry: &Entry) -> Result<()> {
    if entry.shape != wanted.shape {
        return Err(Error::TensorShape {
            name: wanted.name.clone(),
            expected: wanted.shape.clone(),
            found: entry.shape.clone(),
        });
    }
    if entry.dtype != ELEMENT {
        return Err(Error::TensorElement {
            name: wanted.name.clone(),
            expected: ELEMENT,
            found: entry.dtype.chars().take(20).collect(),
        });
    }
    Ok(())
}

/// Bytes of one element, or nothing for an element type we do not know.
fn element_bytes(dtype: &str) -> Option<u64> {
    match dtype {
        "BOOL" | "U8" | "I8" | "F8_E4M3" | "F8_E5M2" => Some(1),
        "F16" | "BF16" | "U16" | "I16" => Some(2),
        "F32" | "U32" | "I32" => Some(4),
        "F64" | "U64" | "I64" => Some(8),
        _ => None,
    }
}

/// Parses a header; `available` bytes of data follow it. The tensors must cover the data exactly,
/// without holes or overlaps, as the format demands.
fn parse(header: &[u8], available: u64) -> Result<BTreeMap<String, Entry>, String> {
    let raw: BTreeMap<String, serde_json::Value> =
        serde_json::from_slice(header).map_err(|error| format!("it is not JSON: {error}"))?;
    if raw.len() > MOST_TENSORS {
        return Err(format!(
            "it names {} tensors, at most {MOST_TENSORS} are allowed",
            raw.len()
        ));
    }
    let mut entries = BTreeMap::new();
    for (name, value) in raw {
        if name == "__metadata__" {
            continue;
        }
        let shown: String = name.chars().take(80).collect();
        let entry = Entry::deserialize(value)
            .map_err(|error| format!("its entry {shown:?} is malformed: {error}"))?;
        let (start, end) = entry.data_offsets;
        if start > end || end > available {
            return Err(format!(
                "tensor {shown:?} claims the bytes {start} to {end} of {available}"
            ));
        }
        let bytes = element_bytes(&entry.dtype)
            .ok_or_else(|| format!("tensor {shown:?} has an unknown element type"))?;
        let declared = entry
            .shape
            .iter()
            .try_fold(bytes, |product, side| product.checked_mul(*side as u64));
        if declared != Some(end - start) {
            return Err(format!(
                "tensor {shown:?} has {} bytes, its shape {:?} another size",
                end - start,
                entry.shape.iter().take(8).collect::<Vec<_>>()
            ));
        }
        entries.insert(name, entry);
    }
    let mut ranges: Vec<(u64, u64)> = entries.values().map(|entry| entry.data_offsets).collect();
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
    Ok(entries)
}
