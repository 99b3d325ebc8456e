//! Connections, migrations and the translation of values: all that knows sqlx besides the queries.

use std::{path::Path, str::FromStr, time::Duration};

use serde_json::Value;
use sqlx::{
    SqlSafeStr as _, Sqlite, SqlitePool, Transaction,
    migrate::{Migration, MigrationType, Migrator},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use crate::{Error, Result, error::cut};

/// Largest JSON value of one column, in bytes of text: the wire's message limit, and then some for
/// the text form.
const LARGEST_PAYLOAD: usize = 64 << 20;
/// Connections that read beside the one that writes.
const READERS: u32 = 4;
/// How long another process (an audit, a backup) may hold the file before a call fails.
const BUSY: Duration = Duration::from_secs(10);

/// SQLite has one writer at a time. Giving it one connection makes writers queue here, fairly,
/// where they would otherwise spin on a locked file; readers go on meanwhile (WAL).
#[derive(Debug, Clone)]
pub(crate) struct Connections {
    writer: SqlitePool,
    reader: SqlitePool,
}

/// One migration: its number, its name, its SQL.
pub(crate) type Step = (i64, &'static str, &'static str);

impl Connections {
    pub(crate) async fn open(path: &Path, steps: &[Step]) -> Result<Self> {
        // FULL: the write-ahead log is synced at every commit, so that an acknowledged answer
        // survives a power cut and not only a kill. NORMAL would save the sync; at a few commits a
        // second it is not worth losing the last round.
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY);
        let writer = pool(1).connect_with(options.clone()).await;
        let writer = writer.map_err(database("opening the database"))?;
        migrate(&writer, path, steps).await?;
        let reader = pool(READERS)
            .connect_with(options.create_if_missing(false))
            .await;
        let reader = reader.map_err(database("opening the database"))?;
        Ok(Self { writer, reader })
    }

    /// A database that ends with its last clone.
    pub(crate) async fn in_memory(steps: &[Step]) -> Result<Self> {
        let options = SqliteConnectOptions::new()
            .in_memory(true)
            .foreign_keys(true);
        // The database lives in its connection: there must be exactly one, for ever.
        let pool = pool(1)
            .min_connections(1)
            .idle_timeout(None)
            .max_lifetime(None);
        let writer = pool
            .connect_with(options)
            .await
            .map_err(database("opening the database"))?;
        migrate(&writer, Path::new(":memory:"), steps).await?;
        Ok(Self {
            reader: writer.clone(),
            writer,
        })
    }

    pub(crate) fn reader(&self) -> &SqlitePool {
        &self.reader
    }

    /// A transaction that holds the write lock from its start; dropped, it is rolled back.
    pub(crate) async fn write(&self) -> Result<Transaction<'static, Sqlite>> {
        self.writer
            .begin_with("BEGIN IMMEDIATE")
            .await
            .map_err(database("beginning a transaction"))
    }

    pub(crate) async fn close(&self) {
        self.reader.close().await;
        self.writer.close().await;
    }
}

fn pool(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(Duration::from_secs(30))
}

async fn migrate(pool: &SqlitePool, path: &Path, steps: &[Step]) -> Result<()> {
    let migration = |(version, name, sql): &Step| {
        Migration::new(
            *version,
            (*name).into(),
            MigrationType::Simple,
            (*sql).into_sql_str(),
            false,
        )
    };
    let migrator = Migrator::with_migrations(steps.iter().map(migration).collect());
    migrator.run(pool).await.map_err(|source| Error::Schema {
        path: path.to_owned(),
        source: Box::new(source),
    })
}

/// Names what failed.
pub(crate) fn database(doing: &'static str) -> impl Fn(sqlx::Error) -> Error {
    move |source| Error::Database {
        doing,
        source: Box::new(source),
    }
}

/// A number as the signed 64 bits SQLite has.
pub(crate) fn signed(what: &'static str, value: u64) -> Result<i64> {
    i64::try_from(value).map_err(|_| Error::OutOfRange {
        what,
        value: value.to_string(),
    })
}

pub(crate) fn unsigned<N: TryFrom<i64>>(what: &'static str, value: i64) -> Result<N> {
    N::try_from(value).map_err(|_| Error::stored(what, &value.to_string(), "out of range"))
}

/// SQLite turns NaN into NULL, so it must not get that far.
pub(crate) fn finite(what: &'static str, value: f64) -> Result<f64> {
    if value.is_finite() {
        Ok(value)
    } else {
        Err(Error::OutOfRange {
            what,
            value: value.to_string(),
        })
    }
}

pub(crate) fn text_of(what: &'static str, value: &Value) -> Result<String> {
    bounded(what, value.to_string(), LARGEST_PAYLOAD)
}

pub(crate) fn bounded(what: &'static str, text: String, bound: usize) -> Result<String> {
    if text.len() <= bound {
        return Ok(text);
    }
    Err(Error::TooLarge {
        what,
        found: text.len() as u64,
        bound: bound as u64,
        unit: "bytes",
    })
}

pub(crate) fn json<T: serde::de::DeserializeOwned>(what: &'static str, text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|source| Error::Stored {
        what,
        text: cut(text),
        reason: source.to_string(),
    })
}

pub(crate) fn parsed<T: FromStr<Err: ToString>>(what: &'static str, text: &str) -> Result<T> {
    text.parse()
        .map_err(|source: T::Err| Error::stored(what, text, source))
}
