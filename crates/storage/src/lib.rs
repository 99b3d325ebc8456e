//! SQL state, crash-safe Parquet datasets and exact vector indexes.
//!
//! - `Store` (feature `sqlite`, on by default): a validator's state in one SQLite file.
//! - `Ledger` (feature `sqlite`): the intake of a dataset, where each batch counts once.
//! - `DatasetWriter`, `DatasetReader` (feature `parquet`): the dataset itself, Parquet shards under a
//!   manifest.
//! - `VectorIndex`, `ExactIndex` (feature `index`): the nearest vectors of one space, exactly.
//!
//! Every file survives `kill -9` and power cuts: what was acknowledged is there, what was not is
//! there whole or not at all. Nothing here judges, signs or talks to a network, and no type of the
//! libraries underneath shows in a signature.
//!
//! ```
//! # #[cfg(feature = "sqlite")]
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! use adit_primitives::{NetUid, TaskId};
//! use adit_storage::{NewTask, Store};
//!
//! let store = Store::in_memory().await?;
//! let task = NewTask {
//!     id: TaskId::from_parts(1_700_000_000_000, 7),
//!     mechanism: "video".to_owned(),
//!     netuid: NetUid(24),
//!     policy: "hardened".to_owned(),
//!     seed: 7,
//!     payload: serde_json::json!({ "topic": "rivers" }),
//!     created_at_ms: 1_700_000_000_000,
//!     deadline_at_ms: 1_700_000_030_000,
//!     asked: Vec::new(),
//! };
//! assert!(store.begin_task(&task).await?);
//! assert!(!store.begin_task(&task).await?, "the same again changes nothing");
//! store.close_task(task.id).await?;
//! assert_eq!(store.tasks_to_judge(0).await?[0].id, task.id);
//! # Ok::<(), adit_storage::Error>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#[cfg(feature = "parquet")]
mod dataset;
#[cfg(any(feature = "parquet", feature = "index"))]
mod durable;
mod error;
#[cfg(feature = "index")]
mod index;
#[cfg(feature = "sqlite")]
mod ledger;
mod record;
mod rows;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(feature = "sqlite")]
mod store;

#[cfg(feature = "parquet")]
pub use dataset::{DatasetReader, DatasetTotals, DatasetWriter, ShardEntry};
pub use error::{Error, Result};
#[cfg(feature = "index")]
pub use index::{ElementType, ExactIndex, IndexHit, VectorIndex};
#[cfg(feature = "sqlite")]
pub use ledger::{Ledger, LedgerTotals, Receipt, SequencedRow};
pub use record::{DatasetRow, DatasetSpaces};
pub use rows::{
    AnswerRow, AnswerStatus, AverageRow, BatchRow, ItemRow, JudgedTask, NewBatch, NewTask,
    ScoreRow, ScoredRow, TaskRow, TaskState, WeightsRow,
};
#[cfg(feature = "sqlite")]
pub use store::{HotkeySummary, Store, TableCounts};
