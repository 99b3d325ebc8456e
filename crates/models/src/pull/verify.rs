use std::{collections::BTreeMap, fs::File, io::Read as _, path::Path};

use super::{below, notice};
use crate::{Error, PublishedModel, Result, catalogue::is_digest, digest};

/// Most bytes read of the notes beside a model.
const LARGEST_NOTE: u64 = 1 << 20;

/// How a file of a model is found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileState {
    /// With the published digest.
    Sound,
    /// With the digest that was trusted when it was pulled; none is published.
    AsPulled,
    /// Not there.
    Missing,
    /// With other bytes.
    Wrong {
        /// SHA-256 that it should have, in hexadecimal.
        expected: String,
        /// SHA-256 that it has, in hexadecimal.
        found: String,
    },
    /// There, but nobody knows its digest.
    Unknown {
        /// SHA-256 that it has, in hexadecimal.
        found: String,
    },
}

impl FileState {
    /// Whether the file is what it should be.
    pub fn is_sound(&self) -> bool {
        matches!(self, Self::Sound | Self::AsPulled)
    }
}

/// Compares the files in a folder with what was published of a model. Reads all of them: minutes for
/// the largest models.
///
/// # Errors
/// [`Error::Read`] when a file is there but cannot be read.
pub fn verify(model: &PublishedModel, folder: &Path) -> Result<Vec<(String, FileState)>> {
    let pulled = pulled(folder);
    let states = model.files.iter().map(|file| {
        let found = match digest::of(&below(folder, &file.name)) {
            Err(Error::Missing { .. }) => return Ok((file.name.clone(), FileState::Missing)),
            found => found?,
        };
        let state = match (&file.sha256, pulled.get(&file.name)) {
            (Some(expected), _) if *expected == found => FileState::Sound,
            (None, Some(expected)) if *expected == found => FileState::AsPulled,
            (Some(expected), _) | (None, Some(expected)) => FileState::Wrong {
                expected: expected.clone(),
                found,
            },
            (None, None) => FileState::Unknown { found },
        };
        Ok((file.name.clone(), state))
    });
    states.collect()
}

/// The name of the model that a folder says it holds.
pub fn model_in(folder: &Path) -> Option<String> {
    let text = note(folder, notice::NOTICE)?;
    let name = text.lines().next()?.trim();
    (!name.is_empty()).then(|| name.to_owned())
}

/// The digests that the files had when they were pulled.
fn pulled(folder: &Path) -> BTreeMap<String, String> {
    let text = note(folder, notice::DIGESTS).unwrap_or_default();
    let lines = text.lines().filter_map(|line| {
        let (digest, name) = line.split_once("  ")?;
        is_digest(digest).then(|| (name.to_owned(), digest.to_owned()))
    });
    lines.collect()
}

fn note(folder: &Path, name: &str) -> Option<String> {
    let mut text = String::new();
    let file = File::open(folder.join(name)).ok()?;
    file.take(LARGEST_NOTE).read_to_string(&mut text).ok()?;
    Some(text)
}
