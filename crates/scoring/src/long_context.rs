//! Judging answers over long contexts: LongBench metrics, needles, context lengths, logits, rewards.

// ---- lengths, needles, rewards, logits, ranks ----
pub mod length;
pub mod multiplier;
pub mod needle;
pub mod pattern;

// ---- text metrics ----
