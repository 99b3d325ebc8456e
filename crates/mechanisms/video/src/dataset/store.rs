use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use adit_embedding::Embedding;
use adit_primitives::{Clock, Hotkey};
use adit_storage::{
    DatasetReader, DatasetRow, DatasetSpaces, DatasetWriter, ElementType, Error as StorageError,
    ExactIndex, IndexHit, Ledger, LedgerTotals, Receipt, VectorIndex as _,
};
use serde::{Deserialize, Serialize};
use tokio::{sync::Notify, task::spawn_blocking};
use tokio_util::sync::CancellationToken;

use crate::{Error, Result};

/// Where a dataset lives and how its shards are closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DatasetConfig {
    /// Folder of the shards and their manifest; the state lies in `state` below it.
    pub folder: PathBuf,
    /// Rows of one shard.
    pub shard_rows: u32,
    /// A shard is also closed after so many milliseconds.
    pub flush_after_ms: u64,
}

impl Default for DatasetConfig {
    fn default() -> Self {
        Self {
            folder: "~/.adit/dataset".into(),
            shard_rows: 1_024,
            flush_after_ms: 600_000,
        }
    }
}

/// The dataset behind the validator API: intake (each batch once), Parquet shards, and the index
/// of video vectors that tells what is novel.
#[derive(Debug)]
pub struct VideoDataset {
    ledger: Ledger,
    index: Arc<Mutex<ExactIndex>>,
    writer: Arc<Mutex<DatasetWriter>>,
    /// One flush at a time, so that sequence numbers stay in order.
    flushing: tokio::sync::Mutex<()>,
    full: Notify,
    clock: Arc<dyn Clock>,
    config: DatasetConfig,
}

impl VideoDataset {
    /// Opens or creates a dataset, and mends what a crash left: rows committed to a shard but not
    /// marked, rows taken in but missing in the index, an index that is damaged.
    ///
    /// # Errors
    /// [`Error::Storage`] when a file is damaged beyond that, made for other spaces, or the disk
    /// refuses.
    pub async fn open(
        config: &DatasetConfig,
        spaces: DatasetSpaces,
        clock: Arc<dyn Clock>,
    ) -> Result<Self> {
        let state = config.folder.join("state");
        std::fs::create_dir_all(&state).map_err(|source| Error::Folder {
            path: state.clone(),
            source,
        })?;
        let ledger = Ledger::open(&state.join("ledger.db"), spaces.clone()).await?;
        let (folder, index_path) = (config.folder.clone(), state.join("video.index"));
        let opened = spawn_blocking(move || -> Result<_> {
            let writer = DatasetWriter::open(&folder, spaces.clone())?;
            let index = open_index(&index_path, &spaces)?;
            let index = complete(index, &writer)?;
            Ok((writer, index))
        });
        let (writer, mut index) = opened.await.map_err(|_| Error::Interrupted("dataset"))??;
        ledger.reconcile(writer.last_sequence()).await?;
        for waiting in ledger.unflushed(u32::MAX).await? {
            index.upsert(&waiting.row.record_id, &waiting.row.video)?;
        }
        Ok(Self {
            ledger,
            index: Arc::new(Mutex::new(index)),
            writer: Arc::new(Mutex::new(writer)),
            flushing: tokio::sync::Mutex::new(()),
            full: Notify::new(),
            clock,
            config: config.clone(),
        })
    }

    /// The spaces of its vectors.
    pub fn spaces(&self) -> &DatasetSpaces {
        self.ledger.spaces()
    }

    /// For each vector, its nearest in the dataset; `None` when the dataset has none.
    ///
    /// # Errors
    /// [`Error::Storage`] for vectors of another space.
    pub async fn nearest(&self, vectors: Vec<Embedding>) -> Result<Vec<Option<IndexHit>>> {
        let index = Arc::clone(&self.index);
        let search = spawn_blocking(move || {
            let queries: Vec<&Embedding> = vectors.iter().collect();
            index
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .nearest_batch(&queries, 1)
        });
        let hits = search.await.map_err(|_| Error::Interrupted("index"))??;
        Ok(hits
            .into_iter()
            .map(|hits| hits.into_iter().next())
            .collect())
    }

