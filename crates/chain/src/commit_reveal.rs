//! Weights that are committed first and revealed later: hashes, sealed payloads, epochs and rounds.
//!
//! Everything here is pure: chance and time are passed in. [`Client`](crate::client::Client) sends
//! what this makes, and [`WeightSetter`](crate::WeightSetter) decides what to send when.
//!
//! - *Hash commit-reveal*: the chain is given [`commit_hash`] and, in the right epoch, the weights
//!   and the [`CommitSalt`] themselves.
//! - *Timelocked commit-reveal*: the chain is given [`TimelockedWeights`] sealed for a round of the
//!   drand beacon (feature `timelock`, module `timelock`) and opens them itself in the epoch of the
//!   reveal. Which round that is, [`Beacon::round_for_block`] says.

mod beacon;
mod hash;
mod payload;
#[cfg(feature = "timelock")]
pub mod timelock;

pub use adit_yuma::{EpochSchedule, FixedTempo};
pub use beacon::{Beacon, SAFETY_BLOCKS};
pub use hash::{CommitSalt, commit_hash};
pub use payload::TimelockedWeights;

/// The longest sealed commit the chain takes, in bytes.
pub const LONGEST_COMMIT: usize = 5_000;

/// The version of timelocked commits that this crate makes, as `CommitRevealWeightsVersion` counts
/// them.
pub const TIMELOCK_VERSION: u16 = 4;
