//! Every formula that judges an answer: pure, synchronous, deterministic.
//!
//! A policy is a value with a name, a version and all its constants; evidence goes in, a verdict
//! comes out, and the same evidence always gives the same verdict. Nothing here waits, reads a clock,
//! embeds or fetches: mechanisms gather evidence, this crate judges it.
//!
//! ```
//! use adit_primitives::Uid;
//! use adit_scoring::{average::update_average, video, weights};
//!
//! // An answer that came too late scores nothing, whatever it says.
//! let late = video::AnswerEvidence::default();
//! let verdict = video::judge(&video::VideoPolicy::hardened(), &late);
//! assert_eq!(verdict.score.get(), 0.0);
//! assert_eq!(verdict.refusal.unwrap().code(), "late");
//!
//! let average = update_average(0.5, verdict.score.get(), 0.3)?;
//! assert_eq!(average, 0.35);
//!
//! let limits = weights::WeightLimits::default();
//! let vector = weights::quantise(&[(Uid(4), average), (Uid(7), 0.7)], limits)?;
//! assert_eq!(vector.pairs(), [(Uid(4), 32_768), (Uid(7), 65_535)]);
//! # Ok::<(), adit_scoring::Error>(())
//! ```
//!
#![doc = include_str!("hardened.md")]

pub mod audio;
pub mod average;
mod characters;
pub mod conversation;
pub mod curation;
mod error;
pub mod focus;
pub mod inference;
pub mod long_context;
pub mod rank;
mod rules;
mod sealed;
pub mod similarity;
pub mod video;
pub mod weights;

pub use error::{Error, Result};
