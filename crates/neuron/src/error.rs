use std::{net::SocketAddr, path::PathBuf};

use adit_primitives::TaskId;

/// Why a neuron stops, or leaves something for later.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The chain client failed.
    #[error("the chain: {0}")]
    Chain(#[from] adit_chain::Error),
    /// The state store failed.
    #[error("the state store: {0}")]
    Storage(#[from] adit_storage::Error),
    /// Scores could not be turned into weights.
    #[error("weights: {0}")]
    Scoring(#[from] adit_scoring::Error),
    /// A value of plain data is out of range.
    #[error(transparent)]
    Primitive(#[from] adit_primitives::Error),
    /// A task or answer in the store cannot be read by this mechanism.
    #[error("task {task} holds a {what} this mechanism cannot read")]
    Payload {
        /// The task.
        task: TaskId,
        /// `task` or `answer`.
        what: &'static str,
        /// What the decoder said.
        #[source]
        source: serde_json::Error,
    },
    /// A task or answer cannot be written as JSON.
    #[error("cannot write a {what} as JSON")]
    Encode {
        /// What was being written.
        what: &'static str,
        /// What the encoder said.
        #[source]
        source: serde_json::Error,
    },
    /// The configuration is wrong; the text names the key and where its value came from.
    #[error("configuration: {0}")]
    Config(String),
    /// The configuration file cannot be read.
    #[error("cannot read the configuration file {path}")]
    ConfigFile {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The server's address cannot be bound.
    #[error("cannot listen on {listen}")]
    Bind {
        /// The address asked for.
        listen: SocketAddr,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The metrics endpoint cannot listen.
    #[error("cannot serve metrics on {listen}: {reason}")]
    Metrics {
        /// The address asked for.
        listen: SocketAddr,
        /// What the exporter said.
        reason: String,
    },
    /// A key, a keyfile or a password is refused.
    #[error(transparent)]
    Wallet(#[from] adit_wallet::Error),
    /// A command cannot do what was asked for; the text says why.
    #[error("{0}")]
    Command(String),
    /// A command's input cannot be read or its output written.
    #[error("{what}")]
    Io {
        /// What was attempted.
        what: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The log subscriber cannot be installed.
    #[error("cannot set up logging: {0}")]
    Logging(String),
    /// Signals cannot be caught.
    #[error("cannot catch signals")]
    Signals(#[source] std::io::Error),
}

/// Result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;
