//! The Parquet dataset.

mod columns;
mod manifest;
mod reader;
mod writer;

pub use manifest::ShardEntry;
pub use reader::{DatasetReader, DatasetTotals};
pub use writer::DatasetWriter;
