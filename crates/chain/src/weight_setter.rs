mod commit;
mod follow;
mod judge;
mod options;
mod outcome;
mod send;
mod state;
mod store;

use std::{fmt, sync::Arc};

use adit_primitives::{Block, Clock, MechId, NetUid, WeightVector};
use futures::StreamExt as _;
use rand::CryptoRng;

pub use options::{Patience, SealChoice, WeightSetterOptions};
pub use outcome::{WeightsCall, WeightsOutcome, WeightsReceipt};
pub(crate) use send::set_plain;
pub use state::{CommitSeal, CommitState, IncludedCommit, PendingCommit};
pub use store::{CommitStore, FileCommitStore, MemoryCommitStore};

use crate::{Chain, Error, Result, WeightsRefusal, WeightsStanding};

/// Sets the weights of one mechanism, in whichever way its subnet takes them, and sees them through
/// until the chain shows them.
///
/// Every call answers with exactly one [`WeightsOutcome`], or with an [`Error`] where the chain
/// could not be asked. On a subnet without commit-reveal, weights are set and read back. With
/// commit-reveal they are committed, sealed to a round of the chain's beacon or by hash; the answer
/// is [`WeightsOutcome::Committed`], and [`WeightSetter::follow`], called now and then (once a block
/// is plenty, and at least once in the epoch of the reveal where the seal is a hash), reveals them
/// when it is time and tells how it ended. A reveal that was missed is told as
/// [`WeightsFailure::RevealMissed`](crate::WeightsFailure::RevealMissed), and the same weights are
/// committed again at once.
///
/// What must not be forgotten, such as the salt of a hash, is saved before anything is sent, so that
/// a restart goes on where the process ended. Nothing is committed in the last
/// two blocks before an epoch, where a block's delay would put it into the next one.
///
/// ```no_run
/// use std::sync::Arc;
/// use adit_chain::{Chain, FileCommitStore, Result, WeightSetter, WeightsOutcome};
/// use adit_primitives::{MechId, NetUid, SystemClock, WeightVector};
/// use rand::{SeedableRng as _, rngs::StdRng};
///
/// async fn weigh(chain: impl Chain, weights: &WeightVector) -> Result<()> {
///     let store = FileCommitStore::new("validator-state/weights-1.json");
///     let chance = Box::new(StdRng::from_os_rng());
///     let mut setter = WeightSetter::new(chain, NetUid(1), MechId(0), store, chance, Arc::new(SystemClock));
///     for outcome in setter.follow().await? {
///         println!("{}: {outcome:?}", outcome.code());
///     }
///     match setter.set(weights).await? {
///         WeightsOutcome::OnChain { block, .. } => println!("on chain at {block}"),
///         WeightsOutcome::Committed { reveal_block, .. } => println!("open at {reveal_block}"),
///         WeightsOutcome::Refused(refusal) => println!("{}: {refusal}", refusal.code()),
///         WeightsOutcome::Failed(failure) => println!("{}: {failure}", failure.code()),
///     }
///     Ok(())
/// }
/// ```
pub struct WeightSetter<C, S> {
    chain: C,
    netuid: NetUid,
    mechid: MechId,
    store: S,
    chance: Box<dyn CryptoRng + Send + Sync>,
    clock: Arc<dyn Clock>,
    version_key: u64,
    options: WeightSetterOptions,
    /// As saved; `None` until it is loaded.
    state: Option<CommitState>,
}

