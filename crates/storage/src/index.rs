//! The nearest vectors of one space.

mod exact;
mod header;
mod rows;

use std::fmt::Debug;

use adit_embedding::{Embedding, Space};

use crate::Result;

pub use exact::ExactIndex;
pub use header::ElementType;

/// One of the nearest vectors.
#[derive(Debug, Clone, PartialEq)]
pub struct IndexHit {
    /// Its id.
    pub id: String,
    /// Its cosine to the vector asked for, −1 to 1.
    pub cosine: f32,
}

/// Vectors of one space by id, and the nearest of them.
///
/// An index is a cache: it can be made again from the dataset and the ledger. Blocking: call it
/// from a blocking thread.
pub trait VectorIndex: Send + Sync + Debug {
    /// The space of its vectors.
    fn space(&self) -> &Space;

    /// Vectors in it, each id once.
    fn len(&self) -> usize;

    /// Whether it has none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The share of the true `k` nearest that an answer holds, on average: 1 for an exact index.
    fn recall(&self) -> f64;

    /// Stores vectors under ids of 1 to 256 bytes, in place of earlier ones, all or nothing. Where
    /// an id appears twice, its last vector counts. Answers how many of the vectors were new or
    /// changed something.
    ///
    /// # Errors
    /// [`Error::SpaceMismatch`](crate::Error::SpaceMismatch) for a vector of another space,
    /// [`Error::TooLarge`](crate::Error::TooLarge) for an id or index beyond its bound,
    /// [`Error::File`](crate::Error::File) when the disk refuses.
    fn extend(&mut self, batch: &[(&str, &Embedding)]) -> Result<usize>;

    /// Stores one vector. Whether it changed something.
    ///
    /// # Errors
    /// As [`extend`](Self::extend).
    fn upsert(&mut self, id: &str, vector: &Embedding) -> Result<bool> {
        Ok(self.extend(&[(id, vector)])? == 1)
    }

    /// For each query, the `k` vectors with the largest cosine, largest first; equal ones in the
    /// order they came in. Fewer where the index has fewer.
    ///
    /// # Errors
    /// [`Error::SpaceMismatch`](crate::Error::SpaceMismatch) for a query of another space.
    fn nearest_batch(&self, queries: &[&Embedding], k: usize) -> Result<Vec<Vec<IndexHit>>>;

    /// The `k` vectors with the largest cosine to one query.
    ///
    /// # Errors
    /// As [`nearest_batch`](Self::nearest_batch).
    fn nearest(&self, query: &Embedding, k: usize) -> Result<Vec<IndexHit>> {
        Ok(self.nearest_batch(&[query], k)?.pop().unwrap_or_default())
    }
}
