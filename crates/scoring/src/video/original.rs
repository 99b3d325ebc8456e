//! The formulas of the system in the field, one function each, equal to the digit.
//!
//! Vectors are plain slices here, as the miner sent them: neither unit length nor tagged with a
//! space. Where the original raises, or swallows an exception and gives no score, these functions
//! return a typed [`crate::Error`]; everything else, known holes included, is as it was.

mod clips;
mod evidence;
mod likeness;
mod relevance;
mod reward;
mod rules;
mod spot_check;
mod stuffing;
mod tokens;

pub use clips::{is_valid_youtube_id, keeps_length, metadata_check};
pub(super) use evidence::judge_evidence;
pub(crate) use likeness::nearest_later;
pub use likeness::{
    deduplicate, final_novelty, is_similar, novelty_among_batch, strict_is_similar, text_similarity,
};
pub use relevance::{description_relevance, query_relevance};
pub use reward::{OriginalAnswer, OriginalClip, OriginalReward, OriginalUpload, reward};
pub use rules::OriginalRules;
pub use spot_check::{Download, SpotCheck, SpotCheckVectors, choose_spot_check};
pub use stuffing::{
    ChunkCounts, DescriptionCheck, LengthMultiplier, check_description, extraneous_chunks,
    length_multiplier,
};
pub use tokens::{distinct_tokens, framed_tokens, split_by_tokens};
