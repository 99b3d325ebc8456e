use std::collections::BTreeMap;

use adit_primitives::{Hotkey, Uid};

use super::{Columns, MOST_ROWS, Store};
use crate::{AnswerStatus, Result, ScoredRow, sqlite::database};

/// What one hotkey did, over everything stored.
#[derive(Debug, Clone, PartialEq)]
pub struct HotkeySummary {
    /// Whose.
    pub hotkey: Hotkey,
    /// Its latest uid.
    pub uid: Uid,
    /// Times it was asked.
    pub asked: u64,
    /// Answers by what became of them.
    pub answers: BTreeMap<AnswerStatus, u64>,
    /// Items kept.
    pub items_accepted: u64,
    /// Items refused, by reason; the empty text where none was given.
    pub items_refused: BTreeMap<String, u64>,
    /// Answers scored.
    pub scores: u64,
    /// Mean of those scores, 0 when there are none.
    pub mean_score: f64,
}

/// Rows of each table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TableCounts {
    /// Tasks.
    pub tasks: u64,
    /// Tasks that are judged.
    pub judged: u64,
    /// Questions asked.
    pub asked: u64,
    /// What became of questions.
    pub answers: u64,
    /// Scores.
    pub scores: u64,
    /// Items, kept or refused.
    pub items: u64,
    /// Items kept.
    pub items_accepted: u64,
    /// Moving averages.
    pub averages: u64,
    /// Batches.
    pub batches: u64,
    /// Batches delivered.
    pub batches_delivered: u64,
    /// Attempts to set weights.
    pub weights: u64,
    /// Settings.
    pub settings: u64,
}

impl Store {
    /// What each hotkey that was ever asked did, in the order of hotkeys as text.
    ///
    /// # Errors
    /// [`Error::Stored`](crate::Error::Stored), [`Error::Database`](crate::Error::Database).
    pub async fn summary(&self) -> Result<Vec<HotkeySummary>> {
        // One snapshot, so that the sums agree with each other while rounds go on.
        let mut read = self
            .connections
            .reader()
            .begin()
            .await
            .map_err(database("reading the summary"))?;
        // With a bare column beside max(), SQLite takes it from the row of the maximum.
        let rows = sqlx::query(
            "SELECT hotkey, uid, max(task) AS latest, count(*) AS asked FROM asked GROUP BY hotkey",
        )
        .fetch_all(&mut *read)
        .await
        .map_err(database("reading the summary"))?;
        let mut summaries = BTreeMap::new();
        for row in &rows {
            let row = Columns(row);
            let summary = HotkeySummary {
                hotkey: row.parsed("hotkey")?,
                uid: Uid(row.number("uid")?),
                asked: row.number("asked")?,
                answers: BTreeMap::new(),
                items_accepted: 0,
                items_refused: BTreeMap::new(),
                scores: 0,
                mean_score: 0.0,
            };
            summaries.insert(row.text("hotkey")?, summary);
        }
        let rows = sqlx::query(
            "SELECT hotkey, status, count(*) AS rows FROM answers GROUP BY hotkey, status",
        )
        .fetch_all(&mut *read)
        .await
        .map_err(database("reading the summary"))?;
        for row in &rows {
            let row = Columns(row);
            if let Some(summary) = summaries.get_mut(&row.text("hotkey")?) {
                summary
                    .answers
                    .insert(row.parsed("status")?, row.number("rows")?);
            }
        }
        let rows = sqlx::query(
            "SELECT hotkey, accepted, coalesce(reason, '') AS reason, count(*) AS rows
             FROM items GROUP BY hotkey, accepted, reason",
        )
        .fetch_all(&mut *read)
        .await
        .map_err(database("reading the summary"))?;
        for row in &rows {
            let row = Columns(row);
            let count: u64 = row.number("rows")?;
            if let Some(summary) = summaries.get_mut(&row.text("hotkey")?) {
                match row.integer("accepted")? {
                    0 => {
                        *summary
                            .items_refused
                            .entry(row.text("reason")?)
                            .or_default() += count
                    }
                    _ => summary.items_accepted += count,
                }
            }
        }
        let rows = sqlx::query(
            "SELECT hotkey, count(*) AS rows, avg(score) AS mean FROM scores GROUP BY hotkey",
        )
        .fetch_all(&mut *read)
        .await
        .map_err(database("reading the summary"))?;
        for row in &rows {
            let row = Columns(row);
            if let Some(summary) = summaries.get_mut(&row.text("hotkey")?) {
                summary.scores = row.number("rows")?;
                summary.mean_score = row.real("mean")?;
            }
        }
        Ok(summaries.into_values().collect())
    }

