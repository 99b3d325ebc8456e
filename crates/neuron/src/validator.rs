//! The validator's rounds around a [`Mechanism`].

mod ask;
mod averages;
mod deliver;
mod judge;
mod weights;

use std::{collections::BTreeMap, future::Future, sync::Arc, time::Duration};

use adit_chain::{Chain, CommitStore, MemoryCommitStore, WeightSetter};
use adit_primitives::{Clock, Hotkey, MechId, Metagraph, NetUid, Rao, Uid};
use adit_storage::{Store, TaskState};
use rand::{SeedableRng as _, rngs::StdRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::{Mechanism, Result, Sampling};

/// How a validator runs its rounds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ValidatorConfig {
    /// Most miners asked in one round.
    pub sample_size: usize,
    /// Most questions in flight at once.
    pub concurrency: usize,
    /// Time a miner has to answer, in milliseconds.
    pub answer_timeout_ms: u64,
    /// Pause between rounds, in milliseconds.
    pub round_interval_ms: u64,
    /// Stop after this many rounds in all (also counting those before a restart), once everything
    /// is judged, delivered and on chain; run for ever when absent.
    pub rounds: Option<u64>,
    /// Weight of a new score in the moving average, 0 to 1.
    pub moving_average_alpha: f64,
    /// A neuron with a permit and more stake than this many TAO is a validator and is not asked.
    pub vpermit_tao_limit: u64,
    /// Blocks between two weight settings.
    pub weights_interval_blocks: u64,
    /// Never set weights.
    pub disable_set_weights: bool,
    /// Version key sent with weights.
    pub weights_version_key: u64,
    /// Tasks that may wait to be judged before no more are asked.
    pub max_unjudged: usize,
    /// Time that work in flight has to finish after a signal, in milliseconds.
    pub drain_ms: u64,
}

impl Default for ValidatorConfig {
    fn default() -> Self {
        Self {
            sample_size: 10,
            concurrency: 16,
            answer_timeout_ms: 90_000,
            round_interval_ms: 12_000,
            rounds: None,
            moving_average_alpha: 0.3,
            vpermit_tao_limit: 4096,
            weights_interval_blocks: 100,
            disable_set_weights: false,
            weights_version_key: 0,
            max_unjudged: 64,
            drain_ms: 10_000,
        }
    }
}

/// Runs rounds: asks, stores, judges, delivers, sets weights. See the crate's docs.
#[derive(Debug)]
pub struct Validator<M, C> {
    mechanism: Arc<M>,
    chain: Arc<C>,
    store: Store,
    clock: Arc<dyn Clock>,
    netuid: NetUid,
    hotkey: Hotkey,
    seed: u64,
    config: ValidatorConfig,
    commits: Arc<dyn CommitStore>,
}

/// What a round loop has seen so far.
struct Progress<C> {
    metagraph: Arc<Metagraph>,
    weights: WeightSetter<Arc<C>, Arc<dyn CommitStore>>,
    /// How much was judged when the weights were made that the chain holds.
    last_weights_after: Option<u64>,
    /// The same of weights that are committed and wait to be revealed.
    committed_after: Option<u64>,
}

