use crate::{NetUid, Uid};

/// What can be wrong with plain data.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text is not a Bittensor address (SS58, format 42, 32 bytes).
    #[error("{text:?} is not an SS58 address of format 42: {reason}")]
    Address {
        /// The offending text, cut at 80 characters.
        text: String,
        /// Which rule it breaks.
        reason: &'static str,
    },
    /// The text is not a task id (26 characters of Crockford base 32).
    #[error("{text:?} is not a task id")]
    TaskId {
        /// The offending text, cut at 80 characters.
        text: String,
    },
    /// A score must be a finite number.
    #[error("a score must be finite, not {value}")]
    ScoreNotFinite {
        /// The refused value.
        value: f64,
    },
    /// A weight vector names a uid more than once.
    #[error("uid {uid} appears more than once in a weight vector")]
    DuplicateUid {
        /// The repeated uid.
        uid: Uid,
    },
    /// A metagraph's neurons must be in uid order without holes.
    #[error("metagraph of netuid {netuid} lists uid {found} where uid {expected} belongs")]
    MetagraphOrder {
        /// The subnet.
        netuid: NetUid,
        /// The uid that belongs at this place.
        expected: Uid,
        /// The uid found there.
        found: Uid,
    },
}

/// Result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;
