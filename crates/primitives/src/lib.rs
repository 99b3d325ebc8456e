//! Ids, keys, amounts, blocks and metagraph snapshots of Bittensor subnets.
//!
//! Plain data without I/O: every other crate of Adit speaks in these types, so that a runtime
//! upgrade or a change on the wire never becomes a breaking change for someone who only wanted a
//! [`Uid`]. Nothing here signs, connects or stores; see `adit-wallet`, `adit-chain` and
//! `adit-storage` for that.
//!
//! ```
//! use adit_primitives::{Hotkey, NetUid, Rao, Uid};
//!
//! let alice: Hotkey = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY".parse()?;
//! assert_eq!(alice.to_string(), "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY");
//! assert_eq!(Rao::from_tao(2).to_string(), "2.000000000 TAO");
//! assert!(Uid(3) < Uid(4) && NetUid(24).0 == 24);
//! # Ok::<(), adit_primitives::Error>(())
//! ```

mod account;
mod amount;
mod axon;
mod clock;
mod commitment;
mod error;
mod hyperparameters;
mod ids;
mod metagraph;
mod metagraph_change;
mod score;
mod stake;
mod task;
mod weights;

pub use account::{AccountId, Coldkey, Hotkey, SS58_FORMAT};
pub use amount::{RAO_PER_TAO, Rao};
pub use axon::{AXON_PROTOCOL_ANY, AxonInfo, PrometheusInfo};
pub use clock::{Clock, ManualClock, SystemClock};
pub use commitment::CommitmentField;
pub use error::{Error, Result};
pub use hyperparameters::Hyperparameters;
pub use ids::{Block, BlockHash, MechId, NetUid, Uid};
pub use metagraph::{Metagraph, Neuron, SubnetParameters};
pub use metagraph_change::MetagraphChange;
pub use score::Score;
pub use stake::HotkeyStake;
pub use task::TaskId;
pub use weights::WeightVector;
