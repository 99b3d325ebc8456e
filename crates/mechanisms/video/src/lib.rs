//! The video mechanism: a subnet that builds a multimodal dataset of video clips.
//!
//! A validator draws a topic and asks miners for clips ([`VideoTask`]); a miner finds, cuts and
//! embeds them ([`miner::VideoWorker`]); the validator fetches a sample of every answer, embeds it
//! again and compares, measures novelty against the common dataset, judges by a named policy and
//! hands over what it accepts ([`validator::VideoMechanism`], [`dataset::DatasetService`]). The
//! formulas live in `adit-scoring`, the models behind the traits of `adit-embedding`.
//!
//! ```
//! use adit_mechanism_video::{ClipConstraints, validator::VideoConfig};
//!
//! let config = VideoConfig::default();
//! assert_eq!(config.clips_wanted, 8);
//! assert_eq!(ClipConstraints::default().max_duration_ms, 120_000);
//! ```

pub mod dataset;
mod embedders;
mod error;
pub mod miner;
mod task;
pub mod validator;

pub use dataset::DatasetClient;
pub use embedders::{ClipVectors, Embedders, source_fetcher};
#[cfg(feature = "models")]
pub use embedders::{ModelChoice, ModelSet};
pub use error::{Error, Result};
pub use task::{ClaimedClip, ClipConstraints, PackedVector, VideoAnswer, VideoTask};