    /// Stored scores in the order they were committed, those after sequence number `after`; at most
    /// `limit`, and never more than 10,000.
    ///
    /// # Errors
    /// [`Error::Stored`](crate::Error::Stored), [`Error::Database`](crate::Error::Database).
    pub async fn scores_page(&self, after: Option<u64>, limit: u32) -> Result<Vec<ScoredRow>> {
        let after = after.map_or(0, |after| i64::try_from(after).unwrap_or(i64::MAX));
        let rows = sqlx::query(
            "SELECT scores.*, tasks.judged_policy, tasks.judged_at_ms
             FROM scores JOIN tasks USING (task)
             WHERE scores.sequence > ?1 ORDER BY scores.sequence LIMIT ?2",
        )
        .bind(after)
        .bind(i64::from(limit.min(MOST_ROWS)))
        .fetch_all(self.connections.reader())
        .await
        .map_err(database("reading scores"))?;
        let scored = |row| {
            let row = Columns(row);
            Ok(ScoredRow {
                sequence: row.number("sequence")?,
                task: row.parsed("task")?,
                uid: Uid(row.number("uid")?),
                hotkey: row.parsed("hotkey")?,
                policy: row.text("judged_policy")?,
                judged_at_ms: row.number("judged_at_ms")?,
                score: row.real("score")?,
                verdict: row.text("verdict")?,
                reasons: row.json("reasons")?,
                evidence: row.json("evidence")?,
            })
        };
        rows.iter().map(scored).collect()
    }

    /// Rows of each table.
    ///
    /// # Errors
    /// [`Error::Database`](crate::Error::Database).
    pub async fn counts(&self) -> Result<TableCounts> {
        let row = sqlx::query(
            "SELECT (SELECT count(*) FROM tasks) AS tasks,
                    (SELECT count(*) FROM tasks WHERE state = 'judged') AS judged,
                    (SELECT count(*) FROM asked) AS asked,
                    (SELECT count(*) FROM answers) AS answers,
                    (SELECT count(*) FROM scores) AS scores,
                    (SELECT count(*) FROM items) AS items,
                    (SELECT count(*) FROM items WHERE accepted = 1) AS items_accepted,
                    (SELECT count(*) FROM averages) AS averages,
                    (SELECT count(*) FROM batches) AS batches,
                    (SELECT count(*) FROM batches WHERE delivered_at_ms IS NOT NULL) AS batches_delivered,
                    (SELECT count(*) FROM weights) AS weights,
                    (SELECT count(*) FROM settings) AS settings",
        )
        .fetch_one(self.connections.reader())
        .await
        .map_err(database("counting rows"))?;
        let row = Columns(&row);
        Ok(TableCounts {
            tasks: row.number("tasks")?,
            judged: row.number("judged")?,
            asked: row.number("asked")?,
            answers: row.number("answers")?,
            scores: row.number("scores")?,
            items: row.number("items")?,
            items_accepted: row.number("items_accepted")?,
            averages: row.number("averages")?,
            batches: row.number("batches")?,
            batches_delivered: row.number("batches_delivered")?,
            weights: row.number("weights")?,
            settings: row.number("settings")?,
        })
    }
}
