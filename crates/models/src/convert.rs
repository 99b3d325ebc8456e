//! Checkpoints written anew as safetensors, in another number format.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, BufWriter, ErrorKind, Write},
    path::{Path, PathBuf},
};

use burn_tensor::{bf16, f16};
use serde_json::{Map, Value, json};

use crate::{
    Error, Precision, Result,
    checkpoint::{CONVERTED_FROM, Checkpoint, Element, Number, element},
    digest::read_error,
};

/// Largest file of tensors, in bytes: beyond it the checkpoint is written in several.
const LARGEST_FILE: u64 = 5_000_000_000;
/// Largest file that is copied along, in bytes.
const LARGEST_COPY: u64 = 64 << 20;
/// Endings of the files that are copied along: configurations and vocabularies.
const COPIED: [&str; 3] = ["json", "txt", "model"];
/// Bytes written at a time.
const BUFFER: usize = 1 << 20;

/// What [`convert`] wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Conversion {
    /// The files of tensors, in the folder that was asked for.
    pub files: Vec<PathBuf>,
    /// Their bytes together.
    pub bytes: u64,
    /// SHA-256 of what was converted, in hexadecimal; of several files, of their list. It is noted in
    /// every file, so that a model loaded from them is in the same space as one loaded from the original.
    pub source_digest: String,
}

/// Writes a checkpoint as safetensors in a number format, into a folder that loads in the original's
/// stead: `model.safetensors`, or several files and their index beyond 5 GB each. Floats are rounded to
/// the nearest; other tensors and what is said beside the tensors (`__metadata__`) stay as they are.
/// Small files of a folder (`.json`, `.txt`, `.model`) come along.
///
/// `from` is a file or a folder, in any format that models load. The folder `to` appears when all of it
/// is written and synced, or not at all. Memory is a few megabytes; a checkpoint of PyTorch whose tensors
/// have gaps takes up to 2 GB.
///
/// # Errors
/// - What opening a checkpoint gives: [`Error::Missing`], [`Error::Read`], [`Error::Header`],
///   [`Error::Pytorch`], [`Error::PickleRefused`], [`Error::ShardIndex`].
/// - [`Error::TensorNotFinite`] with the name of a tensor that has a number too large for the format.
/// - [`Error::Write`] when the folder cannot be written, or is there and not empty.
///
/// ```no_run
/// use std::path::Path;
/// use adit_models::{Precision, convert};
///
/// let from = Path::new("imagebind_huge.pth");
/// let conversion = convert(from, Path::new("imagebind-bf16"), Precision::Bf16)?;
/// println!("{} bytes", conversion.bytes);
/// # Ok::<(), adit_models::Error>(())
/// ```
pub fn convert(from: &Path, to: &Path, precision: Precision) -> Result<Conversion> {
    convert_in_files(from, to, precision, LARGEST_FILE)
}

fn convert_in_files(
    from: &Path,
    to: &Path,
    precision: Precision,
    largest: u64,
) -> Result<Conversion> {
    let mut checkpoint = Checkpoint::open(from)?;
    let source_digest = checkpoint.identity().digest()?;
    let occupied = fs::read_dir(to).is_ok_and(|mut entries| entries.next().is_some());
    if occupied || to.is_file() {
        return Err(write_error(to)(ErrorKind::AlreadyExists.into()));
    }
    let part = Part::beside(to)?;
    let plan = plan(&checkpoint, precision, largest);
    let mut metadata = checkpoint.metadata().clone();
    metadata.insert(CONVERTED_FROM.to_owned(), source_digest.clone());
    let names: Vec<String> = (1..=plan.len())
        .map(|number| match plan.len() {
            1 => "model.safetensors".to_owned(),
            count => format!("model-{number:05}-of-{count:05}.safetensors"),
        })
        .collect();
    copy_beside(from, &part.0)?;
    let mut bytes = 0;
    let mut weight_map = Map::new();
    for (name, tensors) in names.iter().zip(&plan) {
        let path = part.0.join(name);
        bytes += write_file(&path, &mut checkpoint, tensors, &metadata, precision)?;
        for tensor in tensors {
            weight_map.insert(tensor.name.clone(), json!(name));
        }
    }
    if plan.len() > 1 {
        let total: u64 = plan.iter().flatten().map(|tensor| tensor.bytes).sum();
        let index = json!({ "metadata": { "total_size": total }, "weight_map": weight_map });
        let path = part.0.join("model.safetensors.index.json");
        write_synced(&path, index.to_string().as_bytes()).map_err(write_error(&path))?;
    }
    part.put(to)?;
    tracing::debug!(from = %from.display(), to = %to.display(), %precision, bytes, "converted");
    Ok(Conversion {
        files: names.iter().map(|name| to.join(name)).collect(),
        bytes,
        source_digest,
    })
}

