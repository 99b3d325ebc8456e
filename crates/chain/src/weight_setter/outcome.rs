use adit_primitives::{Block, BlockHash, WeightVector};

use crate::{
    BlockHead, WeightsFailure, WeightsRefusal,
    commit_reveal::{Beacon, CommitSalt},
};

/// How setting weights ended, or how far it has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WeightsOutcome {
    /// The chain holds them.
    OnChain {
        /// The block that holds the transaction. Of weights that the chain revealed by itself: the
        /// block at which they were found revealed.
        block: Block,
        /// Its hash.
        block_hash: BlockHash,
        /// Hash of the transaction (blake2-256 of its bytes); of weights that the chain revealed by
        /// itself, the commit's. Zeros where an earlier life of this process sent the commit and
        /// ended before it learnt the hash.
        extrinsic: [u8; 32],
        /// As read back. The chain scales the largest weight up to 65535, so these are what was sent
        /// up to that factor.
        weights: WeightVector,
    },
    /// The chain holds a commit of them, which was read back, and they wait to be revealed.
    Committed {
        /// The block that holds the commit.
        block: Block,
        /// Its hash.
        block_hash: BlockHash,
        /// Hash of the transaction (blake2-256 of its bytes).
        extrinsic: [u8; 32],
        /// The epoch it was committed in.
        epoch: u64,
        /// The epoch in which it is revealed.
        reveal_epoch: u64,
        /// The block at which that epoch is expected to begin.
        reveal_block: Block,
        /// The beacon's round that opens it; `None` for a hash, which we reveal ourselves.
        round: Option<u64>,
    },
    /// The chain does not take them, and why. Nothing was sent.
    Refused(WeightsRefusal),
    /// Something was sent and came to nothing, and why.
    Failed(WeightsFailure),
}

impl WeightsOutcome {
    /// A stable name for metrics and logs: `on_chain`, `committed`, or the reason's own.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::OnChain { .. } => "on_chain",
            Self::Committed { .. } => "committed",
            Self::Refused(refusal) => refusal.code(),
            Self::Failed(failure) => failure.code(),
        }
    }
}

/// One transaction about the weights of a mechanism, see
/// [`Chain::send_weights`](crate::Chain::send_weights).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WeightsCall {
    /// Sets them, on subnets without commit-reveal.
    Set {
        /// The weights.
        weights: WeightVector,
        /// The version key they come with.
        version_key: u64,
    },
    /// Commits to their hash.
    Commit {
        /// As [`commit_hash`](crate::commit_reveal::commit_hash) makes it.
        hash: [u8; 32],
    },
    /// Reveals what was committed by hash.
    Reveal {
        /// The weights.
        weights: WeightVector,
        /// The salt in the hash.
        salt: CommitSalt,
        /// The version key in the hash.
        version_key: u64,
    },
    /// Commits them sealed to a round of a beacon.
    CommitTimelocked {
        /// The weights.
        weights: WeightVector,
        /// The version key they come with.
        version_key: u64,
        /// The beacon to seal for.
        beacon: Box<Beacon>,
        /// The round that opens them.
        round: u64,
    },
}

/// A transaction about weights that is in a block and succeeded there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WeightsReceipt {
    /// The block that holds it.
    pub head: BlockHead,
    /// Hash of the transaction (blake2-256 of its bytes).
    pub extrinsic: [u8; 32],
}
