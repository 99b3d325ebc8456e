use adit_primitives::{Block, Hotkey, MechId, NetUid, Uid, WeightVector};
use serde::{Deserialize, Serialize};

use crate::commit_reveal::CommitSalt;

/// What a [`WeightSetter`](crate::WeightSetter) must not forget when its process ends.
///
/// Holds the salts of hashed commits, so it is as secret as the weights are until they are
/// revealed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommitState {
    /// Our place when weights were last made, and since when it was ours.
    pub registration: Option<(Uid, Block)>,
    /// Commits whose end is not known yet, oldest first.
    pub commits: Vec<PendingCommit>,
}

/// Committed weights that wait to be revealed, or for the chain to show that they were.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PendingCommit {
    /// The subnet.
    pub netuid: NetUid,
    /// The mechanism.
    pub mechid: MechId,
    /// Who committed.
    pub hotkey: Hotkey,
    /// The weights.
    pub weights: WeightVector,
    /// The version key they come with.
    pub version_key: u64,
    /// How they are hidden.
    pub seal: CommitSeal,
    /// The newest block before it was sent.
    pub sent_after: Block,
    /// Where it is on chain; `None` until that was seen.
    pub included: Option<IncludedCommit>,
}

/// How committed weights are hidden.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum CommitSeal {
    /// By a hash; we reveal them.
    Hash {
        /// What the chain was given.
        hash: [u8; 32],
        /// What makes the hash unguessable.
        salt: CommitSalt,
    },
    /// Sealed to a round of the beacon; the chain reveals them.
    Timelock {
        /// The round that opens them.
        round: u64,
    },
}

/// A commit in a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IncludedCommit {
    /// The block that holds it.
    pub block: Block,
    /// Its hash.
    pub block_hash: [u8; 32],
    /// Hash of the transaction.
    pub extrinsic: [u8; 32],
    /// The epoch it was committed in, as the chain counts.
    pub epoch: u64,
}

impl PendingCommit {
    /// The beacon's round that opens it, if it is sealed to one.
    pub const fn round(&self) -> Option<u64> {
        match self.seal {
            CommitSeal::Hash { .. } => None,
            CommitSeal::Timelock { round } => Some(round),
        }
    }
}
