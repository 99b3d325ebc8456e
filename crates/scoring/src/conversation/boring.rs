//! The Boring Index: how boring a conversation is, along five components.
//!
//! The system in the field names the index and its five dimensions and never built it; formulas and
//! constants here are ours. It is for sorting and showing conversations and pays nobody.
//!
//! | component | formula, each 0 to 1 | from |
//! |---|---|---|
//! | [`relevance`] | `mean cos(eᵢ, c)`, `c` the centre of the tags, or of the lines | embeddings |
//! | [`engagement`] | `½ · H(lines per speaker) / ln(speakers) + ½ · turns / (lines − 1)` | speakers |
//! | [`novelty`] | `mean over i > 0 of 1 − max cos(eᵢ, eⱼ)` over the `look_back` lines `j` before | embeddings |
//! | [`coherence`] | `mean cos(eᵢ, eᵢ₊₁)` | embeddings |
//! | [`fluency`] | `1 − min(1, 10 · defects / tokens)`, or [`fluency_from_log_probabilities`], or [`fluency_from_quality`] | text or a model |
//!
//! `interest = Π max(component, floor)^weight` is a geometric mean, so that one dead component shows;
//! `index = 100 · (1 − interest)`, high is boring. Novelty and coherence pull against each other on
//! purpose: a conversation that repeats itself coheres, one that jumps is new.

mod components;
mod engagement;
mod fluency;
mod index;
mod policy;

pub use components::{LineVectors, coherence, novelty, relevance};
pub use engagement::engagement;
pub use fluency::{FluencyRules, fluency, fluency_from_log_probabilities, fluency_from_quality};
pub use index::{BoringComponents, BoringReport, boring_index};
pub use policy::{BoringPolicy, BoringWeights};
