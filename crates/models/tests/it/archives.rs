//! Checkpoints as PyTorch saves them, written byte by byte.

use std::collections::BTreeMap;

/// A zip archive of stored files, in this order.
pub(crate) fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut directory = Vec::new();
    for (name, content) in files {
        let header = bytes.len() as u32;
        let size = (content.len() as u32).to_le_bytes();
        let length = (name.len() as u16).to_le_bytes();
        bytes.extend([&b"PK\x03\x04"[..], &[0; 14], &size, &size, &length, &[0; 2]].concat());
        bytes.extend(name.as_bytes());
        bytes.extend(*content);
        directory.extend(
            [
                &b"PK\x01\x02"[..],
                &[0; 16],
                &size,
                &size,
                &length,
                &[0; 12],
            ]
            .concat(),
        );
        directory.extend(header.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let count = (files.len() as u16).to_le_bytes();
    let start = (bytes.len() as u32).to_le_bytes();
    let size = (directory.len() as u32).to_le_bytes();
    bytes.extend(directory);
    bytes.extend(
        [
            &b"PK\x05\x06"[..],
            &[0; 4],
            &count,
            &count,
            &size,
            &start,
            &[0; 2],
        ]
        .concat(),
    );
    bytes
}

/// An archive of one pickle and one storage, `0`, of four floats.
pub(crate) fn pickled(pickle: &[u8]) -> Vec<u8> {
    archive(&[("a/data.pkl", pickle), ("a/data/0", &[0; 16])])
}

pub(crate) fn text(text: &str) -> Vec<u8> {
    [
        &b"X"[..],
        &(text.len() as u32).to_le_bytes(),
        text.as_bytes(),
    ]
    .concat()
}

fn number(number: u64) -> Vec<u8> {
    [&b"\x8a\x08"[..], &number.to_le_bytes()].concat()
}

fn numbers(all: &[u64]) -> Vec<u8> {
    let all: Vec<u8> = all.iter().flat_map(|n| number(*n)).collect();
    [&b"("[..], &all, b"t"].concat()
}

/// The call that makes a tensor.
pub(crate) fn tensor(
    storage: (&str, &str, u64),
    offset: u64,
    shape: &[u64],
    strides: &[u64],
) -> Vec<u8> {
    let (class, key, elements) = storage;
    [
        &b"ctorch._utils\n_rebuild_tensor_v2\n(("[..],
        &text("storage"),
        format!("ctorch\n{class}\n").as_bytes(),
        &text(key),
        &text("cpu"),
        &number(elements),
        b"tQ",
        &number(offset),
        &numbers(shape),
        &numbers(strides),
        b"\x89ccollections\nOrderedDict\n)RtR",
    ]
    .concat()
}

/// A pickled dictionary of such values.
pub(crate) fn dictionary(entries: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut pickle = b"\x80\x02}(".to_vec();
    for (name, value) in entries {
        pickle.extend(text(name));
        pickle.extend(value);
    }
    pickle.extend(b"u.");
    pickle
}

/// A checkpoint of 32-bit tensors, each in a storage of its own.
pub(crate) fn checkpoint(tensors: &BTreeMap<String, (Vec<usize>, Vec<f32>)>) -> Vec<u8> {
    let mut entries = Vec::new();
    let mut storages = Vec::new();
    for (index, (name, (shape, values))) in tensors.iter().enumerate() {
        let key = index.to_string();
        let shape: Vec<u64> = shape.iter().map(|side| *side as u64).collect();
        let strides: Vec<u64> = (0..shape.len())
            .map(|side| shape[side + 1..].iter().product())
            .collect();
        let count = values.len() as u64;
        let value = tensor(("FloatStorage", &key, count), 0, &shape, &strides);
        entries.push((name.as_str(), value));
        let bytes: Vec<u8> = values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        storages.push((format!("a/data/{key}"), bytes));
    }
    let pickle = dictionary(&entries);
    let mut files: Vec<(&str, &[u8])> = vec![("a/data.pkl", &pickle), ("a/byteorder", b"little")];
    files.extend(
        storages
            .iter()
            .map(|(name, bytes)| (name.as_str(), bytes.as_slice())),
    );
    archive(&files)
}
