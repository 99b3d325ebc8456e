//! Judging answers over long contexts: LongBench metrics, needles, context lengths, logits, rewards.

// ---- lengths, needles, rewards, logits, ranks ----
pub mod benchmark;
pub mod diversity;
pub mod incentive;
pub mod leader;
pub mod length;
pub mod logits;
pub mod multiplier;
pub mod needle;
pub mod pattern;
pub mod perturbation;
pub mod quality;
pub mod ranking;
pub mod reward;
pub mod throughput;

// ---- text metrics ----
mod characters;
#[cfg(feature = "chinese")]
pub mod chinese;
pub mod classification;
pub mod code;
pub mod longbench;
pub mod matching_blocks;
pub mod normalise;
pub mod overlap;
mod policy;
pub mod recall;
pub mod retrieval;
pub mod rouge;
mod subsequence;
mod vocabulary;

pub use policy::{RougeUnit, TextMetricPolicy};
