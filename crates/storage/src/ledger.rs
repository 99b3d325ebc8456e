//! The intake of a dataset.

mod packed;

use std::path::Path;

use adit_primitives::Hotkey;
use sqlx::{Row as _, SqliteConnection};

use crate::{
    DatasetRow, DatasetSpaces, Error, Result,
    sqlite::{Connections, Step, bounded, database, json, signed},
    store::Columns,
};

const STEPS: &[Step] = &[(
    1,
    "ledger",
    include_str!("../migrations/ledger/0001_ledger.sql"),
)];

/// Most records of one batch.
const MOST_RECORDS: usize = 16_384;
/// Longest batch id, in bytes.
const LONGEST_ID: usize = 256;

/// The intake of a dataset in one SQLite file: every batch counts once, every record enters once
/// and gets a sequence number (1, 2, 3 … without gaps), and waits here until the dataset holds it.
///
/// The dataset's manifest is the authority on what has been handed over: call
/// [`reconcile`](Self::reconcile) with its last sequence number at start, and a crash between a
/// shard's commit and [`mark_flushed`](Self::mark_flushed) neither writes a record twice nor loses
/// one. A clone shares the connections.
#[derive(Debug, Clone)]
pub struct Ledger {
    connections: Connections,
    spaces: DatasetSpaces,
}

/// What became of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// Records stored by its first submission.
    pub stored: u64,
    /// Records left out because their id was there before.
    pub duplicates: u64,
    /// Whether this repeats an earlier receipt and nothing was stored now.
    pub replayed: bool,
}

/// A record and its place in the dataset.
#[derive(Debug, Clone, PartialEq)]
pub struct SequencedRow {
    /// Its sequence number, from 1.
    pub sequence: u64,
    /// The record.
    pub row: DatasetRow,
}

/// What a ledger has taken in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LedgerTotals {
    /// Records.
    pub rows: u64,
    /// Milliseconds of video.
    pub duration_ms: u64,
    /// Different source addresses.
    pub unique_sources: u64,
    /// Batches.
    pub batches: u64,
    /// Records the dataset holds.
    pub flushed: u64,
}

impl Ledger {
    /// Opens or creates the file.
    ///
    /// # Errors
    /// [`Error::SpaceMismatch`] when it was made for other spaces, [`Error::Database`],
    /// [`Error::Schema`].
    pub async fn open(path: &Path, spaces: DatasetSpaces) -> Result<Self> {
        Self::over(Connections::open(path, STEPS).await?, spaces).await
    }

