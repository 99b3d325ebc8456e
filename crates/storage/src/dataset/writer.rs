use std::{
    collections::HashSet,
    fs::{self, File},
    path::{Path, PathBuf},
};

use super::{
    columns,
    manifest::{Manifest, ShardEntry, hash},
};
use crate::{
    DatasetRow, DatasetSpaces, Error, Result,
    durable::{TEMPORARY, failed, lock, replace},
};

/// How shard names end.
const SHARD: &str = ".parquet";

/// Appends shards of rows to a dataset: a folder with Parquet files and a manifest that lists which
/// of them count.
///
/// A shard is written under a temporary name, synced and renamed; then the manifest is replaced the
/// same way. Only that last rename commits: whatever a crash leaves before it is removed when the
/// dataset is opened again. Blocking: call it from a blocking thread.
#[derive(Debug)]
pub struct DatasetWriter {
    folder: PathBuf,
    manifest: Manifest,
    /// Held for life: two writers would remove each other's shards.
    _lock: File,
}

impl DatasetWriter {
    /// Most rows of one shard.
    pub const MOST_ROWS: usize = 16_384;

    /// Opens or creates the dataset in `folder`, and removes what an interrupted writer left.
    ///
    /// # Errors
    /// [`Error::Corrupt`] for a damaged manifest, [`Error::SpaceMismatch`] when the dataset holds
    /// vectors of other spaces, [`Error::File`] when another writer has it open or the disk refuses.
    pub fn open(folder: &Path, spaces: DatasetSpaces) -> Result<Self> {
        fs::create_dir_all(folder).map_err(failed("create", folder))?;
        let lock = lock(&folder.join("writer.lock"))?;
        let manifest = match Manifest::load(folder)? {
            Some(manifest) => manifest,
            None => Manifest::new(spaces.clone()),
        };
        manifest.spaces.require(&spaces)?;
        let writer = Self {
            folder: folder.to_owned(),
            manifest,
            _lock: lock,
        };
        writer.remove_leftovers()?;
        Ok(writer)
    }

    /// Writes `rows` as one shard and commits it; they get the sequence numbers from
    /// `first_sequence` on. Nothing is committed unless everything is.
    ///
    /// # Errors
    /// [`Error::Sequence`] unless `first_sequence` is [`next_sequence`](Self::next_sequence);
    /// [`Error::TooLarge`] for no rows or more than [`MOST_ROWS`](Self::MOST_ROWS);
    /// [`Error::Row`] and [`Error::SpaceMismatch`] for rows that break the dataset's rules;
    /// [`Error::File`] when the disk refuses, for instance because it is full.
    pub fn append(&mut self, first_sequence: u64, rows: &[DatasetRow]) -> Result<ShardEntry> {
        let next = self.next_sequence();
        if first_sequence != next {
            return Err(Error::Sequence {
                expected: next,
                found: first_sequence,
            });
        }
        if rows.is_empty() || rows.len() > Self::MOST_ROWS {
            let (found, bound) = (rows.len() as u64, Self::MOST_ROWS as u64);
            return Err(Error::TooLarge {
                what: "a shard",
                found,
                bound,
                unit: "rows (at least 1)",
            });
        }
        rows.iter()
            .try_for_each(|row| self.manifest.spaces.check(row))?;
        let last_sequence = next.saturating_add(rows.len() as u64 - 1);
        let file = format!("rows-{next:012}-{last_sequence:012}{SHARD}");
        let path = self.folder.join(&file);
        let bytes = columns::encode(rows, &self.manifest.spaces, &path)?;
        let shard = ShardEntry {
            file,
            rows: rows.len() as u64,
            bytes: bytes.len() as u64,
            first_sequence: next,
            last_sequence,
            duration_ms: rows
                .iter()
                .map(|row| row.end_ms - row.start_ms)
                .fold(0, u64::saturating_add),
            blake3: hash(&bytes),
        };
        replace(&path, &bytes)?;
        self.manifest.shards.push(shard.clone());
        if let Err(error) = self.manifest.save(&self.folder) {
            self.manifest.shards.pop();
            return Err(error);
        }
        tracing::info!(
            file = shard.file,
            rows = shard.rows,
            bytes = shard.bytes,
            "shard committed"
        );
        Ok(shard)
    }

    /// Sequence number of the last committed row; 0 when there is none.
    pub fn last_sequence(&self) -> u64 {
        self.manifest.last_sequence()
    }

    /// The sequence number the next row must have.
    pub fn next_sequence(&self) -> u64 {
        self.last_sequence().saturating_add(1)
    }

    /// The committed shards, in order.
    pub fn shards(&self) -> &[ShardEntry] {
        &self.manifest.shards
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn remove_leftovers(&self) -> Result<()> {
        let committed: HashSet<&str> = self
            .manifest
            .shards
            .iter()
            .map(|shard| shard.file.as_str())
            .collect();
        for entry in fs::read_dir(&self.folder).map_err(failed("read", &self.folder))? {
            let entry = entry.map_err(failed("read", &self.folder))?;
            let name = entry.file_name();
            let Some(name) = name.to_str() else { continue };
            let shard = name.starts_with("rows-") && name.ends_with(SHARD);
            if name.ends_with(TEMPORARY) || (shard && !committed.contains(name)) {
                tracing::warn!(file = name, "removing what an interrupted writer left");
                fs::remove_file(entry.path()).map_err(failed("remove", &entry.path()))?;
            }
        }
        Ok(())
    }
}
