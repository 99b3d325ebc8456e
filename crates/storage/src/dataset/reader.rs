use std::{
    collections::HashSet,
    path::{Path, PathBuf},
};

use super::{
    columns,
    manifest::{Manifest, ShardEntry, hash},
};
use crate::{DatasetRow, DatasetSpaces, Error, Result, durable::read_bounded};

/// Largest shard this reads, in bytes.
const LARGEST_SHARD: u64 = 4 << 30;

/// Reads a dataset's committed shards; needs no lock, a writer may go on. Blocking: call it from a
/// blocking thread.
#[derive(Debug, Clone)]
pub struct DatasetReader {
    folder: PathBuf,
    manifest: Manifest,
}

/// What a dataset holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DatasetTotals {
    /// Rows.
    pub rows: u64,
    /// Milliseconds of video.
    pub duration_ms: u64,
    /// Different source addresses.
    pub unique_sources: u64,
    /// Shards.
    pub shards: u64,
    /// Bytes of all shards.
    pub bytes: u64,
}

impl DatasetReader {
    /// Opens the dataset in `folder` as it is now.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when there is no manifest or it is damaged, [`Error::File`].
    pub fn open(folder: &Path) -> Result<Self> {
        let manifest = Manifest::load(folder)?.ok_or_else(|| Error::Corrupt {
            path: folder.to_owned(),
            reason: "it has no manifest".to_owned(),
        })?;
        Ok(Self {
            folder: folder.to_owned(),
            manifest,
        })
    }

    /// The spaces of its vectors.
    pub fn spaces(&self) -> &DatasetSpaces {
        &self.manifest.spaces
    }

    /// The committed shards, in order.
    pub fn shards(&self) -> &[ShardEntry] {
        &self.manifest.shards
    }

    /// The rows of one shard, in the order of their sequence numbers.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when the file is not the one that was committed, [`Error::Parquet`],
    /// [`Error::File`].
    pub fn rows(&self, shard: &ShardEntry) -> Result<Vec<DatasetRow>> {
        let (path, bytes) = self.verified(shard)?;
        let rows = columns::decode(bytes, &self.manifest.spaces, &path)?;
        self.counted(rows.len(), shard, path)?;
        Ok(rows)
    }

    /// Reads every shard and counts.
    ///
    /// # Errors
    /// As [`rows`](Self::rows).
    pub fn totals(&self) -> Result<DatasetTotals> {
        let mut sources = HashSet::new();
        let mut totals = DatasetTotals {
            shards: self.manifest.shards.len() as u64,
            ..DatasetTotals::default()
        };
        for shard in &self.manifest.shards {
            let (path, bytes) = self.verified(shard)?;
            let clips = columns::decode_clips(bytes, &path)?;
            self.counted(clips.len(), shard, path)?;
            totals.rows += shard.rows;
            totals.bytes += shard.bytes;
            for clip in clips {
                totals.duration_ms += clip.end_ms.saturating_sub(clip.start_ms);
                sources.insert(clip.source_url);
            }
        }
        totals.unique_sources = sources.len() as u64;
        Ok(totals)
    }

    fn verified(&self, shard: &ShardEntry) -> Result<(PathBuf, Vec<u8>)> {
        let path = self.folder.join(&shard.file);
        let bytes = read_bounded(&path, "a shard", LARGEST_SHARD)?;
        // The decoder only ever sees bytes that this program wrote.
        if hash(&bytes) != shard.blake3 {
            return Err(Error::Corrupt {
                path,
                reason: "it is not the shard that was committed".to_owned(),
            });
        }
        Ok((path, bytes))
    }

    fn counted(&self, found: usize, shard: &ShardEntry, path: PathBuf) -> Result<()> {
        if found as u64 == shard.rows {
            return Ok(());
        }
        Err(Error::Corrupt {
            path,
            reason: format!("it has {found} rows, the manifest says {}", shard.rows),
        })
    }
}
