//! Reads checkpoints: safetensors in one file or in several beside an index, and what PyTorch saves.
//! What a file says of itself is hostile until proven otherwise: it is bounded before it is read, and
//! every declared range is checked against the file before anything is allocated.
//!
//! Tensors are read piece by piece into the memory of the network, converted on the way, so that a
//! checkpoint is never in memory twice. The file is not mapped: if it were cut while mapped, the
//! process would be killed, and reading it is as fast.

pub(crate) mod element;
mod pickle;
mod safetensors;
mod sharded;
mod torch;
mod zip;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io::{ErrorKind, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

pub(crate) use element::{Element, Number};
use sha2::{Digest, Sha256};

use crate::{
    Error, Result,
    digest::{self, open, read_error},
};

/// Most tensors of a checkpoint.
const MOST_TENSORS: usize = 65_536;
/// Most names in an error.
const NAMES_SHOWN: usize = 20;
/// What networks can be made of.
const FLOATS: &str = "F16, BF16, F32 or F64";
/// Bytes read at a time: they stay in a core's cache until they are converted.
const PIECE: usize = 1 << 20;
/// Largest stretch of a file that a tensor with gaps may lie in, in bytes: it is read whole.
const LARGEST_STRETCH: u64 = 1 << 30;
/// Where a folder's weights are looked for.
const WEIGHTS: [&str; 4] = [
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
];
/// Endings of what PyTorch saves.
const PYTORCH: [&str; 4] = ["pth", "pt", "bin", "ckpt"];
/// Under which name of the metadata a converted checkpoint says what it was converted from.
pub(crate) const CONVERTED_FROM: &str = "adit.converted_from_sha256";

/// A checkpoint whose headers are sound.
#[derive(Debug)]
pub(crate) struct Checkpoint {
    /// What errors name: the file, or the index of several.
    path: PathBuf,
    parts: Vec<Part>,
    entries: BTreeMap<String, Entry>,
    metadata: BTreeMap<String, String>,
}

#[derive(Debug)]
struct Part {
    path: PathBuf,
    file: File,
}

/// Where a tensor lies.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) element: Element,
    pub(crate) shape: Vec<usize>,
    /// From one element to the next along each side, where the elements do not lie row by row.
    strides: Option<Vec<usize>>,
    part: usize,
    /// The first element's first byte in its file.
    start: u64,
}

/// A checkpoint's files, still to be hashed: that takes as long as reading them.
#[derive(Debug)]
pub(crate) struct Identity {
    noted: Option<String>,
    files: Vec<PathBuf>,
}

/// A tensor that a model needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) name: String,
    pub(crate) shape: Vec<usize>,
}

impl Entry {
    pub(crate) fn elements(&self) -> usize {
        // Saturating: with a side of 0 the others may be anything.
        self.shape
            .iter()
            .fold(1, |count: usize, side| count.saturating_mul(*side))
    }
}

impl Identity {
    /// SHA-256 of the file; of several, that of their digests and names as `sha256sum` lists them. A
    /// converted checkpoint says what it was converted from: then it is that one's, so that all formats
    /// of the same weights have the same.
    pub(crate) fn digest(&self) -> Result<String> {
        if let Some(noted) = &self.noted {
            return Ok(noted.clone());
        }
        if let [file] = self.files.as_slice() {
            return digest::of(file);
        }
        let mut list = String::new();
        for path in &self.files {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            list.push_str(&format!("{}  {name}\n", digest::of(path)?));
        }
        Ok(hex::encode(Sha256::digest(list)))
    }
}

