//! What every neuron shares, so that a subnet team writes only its mechanism.
//!
//! A new subnet is one [`Mechanism`] (what to ask, how to judge) and one [`Worker`] (how to
//! answer). [`Validator`] runs rounds around a mechanism: it samples miners from the metagraph,
//! asks them within a deadline, stores every answer before it is judged, commits scores, moving
//! averages and the outgoing batch in one transaction, delivers the batch until its receipt
//! comes, and sets weights until the chain shows them. A validator killed at any instant loses no
//! scored answer and stores none twice.
//!
//! [`config`] layers defaults, a TOML file, the environment and flags; [`telemetry`] installs logs
//! and metrics; [`shutdown`] turns signals into a token. Wire formats and formulas live elsewhere
//! (`adit-protocol`, `adit-scoring`).
//!
//! ```
//! use adit_neuron::config::{SubtensorConfig, WalletConfig, load};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Debug, Default, Serialize, Deserialize)]
//! #[serde(default, deny_unknown_fields)]
//! struct MyNeuron {
//!     wallet: WalletConfig,
//!     subtensor: SubtensorConfig,
//! }
//!
//! let loaded = load::<MyNeuron>(None, vec![("wallet.name", "validator".into())])?;
//! assert_eq!(loaded.value.wallet.name, "validator");
//! assert!(loaded.to_string().contains("wallet.name = \"validator\"  # command line"));
//! # Ok::<(), adit_neuron::Error>(())
//! ```

mod audit;
pub mod axon;
#[cfg(feature = "cli")]
pub mod cli;
pub mod config;
mod error;
mod hotkey;
mod mechanism;
mod sampling;
pub mod shutdown;
pub mod telemetry;
mod validator;
mod watch;

pub use audit::{AuditReport, audit};
pub use error::{Error, Result};
pub use hotkey::open_hotkey;
pub use mechanism::{
    Assigned, Call, JudgedAnswer, JudgedItem, Judgement, Mechanism, QueryFailure, Received,
    Unavailable, Worker,
};
pub use sampling::Sampling;
pub use validator::{Validator, ValidatorConfig};
pub use watch::MetagraphWatch;
