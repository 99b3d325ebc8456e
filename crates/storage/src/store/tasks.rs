use std::collections::BTreeSet;

use adit_primitives::{Hotkey, NetUid, TaskId, Uid};
use sqlx::sqlite::SqliteRow;

use super::{Columns, LONGEST_TEXT, MOST_ROWS, Store};
use crate::{
    Error, NewTask, Result, TaskRow, TaskState,
    sqlite::{bounded, database, signed, text_of},
};

/// Most hotkeys asked one task: a subnet has at most a few thousand uids.
const MOST_ASKED: usize = 65_536;

impl Store {
    /// Stores a task before anybody is asked. False when a task of this id exists; then nothing
    /// changes.
    ///
    /// # Errors
    /// [`Error::Repeated`] when a hotkey is asked twice, [`Error::TooLarge`], [`Error::OutOfRange`],
    /// [`Error::Database`].
    pub async fn begin_task(&self, task: &NewTask) -> Result<bool> {
        if task.asked.len() > MOST_ASKED {
            let (found, bound) = (task.asked.len() as u64, MOST_ASKED as u64);
            return Err(Error::TooLarge {
                what: "the list of those asked",
                found,
                bound,
                unit: "hotkeys",
            });
        }
        let mut seen = BTreeSet::new();
        if let Some((_, hotkey)) = task.asked.iter().find(|(_, hotkey)| !seen.insert(*hotkey)) {
            return Err(Error::repeated("the hotkey asked", hotkey));
        }
        let id = task.id.to_string();
        let mut write = self.connections.write().await?;
        let inserted = sqlx::query(
            "INSERT INTO tasks
                 (task, mechanism, netuid, policy, seed, payload, created_at_ms, deadline_at_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT (task) DO NOTHING",
        )
        .bind(&id)
        .bind(bounded("mechanism", task.mechanism.clone(), LONGEST_TEXT)?)
        .bind(i64::from(task.netuid.0))
        .bind(bounded("policy", task.policy.clone(), LONGEST_TEXT)?)
        .bind(task.seed.cast_signed())
        .bind(text_of("task payload", &task.payload)?)
        .bind(signed("created_at_ms", task.created_at_ms)?)
        .bind(signed("deadline_at_ms", task.deadline_at_ms)?)
        .execute(&mut *write)
        .await
        .map_err(database("storing a task"))?;
        if inserted.rows_affected() == 0 {
            return Ok(false);
        }
        for (place, (uid, hotkey)) in (0_i64..).zip(&task.asked) {
            sqlx::query("INSERT INTO asked (task, hotkey, uid, place) VALUES (?1, ?2, ?3, ?4)")
                .bind(&id)
                .bind(hotkey.to_string())
                .bind(i64::from(uid.0))
                .bind(place)
                .execute(&mut *write)
                .await
                .map_err(database("storing who is asked"))?;
        }
        write.commit().await.map_err(database("storing a task"))?;
        Ok(true)
    }

    /// Marks a task whose answers are all in as ready to be judged. False when it was closed or
    /// judged before.
    ///
    /// # Errors
    /// [`Error::UnknownTask`], [`Error::Database`].
    pub async fn close_task(&self, task: TaskId) -> Result<bool> {
        let mut write = self.connections.write().await?;
        let closed =
            sqlx::query("UPDATE tasks SET state = 'closed' WHERE task = ?1 AND state = 'open'")
                .bind(task.to_string())
                .execute(&mut *write)
                .await
                .map_err(database("closing a task"))?;
        if closed.rows_affected() == 0 {
            state_of(&mut write, task).await?;
            return Ok(false);
        }
        write.commit().await.map_err(database("closing a task"))?;
        Ok(true)
    }

    /// One task.
    ///
    /// # Errors
    /// [`Error::Stored`], [`Error::Database`].
    pub async fn task(&self, task: TaskId) -> Result<Option<TaskRow>> {
        let row = sqlx::query("SELECT * FROM tasks WHERE task = ?1")
            .bind(task.to_string())
            .fetch_optional(self.connections.reader())
            .await
            .map_err(database("reading a task"))?;
        match row {
            Some(row) => Ok(Some(self.with_asked(task_row(&row)?).await?)),
            None => Ok(None),
        }
    }

    /// Tasks that are closed or past their deadline at `now_ms` (milliseconds since the Unix epoch)
    /// and not judged yet, oldest first; at most 1,000.
    ///
    /// # Errors
    /// [`Error::Stored`], [`Error::Database`].
    pub async fn tasks_to_judge(&self, now_ms: u64) -> Result<Vec<TaskRow>> {
        let rows = sqlx::query(
            "SELECT * FROM tasks
             WHERE state <> 'judged' AND (state = 'closed' OR deadline_at_ms < ?1)
             ORDER BY created_at_ms, task LIMIT 1000",
        )
        .bind(i64::try_from(now_ms).unwrap_or(i64::MAX))
        .fetch_all(self.connections.reader())
        .await
        .map_err(database("reading the tasks to judge"))?;
        let mut tasks = Vec::with_capacity(rows.len());
        for row in &rows {
            tasks.push(self.with_asked(task_row(row)?).await?);
        }
        Ok(tasks)
    }

    /// Tasks in the order of their ids, those after `after`; at most `limit`, and never more than
    /// 10,000.
    ///
    /// # Errors
    /// [`Error::Stored`], [`Error::Database`].
    pub async fn tasks_page(&self, after: Option<TaskId>, limit: u32) -> Result<Vec<TaskRow>> {
        let rows = sqlx::query("SELECT * FROM tasks WHERE task > ?1 ORDER BY task LIMIT ?2")
            .bind(after.map(|task| task.to_string()).unwrap_or_default())
            .bind(i64::from(limit.min(MOST_ROWS)))
            .fetch_all(self.connections.reader())
            .await
            .map_err(database("reading tasks"))?;
        let mut tasks = Vec::with_capacity(rows.len());
        for row in &rows {
            tasks.push(self.with_asked(task_row(row)?).await?);
        }
        Ok(tasks)
    }

    async fn with_asked(&self, mut task: TaskRow) -> Result<TaskRow> {
        let rows = sqlx::query("SELECT uid, hotkey FROM asked WHERE task = ?1 ORDER BY place")
            .bind(task.id.to_string())
            .fetch_all(self.connections.reader())
            .await
            .map_err(database("reading who was asked"))?;
        let asked = |row: &SqliteRow| -> Result<(Uid, Hotkey)> {
            let row = Columns(row);
            Ok((Uid(row.number("uid")?), row.parsed("hotkey")?))
        };
        task.asked = rows.iter().map(asked).collect::<Result<_>>()?;
        Ok(task)
    }
}

/// How far a task has come, within a transaction.
pub(super) async fn state_of(
    connection: &mut sqlx::SqliteConnection,
    task: TaskId,
) -> Result<TaskState> {
    let row = sqlx::query("SELECT state FROM tasks WHERE task = ?1")
        .bind(task.to_string())
        .fetch_optional(connection)
        .await
        .map_err(database("reading a task"))?;
    match row {
        Some(row) => state(&Columns(&row).text("state")?),
        None => Err(Error::UnknownTask { task }),
    }
}

fn state(text: &str) -> Result<TaskState> {
    match text {
        "open" => Ok(TaskState::Open),
        "closed" => Ok(TaskState::Closed),
        "judged" => Ok(TaskState::Judged),
        _ => Err(Error::stored("state", text, "no state of a task")),
    }
}

fn task_row(row: &SqliteRow) -> Result<TaskRow> {
    let row = Columns(row);
    Ok(TaskRow {
        id: row.parsed("task")?,
        mechanism: row.text("mechanism")?,
        netuid: NetUid(row.number("netuid")?),
        policy: row.text("policy")?,
        seed: row.integer("seed")?.cast_unsigned(),
        payload: row.json("payload")?,
        created_at_ms: row.number("created_at_ms")?,
        deadline_at_ms: row.number("deadline_at_ms")?,
        asked: Vec::new(),
        state: state(&row.text("state")?)?,
        judged_at_ms: row.optional_number("judged_at_ms")?,
        judged_policy: row.optional_text("judged_policy")?,
    })
}