impl Checkpoint {
    /// Opens a file, or the weights in a folder, and checks what they say of themselves.
    ///
    /// A file may be safetensors, the index of several (`….index.json`), or what PyTorch saves. A folder
    /// has `model.safetensors`, its index, `pytorch_model.bin`, its index, or one `.pth` or `.pt`.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let path = match path.is_dir() {
            true => weights_in(path)?,
            false => path.to_owned(),
        };
        if path.to_string_lossy().ends_with(".index.json") {
            return Self::open_shards(path);
        }
        let mut checkpoint = Self {
            path: path.clone(),
            parts: Vec::new(),
            entries: BTreeMap::new(),
            metadata: BTreeMap::new(),
        };
        checkpoint.entries = checkpoint.add(path)?;
        Ok(checkpoint)
    }

    fn open_shards(path: PathBuf) -> Result<Self> {
        let shards = sharded::read(&path)?;
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        let refuse = |reason: String| Error::ShardIndex {
            path: path.clone(),
            reason,
        };
        let mut checkpoint = Self {
            path: path.clone(),
            parts: Vec::new(),
            entries: BTreeMap::new(),
            metadata: BTreeMap::new(),
        };
        let mut missing = Vec::new();
        let mut unlisted = BTreeMap::new();
        for (shard, listed) in shards {
            let mut found = checkpoint.add(folder.join(&shard))?;
            for name in listed {
                match found.remove(&name) {
                    Some(entry) => {
                        checkpoint.entries.insert(name, entry);
                    }
                    None => missing.push((name, shard.clone())),
                }
            }
            unlisted.extend(found.into_keys().map(|name| (name, shard.clone())));
        }
        if let Some((name, shard)) = missing.into_iter().next() {
            return Err(refuse(match unlisted.get(&name) {
                Some(other) => format!(
                    "it lists tensor {:?} in {shard}, which lies in {other}",
                    shown(&name)
                ),
                None => format!(
                    "it lists tensor {:?} in {shard}, which lacks it",
                    shown(&name)
                ),
            }));
        }
        match unlisted.first_key_value() {
            None => Ok(checkpoint),
            Some((name, shard)) => Err(refuse(format!(
                "it does not list tensor {:?}, which lies in {shard}",
                shown(name)
            ))),
        }
    }

    /// Opens one more file and gives its tensors.
    fn add(&mut self, path: PathBuf) -> Result<BTreeMap<String, Entry>> {
        let mut file = open(&path)?;
        let size = file.metadata().map_err(read_error(&path))?.len();
        let mut opening = Vec::new();
        let most = torch::LEGACY.len() as u64;
        Read::by_ref(&mut file)
            .take(most)
            .read_to_end(&mut opening)
            .map_err(read_error(&path))?;
        let part = self.parts.len();
        let extension = path.extension().unwrap_or_default().to_string_lossy();
        let entries = if opening.starts_with(torch::ARCHIVE) {
            torch::read(&path, &mut file, size, part)?
        } else if opening == torch::LEGACY || PYTORCH.contains(&extension.as_ref()) {
            let reason = match opening == torch::LEGACY {
                true => {
                    "it has the legacy format from before PyTorch 1.6, which is not read; load it in \
                         PyTorch and save it again"
                }
                false => "it is no zip archive",
            };
            return Err(Error::Pytorch {
                path,
                reason: reason.to_owned(),
            });
        } else {
            let header = safetensors::read(&path, &mut file, size, part)?;
            self.metadata.extend(header.metadata);
            header.entries
        };
        self.parts.push(Part { path, file });
        Ok(entries)
    }

    /// The tensors by name.
    pub(crate) fn entries(&self) -> &BTreeMap<String, Entry> {
        &self.entries
    }

    /// What the files' authors wrote beside the tensors: texts by name.
    pub(crate) fn metadata(&self) -> &BTreeMap<String, String> {
        &self.metadata
    }

    /// Takes away what training put around a network, such as `module.`: each prefix, in this order, if
    /// all names have it.
    pub(crate) fn strip(&mut self, prefixes: &[&str]) {
        for prefix in prefixes {
            if self.entries.keys().all(|name| name.starts_with(prefix)) {
                let entries = std::mem::take(&mut self.entries).into_iter();
                let bare = |name: String| name.get(prefix.len()..).unwrap_or_default().to_owned();
                self.entries = entries.map(|(name, entry)| (bare(name), entry)).collect();
            }
        }
    }

    /// What tells these weights from others.
    pub(crate) fn identity(&self) -> Identity {
        let noted = self.metadata.get(CONVERTED_FROM).filter(|digest| {
            digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit())
        });
        Identity {
            noted: noted.map(|digest| digest.to_lowercase()),
            files: self.parts.iter().map(|part| part.path.clone()).collect(),
        }
    }

    /// Checks that the checkpoint holds exactly the wanted tensors, besides those that are `ignored`.
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

    /// Reads one tensor, row by row, at 32 bits.
    ///
    /// # Errors
    /// As [`Self::expect`], and [`Error::TensorNotFinite`].
    pub(crate) fn tensor(&mut self, wanted: &Wanted) -> Result<Vec<f32>> {
        self.tensor_as(wanted)
    }

    /// Reads one tensor, row by row.
    ///
    /// # Errors
    /// As [`Self::expect`], and [`Error::TensorNotFinite`], for values too large for the format too.
    pub(crate) fn tensor_as<T: Number>(&mut self, wanted: &Wanted) -> Result<Vec<T>> {
        let count = self.entries.get(&wanted.name).map_or(0, Entry::elements);
        let mut all = Vec::with_capacity(count);
        self.pieces::<T>(wanted, 1, |piece| all.extend_from_slice(piece))?;
        Ok(all)
    }

    /// Reads one tensor, row by row, in pieces whose length is a multiple of `unit`.
    ///
    /// # Errors
    /// As [`Self::tensor_as`].
    pub(crate) fn pieces<T: Number>(
        &mut self,
        wanted: &Wanted,
        unit: usize,
        mut take: impl FnMut(&[T]),
    ) -> Result<()> {
        let entry = self
            .entries
            .get(&wanted.name)
            .ok_or_else(|| Error::TensorsMissing {
                path: self.path.clone(),
                names: vec![wanted.name.clone()],
            })?
            .clone();
        check(wanted, &entry)?;
        let (mut wide, mut values) = (Vec::new(), Vec::new());
        let mut before = 0;
        let mut fault = None;
        self.bytes(&wanted.name, unit, |bytes| {
            values.clear();
            element::convert::<T>(entry.element, bytes, &mut wide, &mut values);
            if fault.is_none() && !values.iter().fold(true, |all, value| all & value.finite()) {
                fault = values
                    .iter()
                    .position(|value| !value.finite())
                    .map(|index| before + index);
            }
            before += values.len();
            take(&values);
            Ok(fault.is_none())
        })?;
        match fault {
            None => Ok(()),
            Some(index) => Err(Error::TensorNotFinite {
                name: wanted.name.clone(),
                index,
            }),
        }
    }

    /// Hands over a tensor's bytes, row by row, in pieces of a multiple of `unit` elements, until there
    /// are no more or `take` says that it has enough.
    pub(crate) fn bytes(
        &mut self,
        name: &str,
        unit: usize,
        mut take: impl FnMut(&[u8]) -> Result<bool>,
    ) -> Result<()> {
        let Some(entry) = self.entries.get(name) else {
            return Ok(());
        };
        let Some(part) = self.parts.get_mut(entry.part) else {
            return Ok(());
        };
        let width = entry.element.bytes() as usize;
        let unit = width * unit.max(1);
        let piece = unit * (PIECE / unit).max(1);
        if let Some(strides) = &entry.strides {
            let stretch = stretch(name, part, entry, strides)?;
            let rows = gather(&stretch, &entry.shape, strides, width);
            for bytes in rows.chunks(piece) {
                if !take(bytes)? {
                    break;
                }
            }
            return Ok(());
        }
        part.file
            .seek(SeekFrom::Start(entry.start))
            .map_err(read_error(&part.path))?;
        let mut rest = entry.elements() * width;
        let mut buffer = vec![0; piece.min(rest)];
        while rest > 0 {
            let count = piece.min(rest);
            let Some(bytes) = buffer.get_mut(..count) else {
                break;
            };
            part.file
                .read_exact(bytes)
                .map_err(read_error(&part.path))?;
            rest -= count;
            if !take(bytes)? {
                break;
            }
        }
        Ok(())
    }
}

