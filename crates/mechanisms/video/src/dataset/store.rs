use std::{
    collections::HashSet,
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

/// Longest record id, in bytes: what the index can hold.
const LONGEST_ID: usize = 256;

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
        let folder = config.folder.clone();
        let opened = spawn_blocking(move || -> Result<_> {
            let index = open_index(&state.join("video.index"), &spaces)?;
            Ok((DatasetWriter::open(&folder, spaces)?, index))
        });
        let (writer, index) = opened.await.map_err(|_| Error::Interrupted("dataset"))??;
        ledger.reconcile(writer.last_sequence()).await?;
        let waiting = ledger.unflushed(u32::MAX).await?;
        let waiting: Vec<DatasetRow> = waiting.into_iter().map(|waiting| waiting.row).collect();
        let rows = ledger.totals().await?.rows;
        let completed = spawn_blocking(move || -> Result<_> {
            let index = complete(index, &writer, &waiting, rows)?;
            Ok((writer, index))
        });
        let (writer, index) = completed
            .await
            .map_err(|_| Error::Interrupted("dataset"))??;
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
    /// [`Error::Storage`]: see [`Ledger::submit`]; [`Error::Record`] for a record id of more than
    /// 256 bytes.
    pub async fn submit(
        &self,
        batch_id: &str,
        validator: &Hotkey,
        rows: Vec<DatasetRow>,
    ) -> Result<Receipt> {
        // The ledger takes longer ids than the index, which then could never hold the record.
        if let Some(place) = rows.iter().position(|row| row.record_id.len() > LONGEST_ID) {
            return Err(Error::Record {
                place,
                reason: format!("its id has more than {LONGEST_ID} bytes"),
            });
        }
        let receipt = self
            .ledger
            .submit(batch_id, validator, &rows, self.clock.unix_millis())
            .await?;
        let index = Arc::clone(&self.index);
        // Also for a repeated batch: its first submission may have died right here.
        let indexed = spawn_blocking(move || {
            let mut index = index.lock().unwrap_or_else(PoisonError::into_inner);
            add_missing(&mut index, &rows)
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
            let mut ids = path.as_os_str().to_owned();
            ids.push(".ids");
            for file in [path.to_owned(), PathBuf::from(ids)] {
                match std::fs::remove_file(&file) {
                    Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                        return Err(Error::Folder { path: file, source });
                    }
                    _ => {}
                }
            }
            Ok(ExactIndex::open(
                path,
                spaces.video.clone(),
                ElementType::F32,
            )?)
        }
        opened => Ok(opened?),
    }
}

/// Adds what the index lacks of `rows` rows in all: first those that wait for a shard, then, should
/// it still be short, those of the shards.
fn complete(
    mut index: ExactIndex,
    writer: &DatasetWriter,
    waiting: &[DatasetRow],
    rows: u64,
) -> Result<ExactIndex> {
    add_missing(&mut index, waiting)?;
    if index.len() as u64 >= rows || writer.shards().is_empty() {
        return Ok(index);
    }
    let reader = DatasetReader::open(writer.folder())?;
    for shard in reader.shards() {
        add_missing(&mut index, &reader.rows(shard)?)?;
    }
    Ok(index)
}

/// Adds the vectors of rows whose ids the index lacks; as in the ledger, the first row of an id
/// counts and no later one replaces it.
fn add_missing(index: &mut ExactIndex, rows: &[DatasetRow]) -> Result<(), StorageError> {
    let mut new = HashSet::new();
    let missing: Vec<(&str, &Embedding)> = rows
        .iter()
        .filter(|row| !index.contains(&row.record_id) && new.insert(row.record_id.as_str()))
        .map(|row| (row.record_id.as_str(), &row.video))
        .collect();
    index.extend(&missing)?;
    Ok(())
}
