use adit_primitives::{TaskId, Uid};
use sqlx::sqlite::SqliteRow;

use super::{Columns, LONGEST_TEXT, Store, tasks::state_of};
use crate::{
    AnswerRow, Error, Result, TaskState,
    sqlite::{bounded, database, signed, text_of},
};

impl Store {
    /// Stores what became of one question. False when this hotkey's answer is already there, or
    /// the task has been judged; then nothing changes.
    ///
    /// # Errors
    /// [`Error::UnknownTask`], [`Error::NotAsked`], [`Error::TooLarge`], [`Error::OutOfRange`],
    /// [`Error::Database`].
    pub async fn record_answer(&self, answer: &AnswerRow) -> Result<bool> {
        let payload = answer
            .payload
            .as_ref()
            .map(|value| text_of("answer payload", value))
            .transpose()?;
        let detail = answer
            .detail
            .clone()
            .map(|text| bounded("answer detail", text, LONGEST_TEXT))
            .transpose()?;
        let (task, hotkey) = (answer.task.to_string(), answer.hotkey.to_string());
        let mut write = self.connections.write().await?;
        if state_of(&mut write, answer.task).await? == TaskState::Judged {
            return Ok(false);
        }
        let asked = sqlx::query("SELECT 1 FROM asked WHERE task = ?1 AND hotkey = ?2")
            .bind(&task)
            .bind(&hotkey)
            .fetch_optional(&mut *write)
            .await
            .map_err(database("reading who was asked"))?;
        if asked.is_none() {
            return Err(Error::NotAsked {
                task: answer.task,
                hotkey: answer.hotkey,
            });
        }
        let inserted = sqlx::query(
            "INSERT INTO answers
                 (task, hotkey, uid, status, detail, payload, received_at_ms, elapsed_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT (task, hotkey) DO NOTHING",
        )
        .bind(task)
        .bind(hotkey)
        .bind(i64::from(answer.uid.0))
        .bind(answer.status.code())
        .bind(detail)
        .bind(payload)
        .bind(signed("received_at_ms", answer.received_at_ms)?)
        .bind(signed("elapsed_ms", answer.elapsed_ms)?)
        .execute(&mut *write)
        .await
        .map_err(database("storing an answer"))?;
        write
            .commit()
            .await
            .map_err(database("storing an answer"))?;
        Ok(inserted.rows_affected() == 1)
    }

    /// A task's answers in the order they were stored.
    ///
    /// # Errors
    /// [`Error::Stored`], [`Error::Database`].
    pub async fn answers(&self, task: TaskId) -> Result<Vec<AnswerRow>> {
        let rows = sqlx::query("SELECT * FROM answers WHERE task = ?1 ORDER BY sequence")
            .bind(task.to_string())
            .fetch_all(self.connections.reader())
            .await
            .map_err(database("reading answers"))?;
        rows.iter().map(answer_row).collect()
    }
}

fn answer_row(row: &SqliteRow) -> Result<AnswerRow> {
    let row = Columns(row);
    let payload = row.optional_text("payload")?;
    Ok(AnswerRow {
        task: row.parsed("task")?,
        uid: Uid(row.number("uid")?),
        hotkey: row.parsed("hotkey")?,
        status: row.parsed("status")?,
        detail: row.optional_text("detail")?,
        payload: payload
            .map(|text| crate::sqlite::json("payload", &text))
            .transpose()?,
        received_at_ms: row.number("received_at_ms")?,
        elapsed_ms: row.number("elapsed_ms")?,
    })
}
