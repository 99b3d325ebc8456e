use std::time::Duration;

use adit_primitives::{Block, WeightVector};

use super::{
    CommitSeal, IncludedCommit, PendingCommit, SealChoice, WeightSetter, WeightsCall,
    WeightsOutcome, WeightsReceipt,
    judge::{Verdict, judge},
    send::{send, standing_at},
    store::CommitStore,
};
use crate::{
    BeaconStanding, Chain, Error, Result, WeightsRefusal, WeightsStanding,
    commit_reveal::{CommitSalt, TIMELOCK_VERSION, commit_hash},
};

/// The chain may be so many blocks behind its beacon before nothing more is sealed to it.
const BEACON_LAG: u32 = 50;

impl<C: Chain, S: CommitStore> WeightSetter<C, S> {
    pub(super) async fn commit(
        &mut self,
        standing: &WeightsStanding,
        weights: &WeightVector,
    ) -> Result<WeightsOutcome> {
        let (hotkey, version_key) = (standing.hotkey, self.version_key);
        let same = |commit: &&PendingCommit| {
            &commit.weights == weights
                && (commit.hotkey, commit.version_key) == (hotkey, version_key)
                && matches!(judge(standing, commit), Verdict::Wait | Verdict::Reveal)
        };
        if let Some(commit) = self.state()?.commits.iter().rev().find(same)
            && let Some(included) = commit.included
        {
            return committed(standing, &included, commit.round());
        }
        if let Some(refusal) = standing.commit_refusal(weights, version_key) {
            return Ok(WeightsOutcome::Refused(refusal));
        }
        let (seal, call) = match self.seal(standing, weights)? {
            Ok(made) => made,
            Err(refusal) => return Ok(WeightsOutcome::Refused(refusal)),
        };
        let planned = PendingCommit {
            netuid: self.netuid,
            mechid: self.mechid,
            hotkey,
            weights: weights.clone(),
            version_key,
            seal,
            sent_after: standing.block,
            included: None,
        };
        // A process that ends between here and the answer must still know the salt.
        self.change(|state| state.commits.push(planned.clone()))?;
        let refusal = |standing: &WeightsStanding| standing.commit_refusal(weights, version_key);
        match send(&self.chain, standing, &call, refusal).await {
            Ok(Ok(receipt)) => self.committed(&planned, receipt).await,
            Ok(Err(outcome)) => {
                self.forget(&planned)?;
                Ok(outcome)
            }
            // It may be on its way.
            Err(
                error @ (Error::Undetermined { .. }
                | Error::ConnectionLost { .. }
                | Error::Timeout { .. }),
            ) => Err(error),
            Err(error) => {
                self.forget(&planned)?;
                Err(error)
            }
        }
    }

