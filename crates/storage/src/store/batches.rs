use serde_json::Value;

use super::{Columns, LONGEST_TEXT, Store};
use crate::{
    BatchRow, Error, Result,
    error::cut,
    sqlite::{database, signed, text_of},
};

impl Store {
    /// Batches not delivered yet, oldest first; at most 16, so that a long outage does not end in
    /// one enormous read: call it again when they are delivered.
    ///
    /// # Errors
    /// [`Error::Stored`], [`Error::Database`].
    pub async fn pending_batches(&self) -> Result<Vec<BatchRow>> {
        let rows = sqlx::query(
            "SELECT * FROM batches WHERE delivered_at_ms IS NULL ORDER BY sequence LIMIT 16",
        )
        .fetch_all(self.connections.reader())
        .await
        .map_err(database("reading the batches to deliver"))?;
        let batch = |row| {
            let row = Columns(row);
            Ok(BatchRow {
                batch_id: row.text("batch_id")?,
                task: row.parsed("task")?,
                payload: row.json("payload")?,
                failures: row.number("failures")?,
                last_failure: row.optional_text("last_failure")?,
                failed_at_ms: row.optional_number("failed_at_ms")?,
            })
        };
        rows.iter().map(batch).collect()
    }

    /// Marks a batch as delivered, with the receiver's receipt. False when it was before; then
    /// nothing changes.
    ///
    /// # Errors
    /// [`Error::UnknownBatch`], [`Error::TooLarge`], [`Error::OutOfRange`], [`Error::Database`].
    pub async fn mark_delivered(
        &self,
        batch_id: &str,
        receipt: &Value,
        at_ms: u64,
    ) -> Result<bool> {
        let mut write = self.connections.write().await?;
        let marked = sqlx::query(
            "UPDATE batches SET delivered_at_ms = ?2, receipt = ?3
             WHERE batch_id = ?1 AND delivered_at_ms IS NULL",
        )
        .bind(batch_id)
        .bind(signed("delivered_at_ms", at_ms)?)
        .bind(text_of("receipt", receipt)?)
        .execute(&mut *write)
        .await
        .map_err(database("marking a batch as delivered"))?;
        if marked.rows_affected() == 0 {
            require_batch(&mut write, batch_id).await?;
            return Ok(false);
        }
        write
            .commit()
            .await
            .map_err(database("marking a batch as delivered"))?;
        Ok(true)
    }

    /// Counts a failed delivery and keeps its reason (the first 1,000 characters). False when the
    /// batch has been delivered meanwhile; then nothing changes.
    ///
    /// # Errors
    /// [`Error::UnknownBatch`], [`Error::OutOfRange`], [`Error::Database`].
    pub async fn record_delivery_failure(
        &self,
        batch_id: &str,
        reason: &str,
        at_ms: u64,
    ) -> Result<bool> {
        let mut write = self.connections.write().await?;
        let reason: String = reason.chars().take(LONGEST_TEXT / 4).collect();
        let marked = sqlx::query(
            "UPDATE batches SET failures = failures + 1, last_failure = ?2, failed_at_ms = ?3
             WHERE batch_id = ?1 AND delivered_at_ms IS NULL",
        )
        .bind(batch_id)
        .bind(reason)
        .bind(signed("failed_at_ms", at_ms)?)
        .execute(&mut *write)
        .await
        .map_err(database("storing a failed delivery"))?;
        if marked.rows_affected() == 0 {
            require_batch(&mut write, batch_id).await?;
            return Ok(false);
        }
        write
            .commit()
            .await
            .map_err(database("storing a failed delivery"))?;
        Ok(true)
    }
}

async fn require_batch(write: &mut sqlx::SqliteConnection, batch_id: &str) -> Result<()> {
    let row = sqlx::query("SELECT 1 FROM batches WHERE batch_id = ?1")
        .bind(batch_id)
        .fetch_optional(write)
        .await
        .map_err(database("reading a batch"))?;
    match row {
        Some(_) => Ok(()),
        None => Err(Error::UnknownBatch {
            batch_id: cut(batch_id),
        }),
    }
}
