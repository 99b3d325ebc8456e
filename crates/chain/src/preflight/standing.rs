use std::time::Duration;

use adit_primitives::{
    Block, BlockHash, Hotkey, MechId, NetUid, Rao, SubnetParameters, Uid, WeightVector,
};

use crate::{
    Result,
    commit_reveal::{Beacon, EpochSchedule, FixedTempo},
};

/// All that the chain looks at before it takes weights of our neuron, at one block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeightsStanding {
    /// The subnet.
    pub netuid: NetUid,
    /// The mechanism.
    pub mechid: MechId,
    /// The block this was read at.
    pub block: Block,
    /// Its hash.
    pub block_hash: BlockHash,
    /// The subnet's hyperparameters.
    pub parameters: SubnetParameters,
    /// Mechanisms of the subnet, at least 1.
    pub mechanisms: u8,
    /// Neurons of the subnet.
    pub neurons: usize,
    /// Our hotkey.
    pub hotkey: Hotkey,
    /// Our place; `None` when the hotkey is not registered.
    pub uid: Option<Uid>,
    /// When our place was last given away: a later block than before means that we were replaced
    /// and came back.
    pub registered_at: Block,
    /// Whether we may weigh others.
    pub validator_permit: bool,
    /// Whether ours is the subnet owner's hotkey, which needs neither stake nor permit.
    pub is_owner: bool,
    /// When our weights of this mechanism were last set or committed; 0 when they never were.
    pub last_update: Block,
    /// Stake behind our hotkey; `None` where that is the chain's to add up, as with child keys.
    pub stake: Option<Rao>,
    /// Least stake with which weights are taken.
    pub stake_threshold: Rao,
    /// Our weights as stored now.
    pub row: WeightVector,
    /// What commit-reveal looks at.
    pub commit_reveal: CommitRevealStanding,
}

/// The part of a [`WeightsStanding`] that is about committed weights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitRevealStanding {
    /// Epochs between commit and reveal.
    pub reveal_period: u64,
    /// The version of timelocked commits that the chain takes.
    pub version: u16,
    /// Whether the runtime has timelocked commits at all.
    pub takes_timelocked: bool,
    /// When epochs begin.
    pub epochs: EpochState,
    /// The chain's time at this block, since the Unix epoch; `None` where it keeps none.
    pub now: Option<Duration>,
    /// Time between two blocks.
    pub block_time: Duration,
    /// The beacon by which the chain opens timelocked weights; `None` where it has none.
    pub beacon: Option<BeaconStanding>,
    /// Our hashes that wait to be revealed, oldest first.
    pub hashes: Vec<StoredHash>,
    /// Our timelocked commits of the running epoch and of the one that is revealed in it, oldest
    /// first.
    pub timelocked: Vec<StoredTimelocked>,
}

/// A beacon as the chain follows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BeaconStanding {
    /// Its key and times, as the chain has them.
    pub beacon: Beacon,
    /// The newest round whose signature the chain holds; 0 when it holds none.
    pub last_stored_round: u64,
}

/// A hash we committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredHash {
    /// The hash.
    pub hash: [u8; 32],
    /// The epoch it was committed in.
    pub epoch: u64,
    /// The block it was committed in.
    pub block: Block,
}

/// Sealed weights we committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredTimelocked {
    /// The epoch they were committed in.
    pub epoch: u64,
    /// The block they were committed in.
    pub block: Block,
    /// The round that opens them.
    pub round: u64,
}

/// When a subnet's epochs begin, by whichever rule its runtime has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EpochState {
    /// Kept in storage, since runtime 425.
    Stateful(EpochSchedule),
    /// By the block's number alone, before.
    Fixed(FixedTempo),
}

impl EpochState {
    /// The epoch that `head`, whose state this is, belongs to.
    pub const fn current(&self, head: Block) -> u64 {
        match self {
            Self::Stateful(schedule) => schedule.subnet_epoch_index,
            Self::Fixed(fixed) => fixed.epoch(head),
        }
    }

    /// The epoch of transactions in the block after `head`.
    pub const fn of_next_block(&self, head: Block) -> u64 {
        match self {
            Self::Stateful(schedule) => schedule.commit_epoch(head),
            Self::Fixed(fixed) => fixed.epoch(Block(head.0.saturating_add(1))),
        }
    }

    /// The first block after `head` at which an epoch begins.
    ///
    /// # Errors
    /// [`Error::Schedule`](crate::Error::Schedule) for a subnet without epochs.
    pub fn next_epoch(&self, head: Block) -> Result<Block> {
        Ok(match self {
            Self::Stateful(schedule) => schedule.next_epoch(head)?,
            Self::Fixed(fixed) => fixed.first_block(fixed.epoch(head).saturating_add(1)),
        })
    }

    /// The block at which the chain reveals, or begins to take reveals of, what is committed in the
    /// block after `head`.
    ///
    /// # Errors
    /// [`Error::Schedule`](crate::Error::Schedule) for a subnet without epochs.
    pub fn reveal_block(&self, head: Block, reveal_period: u64) -> Result<Block> {
        Ok(match self {
            Self::Stateful(schedule) => schedule.reveal_block(head, reveal_period)?,
            Self::Fixed(fixed) => {
                fixed.reveal_block(Block(head.0.saturating_add(1)), reveal_period)
            }
        })
    }
}
