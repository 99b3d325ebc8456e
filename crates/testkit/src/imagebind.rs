//! A whole ImageBind that is small, for tests that need one with the real vocabulary.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use rand::Rng;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Error, Result, fixture};

/// Tokens of CLIP's vocabulary.
const VOCABULARY: usize = 49_408;
/// The instance whose shapes are taken, but for its vocabulary of 1,000.
const TEMPLATE: &str = "models/imagebind_tiny_dev";
/// The tensor with one row per token.
const WORDS: &str = "modality_preprocessors.text.token_embedding.weight";

#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    dtype: String,
    shape: Vec<usize>,
    data_offsets: [usize; 2],
}

/// Writes `config.json` and `model.safetensors` of a random ImageBind into a folder: the golden tiny
/// instance's shapes with the whole vocabulary, so that it embeds any text, video and sound, in a space
/// that depends on the draw. Its answers mean nothing.
///
/// # Errors
/// [`Error::Read`], [`Error::Shape`], [`Error::Tensors`] for the golden instance; [`Error::Write`] for
/// the folder.
pub fn write_imagebind(folder: &Path, rng: &mut impl Rng) -> Result<()> {
    let mut config: Value = crate::load_json(&format!("{TEMPLATE}.config.json"))?;
    if let Some(config) = config.as_object_mut() {
        config.insert("vocab_size".to_owned(), VOCABULARY.into());
    }
    write(folder.join("config.json"), config.to_string().as_bytes())?;
    let weights = drawn(&fixture(&format!("{TEMPLATE}.weights.safetensors")), rng)?;
    write(folder.join("model.safetensors"), &weights)
}

/// The template's tensors, all matrices drawn anew.
fn drawn(template: &Path, rng: &mut impl Rng) -> Result<Vec<u8>> {
    let bytes = fs::read(template).map_err(|source| Error::Read {
        path: template.to_owned(),
        source,
    })?;
    let broken = || Error::Tensors {
        path: template.to_owned(),
    };
    let (length, rest) = bytes.split_first_chunk::<8>().ok_or_else(broken)?;
    let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|_| broken())?;
    let (header, data) = rest.split_at_checked(length).ok_or_else(broken)?;
    let header: BTreeMap<String, Value> =
        serde_json::from_slice(header).map_err(|source| Error::Shape {
            path: template.to_owned(),
            source,
        })?;
    let mut entries = BTreeMap::new();
    let mut all = Vec::new();
    for (name, entry) in header {
        if name == "__metadata__" {
            continue;
        }
        let mut entry: Entry = serde_json::from_value(entry).map_err(|_| broken())?;
        if name == WORDS
            && let Some(rows) = entry.shape.first_mut()
        {
            *rows = VOCABULARY;
        }
        let [start, end] = entry.data_offsets;
        let kept = data.get(start..end).ok_or_else(broken)?;
        let from = all.len();
        match deviation(&name, &entry.shape) {
            Some(deviation) => {
                // Uniform, of that standard deviation.
                let most = deviation * 3_f32.sqrt();
                for _ in 0..entry.shape.iter().product() {
                    all.extend(rng.random_range(-most..most).to_le_bytes());
                }
            }
            None => all.extend_from_slice(kept),
        }
        entry.data_offsets = [from, all.len()];
        entries.insert(name, entry);
    }
    let header = serde_json::to_vec(&entries).map_err(|_| broken())?;
    let length = (header.len() as u64).to_le_bytes();
    Ok([length.as_slice(), &header, &all].concat())
}

/// How far a matrix's values spread: so that a layer's answers are as large as its inputs, and what
/// differs in the inputs still differs at the end. What is no matrix keeps its values.
fn deviation(name: &str, shape: &[usize]) -> Option<f32> {
    let inputs: usize = shape.iter().skip(1).product();
    match (name, shape) {
        (WORDS, _) => Some(1.0),
        (_, [_, _, ..]) if name.ends_with("weight") => Some((inputs as f32).sqrt().recip()),
        _ => None,
    }
}

fn write(path: PathBuf, bytes: &[u8]) -> Result<()> {
    fs::write(&path, bytes).map_err(|source| Error::Write { path, source })
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng as _, rngs::StdRng};

    use super::*;

    #[test]
    fn a_seed_is_an_instance() {
        let folder = tempfile::tempdir().unwrap();
        let made = |seed: u64| {
            write_imagebind(folder.path(), &mut StdRng::seed_from_u64(seed)).unwrap();
            fs::read(folder.path().join("model.safetensors")).unwrap()
        };
        let first = made(1);
        assert!(first.len() > VOCABULARY * 4 * 16);
        assert!(first == made(1) && first != made(2));
        let config = fs::read(folder.path().join("config.json")).unwrap();
        let config: Value = serde_json::from_slice(&config).unwrap();
        assert_eq!(config["vocab_size"], VOCABULARY);
    }
}
