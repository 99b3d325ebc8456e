//! Golden tensors, read without the crate's own reader.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

/// The golden files of networks with such names: below `$ADIT_GOLDEN/models` when that is set, else
/// the repository's own, of which there must be one.
pub(crate) fn golden_files(prefix: &str, suffix: &str) -> Vec<PathBuf> {
    let given = std::env::var_os("ADIT_GOLDEN").map(|root| PathBuf::from(root).join("models"));
    let folder = given
        .clone()
        .unwrap_or_else(|| adit_testkit::fixture("models"));
    let named = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with(prefix) && name.ends_with(suffix)
    };
    let entries = fs::read_dir(&folder).into_iter().flatten();
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(named)
        .collect();
    files.sort();
    assert!(given.is_some() || !files.is_empty(), "{}", folder.display());
    files
}

/// A safetensors file in memory.
pub(crate) struct Tensors {
    header: BTreeMap<String, Value>,
    data: Vec<u8>,
}

impl Tensors {
    pub(crate) fn open(path: &Path) -> Self {
        let bytes = fs::read(path).unwrap();
        let (length, rest) = bytes.split_first_chunk::<8>().unwrap();
        let (header, data) = rest.split_at(u64::from_le_bytes(*length) as usize);
        Self {
            header: serde_json::from_slice(header).unwrap(),
            data: data.to_vec(),
        }
    }

    pub(crate) fn names(&self, prefix: &str) -> Vec<&str> {
        let names = self.header.keys().map(String::as_str);
        names.filter(|name| name.starts_with(prefix)).collect()
    }

    pub(crate) fn f32(&self, name: &str) -> (Vec<usize>, Vec<f32>) {
        let (shape, bytes) = self.bytes(name, "F32");
        let values = bytes.as_chunks().0.iter();
        (
            shape,
            values.map(|four| f32::from_le_bytes(*four)).collect(),
        )
    }

    pub(crate) fn i64(&self, name: &str) -> (Vec<usize>, Vec<i64>) {
        let (shape, bytes) = self.bytes(name, "I64");
        let values = bytes.as_chunks().0.iter();
        (
            shape,
            values.map(|eight| i64::from_le_bytes(*eight)).collect(),
        )
    }

    /// Floats of any format, at 32 bits.
    pub(crate) fn floats(&self, name: &str) -> (Vec<usize>, Vec<f32>) {
        let dtype = self.header[name]["dtype"].as_str().unwrap();
        let (shape, bytes) = self.bytes(name, dtype);
        let values = match dtype {
            "F32" => return self.f32(name),
            "F64" => {
                let values = bytes.as_chunks().0.iter();
                values
                    .map(|eight| f64::from_le_bytes(*eight) as f32)
                    .collect()
            }
            "BF16" => {
                let halves = bytes.as_chunks().0.iter();
                halves
                    .map(|two| f32::from_bits(u32::from(u16::from_le_bytes(*two)) << 16))
                    .collect()
            }
            "F16" => {
                let halves = bytes.as_chunks().0.iter();
                halves
                    .map(|two| half_value(u16::from_le_bytes(*two)))
                    .collect()
            }
            other => panic!("{name} holds {other}"),
        };
        (shape, values)
    }

    /// What the header says under a name.
    pub(crate) fn header(&self, name: &str) -> &Value {
        &self.header[name]
    }

    fn bytes(&self, name: &str, dtype: &str) -> (Vec<usize>, &[u8]) {
        let entry = &self.header[name];
        assert_eq!(entry["dtype"], dtype, "{name}");
        let numbers =
            |field: &str| -> Vec<usize> { serde_json::from_value(entry[field].clone()).unwrap() };
        let offsets = numbers("data_offsets");
        (numbers("shape"), &self.data[offsets[0]..offsets[1]])
    }
}

/// The value of a finite 16-bit float.
fn half_value(bits: u16) -> f32 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f32::from(bits & 1023));
    assert!(exponent < 31);
    match exponent {
        0 => sign * fraction * 2_f32.powi(-24),
        _ => sign * (1.0 + fraction / 1024.0) * 2_f32.powi(exponent - 15),
    }
}