impl<C: Chain, S: CommitStore> WeightSetter<C, S> {
    /// A setter for one mechanism of a subnet; `chance` must not be predictable, since salts come
    /// from it. The version key is 0 until [`WeightSetter::with_version_key`].
    pub fn new(
        chain: C,
        netuid: NetUid,
        mechid: MechId,
        store: S,
        chance: Box<dyn CryptoRng + Send + Sync>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            chain,
            netuid,
            mechid,
            store,
            chance,
            clock,
            version_key: 0,
            options: WeightSetterOptions::default(),
            state: None,
        }
    }

    /// The version key to send, as the subnet asks for.
    #[must_use]
    pub const fn with_version_key(mut self, version_key: u64) -> Self {
        self.version_key = version_key;
        self
    }

    /// Other ways of going about it.
    #[must_use]
    pub const fn with_options(mut self, options: WeightSetterOptions) -> Self {
        self.options = options;
        self
    }

    /// Commits that wait to be revealed, or to be seen revealed; oldest first.
    ///
    /// # Errors
    /// [`Error::CommitState`], [`Error::CommitFile`].
    pub fn pending(&mut self) -> Result<&[PendingCommit]> {
        Ok(&self.state()?.commits)
    }

    /// Sets or commits these weights.
    ///
    /// Weights that are committed already and wait are not committed again: the answer is where they
    /// are.
    ///
    /// # Errors
    /// As [`WeightSetter::set_with`].
    pub async fn set(&mut self, weights: &WeightVector) -> Result<WeightsOutcome> {
        self.set_with(|_| Ok(weights.clone())).await
    }

    /// Sets or commits weights that are made from what the chain says of the subnet at that block,
    /// so that limits are those they will be held to. Called once for every attempt.
    ///
    /// # Errors
    /// What `weights` answers; [`Error::Undetermined`] when something was sent and nobody knows what
    /// became of it (it is not sent again, and [`WeightSetter::follow`] finds out about commits);
    /// [`Error::ReadBack`], [`Error::CommitReadBack`] when the chain took something and storage
    /// holds something else; [`Error::CommitState`], [`Error::CommitFile`]; a failure to reach or
    /// to understand the chain.
    pub async fn set_with(
        &mut self,
        mut weights: impl FnMut(&WeightsStanding) -> Result<WeightVector> + Send,
    ) -> Result<WeightsOutcome> {
        let mut deadline = None;
        loop {
            let mut seen = None;
            let outcome = self.attempt(&mut weights, &mut seen).await;
            if self.options.patience == Patience::Once {
                return outcome;
            }
            let (Some(wait), Some((head, epoch))) = (wait_for(&outcome), seen) else {
                return outcome;
            };
            let next = Block(head.0.saturating_add(wait));
            // Waiting for the next epoch goes beyond this one by its nature.
            let passes = matches!(
                outcome,
                Ok(WeightsOutcome::Refused(WeightsRefusal::EpochEnds { .. }))
            );
            let until = *deadline.get_or_insert(epoch);
            if passes {
                deadline = None;
            } else if next >= until {
                return outcome;
            }
            tracing::info!(netuid = %self.netuid, until = %next, "weights are tried again later");
            self.wait_until(next).await?;
        }
    }

    /// One attempt. `seen` becomes the block it looked at and the block of the next epoch.
    pub(super) async fn attempt(
        &mut self,
        weights: &mut (impl FnMut(&WeightsStanding) -> Result<WeightVector> + Send),
        seen: &mut Option<(Block, Block)>,
    ) -> Result<WeightsOutcome> {
        let Some(standing) = self.standing().await? else {
            return Ok(WeightsOutcome::Refused(WeightsRefusal::NoSuchSubnet {
                netuid: self.netuid,
            }));
        };
        let epoch = standing.commit_reveal.epochs.next_epoch(standing.block);
        *seen = Some((standing.block, epoch.unwrap_or(Block(u64::MAX))));
        if let Some(refusal) = self.registration(&standing)? {
            return Ok(WeightsOutcome::Refused(refusal));
        }
        let weights = weights(&standing)?;
        if standing.parameters.commit_reveal {
            self.commit(&standing, &weights).await
        } else {
            set_plain(&self.chain, &standing, &weights, self.version_key).await
        }
    }

    async fn standing(&self) -> Result<Option<WeightsStanding>> {
        let standing = self.chain.weights_standing(self.netuid, self.mechid, None);
        standing.await
    }

    /// Refuses once when our place is not the one that weights were made for so far.
    fn registration(&mut self, standing: &WeightsStanding) -> Result<Option<WeightsRefusal>> {
        let Some(uid) = standing.uid else {
            return Ok(None);
        };
        let now = Some((uid, standing.registered_at));
        let before = self.state()?.registration;
        if before == now {
            return Ok(None);
        }
        self.change(|state| state.registration = now)?;
        Ok(before.map(|_| WeightsRefusal::StaleRegistration {
            uid,
            since: standing.registered_at,
        }))
    }

    async fn wait_until(&self, block: Block) -> Result<()> {
        let mut blocks = self.chain.blocks().await?;
        while let Some(head) = blocks.next().await {
            match head {
                Ok(head) if head.number >= block => return Ok(()),
                Err(error) if !error.is_retryable() => return Err(error),
                _ => {}
            }
        }
        Err(Error::ConnectionLost {
            during: "waiting for a block",
            source: "the stream of blocks ended".into(),
        })
    }

    fn state(&mut self) -> Result<&mut CommitState> {
        if self.state.is_none() {
            let (netuid, mechid) = (self.netuid, self.mechid);
            let state = self.store.load()?;
            let ours = |commit: &PendingCommit| (commit.netuid, commit.mechid) == (netuid, mechid);
            if !state.commits.iter().all(ours) {
                return Err(Error::ForeignCommitState { netuid, mechid });
            }
            return Ok(self.state.insert(state));
        }
        Ok(self.state.get_or_insert_default())
    }

    /// Changes the state; it counts only once it is saved.
    fn change(&mut self, change: impl FnOnce(&mut CommitState)) -> Result<()> {
        let mut state = self.state()?.clone();
        change(&mut state);
        self.store.save(&state)?;
        self.state = Some(state);
        Ok(())
    }
}

/// Blocks after which the same may end better; `None` where waiting does not help.
fn wait_for(outcome: &Result<WeightsOutcome>) -> Option<u64> {
    match outcome {
        Ok(WeightsOutcome::Refused(refusal)) => refusal.blocks_to_wait(),
        Ok(WeightsOutcome::Failed(crate::WeightsFailure::Pool { .. })) => Some(1),
        Err(error) if error.is_retryable() => Some(1),
        _ => None,
    }
}

impl<C: fmt::Debug, S: fmt::Debug> fmt::Debug for WeightSetter<C, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeightSetter")
            .field("chain", &self.chain)
            .field("netuid", &self.netuid)
            .field("mechid", &self.mechid)
            .field("store", &self.store)
            .field("version_key", &self.version_key)
            .field("options", &self.options)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
