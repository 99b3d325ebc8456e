//! LongBench: which dataset is scored by which metric, and how answers add up.

mod choice;
mod dataset;
mod judge;
mod totals;

pub use choice::{Choice, ChoiceAccuracy, ChoiceResult, LongBenchLength, extract_choice};
pub use dataset::{LongBenchDataset, TextMetric};
pub use judge::{LongBench, LongBenchAnswer};
pub use totals::BucketScores;
