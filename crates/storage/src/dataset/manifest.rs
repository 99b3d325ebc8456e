use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::{
    DatasetSpaces, Error, Result,
    durable::{read_bounded, replace},
};

/// The manifest's file name.
pub(super) const MANIFEST: &str = "manifest.jsonl";
/// The format this release writes, and the only one it reads.
const VERSION: u32 = 1;
/// Largest manifest, in bytes: some hundred thousand shards.
const LARGEST: u64 = 64 << 20;

/// One committed shard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardEntry {
    /// File name within the dataset's folder.
    pub file: String,
    /// Rows.
    pub rows: u64,
    /// Size of the file.
    pub bytes: u64,
    /// Sequence number of its first row, from 1.
    pub first_sequence: u64,
    /// Sequence number of its last row; there are no gaps.
    pub last_sequence: u64,
    /// Milliseconds of video in it.
    pub duration_ms: u64,
    /// BLAKE3 of the file, in hexadecimal.
    pub blake3: String,
}

/// What is committed. Two lines: this as JSON, then the checksum of the first line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Manifest {
    version: u32,
    pub(super) spaces: DatasetSpaces,
    pub(super) shards: Vec<ShardEntry>,
}

#[derive(Serialize, Deserialize)]
struct Checksum {
    blake3: String,
}

impl Manifest {
    pub(super) fn new(spaces: DatasetSpaces) -> Self {
        Self {
            version: VERSION,
            spaces,
            shards: Vec::new(),
        }
    }

    /// `None` when there is none: a new dataset.
    pub(super) fn load(folder: &Path) -> Result<Option<Self>> {
        let path = folder.join(MANIFEST);
        if !path.exists() {
            return Ok(None);
        }
        let corrupt = |reason: &str| Error::Corrupt {
            path: path.clone(),
            reason: reason.to_owned(),
        };
        let bytes = read_bounded(&path, "the manifest", LARGEST)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| corrupt("it is not text"))?;
        let mut lines = text.lines();
        let (Some(body), Some(checksum), None) = (lines.next(), lines.next(), lines.next()) else {
            return Err(corrupt("it does not have two lines"));
        };
        let checksum: Checksum =
            serde_json::from_str(checksum).map_err(|_| corrupt("its checksum cannot be read"))?;
        if checksum.blake3 != hash(body.as_bytes()) {
            return Err(corrupt("its checksum is wrong"));
        }
        let manifest: Self =
            serde_json::from_str(body).map_err(|error| corrupt(&error.to_string()))?;
        if manifest.version != VERSION {
            return Err(corrupt("it was written by another release"));
        }
        manifest.check().map_err(corrupt)?;
        Ok(Some(manifest))
    }

    pub(super) fn save(&self, folder: &Path) -> Result<()> {
        let path = folder.join(MANIFEST);
        let text = |value: serde_json::Result<String>| {
            value.map_err(|error| Error::Corrupt {
                path: path.clone(),
                reason: error.to_string(),
            })
        };
        let body = text(serde_json::to_string(self))?;
        let checksum = text(serde_json::to_string(&Checksum {
            blake3: hash(body.as_bytes()),
        }))?;
        replace(&path, format!("{body}\n{checksum}\n").as_bytes())
    }

    pub(super) fn last_sequence(&self) -> u64 {
        self.shards.last().map_or(0, |shard| shard.last_sequence)
    }

    fn check(&self) -> Result<(), &'static str> {
        let mut next = 1_u64;
        for shard in &self.shards {
            let count = shard
                .last_sequence
                .checked_sub(shard.first_sequence)
                .and_then(|span| span.checked_add(1));
            if shard.first_sequence != next || count != Some(shard.rows) {
                return Err("its sequence numbers have a gap");
            }
            // A name with a folder in it could make a reader leave the dataset.
            if Path::new(&shard.file).file_name() != Some(shard.file.as_ref()) {
                return Err("a shard's name is no file name");
            }
            next = shard.last_sequence.saturating_add(1);
        }
        Ok(())
    }
}

pub(super) fn hash(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}
