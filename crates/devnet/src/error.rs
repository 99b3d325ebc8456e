use std::{io, net::SocketAddr, path::PathBuf};

/// Why a local chain could not start or go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The configuration contradicts itself.
    #[error("the configuration is invalid: {what}")]
    Invalid {
        /// What is wrong with it.
        what: &'static str,
    },
    /// The address could not be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The database file could not be read or written.
    #[error("cannot use the database {}", path.display())]
    Database {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The database file is not one of ours, or is damaged before its last record.
    #[error("the database {} is damaged: {what}", path.display())]
    DatabaseDamaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The database holds a chain with another genesis, so another configuration or program.
    #[error("the database {} holds the chain {found}, the configuration makes {expected}", path.display())]
    DatabaseOfOtherChain {
        /// The file.
        path: PathBuf,
        /// Genesis hash the configuration makes.
        expected: adit_primitives::BlockHash,
        /// Genesis hash in the file.
        found: adit_primitives::BlockHash,
    },
    /// The block thread could not be started.
    #[error("cannot start the block thread")]
    Thread(#[source] io::Error),
    /// The runtime failed while building a block; a defect of this crate.
    #[error("block {number} could not be built: {what}")]
    Block {
        /// Its number.
        number: u32,
        /// What failed.
        what: &'static str,
    },
}

/// A result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;
