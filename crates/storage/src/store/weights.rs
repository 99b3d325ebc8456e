use adit_primitives::{Block, NetUid};

use super::{Columns, LONGEST_TEXT, MOST_ROWS, Store};
use crate::{
    Result, WeightsRow,
    sqlite::{bounded, database, signed, text_of},
};

impl Store {
    /// Stores an attempt to set weights. False when one of the same subnet and time is there; then
    /// nothing changes.
    ///
    /// # Errors
    /// [`Error::TooLarge`](crate::Error::TooLarge), [`Error::OutOfRange`](crate::Error::OutOfRange),
    /// [`Error::Database`](crate::Error::Database).
    pub async fn record_weights(&self, row: &WeightsRow) -> Result<bool> {
        let pairs = row.weights.pairs().iter();
        let weights = serde_json::Value::from_iter(pairs.map(|(uid, weight)| vec![uid.0, *weight]));
        let extrinsic = row
            .extrinsic
            .clone()
            .map(|text| bounded("extrinsic", text, LONGEST_TEXT))
            .transpose()?;
        let mut write = self.connections.write().await?;
        let inserted = sqlx::query(
            "INSERT INTO weights (netuid, block, weights, outcome, detail, extrinsic, at_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (netuid, at_ms) DO NOTHING",
        )
        .bind(i64::from(row.netuid.0))
        .bind(
            row.block
                .map(|block| signed("block", block.0))
                .transpose()?,
        )
        .bind(text_of("weights", &weights)?)
        .bind(bounded("outcome", row.outcome.clone(), LONGEST_TEXT)?)
        .bind(bounded("detail", row.detail.clone(), LONGEST_TEXT)?)
        .bind(extrinsic)
        .bind(signed("at_ms", row.at_ms)?)
        .execute(&mut *write)
        .await
        .map_err(database("storing weights"))?;
        write.commit().await.map_err(database("storing weights"))?;
        Ok(inserted.rows_affected() == 1)
    }

    /// The latest attempts to set weights, newest first; at most `limit`, and never more than
    /// 10,000.
    ///
    /// # Errors
    /// [`Error::Stored`](crate::Error::Stored), [`Error::Database`](crate::Error::Database).
    pub async fn weights_history(&self, limit: u32) -> Result<Vec<WeightsRow>> {
        let rows = sqlx::query("SELECT * FROM weights ORDER BY sequence DESC LIMIT ?1")
            .bind(i64::from(limit.min(MOST_ROWS)))
            .fetch_all(self.connections.reader())
            .await
            .map_err(database("reading weights"))?;
        let weights = |row| {
            let row = Columns(row);
            Ok(WeightsRow {
                netuid: NetUid(row.number("netuid")?),
                block: row.optional_number("block")?.map(Block),
                weights: row.json("weights")?,
                outcome: row.text("outcome")?,
                detail: row.text("detail")?,
                extrinsic: row.optional_text("extrinsic")?,
                at_ms: row.number("at_ms")?,
            })
        };
        rows.iter().map(weights).collect()
    }
}