/// A tensor to write.
#[derive(Debug)]
struct Planned {
    name: String,
    shape: Vec<usize>,
    element: Element,
    bytes: u64,
}

/// Which tensors go into which file, by name.
fn plan(checkpoint: &Checkpoint, precision: Precision, largest: u64) -> Vec<Vec<Planned>> {
    let floats = match precision {
        Precision::F32 => Element::F32,
        Precision::F16 => Element::F16,
        Precision::Bf16 => Element::Bf16,
    };
    let mut files = vec![Vec::new()];
    let mut filled = 0;
    for (name, entry) in checkpoint.entries() {
        let element = match entry.element.is_float() {
            true => floats,
            false => entry.element,
        };
        let bytes = entry.elements() as u64 * element.bytes();
        if filled > 0 && filled + bytes > largest {
            files.push(Vec::new());
            filled = 0;
        }
        filled += bytes;
        if let Some(file) = files.last_mut() {
            file.push(Planned {
                name: name.clone(),
                shape: entry.shape.clone(),
                element,
                bytes,
            });
        }
    }
    files
}

/// Writes one file of tensors and gives its size.
fn write_file(
    path: &Path,
    checkpoint: &mut Checkpoint,
    tensors: &[Planned],
    metadata: &BTreeMap<String, String>,
    precision: Precision,
) -> Result<u64> {
    let mut header = Map::new();
    header.insert("__metadata__".to_owned(), json!(metadata));
    let mut end = 0;
    for tensor in tensors {
        let start = end;
        end += tensor.bytes;
        let entry = json!({
            "dtype": tensor.element.name(), "shape": tensor.shape, "data_offsets": [start, end],
        });
        header.insert(tensor.name.clone(), entry);
    }
    let mut header = Value::Object(header).to_string().into_bytes();
    // The data start at a multiple of 8, for those who map the file.
    header.resize(header.len().next_multiple_of(8), b' ');
    let told = write_error(path);
    let mut file = BufWriter::with_capacity(BUFFER, File::create_new(path).map_err(&told)?);
    file.write_all(&(header.len() as u64).to_le_bytes())
        .and_then(|()| file.write_all(&header))
        .map_err(&told)?;
    for tensor in tensors {
        if !tensor.element.is_float() {
            checkpoint.bytes(&tensor.name, 1, |bytes| {
                file.write_all(bytes).map_err(&told)?;
                Ok(true)
            })?;
            continue;
        }
        let file = &mut file;
        match precision {
            Precision::F32 => write(path, checkpoint, tensor, file, f32::to_le_bytes)?,
            Precision::F16 => write(path, checkpoint, tensor, file, f16::to_le_bytes)?,
            Precision::Bf16 => write(path, checkpoint, tensor, file, bf16::to_le_bytes)?,
        }
    }
    let file = file
        .into_inner()
        .map_err(|error| told(error.into_error()))?;
    file.sync_all().map_err(&told)?;
    Ok(8 + header.len() as u64 + end)
}

/// Writes one tensor's numbers. What is not finite in the original may stay so, such as a mask's
/// infinities: whether a network can use it is seen when it is loaded.
fn write<T: Number, const BYTES: usize>(
    path: &Path,
    checkpoint: &mut Checkpoint,
    tensor: &Planned,
    file: &mut impl Write,
    bytes_of: impl Fn(T) -> [u8; BYTES],
) -> Result<()> {
    let Some(element) = checkpoint
        .entries()
        .get(&tensor.name)
        .map(|entry| entry.element)
    else {
        return Ok(());
    };
    let (mut wide, mut values, mut written) = (Vec::new(), Vec::<T>::new(), Vec::new());
    let mut before = 0;
    checkpoint.bytes(&tensor.name, 1, |bytes| {
        values.clear();
        element::convert(element, bytes, &mut wide, &mut values);
        let mut lost = values
            .iter()
            .enumerate()
            .filter(|(_, value)| !value.finite());
        if let Some((index, _)) = lost.find(|(index, _)| element::finite_at(element, bytes, *index))
        {
            return Err(Error::TensorNotFinite {
                name: tensor.name.clone(),
                index: before + index,
            });
        }
        before += values.len();
        written.clear();
        written.extend(values.iter().flat_map(|value| bytes_of(*value)));
        file.write_all(&written).map_err(write_error(path))?;
        Ok(true)
    })
}

