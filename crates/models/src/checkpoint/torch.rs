//! Checkpoints as `torch.save` writes them since PyTorch 1.6: a zip archive of a pickle and of the
//! tensors' storages.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{Read, Seek, SeekFrom},
    path::Path,
};

use super::{
    Entry,
    pickle::{self, View},
    shown,
    zip::{Directory, Fault, Stored},
};
use crate::{Error, Result, digest::read_error};

/// Largest pickle, in bytes: that of a checkpoint has some hundred bytes per tensor.
const LARGEST_PICKLE: u64 = 32 << 20;
/// How many times the file's bytes its tensors may have together, since several may share a storage.
const MOST_SHARING: u64 = 4;

/// How a zip archive starts.
pub(super) const ARCHIVE: &[u8] = b"PK\x03\x04";
/// How a checkpoint of the format before it starts: a pickle of a magic number.
pub(super) const LEGACY: &[u8] = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";

/// Reads and checks what an archive's pickle says of its tensors, of the file numbered `part`.
pub(super) fn read(
    path: &Path,
    file: &mut File,
    size: u64,
    part: usize,
) -> Result<BTreeMap<String, Entry>> {
    let refuse = |reason: String| Error::Pytorch {
        path: path.to_owned(),
        reason,
    };
    let told = |fault| match fault {
        Fault::Read(error) => read_error(path)(error),
        Fault::Unsound(reason) => refuse(reason),
    };
    let directory = Directory::read(file, size).map_err(told)?;
    let mut read_file = |stored: Stored| -> Result<Vec<u8>> {
        let start = directory.start(file, stored).map_err(told)?;
        let mut bytes = vec![0; stored.bytes as usize];
        file.seek(SeekFrom::Start(start))
            .and_then(|_| file.read_exact(&mut bytes))
            .map_err(read_error(path))?;
        Ok(bytes)
    };
    let mut pickles = directory.files.iter().filter_map(|(name, stored)| {
        let folder = name.strip_suffix("data.pkl")?;
        (folder.is_empty() || folder.ends_with('/')).then_some((folder, *stored))
    });
    let (Some((folder, stored)), None) = (pickles.next(), pickles.next()) else {
        return Err(refuse("it does not hold one data.pkl".to_owned()));
    };
    if stored.bytes > LARGEST_PICKLE {
        return Err(refuse(format!(
            "its pickle has {} bytes, at most {LARGEST_PICKLE} are allowed",
            stored.bytes
        )));
    }
    let pickled = read_file(stored)?;
    if let Some(order) = directory.files.get(&format!("{folder}byteorder")) {
        let little = order.bytes == 6 && read_file(*order)? == b"little";
        if !little {
            return Err(refuse("its numbers are not little-endian".to_owned()));
        }
    }
    let views = pickle::tensors(&pickled).map_err(|fault| match fault {
        pickle::Fault::Unsound(reason) => refuse(format!("its pickle is unsound: {reason}")),
        pickle::Fault::Refused(what) => Error::PickleRefused {
            path: path.to_owned(),
            what,
        },
    })?;
    let mut starts: BTreeMap<String, u64> = BTreeMap::new();
    let mut entries = BTreeMap::new();
    let mut all: u64 = 0;
    for (name, view) in views {
        let tensor = shown(&name);
        let stored = directory
            .files
            .get(&format!("{folder}data/{}", view.storage));
        let Some(stored) = stored else {
            return Err(refuse(format!(
                "tensor {tensor:?} lies in the storage {:?}, which it lacks",
                shown(&view.storage)
            )));
        };
        let bytes = extent(&view, stored.bytes)
            .map_err(|reason| refuse(format!("tensor {tensor:?} {reason}")))?;
        all = all.saturating_add(bytes);
        if all > size.saturating_mul(MOST_SHARING) {
            return Err(refuse(format!(
                "its tensors have more than {MOST_SHARING} times the file's bytes"
            )));
        }
        let start = match starts.get(&view.storage) {
            Some(start) => *start,
            None => {
                let start = directory.start(file, *stored).map_err(told)?;
                starts.insert(view.storage.clone(), start);
                start
            }
        };
        let strides = (!in_rows(&view)).then_some(view.strides);
        let entry = Entry {
            element: view.element,
            start: start + view.offset * view.element.bytes(),
            shape: view.shape,
            strides,
            part,
        };
        entries.insert(name, entry);
    }
    Ok(entries)
}

/// The bytes of a view's elements, if all lie in its storage of so many bytes.
fn extent(view: &View, stored: u64) -> Result<u64, String> {
    let bytes = view.element.bytes();
    if view
        .elements
        .checked_mul(bytes)
        .is_none_or(|all| all > stored)
    {
        return Err(format!(
            "claims a storage of {} elements, it has {stored} bytes",
            view.elements
        ));
    }
    let sides = view.shape.iter().zip(&view.strides);
    let mut count: u64 = 1;
    let mut last = Some(view.offset);
    for (side, stride) in sides {
        count = count.saturating_mul(*side as u64);
        let steps = (*side as u64).saturating_sub(1);
        last = steps
            .checked_mul(*stride as u64)
            .and_then(|step| last?.checked_add(step));
    }
    if count == 0 {
        return match view.offset <= view.elements {
            true => Ok(0),
            false => Err("starts beyond its storage".to_owned()),
        };
    }
    // With a stride of 0 a few bytes could claim to be any number of elements.
    if last.is_none_or(|last| last >= view.elements) || count > view.elements {
        return Err(format!(
            "claims the shape {:?} with the strides {:?} from element {} of {}",
            view.shape, view.strides, view.offset, view.elements
        ));
    }
    Ok(count * bytes)
}

/// Whether the elements lie row by row, without gaps.
fn in_rows(view: &View) -> bool {
    let mut expected = 1_usize;
    let sides = view.shape.iter().zip(&view.strides).rev();
    for (side, stride) in sides {
        if *side > 1 && *stride != expected {
            return false;
        }
        expected = expected.saturating_mul((*side).max(1));
    }
    true
}