impl<M: Mechanism, C: Chain> Validator<M, C> {
    /// Puts a validator together. `seed` decides every sample and task; the same seed, store and
    /// answers give the same rounds again.
    #[expect(
        clippy::too_many_arguments,
        reason = "each part is another seam, and named at the one place that wires"
    )]
    pub fn new(
        mechanism: Arc<M>,
        chain: Arc<C>,
        store: Store,
        clock: Arc<dyn Clock>,
        netuid: NetUid,
        hotkey: Hotkey,
        seed: u64,
        config: ValidatorConfig,
    ) -> Self {
        Self {
            mechanism,
            chain,
            store,
            clock,
            netuid,
            hotkey,
            seed,
            config,
            commits: Arc::new(MemoryCommitStore::default()),
        }
    }

    /// Keeps committed weights here until the chain shows them revealed. Without this they are lost
    /// with the process: on a subnet with commit-reveal, give a file beside the database.
    #[must_use]
    pub fn with_commits(mut self, commits: Arc<dyn CommitStore>) -> Self {
        self.commits = commits;
        self
    }

    /// Runs until `shutdown`, or until the configured rounds are done, judged, delivered and on
    /// chain. Failures of single steps are logged and tried again; they never end the loop.
    ///
    /// # Errors
    /// When no first metagraph can be read before `shutdown`.
    pub async fn run(&self, shutdown: &CancellationToken) -> Result<()> {
        let Some(metagraph) = self.first_metagraph(shutdown).await else {
            return Ok(());
        };
        // A salt that could be guessed would hide nothing, whatever the seed of the rounds.
        let weights = WeightSetter::new(
            Arc::clone(&self.chain),
            self.netuid,
            MechId(0),
            Arc::clone(&self.commits),
            Box::new(StdRng::from_os_rng()),
            Arc::clone(&self.clock),
        );
        let mut progress = Progress {
            metagraph,
            weights: weights.with_version_key(self.config.weights_version_key),
            last_weights_after: None,
            committed_after: None,
        };
        if let Err(error) = self.close_interrupted().await {
            // They are judged once their deadline has passed.
            tracing::warn!(error = %with_causes(&error), "cannot close what an earlier life left open");
        }
        while !shutdown.is_cancelled() {
            let step = self.step(&mut progress);
            match self.drained(step, shutdown).await {
                None => break,
                Some(Ok(true)) => return Ok(()),
                Some(Ok(false)) => {}
                Some(Err(error)) => {
                    tracing::error!(error = %with_causes(&error), "a round failed; trying again");
                }
            }
            tokio::select! {
                () = shutdown.cancelled() => break,
                () = tokio::time::sleep(Duration::from_millis(self.config.round_interval_ms)) => {}
            }
        }
        Ok(())
    }

    /// One turn of the loop. Whether all configured rounds are done for good.
    async fn step(&self, progress: &mut Progress<C>) -> Result<bool> {
        match self.chain.metagraph(self.netuid).await {
            Ok(metagraph) => progress.metagraph = Arc::new(metagraph),
            Err(error) => {
                tracing::warn!(%error, "cannot refresh the metagraph; going on with the last")
            }
        }
        self.forget_replaced(&progress.metagraph).await?;
        // What an earlier life of this process left behind comes first.
        let waiting = self.judge_waiting().await?;
        let asked = self.rounds_asked().await?;
        let more = self.config.rounds.is_none_or(|rounds| asked < rounds);
        if more && waiting < self.config.max_unjudged {
            self.ask(asked, &progress.metagraph).await?;
            self.judge_waiting().await?;
        } else if more {
            tracing::warn!(waiting, "too many tasks wait to be judged; not asking more");
        }
        let undelivered = self.deliver_waiting().await?;
        // A task that is neither judged nor ready to be is one whose answers could not all be
        // stored; its deadline makes it ready.
        let counts = self.store.counts().await?;
        let enough = self
            .config
            .rounds
            .is_some_and(|rounds| counts.tasks >= rounds);
        let complete = enough && counts.judged == counts.tasks;
        let settled = self.settle_weights(progress, complete).await?;
        Ok(complete && undelivered == 0 && settled)
    }

    /// Tasks that an earlier life of this process asked and did not see to their end are ready to
    /// be judged: nobody waits for their answers any more, and what came is stored.
    async fn close_interrupted(&self) -> Result<()> {
        for task in self.store.tasks_to_judge(u64::MAX).await? {
            if task.state == TaskState::Open {
                tracing::info!(task = %task.id, "an earlier life was cut while it asked this");
                self.store.close_task(task.id).await?;
            }
        }
        Ok(())
    }

    async fn rounds_asked(&self) -> Result<u64> {
        Ok(self.store.counts().await?.tasks)
    }

    async fn first_metagraph(&self, shutdown: &CancellationToken) -> Option<Arc<Metagraph>> {
        loop {
            match self.chain.metagraph(self.netuid).await {
                Ok(metagraph) => return Some(Arc::new(metagraph)),
                Err(error) => tracing::warn!(%error, "cannot read the metagraph; trying again"),
            }
            tokio::select! {
                () = shutdown.cancelled() => return None,
                () = tokio::time::sleep(Duration::from_secs(1)) => {}
            }
        }
    }

    /// Waits for `work`; after a signal only as long as draining may take. `None` when that time
    /// ran out.
    async fn drained<T>(
        &self,
        work: impl Future<Output = T>,
        shutdown: &CancellationToken,
    ) -> Option<T> {
        tokio::pin!(work);
        tokio::select! {
            done = &mut work => Some(done),
            () = shutdown.cancelled() => {
                tokio::time::timeout(Duration::from_millis(self.config.drain_ms), work).await.ok()
            }
        }
    }

    fn sampling(&self) -> Sampling {
        Sampling {
            sample_size: self.config.sample_size,
            validator_stake_limit: Rao::from_tao(self.config.vpermit_tao_limit),
        }
    }

    /// Chance for one purpose and number, the same in every life of this process.
    fn rng(&self, purpose: &str, number: u128) -> ChaCha8Rng {
        let mut seed = [0_u8; 32];
        seed[..8].copy_from_slice(&self.seed.to_le_bytes());
        seed[8..24].copy_from_slice(&number.to_le_bytes());
        for (place, byte) in purpose.bytes().take(8).enumerate() {
            seed[24 + place] = byte;
        }
        ChaCha8Rng::from_seed(seed)
    }
}

/// An error with its chain of causes on one line.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.ends_with(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = error.source();
    }
    text
}

/// Scores by hotkey, with the uid each had.
type Averages = BTreeMap<Hotkey, (Uid, f64)>;
