//! Answers so alike that one hand may have written them, and what that costs.

mod penalty;

pub use penalty::{SybilPenalties, SybilPenaltyPolicy, SybilStanding, penalise_sybils};
