use std::collections::BTreeSet;

use adit_primitives::{Hotkey, TaskId, Uid};
use sqlx::SqliteConnection;

use super::{Columns, LONGEST_ID, LONGEST_TEXT, MOST_ROWS, Store, tasks::state_of};
use crate::{
    AverageRow, Error, ItemRow, JudgedTask, NewBatch, Result, ScoreRow, TaskState,
    sqlite::{bounded, database, finite, signed, text_of},
};

impl Store {
    /// Commits a judgement in one transaction: scores, items, averages and the batch to deliver,
    /// all or nothing. False when the task was judged before; then nothing changes.
    ///
    /// # Errors
    /// [`Error::UnknownTask`]; [`Error::NotAsked`] for a score or item of a hotkey that was not
    /// asked; [`Error::Repeated`] for two scores of one hotkey, two items of one id, or a batch id
    /// in use; [`Error::OutOfRange`] for numbers that are not finite; [`Error::TooLarge`];
    /// [`Error::Database`].
    pub async fn commit_judgement(&self, judged: &JudgedTask) -> Result<bool> {
        check_unique(judged)?;
        let mut write = self.connections.write().await?;
        if state_of(&mut write, judged.task).await? == TaskState::Judged {
            return Ok(false);
        }
        let asked = asked_of(&mut write, judged.task).await?;
        let scored = judged.scores.iter().map(|score| score.hotkey);
        let itemised = judged.items.iter().map(|item| item.hotkey);
        if let Some(hotkey) = scored
            .chain(itemised)
            .find(|hotkey| !asked.contains(hotkey))
        {
            return Err(Error::NotAsked {
                task: judged.task,
                hotkey,
            });
        }
        sqlx::query("UPDATE tasks SET state = 'judged', judged_at_ms = ?2, judged_policy = ?3 WHERE task = ?1")
            .bind(judged.task.to_string())
            .bind(signed("judged_at_ms", judged.judged_at_ms)?)
            .bind(bounded("policy", judged.policy.clone(), LONGEST_TEXT)?)
            .execute(&mut *write)
            .await
            .map_err(database("storing a judgement"))?;
        for score in &judged.scores {
            insert_score(&mut write, judged.task, score).await?;
        }
        for item in &judged.items {
            insert_item(&mut write, judged.task, item).await?;
        }
        for average in &judged.averages {
            put_average(&mut write, average).await?;
        }
        if let Some(batch) = &judged.batch {
            insert_batch(&mut write, judged.task, batch).await?;
        }
        write
            .commit()
            .await
            .map_err(database("storing a judgement"))?;
        Ok(true)
    }

    /// Every moving average, in the order of hotkeys as text; at most 10,000.
    ///
    /// # Errors
    /// [`Error::Stored`], [`Error::Database`].
    pub async fn averages(&self) -> Result<Vec<AverageRow>> {
        let rows = sqlx::query("SELECT * FROM averages ORDER BY hotkey LIMIT ?1")
            .bind(i64::from(MOST_ROWS))
            .fetch_all(self.connections.reader())
            .await
            .map_err(database("reading averages"))?;
        let average = |row| {
            let row = Columns(row);
            Ok(AverageRow {
                hotkey: row.parsed("hotkey")?,
                uid: Uid(row.number("uid")?),
                value: row.real("value")?,
                updated_at_ms: row.number("updated_at_ms")?,
            })
        };
        rows.iter().map(average).collect()
    }

    /// Forgets the averages of hotkeys that are no longer registered. Answers how many there were.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn remove_averages(&self, hotkeys: &[Hotkey]) -> Result<u64> {
        let mut write = self.connections.write().await?;
        let mut removed = 0;
        for hotkey in hotkeys {
            let done = sqlx::query("DELETE FROM averages WHERE hotkey = ?1")
                .bind(hotkey.to_string())
                .execute(&mut *write)
                .await
                .map_err(database("removing an average"))?;
            removed += done.rows_affected();
        }
        write
            .commit()
            .await
            .map_err(database("removing averages"))?;
        Ok(removed)
    }
}

