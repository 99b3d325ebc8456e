//! A validator's state.

mod answers;
mod batches;
mod judgement;
mod reports;
mod tasks;
mod weights;

use std::path::Path;

use sqlx::Row as _;

use crate::{
    Result,
    sqlite::{Connections, Step, bounded, database, unsigned},
};

pub use reports::{HotkeySummary, TableCounts};

const STEPS: &[Step] = &[(
    1,
    "state",
    include_str!("../migrations/state/0001_state.sql"),
)];

/// Longest short text (a name, a code, a reason), in bytes.
const LONGEST_TEXT: usize = 4096;
/// Longest id, in bytes.
const LONGEST_ID: usize = 256;
/// Most rows one call reads back, whatever its caller asks for.
const MOST_ROWS: u32 = 10_000;

/// A validator's state in one SQLite file: tasks, answers, judgements, averages, deliveries and
/// weights.
///
/// Every write is one transaction, synced to disk before it is acknowledged, and idempotent by its
/// key: a process killed at any instant finds each write whole or not at all, and may simply repeat
/// what it is unsure of. A clone shares the connections. One process writes; others may read.
#[derive(Debug, Clone)]
pub struct Store {
    connections: Connections,
}

impl Store {
    /// Opens or creates the file and brings its schema up to date.
    ///
    /// # Errors
    /// [`Error::Database`](crate::Error::Database) when the file cannot be opened,
    /// [`Error::Schema`](crate::Error::Schema) when it comes from a newer release.
    pub async fn open(path: &Path) -> Result<Self> {
        let connections = Connections::open(path, STEPS).await?;
        tracing::debug!(path = %path.display(), "state opened");
        Ok(Self { connections })
    }

    /// A store that ends with its last clone, for tests.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn in_memory() -> Result<Self> {
        Ok(Self {
            connections: Connections::in_memory(STEPS).await?,
        })
    }

    /// Waits for what is under way and closes the file, for every clone.
    pub async fn close(&self) {
        self.connections.close().await;
    }

    /// Stores a small value under a name, in place of an earlier one; each at most 4,096 bytes.
    ///
    /// # Errors
    /// [`Error::TooLarge`](crate::Error::TooLarge), [`Error::Database`](crate::Error::Database).
    pub async fn put_setting(&self, name: &str, value: &str) -> Result<()> {
        let name = bounded("setting name", name.to_owned(), LONGEST_TEXT)?;
        let value = bounded("setting", value.to_owned(), LONGEST_TEXT)?;
        let mut write = self.connections.write().await?;
        sqlx::query(
            "INSERT INTO settings (name, value) VALUES (?1, ?2)
             ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        )
        .bind(name)
        .bind(value)
        .execute(&mut *write)
        .await
        .map_err(database("storing a setting"))?;
        write.commit().await.map_err(database("storing a setting"))
    }

    /// The value stored under a name.
    ///
    /// # Errors
    /// [`Error::Database`](crate::Error::Database).
    pub async fn setting(&self, name: &str) -> Result<Option<String>> {
        let row = sqlx::query("SELECT value FROM settings WHERE name = ?1")
            .bind(name)
            .fetch_optional(self.connections.reader())
            .await
            .map_err(database("reading a setting"))?;
        row.map(|row| row.try_get(0).map_err(database("reading a setting")))
            .transpose()
    }
}

/// Reads columns by name, so that a query's order of columns carries no meaning.
pub(crate) struct Columns<'a>(pub(crate) &'a sqlx::sqlite::SqliteRow);

impl Columns<'_> {
    pub(crate) fn text(&self, name: &'static str) -> Result<String> {
        self.0.try_get(name).map_err(database("reading a column"))
    }

    pub(crate) fn optional_text(&self, name: &'static str) -> Result<Option<String>> {
        self.0.try_get(name).map_err(database("reading a column"))
    }

    pub(crate) fn integer(&self, name: &'static str) -> Result<i64> {
        self.0.try_get(name).map_err(database("reading a column"))
    }

    pub(crate) fn real(&self, name: &'static str) -> Result<f64> {
        self.0.try_get(name).map_err(database("reading a column"))
    }

    pub(crate) fn number<N: TryFrom<i64>>(&self, name: &'static str) -> Result<N> {
        unsigned(name, self.integer(name)?)
    }

    pub(crate) fn optional_number<N: TryFrom<i64>>(&self, name: &'static str) -> Result<Option<N>> {
        let value: Option<i64> = self.0.try_get(name).map_err(database("reading a column"))?;
        value.map(|value| unsigned(name, value)).transpose()
    }

    pub(crate) fn parsed<T: std::str::FromStr<Err: ToString>>(
        &self,
        name: &'static str,
    ) -> Result<T> {
        crate::sqlite::parsed(name, &self.text(name)?)
    }

    pub(crate) fn json<T: serde::de::DeserializeOwned>(&self, name: &'static str) -> Result<T> {
        crate::sqlite::json(name, &self.text(name)?)
    }
}
