//! The Yuma Consensus epoch as a pure function.
//!
//! Given what the chain knows of a subnet at a block, [`epoch`] computes what the chain computes:
//! consensus, incentive, dividends, bonds, permits and emission. It reads no chain: `adit-chain`
//! does, and `adit-devnet` runs this function at its tempo.
//!
//! - **Variants.** The sparse `epoch_mechanism` of the subtensor runtime (spec 425) with legacy
//!   bonds (Yuma 2), Yuma 3 bonds, and Yuma 3 with liquid alpha; chosen by [`EpochParameters`].
//! - **Exactness.** Every output equals the chain's to the bit, in either [`Layout`], on any number
//!   of threads; so do the numbers in between ([`epoch_traced`]). [`epoch_float`] computes the same
//!   in doubles, with a stated error.
//! - **Errors.** Only an input that contradicts itself is refused ([`Error`]); nothing a validator
//!   submits can stop an epoch.
//! - **Cost.** Time by the number of weights and bonds: 50 to 100 ns for each weight, 4,096 uids ×
//!   64 validators in 12 to 16 ms (`benches/RESULTS.md`), with liquid alpha three times that. The
//!   dense layout takes 16 bytes for each pair of a validator and a neuron; the feature `parallel`
//!   spreads it over rayon's threads.
//!
//! Around the epoch: when it runs ([`EpochSchedule`], [`FixedTempo`]), what a block's emission adds
//! to it ([`BlockPools`]), and how mechanisms share it ([`split_emission`],
//! [`combine_mechanisms`]). `examples/simulate.rs` shows what a change of weights would earn.
//!
//! ```
//! use adit_primitives::{Block, Rao, Uid};
//! use adit_yuma::{EpochInput, EpochNeuron, EpochParameters, epoch};
//!
//! let validator = EpochNeuron {
//!     stake: Rao::from_tao(1_000),
//!     last_update: Block(90),
//!     validator_permit: true,
//!     weights: vec![(Uid(1), u16::MAX)],
//!     ..EpochNeuron::default()
//! };
//! let miner = EpochNeuron {
//!     last_update: Block(10),
//!     registered_at: Block(10),
//!     ..EpochNeuron::default()
//! };
//! let input = EpochInput {
//!     current_block: Block(100),
//!     last_epoch: Block(50),
//!     emission: Rao(1_000),
//!     neurons: vec![validator, miner],
//! };
//! let output = epoch(&input, &EpochParameters::default())?;
//! assert_eq!(output.incentive, [0, u16::MAX]);
//! assert_eq!(output.server_emission, [Rao(0), Rao(500)]);
//! assert_eq!(output.validator_emission, [Rao(500), Rao(0)]);
//! # Ok::<(), adit_yuma::Error>(())
//! ```

mod bonds;
mod decided;
mod dense;
mod divisor;
mod emission;
mod epoch;
mod error;
mod exponential;
mod fixed;
mod float;
mod input;
#[cfg(test)]
mod kernel_vectors;
mod layout;
mod liquid;
mod mechanisms;
mod median;
mod number;
mod output;
mod parameters;
mod pools;
mod schedule;
mod sparse;
mod standing;
mod vector;
mod weights;

pub use epoch::{epoch, epoch_float, epoch_traced, epoch_with};
pub use error::{Error, Result};
pub use float::FloatEpoch;
pub use input::{EpochInput, EpochNeuron};
pub use layout::Layout;
pub use mechanisms::{SubnetTotals, combine_mechanisms, split_emission};
pub use output::{EpochOutput, EpochTrace};
pub use parameters::{EpochParameters, LiquidAlpha};
pub use pools::{BlockPools, RootProportion};
pub use schedule::{EpochSchedule, FixedTempo};
pub use weights::{max_upscale, within_max_weight};
