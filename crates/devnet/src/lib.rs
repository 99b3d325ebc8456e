//! A local Bittensor chain: a FRAME runtime run natively, Yuma epochs, Substrate JSON-RPC.
//!
//! One process, one authority, no peers, no wasm: enough of a node that `subxt`, and a neuron on
//! top of it, cannot tell the difference in what they use. The pallet `SubtensorModule` carries
//! the live chain's names and types (runtime 393) for networks, registration, axons, stake,
//! weights and epochs; every refusal of `set_weights` has the live chain's name and order, and what
//! the live chain refuses in the pool is refused there under its codes. Weights can be committed
//! and revealed by hash, or sealed to a round of the chain's own beacon, in several mechanisms; `Utility` and `Sudo` (//Alice) are there too. It is
//! not a mainnet node: stake is one alpha for one TAO, nominators and root earn nothing, there is
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
#[expect(
    unreachable_pub,
    clippy::expect_used,
    reason = "the FRAME macros want public items and write such code"
)]
mod commitments;
mod config;
mod devnet;
mod door;
#[expect(
    unreachable_pub,
    clippy::expect_used,
    reason = "the FRAME macros want public items and write such code"
)]
mod drand;
mod error;
mod extensions;
mod faults;
#[expect(unreachable_pub, reason = "the runtime API macros want public items")]
mod info;
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
