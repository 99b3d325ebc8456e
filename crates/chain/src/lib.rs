//! What a neuron needs of a chain: the [`Chain`] seam, and behind the feature `client` the subxt
//! client that fills it on any Bittensor runtime.
//!
//! Nothing is silent here. [`WeightSetter`] answers with exactly one [`WeightsOutcome`]: on chain,
//! as read back from storage; committed, and later seen revealed or reported missed; refused with a
//! named [`WeightsRefusal`] and its numbers; or failed with a named [`WeightsFailure`].
//! Everything else is an [`Error`], and [`Error::is_retryable`] says whether trying again can help.
//! This crate computes no weights and runs no consensus; see `adit-scoring` and `adit-yuma`.
//!
//! Features: `client` (subxt, tokio), `timelock` (sealing weights to a drand round; part of
//! `client`), `testing` (`testing::FakeChain`). None is on by default, so that code written against
//! the seam compiles no chain library and no pairings.
//!
//! ```
//! use adit_chain::{Chain, Result, WeightsOutcome};
//! use adit_primitives::{NetUid, WeightVector};
//!
//! /// What a validator logs after it tried to set weights.
//! async fn report(chain: &impl Chain, weights: &WeightVector) -> Result<String> {
//!     Ok(match chain.set_weights(NetUid(1), weights, 0).await? {
//!         WeightsOutcome::OnChain { block, weights, .. } => {
//!             format!("{} weights on chain at block {block}", weights.len())
//!         }
//!         other => format!("{}: {other:?}", other.code()),
//!     })
//! }
//! ```

mod chain;
#[cfg(feature = "client")]
pub mod client;
pub mod commit_reveal;
mod error;
mod preflight;
mod refusal;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod weight_setter;

pub use chain::{BlockHead, BlockStream, Chain, Served};
pub use error::{Error, ForeignError, MetadataFault, Result};
pub use preflight::{
    BeaconStanding, CommitRevealStanding, EpochState, StoredHash, StoredTimelocked, WeightsStanding,
};
pub use refusal::{RevealMiss, WeightsFailure, WeightsRefusal};
pub use weight_setter::{
    CommitSeal, CommitState, CommitStore, FileCommitStore, IncludedCommit, MemoryCommitStore,
    Patience, PendingCommit, SealChoice, WeightSetter, WeightSetterOptions, WeightsCall,
    WeightsOutcome, WeightsReceipt,
};
