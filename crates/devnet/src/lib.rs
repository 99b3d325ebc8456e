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
//! # Time and faults
//!
//! [`DevnetHandle::advance`] builds blocks at once; with a long block time nothing else does, and a
//! test holds the clock. With [`DevnetConfig::faults`] (`--faults`) further JSON-RPC methods make
//! things go wrong, for clients of any language:
//!
//! | method | does |
//! |---|---|
//! | `devnet_stall(bool)` | no block comes by itself, or they come again |
//! | `devnet_stallFinality(bool)` | the newest final block stays what it is |
//! | `devnet_advance(blocks)` | builds blocks at once; answers with the newest number |
//! | `devnet_warp(seconds)` | puts the chain's clock forward, and with it the beacon |
//! | `devnet_reorganize(depth, keep)` | takes `depth` blocks back and builds one more than that; their transactions return to the pool unless `keep` is false; watchers hear `retracted` |
//! | `devnet_evict()` | throws everything out of the pool; watchers hear `dropped` |
//! | `devnet_dropSockets()` | breaks every connection |
//! | `devnet_throttle(requests)` | answers so many requests and handshakes with 429 |
//! | `devnet_upgrade(spec)` | the next block raises the spec version, by one when none is given; the layout stays, signatures of before are bad |
//! | `devnet_keepStates(blocks)` | older states are discarded, as on a lite node |
//!
//! Final blocks cannot be taken back, so `devnet_reorganize` wants a finality lag or stalled
//! finality, and a chain in memory.
//!
//! # Example
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
mod metadata;
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
