//! The rows nearest to a query: exactly, over plain slices, on as many threads as the caller allows.
//!
//! [`nearest`] reads every row, in single or half precision, and is bound by memory. [`CompactRows`]
//! reads a copy with half or a quarter of the bytes first, keeps for each row a bound on what the copy
//! hides, and computes only those rows in full that could still be among the nearest: its answers are
//! those of [`nearest`] over the full rows, always. With the feature `approximate`,
//! `ApproximateIndex` walks a graph instead and may miss some.
//!
//! Nearness is the inner product, which is the cosine for unit vectors. Products that are not finite
//! are left out; of equal ones the lower row comes first.
//!
//! ```
//! use adit_embedding::nearest::{CompactRows, Quantization, RowSlice, nearest};
//!
//! let rows = [1.0, 0.0, 0.6, 0.8, 0.0, 1.0];
//! let found = nearest(&[1.0, 0.1], RowSlice::F32(&rows), 2, 1)?;
//! assert_eq!([found[0].row, found[1].row], [0, 1]);
//!
//! let compact = CompactRows::new(&rows, 2, Quantization::Int8)?;
//! assert_eq!(compact.nearest(&[1.0, 0.1], &rows, 2, 1)?, found);
//! # Ok::<(), adit_embedding::Error>(())
//! ```

#[cfg(feature = "approximate")]
mod approximate;
mod compact;
mod scan;
mod top;

#[cfg(feature = "approximate")]
pub use approximate::{ApproximateIndex, GraphSettings};
pub use compact::{CompactRows, Quantization};
pub use scan::{RowSlice, nearest, on_threads};
pub use top::{Neighbour, TopK};
