//! What to do with a pending commit, told from the chain's state at one block.

use adit_primitives::Block;

use super::state::{CommitSeal, IncludedCommit, PendingCommit};
use crate::{RevealMiss, WeightsStanding, preflight::holds};

/// Blocks after which a transaction that was never seen is not coming any more: longer than any
/// era this crate signs by default.
const LONGEST_FLIGHT: u64 = 256;

/// What became of a pending commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Its time has not come, or the chain is not ready.
    Wait,
    /// It is on chain, in this block and epoch, which was not known before.
    Found(IncludedCommit),
    /// We must reveal it now.
    Reveal,
    /// The chain holds the weights.
    OnChain,
    /// It never was on chain and will not be.
    Unsent,
    /// It was not revealed.
    Missed {
        reveal_epoch: u64,
        reason: RevealMiss,
    },
}

pub(super) fn judge(standing: &WeightsStanding, commit: &PendingCommit) -> Verdict {
    let Some(included) = commit.included else {
        return find(standing, commit).unwrap_or_else(|| unseen(standing, commit));
    };
    let state = &standing.commit_reveal;
    let reveal_epoch = included.epoch.saturating_add(state.reveal_period);
    let missed = |reason| Verdict::Missed {
        reveal_epoch,
        reason,
    };
    match commit.seal {
        CommitSeal::Hash { hash, .. } => {
            if !state.hashes.iter().any(|stored| stored.hash == hash) {
                // The chain forgets a commit when it is revealed, when a later one is, or when a
                // newer commit finds it expired.
                return if holds(&standing.row, &commit.weights) {
                    Verdict::OnChain
                } else {
                    missed(RevealMiss::Dropped)
                };
            }
            // Not earlier by foresight: an epoch may be put off.
            match state.epochs.current(standing.block) {
                epoch if epoch < reveal_epoch => Verdict::Wait,
                epoch if epoch == reveal_epoch => Verdict::Reveal,
                _ => missed(RevealMiss::WindowClosed),
            }
        }
        CommitSeal::Timelock { round } => {
            let epoch = state.epochs.current(standing.block);
            if epoch < reveal_epoch {
                return Verdict::Wait;
            }
            if holds(&standing.row, &commit.weights) {
                return Verdict::OnChain;
            }
            if epoch > reveal_epoch {
                return missed(RevealMiss::WindowClosed);
            }
            // Until the beacon's signature is there, the chain tries in every block of the epoch.
            let waits = state.timelocked.iter().any(|stored| {
                (stored.epoch, stored.block, stored.round)
                    == (included.epoch, included.block, round)
            });
            if waits {
                Verdict::Wait
            } else {
                missed(RevealMiss::Dropped)
            }
        }
    }
}

/// Looks for a commit that an earlier life sent without seeing where it went.
fn find(standing: &WeightsStanding, commit: &PendingCommit) -> Option<Verdict> {
    let state = &standing.commit_reveal;
    let (epoch, block) = match commit.seal {
        CommitSeal::Hash { hash, .. } => {
            let stored = state.hashes.iter().find(|stored| stored.hash == hash)?;
            (stored.epoch, stored.block)
        }
        CommitSeal::Timelock { round } => {
            let ours = |stored: &&crate::StoredTimelocked| {
                stored.round == round && stored.block >= commit.sent_after
            };
            let stored = state.timelocked.iter().find(ours)?;
            (stored.epoch, stored.block)
        }
    };
    Some(Verdict::Found(IncludedCommit {
        block,
        // The life that knew these is over.
        block_hash: [0; 32],
        extrinsic: [0; 32],
        epoch,
    }))
}

fn unseen(standing: &WeightsStanding, commit: &PendingCommit) -> Verdict {
    let over = Block(commit.sent_after.0.saturating_add(LONGEST_FLIGHT));
    if standing.block <= over {
        Verdict::Wait
    } else if holds(&standing.row, &commit.weights) {
        Verdict::OnChain
    } else {
        Verdict::Unsent
    }
}