    /// A ledger that ends with its last clone, for tests.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn in_memory(spaces: DatasetSpaces) -> Result<Self> {
        Self::over(Connections::in_memory(STEPS).await?, spaces).await
    }

    async fn over(connections: Connections, spaces: DatasetSpaces) -> Result<Self> {
        let text =
            serde_json::to_string(&spaces).map_err(|error| Error::stored("spaces", "", error))?;
        let mut write = connections.write().await?;
        sqlx::query(
            "INSERT INTO facts (name, value) VALUES ('spaces', ?1) ON CONFLICT (name) DO NOTHING",
        )
        .bind(text)
        .execute(&mut *write)
        .await
        .map_err(database("storing the spaces"))?;
        let row = sqlx::query("SELECT value FROM facts WHERE name = 'spaces'")
            .fetch_one(&mut *write)
            .await
            .map_err(database("reading the spaces"))?;
        let held: DatasetSpaces = json("spaces", &Columns(&row).text("value")?)?;
        write
            .commit()
            .await
            .map_err(database("storing the spaces"))?;
        held.require(&spaces)?;
        Ok(Self {
            connections,
            spaces,
        })
    }

    /// The spaces of its records' vectors.
    pub fn spaces(&self) -> &DatasetSpaces {
        &self.spaces
    }

    /// Waits for what is under way and closes the file, for every clone.
    pub async fn close(&self) {
        self.connections.close().await;
    }

    /// Takes a batch in, all or nothing. The same batch of the same validator again answers with
    /// the first receipt and changes nothing.
    ///
    /// # Errors
    /// [`Error::BatchConflict`] when this validator used the batch id for other contents;
    /// [`Error::Row`] and [`Error::SpaceMismatch`] for records that break the dataset's rules;
    /// [`Error::TooLarge`] for more than 16,384 records or an id of more than 256 bytes;
    /// [`Error::OutOfRange`]; [`Error::Database`].
    pub async fn submit(
        &self,
        batch_id: &str,
        validator: &Hotkey,
        rows: &[DatasetRow],
        at_ms: u64,
    ) -> Result<Receipt> {
        let batch_id = bounded("the batch id", batch_id.to_owned(), LONGEST_ID)?;
        if rows.len() > MOST_RECORDS {
            let (found, bound) = (rows.len() as u64, MOST_RECORDS as u64);
            return Err(Error::TooLarge {
                what: "the batch",
                found,
                bound,
                unit: "records",
            });
        }
        let mut hasher = blake3::Hasher::new();
        let mut packed = Vec::with_capacity(rows.len());
        for row in rows {
            self.spaces.check(row)?;
            let bytes = packed::pack(row)?;
            hasher
                .update(&(bytes.len() as u64).to_le_bytes())
                .update(&bytes);
            packed.push(bytes);
        }
        let hash = hasher.finalize().as_bytes().to_vec();
        let mut write = self.connections.write().await?;
        if let Some((held, receipt)) = earlier(&mut write, &batch_id, validator).await? {
            return if held == hash {
                Ok(receipt)
            } else {
                Err(Error::BatchConflict { batch_id })
            };
        }
        let mut stored = 0_u64;
        for (row, bytes) in rows.iter().zip(packed) {
            stored += u64::from(insert(&mut write, row, bytes).await?);
        }
        let receipt = Receipt {
            stored,
            duplicates: rows.len() as u64 - stored,
            replayed: false,
        };
        sqlx::query(
            "INSERT INTO batches (batch_id, validator, blake3, stored, duplicates, at_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )
        .bind(batch_id)
        .bind(validator.to_string())
        .bind(hash)
        .bind(signed("stored", receipt.stored)?)
        .bind(signed("duplicates", receipt.duplicates)?)
        .bind(signed("at_ms", at_ms)?)
        .execute(&mut *write)
        .await
        .map_err(database("storing a batch"))?;
        sqlx::query("UPDATE sums SET batches = batches + 1")
            .execute(&mut *write)
            .await
            .map_err(database("storing a batch"))?;
        write.commit().await.map_err(database("storing a batch"))?;
        Ok(receipt)
    }

    /// The records the dataset does not hold yet, by sequence number, at most `limit`.
    ///
    /// # Errors
    /// [`Error::Stored`], [`Error::Database`].
    pub async fn unflushed(&self, limit: u32) -> Result<Vec<SequencedRow>> {
        let rows = sqlx::query(
            "SELECT sequence, record FROM records, sums
             WHERE sequence > flushed ORDER BY sequence LIMIT ?1",
        )
        .bind(i64::from(limit.min(MOST_RECORDS as u32)))
        .fetch_all(self.connections.reader())
        .await
        .map_err(database("reading the records to flush"))?;
        let sequenced = |row| -> Result<SequencedRow> {
            let columns = Columns(row);
            let bytes: Option<Vec<u8>> = row
                .try_get("record")
                .map_err(database("reading a record"))?;
            let sequence: u64 = columns.number("sequence")?;
            let bytes = bytes
                .ok_or_else(|| Error::stored("record", &sequence.to_string(), "it is missing"))?;
            Ok(SequencedRow {
                sequence,
                row: packed::unpack(&bytes, &self.spaces)?,
            })
        };
        rows.iter().map(sequenced).collect()
    }

    /// Notes that the dataset holds every record up to this sequence number; the ledger keeps their
    /// ids and forgets the rest. A number marked before changes nothing.
    ///
    /// # Errors
    /// [`Error::LedgerBehind`] for a number never given out, [`Error::Database`].
    pub async fn mark_flushed(&self, up_to_sequence: u64) -> Result<()> {
        let mut write = self.connections.write().await?;
        let (ledger, flushed) = last_and_flushed(&mut write).await?;
        if up_to_sequence > ledger {
            return Err(Error::LedgerBehind {
                dataset: up_to_sequence,
                ledger,
            });
        }
        if up_to_sequence <= flushed {
            return Ok(());
        }
        let up_to = signed("sequence", up_to_sequence)?;
        sqlx::query("UPDATE records SET record = NULL WHERE sequence > ?1 AND sequence <= ?2")
            .bind(signed("sequence", flushed)?)
            .bind(up_to)
            .execute(&mut *write)
            .await
            .map_err(database("marking records as flushed"))?;
        sqlx::query("UPDATE sums SET flushed = ?1")
            .bind(up_to)
            .execute(&mut *write)
            .await
            .map_err(database("marking records as flushed"))?;
        write
            .commit()
            .await
            .map_err(database("marking records as flushed"))
    }

    /// At start: brings the ledger up to what the dataset's manifest says it holds.
    ///
    /// # Errors
    /// [`Error::LedgerBehind`] when the dataset holds records this ledger never gave out,
    /// [`Error::DatasetBehind`] when the dataset lost records it was known to hold: the two do not
    /// belong together, and a person must look. [`Error::Database`].
    pub async fn reconcile(&self, dataset_last_sequence: u64) -> Result<()> {
        let mut read = self.connections.write().await?;
        let (_, flushed) = last_and_flushed(&mut read).await?;
        drop(read);
        if dataset_last_sequence < flushed {
            return Err(Error::DatasetBehind {
                dataset: dataset_last_sequence,
                ledger: flushed,
            });
        }
        if dataset_last_sequence > flushed {
            tracing::info!(
                flushed,
                dataset_last_sequence,
                "a shard was committed just before the last end"
            );
        }
        self.mark_flushed(dataset_last_sequence).await
    }

    /// What has been taken in.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn totals(&self) -> Result<LedgerTotals> {
        let row = sqlx::query("SELECT * FROM sums")
            .fetch_one(self.connections.reader())
            .await
            .map_err(database("reading totals"))?;
        let row = Columns(&row);
        Ok(LedgerTotals {
            rows: row.number("records")?,
            duration_ms: row.number("duration_ms")?,
            unique_sources: row.number("sources")?,
            batches: row.number("batches")?,
            flushed: row.number("flushed")?,
        })
    }
}

