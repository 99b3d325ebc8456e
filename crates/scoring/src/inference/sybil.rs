//! Answers so alike that one hand may have written them, and what that costs.
//!
//! [`detect_sybils`] looks at a round from three sides: the embeddings of whole answers, fusion of
//! embedding, wording and form, and the path of the sentences through a text. [`penalise_sybils`] turns
//! suspicion into lower averages.

mod detect;
mod digest;
mod groups;
mod pairs;
mod penalty;
mod policy;
mod structure;
mod thresholds;
mod trajectory;

pub use detect::{SybilAnswer, SybilFindings, detect_sybils};
pub use digest::prompt_digest;
pub use groups::{SybilGroup, sybil_groups};
pub use pairs::{SybilPair, SybilSign, semantic_pairs};
pub use penalty::{SybilPenalties, SybilPenaltyPolicy, SybilStanding, penalise_sybils};
pub use policy::{FusionThresholds, SybilPolicy, TrajectoryOrder};
pub use structure::structural_similarity;
pub use thresholds::{SimilarityDistribution, SybilThresholds, adaptive_thresholds};
