//! Judging answers over long contexts: LongBench metrics, needles, context lengths, logits, rewards.