/// The folder while it is written; it goes if it is not put in its place.
#[derive(Debug)]
struct Part(PathBuf);

impl Part {
    fn beside(to: &Path) -> Result<Self> {
        let name = to.file_name().unwrap_or_default().to_string_lossy();
        let part = to.with_file_name(format!(".{name}.part-{}", std::process::id()));
        if let Some(folder) = part.parent() {
            fs::create_dir_all(folder).map_err(write_error(folder))?;
        }
        fs::create_dir(&part).map_err(write_error(&part))?;
        Ok(Self(part))
    }

    fn put(self, to: &Path) -> Result<()> {
        let sync = |folder: &Path| File::open(folder).and_then(|folder| folder.sync_all());
        sync(&self.0)
            .and_then(|()| fs::rename(&self.0, to))
            .map_err(write_error(to))?;
        // The name itself is on the disk after this; where folders cannot be synced it is not worse.
        if let Some(folder) = to.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            sync(folder).map_err(write_error(folder))?;
        }
        Ok(())
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // After it was put in its place there is nothing left here.
        if let Err(error) = fs::remove_dir_all(&self.0)
            && error.kind() != ErrorKind::NotFound
        {
            tracing::warn!(folder = %self.0.display(), %error, "a part of a conversion stays behind");
        }
    }
}

/// Copies what stands beside the weights: of a folder the small files, one level of folders deep; of a
/// single file its `config.json`.
fn copy_beside(from: &Path, to: &Path) -> Result<()> {
    if !from.is_dir() {
        let config = from.with_file_name("config.json");
        return match config.is_file() {
            true => copy(&config, &to.join("config.json")),
            false => Ok(()),
        };
    }
    for path in listed(from)? {
        let Some(name) = path.file_name() else {
            continue;
        };
        if is_copied(&path) {
            copy(&path, &to.join(name))?;
        } else if path.is_dir() {
            let inner: Vec<PathBuf> = listed(&path)?
                .into_iter()
                .filter(|path| is_copied(path))
                .collect();
            let folder = to.join(name);
            if !inner.is_empty() {
                fs::create_dir(&folder).map_err(write_error(&folder))?;
            }
            for path in inner {
                copy(&path, &folder.join(path.file_name().unwrap_or_default()))?;
            }
        }
    }
    Ok(())
}

fn listed(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).map_err(read_error(folder))?;
    entries
        .map(|entry| entry.map(|entry| entry.path()).map_err(read_error(folder)))
        .collect()
}

fn is_copied(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default();
    COPIED.iter().any(|ending| extension == *ending)
        && !path.to_string_lossy().ends_with(".index.json")
        && fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() <= LARGEST_COPY)
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    let bytes = crate::digest::read_bounded(from, LARGEST_COPY)?;
    write_synced(to, &bytes).map_err(write_error(to))
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create_new(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn write_error(path: &Path) -> impl Fn(io::Error) -> Error + '_ {
    |source| Error::Write {
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::Wanted;

    /// Files of at most 300 kB: the tiny ImageBind takes several.
    #[test]
    fn large_checkpoints_are_written_in_several_files() {
        let folder = tempfile::tempdir().unwrap();
        let from = adit_testkit::fixture("models/imagebind_tiny_dev.weights.safetensors");
        let to = folder.path().join("several");
        let conversion = convert_in_files(&from, &to, Precision::F32, 300_000).unwrap();
        assert!(conversion.files.len() > 3 && conversion.files.iter().all(|file| file.is_file()));
        let mut original = Checkpoint::open(&from).unwrap();
        let mut copy = Checkpoint::open(&to).unwrap();
        assert!(original.entries().keys().eq(copy.entries().keys()));
        for (name, entry) in original.entries().clone() {
            // Minus infinity above the diagonal: no parameter.
            if name.ends_with(".mask") {
                continue;
            }
            let wanted = Wanted {
                name,
                shape: entry.shape,
            };
            let tensor = original.tensor(&wanted).unwrap();
            assert_eq!(tensor, copy.tensor(&wanted).unwrap(), "{}", wanted.name);
        }
        assert_eq!(copy.identity().digest().unwrap(), conversion.source_digest);
        assert_eq!(
            original.identity().digest().unwrap(),
            conversion.source_digest
        );
        // Nothing of the way there is left.
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