fn check_unique(judged: &JudgedTask) -> Result<()> {
    let mut hotkeys = BTreeSet::new();
    if let Some(score) = judged
        .scores
        .iter()
        .find(|score| !hotkeys.insert(score.hotkey))
    {
        return Err(Error::repeated("the hotkey scored", score.hotkey));
    }
    let mut records = BTreeSet::new();
    if let Some(item) = judged
        .items
        .iter()
        .find(|item| !records.insert(&item.record_id))
    {
        return Err(Error::repeated("the item", &item.record_id));
    }
    Ok(())
}

async fn asked_of(write: &mut SqliteConnection, task: TaskId) -> Result<BTreeSet<Hotkey>> {
    let rows = sqlx::query("SELECT hotkey FROM asked WHERE task = ?1")
        .bind(task.to_string())
        .fetch_all(write)
        .await
        .map_err(database("reading who was asked"))?;
    rows.iter()
        .map(|row| Columns(row).parsed("hotkey"))
        .collect()
}

async fn insert_score(write: &mut SqliteConnection, task: TaskId, score: &ScoreRow) -> Result<()> {
    let reasons = serde_json::Value::from(score.reasons.clone());
    sqlx::query(
        "INSERT INTO scores (task, hotkey, uid, score, verdict, reasons, evidence)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )
    .bind(task.to_string())
    .bind(score.hotkey.to_string())
    .bind(i64::from(score.uid.0))
    .bind(finite("score", score.score)?)
    .bind(bounded("verdict", score.verdict.clone(), LONGEST_TEXT)?)
    .bind(text_of("reasons", &reasons)?)
    .bind(text_of("evidence", &score.evidence)?)
    .execute(write)
    .await
    .map_err(database("storing a score"))?;
    Ok(())
}

async fn insert_item(write: &mut SqliteConnection, task: TaskId, item: &ItemRow) -> Result<()> {
    let reason = item
        .reason
        .clone()
        .map(|text| bounded("reason", text, LONGEST_TEXT))
        .transpose()?;
    sqlx::query(
        "INSERT INTO items (task, record_id, hotkey, uid, accepted, reason, payload)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )
    .bind(task.to_string())
    .bind(bounded("record id", item.record_id.clone(), LONGEST_ID)?)
    .bind(item.hotkey.to_string())
    .bind(i64::from(item.uid.0))
    .bind(i64::from(item.accepted))
    .bind(reason)
    .bind(text_of("item payload", &item.payload)?)
    .execute(write)
    .await
    .map_err(database("storing an item"))?;
    Ok(())
}

async fn put_average(write: &mut SqliteConnection, average: &AverageRow) -> Result<()> {
    sqlx::query(
        "INSERT INTO averages (hotkey, uid, value, updated_at_ms) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (hotkey) DO UPDATE
         SET uid = excluded.uid, value = excluded.value, updated_at_ms = excluded.updated_at_ms",
    )
    .bind(average.hotkey.to_string())
    .bind(i64::from(average.uid.0))
    .bind(finite("average", average.value)?)
    .bind(signed("updated_at_ms", average.updated_at_ms)?)
    .execute(write)
    .await
    .map_err(database("storing an average"))?;
    Ok(())
}

async fn insert_batch(write: &mut SqliteConnection, task: TaskId, batch: &NewBatch) -> Result<()> {
    let inserted = sqlx::query(
        "INSERT INTO batches (batch_id, task, payload) VALUES (?1, ?2, ?3)
         ON CONFLICT (batch_id) DO NOTHING",
    )
    .bind(bounded("batch id", batch.batch_id.clone(), LONGEST_ID)?)
    .bind(task.to_string())
    .bind(text_of("batch payload", &batch.payload)?)
    .execute(write)
    .await
    .map_err(database("storing a batch"))?;
    match inserted.rows_affected() {
        1 => Ok(()),
        _ => Err(Error::repeated("the batch", &batch.batch_id)),
    }
}
