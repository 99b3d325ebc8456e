use adit_primitives::{Block, Hotkey, MechId, NetUid, Rao, Uid};

/// Why the chain does not take a weight vector, found at one block before anything is signed (or,
/// where the chain refused what looked fine a moment before, right after).
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
    /// The subnet has fewer mechanisms.
    #[error("there is no mechanism {mechid}, the subnet has {mechanisms}")]
    NoSuchMechanism {
        /// The number asked for.
        mechid: MechId,
        /// Mechanisms of the subnet.
        mechanisms: u8,
    },
    /// Our place is no longer the one that earlier weights were made for: the hotkey was replaced
    /// and registered again.
    #[error(
        "the hotkey is registered anew, as uid {uid} since block {since}; earlier weights do not fit"
    )]
    StaleRegistration {
        /// Our place now.
        uid: Uid,
        /// Since when.
        since: Block,
    },
    /// The subnet's tempo is zero, so that nothing committed would ever be revealed.
    #[error("the subnet has no epochs, nothing committed would be revealed")]
    NoEpochs,
    /// The epoch is about to end, and a commit might fall into the next one.
    #[error("the epoch ends in {blocks_to_wait} blocks, a commit might come too late for it")]
    EpochEnds {
        /// Blocks until the next epoch begins.
        blocks_to_wait: u64,
    },
    /// The chain keeps no more commits of ours.
    #[error("{unrevealed} commits are not revealed yet, the chain keeps {most}")]
    TooManyUnrevealed {
        /// Commits not revealed.
        unrevealed: usize,
        /// As many as there may be.
        most: usize,
    },
    /// The chain does not keep up with its beacon: what is sealed now might never be opened.
    #[error("the chain's newest beacon round is {last_stored}, the time's is {expected}")]
    BeaconBehind {
        /// The newest round it holds.
        last_stored: u64,
        /// The round of the time.
        expected: u64,
    },
    /// The chain asks for sealed weights in a version that this crate does not make, and takes no
    /// hashes.
    #[error("the chain takes timelocked weights of version {version} only")]
    UnknownVersion {
        /// The version it asks for.
        version: u16,
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
            Self::NoSuchMechanism { .. } => "no_such_mechanism",
            Self::StaleRegistration { .. } => "stale_registration",
            Self::NoEpochs => "no_epochs",
            Self::EpochEnds { .. } => "epoch_ends",
            Self::TooManyUnrevealed { .. } => "too_many_unrevealed",
            Self::BeaconBehind { .. } => "beacon_behind",
            Self::UnknownVersion { .. } => "unknown_version",
        }
    }

    /// Blocks after which the same weights may be taken, where waiting alone can help.
    pub const fn blocks_to_wait(&self) -> Option<u64> {
        match self {
            Self::RateLimited { blocks_to_wait } | Self::EpochEnds { blocks_to_wait } => {
                Some(*blocks_to_wait)
            }
            _ => None,
        }
    }
}

/// How setting weights failed after it began.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WeightsFailure {
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
    /// What was committed was not revealed: the weights are not on chain and never will be from
    /// this commit. Commit again.
    #[error(
        "weights committed at block {committed} for epoch {reveal_epoch} were not revealed: {reason}"
    )]
    RevealMissed {
        /// The block of the commit.
        committed: Block,
        /// The epoch in which they should have been revealed.
        reveal_epoch: u64,
        /// The block at which this was found out.
        block: Block,
        /// How it came.
        reason: RevealMiss,
    },
}

impl WeightsFailure {
    /// A stable name for metrics and logs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Pool { .. } => "pool",
            Self::Dispatch { .. } => "dispatch",
            Self::RevealMissed { .. } => "reveal_missed",
        }
    }
}

/// How a reveal was missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum RevealMiss {
    /// The epoch of the reveal ended before we revealed.
    #[error("the epoch of the reveal ended")]
    WindowClosed,
    /// The chain no longer has the commit, and our weights are not what was committed.
    #[error("the chain dropped the commit")]
    Dropped,
}
