use adit_primitives::{Hotkey, NetUid, Rao, Uid};

/// Why the chain does not take a weight vector.
///
/// All but [`Pool`](Self::Pool) and [`Dispatch`](Self::Dispatch) are found at one block before
/// anything is signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WeightsRefusal {
    /// Our last weights are too recent.
    #[error("the last weights are too recent: {blocks_to_wait} blocks to wait")]
    RateLimited {
        /// Blocks until weights are taken again.
        blocks_to_wait: u64,
    },
    /// Our stake gives no permit to weigh others.
    #[error("uid {uid} has no validator permit")]
    NoValidatorPermit {
        /// Our place in the subnet.
        uid: Uid,
    },
    /// Our hotkey is not in the subnet.
    #[error("hotkey {hotkey} is not registered in the subnet")]
    NotRegistered {
        /// Our hotkey.
        hotkey: Hotkey,
    },
    /// The subnet does not exist.
    #[error("there is no subnet {netuid}")]
    NoSuchSubnet {
        /// The number asked for.
        netuid: NetUid,
    },
    /// The root network takes no weights.
    #[error("the root network takes no weights")]
    RootNetwork,
    /// Our stake is too small to be heard.
    #[error("stake {stake} is below the threshold of {threshold}")]
    StakeBelowThreshold {
        /// Stake behind our hotkey in this subnet.
        stake: Rao,
        /// What the chain asks for.
        threshold: Rao,
    },
    /// The subnet asks for a newer validator.
    #[error("version key {given} is older than {required}, which the subnet asks for")]
    VersionKey {
        /// What we would send.
        given: u64,
        /// The lowest one taken.
        required: u64,
    },
    /// Too few weights.
    #[error("{given} weights are too few, the subnet asks for {required}")]
    TooFew {
        /// Length of our vector.
        given: usize,
        /// Shortest one taken.
        required: usize,
    },
    /// More weights than neurons.
    #[error("{given} weights are too many, the subnet has {most} neurons")]
    TooMany {
        /// Length of our vector.
        given: usize,
        /// Neurons in the subnet.
        most: usize,
    },
    /// A weight for a neuron that does not exist.
    #[error("there is no uid {uid}, the subnet has {neurons} neurons")]
    UnknownUid {
        /// The first uid that does not exist.
        uid: Uid,
        /// Neurons in the subnet.
        neurons: usize,
    },
    /// The subnet takes only weights that were committed first.
    #[error("the subnet takes only weights that were committed and revealed")]
    CommitRevealRequired,
    /// One neuron would get more of the sum than the subnet allows.
    #[error("uid {uid} would get {share}/65535 of the sum, the subnet allows {limit}/65535")]
    MaxWeightExceeded {
        /// The neuron with the largest weight.
        uid: Uid,
        /// Its share of the sum, rounded up, 1/65535.
        share: u16,
        /// Largest share taken, 1/65535.
        limit: u16,
    },
    /// The node's transaction pool does not take the transaction.
    #[error("the transaction pool refused with {code}: {message}")]
    Pool {
        /// JSON-RPC error code (1010 invalid, 1012 banned, 1014 priority too low, …).
        code: i64,
        /// The node's words, with a custom code replaced by its name.
        message: String,
    },
    /// The transaction is in a block and failed there.
    #[error("the chain answered {pallet}.{error}")]
    Dispatch {
        /// Pallet that failed, by name from the block's metadata.
        pallet: String,
        /// Its error, by name from the block's metadata.
        error: String,
    },
}

impl WeightsRefusal {
    /// A stable name for metrics and logs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::RateLimited { .. } => "rate_limited",
            Self::NoValidatorPermit { .. } => "no_validator_permit",
            Self::NotRegistered { .. } => "not_registered",
            Self::NoSuchSubnet { .. } => "no_such_subnet",
            Self::RootNetwork => "root_network",
            Self::StakeBelowThreshold { .. } => "stake_below_threshold",
            Self::VersionKey { .. } => "version_key",
            Self::TooFew { .. } => "too_few",
            Self::TooMany { .. } => "too_many",
            Self::UnknownUid { .. } => "unknown_uid",
            Self::CommitRevealRequired => "commit_reveal_required",
            Self::MaxWeightExceeded { .. } => "max_weight_exceeded",
            Self::Pool { .. } => "pool",
            Self::Dispatch { .. } => "dispatch",
        }
    }

    /// Blocks after which the same weights may be taken, where waiting alone can help.
    pub const fn blocks_to_wait(&self) -> Option<u64> {
        match self {
            Self::RateLimited { blocks_to_wait } => Some(*blocks_to_wait),
            Self::Pool { .. } => Some(1),
            _ => None,
        }
    }
}
