use adit_primitives::BlockHash;

use super::{
    CommitSeal, PendingCommit, WeightSetter, WeightsCall, WeightsOutcome,
    judge::{Verdict, judge},
    send::{read_back, send},
    store::CommitStore,
};
use crate::{Chain, Result, WeightsFailure, WeightsStanding};

impl<C: Chain, S: CommitStore> WeightSetter<C, S> {
    /// Carries pending commits on: reveals what it is time to reveal, looks whether the chain has
    /// revealed what it should, and commits anew what was missed. Also picks up what an earlier life
    /// of this process left.
    ///
    /// Answers with what changed, oldest first: weights that are now on chain, reveals that were
    /// missed (each followed by what became of the new commit), and reasons for which a reveal is
    /// not taken now; that one is tried again with the next call until its epoch ends. Nothing is
    /// asked of the chain when nothing is pending.
    ///
    /// # Errors
    /// As [`WeightSetter::set_with`]. What was found out before the error is saved.
    pub async fn follow(&mut self) -> Result<Vec<WeightsOutcome>> {
        if self.pending()?.is_empty() {
            return Ok(Vec::new());
        }
        let Some(standing) = self.standing().await? else {
            return Ok(Vec::new());
        };
        let mut outcomes = Vec::new();
        let mut missed = None;
        let commits = self.pending()?.to_vec();
        for (place, commit) in commits.iter().enumerate() {
            if commit.hotkey != standing.hotkey {
                tracing::warn!(hotkey = %commit.hotkey, "a pending commit is of another hotkey");
                continue;
            }
            match judge(&standing, commit) {
                Verdict::Wait => {}
                Verdict::Found(included) => {
                    tracing::info!(netuid = %self.netuid, block = %included.block, "found a commit of an earlier life");
                    self.note(commit, included)?;
                }
                Verdict::Unsent => {
                    tracing::warn!(netuid = %self.netuid, "a commit was never included");
                    self.forget(commit)?;
                }
                Verdict::OnChain => {
                    outcomes.push(on_chain(&standing, commit));
                    self.forget(commit)?;
                }
                Verdict::Reveal | Verdict::Missed { .. }
                    if superseded(&standing, commit, commits.get(place + 1..).unwrap_or(&[])) =>
                {
                    tracing::info!(netuid = %self.netuid, "a later commit stands in for an older one");
                    self.forget(commit)?;
                }
                Verdict::Reveal => outcomes.push(self.reveal(&standing, commit).await?),
                Verdict::Missed {
                    reveal_epoch,
                    reason,
                } => {
                    let committed = commit.included.map_or(commit.sent_after, |at| at.block);
                    let failure = WeightsFailure::RevealMissed {
                        committed,
                        reveal_epoch,
                        block: standing.block,
                        reason,
                    };
                    tracing::error!(netuid = %self.netuid, %failure, "weights are lost");
                    outcomes.push(WeightsOutcome::Failed(failure));
                    self.forget(commit)?;
                    missed = Some(commit.weights.clone());
                }
            }
        }
        if let Some(weights) = missed {
            let mut again = |_: &WeightsStanding| Ok(weights.clone());
            outcomes.push(self.attempt(&mut again, &mut None).await?);
        }
        Ok(outcomes)
    }

    /// Reveals what was committed by hash, and reads it back.
    async fn reveal(
        &mut self,
        standing: &WeightsStanding,
        commit: &PendingCommit,
    ) -> Result<WeightsOutcome> {
        let (weights, version_key) = (&commit.weights, commit.version_key);
        if let Some(refusal) = standing.reveal_refusal(weights, version_key) {
            tracing::warn!(netuid = %self.netuid, %refusal, "weights cannot be revealed now");
            return Ok(WeightsOutcome::Refused(refusal));
        }
        let CommitSeal::Hash { salt, .. } = &commit.seal else {
            return Ok(on_chain(standing, commit));
        };
        let call = WeightsCall::Reveal {
            weights: weights.clone(),
            salt: salt.clone(),
            version_key,
        };
        let refusal = |standing: &WeightsStanding| standing.reveal_refusal(weights, version_key);
        match send(&self.chain, standing, &call, refusal).await? {
            Ok(receipt) => {
                let (netuid, mechid) = (self.netuid, self.mechid);
                let outcome = read_back(&self.chain, netuid, mechid, weights, receipt).await?;
                self.forget(commit)?;
                Ok(outcome)
            }
            Err(outcome) => Ok(outcome),
        }
    }
}

/// Whether a later commit of the same epoch takes this one's place: the chain keeps only the weights
/// that are revealed last.
fn superseded(standing: &WeightsStanding, commit: &PendingCommit, later: &[PendingCommit]) -> bool {
    let epoch = |commit: &PendingCommit| commit.included.map(|included| included.epoch);
    later
        .iter()
        .filter(|other| epoch(other).is_some() && epoch(other) == epoch(commit))
        .any(|other| {
            matches!(
                judge(standing, other),
                Verdict::Reveal | Verdict::OnChain | Verdict::Wait
            )
        })
}

fn on_chain(standing: &WeightsStanding, commit: &PendingCommit) -> WeightsOutcome {
    WeightsOutcome::OnChain {
        block: standing.block,
        block_hash: BlockHash(standing.block_hash.0),
        extrinsic: commit
            .included
            .map_or([0; 32], |included| included.extrinsic),
        weights: standing.row.clone(),
    }
}
