use std::path::PathBuf;

use adit_embedding::Space;
use adit_primitives::{Hotkey, TaskId};

/// Why something is not stored or cannot be read back.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The database engine refuses: the disk is full, the file is locked by another process, …
    #[error("the database failed while {doing}")]
    Database {
        /// What was being done.
        doing: &'static str,
        /// What the engine said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The file was written by a newer release, or is no database of ours.
    #[error("{path} cannot be brought to this release's schema")]
    Schema {
        /// The database file.
        path: PathBuf,
        /// Which migration, and why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A stored value does not read as what it should be.
    #[error("the stored {what} {text:?} cannot be read: {reason}")]
    Stored {
        /// The column.
        what: &'static str,
        /// The value, cut at 80 characters.
        text: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A number does not fit its column: a time after the year 292 million, NaN, infinity.
    #[error("{what} {value} is out of range")]
    OutOfRange {
        /// The column.
        what: &'static str,
        /// The value.
        value: String,
    },
    /// A value is larger than its bound.
    #[error("{what} has {found} {unit}, the bound is {bound}")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// Its size.
        found: u64,
        /// The largest size allowed.
        bound: u64,
        /// What is counted.
        unit: &'static str,
    },
    /// The task was never begun.
    #[error("task {task} is unknown")]
    UnknownTask {
        /// The id.
        task: TaskId,
    },
    /// The hotkey was not asked this task.
    #[error("{hotkey} was not asked task {task}")]
    NotAsked {
        /// The task.
        task: TaskId,
        /// The hotkey.
        hotkey: Hotkey,
    },
    /// A judgement or a list of those asked names something twice.
    #[error("{what} {name:?} appears twice")]
    Repeated {
        /// What is repeated.
        what: &'static str,
        /// Its name, cut at 80 characters.
        name: String,
    },
    /// The batch was never stored.
    #[error("batch {batch_id:?} is unknown")]
    UnknownBatch {
        /// The id, cut at 80 characters.
        batch_id: String,
    },
    /// The batch id was used before with other contents.
    #[error("batch {batch_id:?} was taken before with other contents")]
    BatchConflict {
        /// The id.
        batch_id: String,
    },
    /// A row breaks a rule of the dataset.
    #[error("record {record_id:?}: {reason}")]
    Row {
        /// The record, cut at 80 characters.
        record_id: String,
        /// Which rule.
        reason: String,
    },
    /// A file operation failed: the disk is full, no permission, …
    #[error("cannot {doing} {path}")]
    File {
        /// What was being done.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A file is not what its header, checksum or manifest says.
    #[error("{path} is damaged: {reason}")]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        reason: String,
    },
    /// The Parquet encoder or decoder refuses.
    #[error("cannot {doing} Parquet file {path}")]
    Parquet {
        /// What was being done.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// What the library said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Rows were appended out of order.
    #[error("the next row has sequence number {expected}, not {found}")]
    Sequence {
        /// The number the next row must have.
        expected: u64,
        /// The number given.
        found: u64,
    },
    /// The manifest holds rows the ledger never gave out: they do not belong together.
    #[error("the dataset holds rows up to {dataset}, the ledger only up to {ledger}")]
    LedgerBehind {
        /// Last sequence number in the dataset's manifest.
        dataset: u64,
        /// Last sequence number the ledger gave out.
        ledger: u64,
    },
    /// The ledger dropped rows the dataset does not hold: the dataset was removed or replaced.
    #[error(
        "rows up to {ledger} were handed to the dataset, which holds them only up to {dataset}"
    )]
    DatasetBehind {
        /// Last sequence number in the dataset's manifest.
        dataset: u64,
        /// Last sequence number the ledger knows to be flushed.
        ledger: u64,
    },
    /// A vector of one space was given where another is stored.
    #[error("this holds vectors of space {expected}, not of {found}")]
    SpaceMismatch {
        /// The space of what is stored.
        expected: Space,
        /// The space of the vector given.
        found: Space,
    },
    /// A vector is none.
    #[error(transparent)]
    Embedding(#[from] adit_embedding::Error),
}

impl Error {
    /// Whether the same call may succeed later with nothing else changed: the disk was full, the
    /// database locked. False where the input or the stored data is at fault.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Database { .. } | Self::File { .. })
    }

    #[cfg(feature = "sqlite")]
    pub(crate) fn stored(what: &'static str, text: &str, reason: impl ToString) -> Self {
        Self::Stored {
            what,
            text: cut(text),
            reason: reason.to_string(),
        }
    }

    #[cfg(feature = "sqlite")]
    pub(crate) fn repeated(what: &'static str, name: impl ToString) -> Self {
        Self::Repeated {
            what,
            name: cut(&name.to_string()),
        }
    }
}

/// The first 80 characters: enough to recognise, too few to flood a log.
pub(crate) fn cut(text: &str) -> String {
    text.chars().take(80).collect()
}

/// Result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;