    /// Hides weights in the way that the chain takes and the options allow.
    fn seal(
        &mut self,
        standing: &WeightsStanding,
        weights: &WeightVector,
    ) -> Result<Result<(CommitSeal, WeightsCall), WeightsRefusal>> {
        let state = &standing.commit_reveal;
        let beacon = state.beacon.filter(|_| state.takes_timelocked);
        let beacon = match self.options.seal {
            SealChoice::Hash => None,
            SealChoice::ByChain => beacon.filter(|_| state.version == TIMELOCK_VERSION),
            SealChoice::Timelock if beacon.is_none() || state.version != TIMELOCK_VERSION => {
                let version = state.version;
                return Ok(Err(WeightsRefusal::UnknownVersion { version }));
            }
            SealChoice::Timelock => beacon,
        };
        let Some(beacon) = beacon else {
            let salt = CommitSalt::random(&mut *self.chance);
            let index = self.mechid.storage_index(self.netuid);
            let pairs = weights.pairs();
            let hash = commit_hash(standing.hotkey, index, pairs, &salt, self.version_key);
            let seal = CommitSeal::Hash { hash, salt };
            return Ok(Ok((seal, WeightsCall::Commit { hash })));
        };
        let round = match self.round(standing, &beacon)? {
            Ok(round) => round,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let call = WeightsCall::CommitTimelocked {
            weights: weights.clone(),
            version_key: self.version_key,
            beacon: Box::new(beacon.beacon),
            round,
        };
        Ok(Ok((CommitSeal::Timelock { round }, call)))
    }

    /// The round to seal to: that of the reveal block, and never one that the chain has passed,
    /// which it would refuse or, where its rounds once jumped, could not open.
    fn round(
        &self,
        standing: &WeightsStanding,
        beacon: &BeaconStanding,
    ) -> Result<Result<u64, WeightsRefusal>> {
        let state = &standing.commit_reveal;
        // The chain's own time, which a wrong clock of ours does not shift.
        let ours = Duration::from_nanos(self.clock.unix_nanos());
        let now = state.now.unwrap_or(ours);
        if now.abs_diff(ours) > Duration::from_secs(120) {
            tracing::warn!(?ours, chain = ?now, "our clock and the chain's differ by minutes");
        }
        let expected = beacon.beacon.round_at(now);
        let tolerated = state.block_time.saturating_mul(BEACON_LAG).as_nanos()
            / beacon.beacon.period.as_nanos().max(1);
        let tolerated = u64::try_from(tolerated)
            .unwrap_or(u64::MAX)
            .max(u64::from(BEACON_LAG));
        if expected.saturating_sub(beacon.last_stored_round) > tolerated {
            return Ok(Err(WeightsRefusal::BeaconBehind {
                last_stored: beacon.last_stored_round,
                expected,
            }));
        }
        let reveal = state
            .epochs
            .reveal_block(standing.block, state.reveal_period)?;
        let round = beacon
            .beacon
            .round_for_block(reveal, standing.block, now, state.block_time);
        Ok(Ok(round.max(beacon.last_stored_round.saturating_add(1))))
    }

    /// Reads a commit back and notes where it is.
    async fn committed(
        &mut self,
        planned: &PendingCommit,
        receipt: WeightsReceipt,
    ) -> Result<WeightsOutcome> {
        let after = standing_at(&self.chain, self.netuid, self.mechid, receipt.head).await?;
        let Verdict::Found(found) = judge(&after, planned) else {
            return Err(Error::CommitReadBack {
                netuid: self.netuid,
                block: receipt.head.number,
            });
        };
        let included = IncludedCommit {
            block: receipt.head.number,
            block_hash: receipt.head.hash.0,
            extrinsic: receipt.extrinsic,
            epoch: found.epoch,
        };
        self.note(planned, included)?;
        committed(&after, &included, planned.round())
    }

    /// Writes down where a commit is.
    pub(super) fn note(&mut self, commit: &PendingCommit, included: IncludedCommit) -> Result<()> {
        self.change(|state| {
            let ours = state.commits.iter_mut().find(|other| same(other, commit));
            if let Some(ours) = ours {
                ours.included = Some(included);
            }
        })
    }

    pub(super) fn forget(&mut self, commit: &PendingCommit) -> Result<()> {
        self.change(|state| state.commits.retain(|other| !same(other, commit)))
    }
}

/// Whether both are one commit. Several may be sealed to the same round.
fn same(left: &PendingCommit, right: &PendingCommit) -> bool {
    (&left.seal, left.sent_after, &left.weights) == (&right.seal, right.sent_after, &right.weights)
}

/// Where a commit is and when it is revealed, as far as that can be told now.
fn committed(
    standing: &WeightsStanding,
    included: &IncludedCommit,
    round: Option<u64>,
) -> Result<WeightsOutcome> {
    let state = &standing.commit_reveal;
    let reveal_epoch = included.epoch.saturating_add(state.reveal_period);
    let current = state.epochs.of_next_block(standing.block);
    let to_go = reveal_epoch.saturating_sub(current);
    let reveal_block = if to_go == 0 {
        Block(standing.block.0.saturating_add(1))
    } else {
        state.epochs.reveal_block(standing.block, to_go)?
    };
    Ok(WeightsOutcome::Committed {
        block: included.block,
        block_hash: adit_primitives::BlockHash(included.block_hash),
        extrinsic: included.extrinsic,
        epoch: included.epoch,
        reveal_epoch,
        reveal_block,
        round,
    })
}
