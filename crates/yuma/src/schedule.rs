//! When a subnet's epochs begin.
//!
//! Runtimes from spec 425 on keep the state in storage ([`EpochSchedule`]): an owner may change the
//! tempo or ask for an epoch at a block. Before, the block's number alone decided
//! ([`FixedTempo`]).

use adit_primitives::{Block, NetUid};

use crate::{Error, Result};

/// Steps after which an epoch comes whatever the tempo says (runtime 425).
const MOST_STEPS: u64 = 50_400;
/// More epochs than any subnet waits before it reveals; the chain allows 100.
const MOST_EPOCHS: u64 = 1_000;

/// A subnet's epochs as the chain keeps them, at the end of one block.
///
/// All fields are read at the same block, from the storage items of the same names
/// (`SubtensorModule.Tempo`, `.LastEpochBlock`, `.PendingEpochAt`, `.SubnetEpochIndex`,
/// `.BlocksSinceLastStep`).
///
/// ```
/// use adit_primitives::Block;
/// use adit_yuma::EpochSchedule;
///
/// let schedule = EpochSchedule {
///     tempo: 50,
///     last_epoch_block: Block(100),
///     pending_epoch_at: Block(0),
///     subnet_epoch_index: 7,
///     blocks_since_last_step: 20,
/// };
/// // A commit sent now lands in epoch 7 and is revealed when epoch 8 begins, at block 150.
/// assert_eq!(schedule.commit_epoch(Block(120)), 7);
/// assert_eq!(schedule.reveal_block(Block(120), 1)?, Block(150));
/// # Ok::<(), adit_yuma::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EpochSchedule {
    /// Blocks between two epochs; with 0 there are none.
    pub tempo: u16,
    /// The block at which the last epoch began.
    pub last_epoch_block: Block,
    /// A block at which an epoch was asked for, 0 for none.
    pub pending_epoch_at: Block,
    /// The number of the running epoch.
    pub subnet_epoch_index: u64,
    /// Blocks since the last epoch.
    pub blocks_since_last_step: u64,
}

impl EpochSchedule {
    /// Whether an epoch begins at `block`, the state being that of the block before.
    pub const fn should_run(&self, block: Block) -> bool {
        let asked = self.pending_epoch_at.0 > 0 && block.0 >= self.pending_epoch_at.0;
        let due = block.since(self.last_epoch_block) >= self.tempo as u64;
        self.tempo != 0 && (asked || due || self.blocks_since_last_step > MOST_STEPS)
    }

    /// Goes on to `block`, which follows the state's. Whether an epoch began there.
    pub const fn step(&mut self, block: Block) -> bool {
        self.blocks_since_last_step = self.blocks_since_last_step.saturating_add(1);
        let runs = self.should_run(block);
        if runs {
            self.last_epoch_block = block;
            self.pending_epoch_at = Block(0);
            self.subnet_epoch_index = self.subnet_epoch_index.saturating_add(1);
            self.blocks_since_last_step = 0;
        }
        runs
    }

    /// The epoch of transactions in the block after `head`, the state being `head`'s.
    pub const fn commit_epoch(&self, head: Block) -> u64 {
        let next = Block(head.0.saturating_add(1));
        let begins = self.should_run(next) as u64;
        self.subnet_epoch_index.saturating_add(begins)
    }

    /// The first block after `head` at which an epoch begins.
    ///
    /// # Errors
    /// [`Error::NoEpochs`].
    pub fn next_epoch(&self, head: Block) -> Result<Block> {
        self.begins(head, self.subnet_epoch_index.saturating_add(1))
    }

    /// The block at which the chain reveals what is committed in the block after `head`:
    /// `reveal_period` epochs after [`EpochSchedule::commit_epoch`].
    ///
    /// A prediction: an owner may still change the tempo, and a busy chain puts epochs off by a few
    /// blocks.
    ///
    /// # Errors
    /// [`Error::NoEpochs`]; [`Error::TooManyEpochs`] beyond 1,000 epochs.
    pub fn reveal_block(&self, head: Block, reveal_period: u64) -> Result<Block> {
        if reveal_period > MOST_EPOCHS {
            return Err(Error::TooManyEpochs {
                epochs: reveal_period,
            });
        }
        let epoch = self.commit_epoch(head).saturating_add(reveal_period);
        self.begins(head, epoch)
    }

    /// The first block after `head` that belongs to `epoch` or a later one.
    fn begins(mut self, head: Block, epoch: u64) -> Result<Block> {
        if self.tempo == 0 {
            return Err(Error::NoEpochs);
        }
        let mut block = Block(head.0.saturating_add(1));
        while self.commit_epoch(Block(block.0.saturating_sub(1))) < epoch {
            let quiet = self.quiet(block);
            if quiet == 0 {
                self.step(block);
                block = Block(block.0.saturating_add(1));
            } else {
                self.blocks_since_last_step = self.blocks_since_last_step.saturating_add(quiet);
                block = Block(block.0.saturating_add(quiet));
            }
            if block.0 == u64::MAX {
                break;
            }
        }
        Ok(block)
    }