    /// Takes a batch in; the same batch again changes nothing and answers with its first receipt.
    ///
    /// # Errors
    /// [`Error::Storage`]: see [`Ledger::submit`].
    pub async fn submit(
        &self,
        batch_id: &str,
        validator: &Hotkey,
        rows: Vec<DatasetRow>,
    ) -> Result<Receipt> {
        let receipt = self
            .ledger
            .submit(batch_id, validator, &rows, self.clock.unix_millis())
            .await?;
        let index = Arc::clone(&self.index);
        // Also for a repeated batch: its first submission may have died right here.
        let indexed = spawn_blocking(move || {
            let entries: Vec<(&str, &Embedding)> = rows
                .iter()
                .map(|row| (row.record_id.as_str(), &row.video))
                .collect();
            index
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .extend(&entries)
        });
        indexed.await.map_err(|_| Error::Interrupted("index"))??;
        let totals = self.ledger.totals().await?;
        if totals.rows.saturating_sub(totals.flushed) >= u64::from(self.config.shard_rows) {
            self.full.notify_one();
        }
        Ok(receipt)
    }

    /// What was taken in, and how many shards are closed.
    ///
    /// # Errors
    /// [`Error::Storage`].
    pub async fn totals(&self) -> Result<(LedgerTotals, u64)> {
        let shards = self
            .writer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .shards()
            .len() as u64;
        Ok((self.ledger.totals().await?, shards))
    }

    /// Writes everything that waits into shards.
    ///
    /// # Errors
    /// [`Error::Storage`] when the disk refuses; what waits then stays in the ledger.
    pub async fn flush(&self) -> Result<()> {
        let _one_at_a_time = self.flushing.lock().await;
        loop {
            let waiting = self.ledger.unflushed(self.config.shard_rows.max(1)).await?;
            let Some(first) = waiting.first().map(|row| row.sequence) else {
                return Ok(());
            };
            let rows: Vec<DatasetRow> = waiting.into_iter().map(|waiting| waiting.row).collect();
            let writer = Arc::clone(&self.writer);
            let written = spawn_blocking(move || {
                writer
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .append(first, &rows)
            });
            let shard = written
                .await
                .map_err(|_| Error::Interrupted("dataset writer"))??;
            self.ledger.mark_flushed(shard.last_sequence).await?;
            tracing::info!(
                event = "shard",
                shard = shard.file,
                rows = shard.rows,
                "shard closed"
            );
        }
    }

    /// Closes shards as they fill up or grow old, until `shutdown`.
    pub async fn flush_until(self: Arc<Self>, shutdown: CancellationToken) {
        let pause = Duration::from_millis(self.config.flush_after_ms.max(100));
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = self.full.notified() => {}
                () = tokio::time::sleep(pause) => {}
            }
            if let Err(error) = self.flush().await {
                tracing::error!(event = "flush_failed", %error, "cannot close a shard; the rows wait in the ledger");
                metrics::counter!("adit_flush_failures_total").increment(1);
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }
}

/// The index; a damaged one is made anew, because it can be.
fn open_index(path: &Path, spaces: &DatasetSpaces) -> Result<ExactIndex> {
    match ExactIndex::open(path, spaces.video.clone(), ElementType::F32) {
        Err(StorageError::Corrupt { reason, .. }) => {
            tracing::warn!(path = %path.display(), reason, "the index is damaged; making it anew");
            let remove = std::fs::remove_file(path);
            remove.map_err(|source| Error::Folder {
                path: path.to_owned(),
                source,
            })?;
            Ok(ExactIndex::open(
                path,
                spaces.video.clone(),
                ElementType::F32,
            )?)
        }
        opened => Ok(opened?),
    }
}

/// Adds the rows of shards that the index lacks.
fn complete(mut index: ExactIndex, writer: &DatasetWriter) -> Result<ExactIndex> {
    let rows: u64 = writer.shards().iter().map(|shard| shard.rows).sum();
    if index.len() as u64 >= rows {
        return Ok(index);
    }
    let reader = DatasetReader::open(writer.folder())?;
    for shard in reader.shards() {
        let rows = reader.rows(shard)?;
        let missing: Vec<(&str, &Embedding)> = rows
            .iter()
            .filter(|row| !index.contains(&row.record_id))
            .map(|row| (row.record_id.as_str(), &row.video))
            .collect();
        index.extend(&missing)?;
    }
    Ok(index)
}