/// Everything from a tensor's first element to its last.
fn stretch(name: &str, part: &mut Part, entry: &Entry, strides: &[usize]) -> Result<Vec<u8>> {
    let sides = entry.shape.iter().zip(strides);
    let last: usize = sides
        .map(|(side, stride)| side.saturating_sub(1) * stride)
        .sum();
    let bytes = (last as u64 + 1) * entry.element.bytes();
    if bytes > LARGEST_STRETCH {
        return Err(Error::Pytorch {
            path: part.path.clone(),
            reason: format!(
                "tensor {:?} is spread over {bytes} bytes, at most {LARGEST_STRETCH} are allowed",
                shown(name)
            ),
        });
    }
    let mut stretch = vec![0; bytes as usize];
    part.file
        .seek(SeekFrom::Start(entry.start))
        .and_then(|_| part.file.read_exact(&mut stretch))
        .map_err(read_error(&part.path))?;
    Ok(stretch)
}

/// The elements of a view, row by row.
fn gather(stretch: &[u8], shape: &[usize], strides: &[usize], width: usize) -> Vec<u8> {
    let count = shape
        .iter()
        .fold(1, |count: usize, side| count.saturating_mul(*side));
    let mut rows = Vec::with_capacity(count * width);
    let mut index = vec![0; shape.len()];
    for _ in 0..count {
        let place: usize = index
            .iter()
            .zip(strides)
            .map(|(index, stride)| index * stride)
            .sum();
        let start = place * width;
        rows.extend_from_slice(stretch.get(start..start + width).unwrap_or_default());
        for (index, side) in index.iter_mut().zip(shape).rev() {
            *index += 1;
            if *index < *side {
                break;
            }
            *index = 0;
        }
    }
    rows
}

/// The weights in a folder. If there are none, the first place where they were looked for.
fn weights_in(folder: &Path) -> Result<PathBuf> {
    let mut places = WEIGHTS.map(|name| folder.join(name)).into_iter();
    if let Some(found) = places.find(|path| path.exists()) {
        return Ok(found);
    }
    let mut saved = Vec::new();
    for entry in fs::read_dir(folder).map_err(read_error(folder))? {
        let path = entry.map_err(read_error(folder))?.path();
        if path
            .extension()
            .is_some_and(|end| end == "pth" || end == "pt")
        {
            saved.push(path);
        }
    }
    match (saved.pop(), saved.pop()) {
        (Some(path), None) => Ok(path),
        (Some(_), Some(_)) => Err(read_error(folder)(std::io::Error::new(
            ErrorKind::InvalidInput,
            "it has several .pth files; name one",
        ))),
        (None, _) => Ok(folder.join("model.safetensors")),
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
    if !entry.element.is_float() {
        return Err(Error::TensorElement {
            name: wanted.name.clone(),
            expected: FLOATS,
            found: entry.element.name().to_owned(),
        });
    }
    Ok(())
}

/// The beginning of a name, for a message.
fn shown(name: &str) -> String {
    name.chars().take(80).collect()
}