async fn earlier(
    write: &mut SqliteConnection,
    batch_id: &str,
    validator: &Hotkey,
) -> Result<Option<(Vec<u8>, Receipt)>> {
    let row = sqlx::query(
        "SELECT blake3, stored, duplicates FROM batches WHERE batch_id = ?1 AND validator = ?2",
    )
    .bind(batch_id)
    .bind(validator.to_string())
    .fetch_optional(write)
    .await
    .map_err(database("reading a batch"))?;
    let Some(row) = row else { return Ok(None) };
    let hash = row.try_get("blake3").map_err(database("reading a batch"))?;
    let columns = Columns(&row);
    let receipt = Receipt {
        stored: columns.number("stored")?,
        duplicates: columns.number("duplicates")?,
        replayed: true,
    };
    Ok(Some((hash, receipt)))
}

/// Whether the record is new.
async fn insert(write: &mut SqliteConnection, row: &DatasetRow, bytes: Vec<u8>) -> Result<bool> {
    let duration = signed("duration_ms", row.end_ms - row.start_ms)?;
    let known = sqlx::query("SELECT EXISTS (SELECT 1 FROM records WHERE source_url = ?1) AS known")
        .bind(&row.source_url)
        .fetch_one(&mut *write)
        .await
        .map_err(database("reading a record"))?;
    let known = Columns(&known).integer("known")?;
    let inserted = sqlx::query(
        "INSERT INTO records (sequence, record_id, source_url, duration_ms, record)
         SELECT records + 1, ?1, ?2, ?3, ?4 FROM sums WHERE true
         ON CONFLICT (record_id) DO NOTHING",
    )
    .bind(&row.record_id)
    .bind(&row.source_url)
    .bind(duration)
    .bind(bytes)
    .execute(&mut *write)
    .await
    .map_err(database("storing a record"))?;
    if inserted.rows_affected() == 0 {
        return Ok(false);
    }
    sqlx::query("UPDATE sums SET records = records + 1, duration_ms = duration_ms + ?1, sources = sources + ?2")
        .bind(duration)
        .bind(1 - known)
        .execute(write)
        .await
        .map_err(database("storing a record"))?;
    Ok(true)
}

/// The last sequence number given out, and the last one the dataset is known to hold.
async fn last_and_flushed(write: &mut SqliteConnection) -> Result<(u64, u64)> {
    let row = sqlx::query("SELECT records, flushed FROM sums")
        .fetch_one(write)
        .await
        .map_err(database("reading totals"))?;
    let row = Columns(&row);
    Ok((row.number("records")?, row.number("flushed")?))
}
