//! Judging answers over long contexts: LongBench metrics, needles, context lengths, logits, rewards.

// ---- lengths, needles, rewards, logits, ranks ----
mod answer_policy;
pub mod benchmark;
pub mod diversity;
pub mod incentive;
mod judge;
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

pub use answer_policy::{HardenedLongContextRules, LongContextPolicy, OriginalLongContextRules};
pub use judge::{
    GenerationCheck, LongContextEvidence, LongContextRefusal, LongContextVerdict, judge,
};

// ---- text metrics ----
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
