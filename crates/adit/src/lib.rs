//! One dependency for all of Adit: its crates under short names, each behind a feature.
//!
//! There is no code here. What a module holds and how it is used, its own documentation says.
//!
//! | Feature | Module | What it is |
//! |---|---|---|
//! | always | `primitives` | Ids, keys, amounts, the clock, metagraph snapshots. |
//! | `embedding` (default) | `embedding` | Embeddings, the embedder traits, weight-free embedders. |
//! | `scoring` (default) | `scoring` | Formulas that judge answers; from scores to weights. |
//! | `wallet` (default) | `wallet` | Keys, keyfiles and signatures of the Python wallets. |
//! | `yuma` | `yuma` | Yuma consensus, bit for bit. |
//! | `chain`; `client`, `testing` | `chain` | The chain as a neuron sees it; its client, its fake. |
//! | `protocol` | `protocol` | The wire contract and signed requests. |
//! | `synapse` | `protocol::synapse` | Axon and dendrite of the Python SDK up to version 10. |
//! | `media` | `media` | Untrusted media, fetched and decoded within bounds. |
//! | `models`; `cuda` | `models` | Embedding models. |
//! | `storage`; `dataset` | `storage` | A validator's state; Parquet datasets and vector indexes. |
//! | `neuron` | `neuron` | Rounds around a mechanism of your own. |
//! | `video` | `video` | The video mechanism. |
//!
//! ```
//! use adit::{prelude::*, scoring::weights};
//!
//! let keypair = Keypair::from_uri("//Alice")?;
//! let alice: Hotkey = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY".parse()?;
//! assert_eq!(keypair.hotkey(), alice);
//!
//! let scores = [(Uid(3), 0.5), (Uid(8), 1.0)];
//! let weights = weights::quantise(&scores, weights::WeightLimits::default())?;
//! assert_eq!(weights.pairs(), [(Uid(3), 32_768), (Uid(8), 65_535)]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # A subnet of your own
//!
//! `cargo run -p adit --example own_mechanism` runs this:
//!
//! ```no_run
#![doc = include_str!("../examples/own_mechanism.rs")]
//! ```

pub mod prelude;

#[cfg(feature = "chain")]
pub use adit_chain as chain;
#[cfg(feature = "embedding")]
pub use adit_embedding as embedding;
#[cfg(feature = "video")]
pub use adit_mechanism_video as video;
#[cfg(feature = "media")]
pub use adit_media as media;
#[cfg(feature = "models")]
pub use adit_models as models;
#[cfg(feature = "neuron")]
pub use adit_neuron as neuron;
pub use adit_primitives as primitives;
#[cfg(feature = "protocol")]
pub use adit_protocol as protocol;
#[cfg(feature = "scoring")]
pub use adit_scoring as scoring;
#[cfg(feature = "storage")]
pub use adit_storage as storage;
#[cfg(feature = "wallet")]
pub use adit_wallet as wallet;
#[cfg(feature = "yuma")]
pub use adit_yuma as yuma;