    /// How many blocks from `block` on surely begin no epoch, so that they need no step each.
    fn quiet(&self, block: Block) -> u64 {
        let due = self
            .last_epoch_block
            .0
            .saturating_add(self.tempo.into())
            .saturating_sub(block.0);
        let asked = match self.pending_epoch_at.0 {
            0 => u64::MAX,
            at => at.saturating_sub(block.0),
        };
        let forced = MOST_STEPS.saturating_sub(self.blocks_since_last_step);
        due.min(asked).min(forced)
    }
}

/// Epochs of runtimes before spec 425: `tempo + 1` blocks each, shifted by the subnet's number so
/// that not all subnets have theirs at the same block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FixedTempo {
    /// The subnet.
    pub netuid: NetUid,
    /// Blocks between two epochs, less one.
    pub tempo: u16,
}

impl FixedTempo {
    const fn length(self) -> u64 {
        self.tempo as u64 + 1
    }

    const fn shift(self) -> u64 {
        self.netuid.0 as u64 + 1
    }

    /// The epoch that `block` belongs to: `⌊(block + netuid + 1) / (tempo + 1)⌋`.
    pub const fn epoch(self, block: Block) -> u64 {
        block.0.saturating_add(self.shift()) / self.length()
    }

    /// The first block of an epoch: `epoch · (tempo + 1) − (netuid + 1)`, 0 where that is negative.
    pub const fn first_block(self, epoch: u64) -> Block {
        Block(
            epoch
                .saturating_mul(self.length())
                .saturating_sub(self.shift()),
        )
    }

    /// The first block at which what is committed at `block` may be revealed.
    pub const fn reveal_block(self, block: Block, reveal_period: u64) -> Block {
        self.first_block(self.epoch(block).saturating_add(reveal_period))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn schedule(state: (u16, u64, u64, u64)) -> EpochSchedule {
        let (tempo, last, pending, since) = state;
        EpochSchedule {
            tempo,
            last_epoch_block: Block(last),
            pending_epoch_at: Block(pending),
            subnet_epoch_index: 0,
            blocks_since_last_step: since,
        }
    }

    /// `bittensor-drand` 2.0.0 answered these, read back from its rounds.
    #[test]
    fn an_epoch_held_back_too_long_comes_as_the_fields_own_library_predicts() {
        let cases = [
            ((60_000, 100, 0, 50_399), 1_000, 2, 51_404),
            ((60_000, 100, 101, 0), 100, 2, 100_904),
            ((2, 1_477, 3_987, 50_400), 1_362, 2, 1_365),
            ((360, 1_072, 0, 50_400), 914, 3, 1_635),
            ((5, 445, 3_731, 50_399), 421, 2, 428),
        ];
        for (state, head, period, expected) in cases {
            let found = schedule(state).reveal_block(Block(head), period).unwrap();
            assert_eq!(found, Block(expected), "{state:?}");
        }
    }

    #[test]
    fn a_subnet_without_a_tempo_has_no_epochs() {
        let still = schedule((0, 10, 12, u64::MAX));
        assert!(!still.should_run(Block(u64::MAX)));
        assert_eq!(still.next_epoch(Block(10)), Err(Error::NoEpochs));
        assert_eq!(still.reveal_block(Block(10), 1), Err(Error::NoEpochs));
        let epochs = MOST_EPOCHS + 1;
        assert_eq!(
            schedule((1, 0, 0, 0)).reveal_block(Block(0), epochs),
            Err(Error::TooManyEpochs { epochs })
        );
    }

    #[test]
    fn the_end_of_block_numbers_ends_a_prediction() {
        let late = schedule((u16::MAX, u64::MAX, u64::MAX, 0));
        assert_eq!(late.next_epoch(Block(u64::MAX - 3)), Ok(Block(u64::MAX)));
        let fixed = FixedTempo {
            netuid: NetUid(u16::MAX),
            tempo: u16::MAX,
        };
        assert_eq!(
            fixed.reveal_block(Block(u64::MAX), u64::MAX),
            fixed.first_block(u64::MAX)
        );
    }

    proptest! {
        #[test]
        fn skipping_quiet_blocks_changes_nothing(
            tempo in 1_u16..400,
            last in 0_u64..2_000,
            pending in prop_oneof![Just(0_u64), 0_u64..3_000],
            since in prop_oneof![0_u64..500, 50_300_u64..50_500],
            head in 0_u64..2_000,
            period in 0_u64..4,
        ) {
            let start = schedule((tempo, last, pending, since));
            let target = start.commit_epoch(Block(head)) + period;
            let (mut state, mut block) = (start, head + 1);
            while state.commit_epoch(Block(block - 1)) < target {
                state.step(Block(block));
                block += 1;
            }
            prop_assert_eq!(start.reveal_block(Block(head), period).unwrap(), Block(block));
        }

        #[test]
        fn fixed_epochs_begin_where_they_are_said_to(netuid: u16, tempo: u16, epoch in 1_u64..1_000_000) {
            let fixed = FixedTempo { netuid: NetUid(netuid), tempo };
            let first = fixed.first_block(epoch);
            prop_assume!(first.0 > 0);
            prop_assert_eq!(fixed.epoch(first), epoch);
            prop_assert_eq!(fixed.epoch(Block(first.0 - 1)), epoch - 1);
            prop_assert_eq!(fixed.reveal_block(first, 2), fixed.first_block(epoch + 2));
        }
    }
}
