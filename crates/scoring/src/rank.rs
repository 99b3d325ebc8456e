//! Ranks with deterministic ties, the best few, and means that a few liars cannot move.
//!
//! Higher is better. NaN is worse than every number and equal to itself, and `0` equals `−0`, so
//! that every list has one order. Ties go to the smaller key: the smaller uid.

mod means;
mod order;
mod top;

pub use means::{median, median_absolute_deviation, trimmed_mean, winsorised_mean};
pub use order::{RankMethod, best_first, compare_scores, ranks};
pub use top::top_k;
