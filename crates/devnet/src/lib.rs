//! A local Bittensor chain: a FRAME runtime run natively, Yuma epochs, Substrate JSON-RPC.
//!
//! One process, one authority, no peers, no wasm: enough of a node that `subxt`, and a neuron on
//! top of it, cannot tell the difference in what they use. The pallet `SubtensorModule` carries
//! the live chain's names and types (runtime 393) for networks, registration, axons, stake,
//! weights and epochs; every refusal of `set_weights` has the live chain's name and order. It is
//! not a mainnet node: stake is one alpha for one TAO, there is no commit-reveal, no delegation,
//! no EVM and no consensus between machines.
//!
//! ```
//! use adit_devnet::{Devnet, DevnetConfig};
//!
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! let config = DevnetConfig {
//!     listen: "127.0.0.1:0".parse().unwrap(),
//!     ..DevnetConfig::default()
//! };
//! let devnet = Devnet::start(config).await?;
//! assert!(devnet.url().starts_with("ws://127.0.0.1:"));
//! devnet.shutdown().await;
//! # Ok::<(), adit_devnet::Error>(())
//! # }).unwrap();
//! ```

mod chain;
mod check_nonce;
mod config;
mod devnet;
mod error;
mod journal;
mod pool;
mod rpc;
mod runtime;
mod state;
#[expect(
    unreachable_pub,
    clippy::enum_variant_names,
    clippy::expect_used,
    clippy::too_many_arguments,
    reason = "the FRAME macros want public items and write such code; names are the live chain's"
)]
mod subtensor;

pub use config::{DevnetConfig, SubnetConfig};
pub use devnet::{Devnet, DevnetHandle};
pub use error::{Error, Result};
