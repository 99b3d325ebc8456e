use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

use adit_chain::{FileCommitStore, testing::FakeChain};
use adit_neuron::{Validator, ValidatorConfig};
use adit_primitives::{
    AxonInfo, Block, BlockHash, Clock, Coldkey, Hotkey, ManualClock, Metagraph, NetUid, Neuron,
    Rao, SubnetParameters, Uid,
};
use adit_scoring::average::update_average;
use adit_storage::{AnswerStatus, ScoredRow, Store, TaskRow};
use tokio_util::sync::CancellationToken;

use crate::toy::{Addition, Behaviour, Toy, lock};

pub(crate) const NETUID: NetUid = NetUid(7);
pub(crate) const ALPHA: f64 = 0.3;

/// The validator's own key, at uid 0.
pub(crate) const OWN: Hotkey = Hotkey::new([0xaa; 32]);

/// A clock that moves by a millisecond whenever it is read: no two events share a time, and no
/// deadline depends on how busy the machine is.
#[derive(Debug, Clone)]
pub(crate) struct TickingClock(ManualClock);

impl TickingClock {
    pub(crate) fn advance(&self, by: Duration) {
        self.0.advance(by);
    }
}

impl Clock for TickingClock {
    fn unix_nanos(&self) -> u64 {
        self.0.advance(Duration::from_millis(1));
        self.0.unix_nanos()
    }
}

/// A subnet of one validator and scripted miners, whose chain and receivers outlive any process.
pub(crate) struct World {
    pub(crate) toy: Arc<Toy>,
    pub(crate) chain: FakeChain,
    pub(crate) config: ValidatorConfig,
    pub(crate) clock: TickingClock,
    pub(crate) seed: u64,
    folder: tempfile::TempDir,
}

/// The key of the miner that was at this uid from the start.
pub(crate) fn miner(uid: u16) -> Hotkey {
    Hotkey::new([u8::try_from(uid).unwrap(); 32])
}

pub(crate) fn neuron(uid: u16, hotkey: Hotkey) -> Neuron {
    Neuron {
        uid: Uid(uid),
        hotkey,
        coldkey: Coldkey::new([9; 32]),
        axon: Some(AxonInfo {
            ip: "10.0.0.1".parse().unwrap(),
            port: 8091,
            protocol: 4,
            version: 1,
            block: Block(1),
        }),
        stake: Rao(0),
        validator_permit: false,
        active: true,
        incentive: 0,
        dividends: 0,
        consensus: 0,
        validator_trust: 0,
        emission: Rao(0),
        last_update: Block(0),
        registered_at: Block(0),
    }
}

pub(crate) fn metagraph(neurons: Vec<Neuron>) -> Metagraph {
    let parameters = SubnetParameters {
        tempo: 10,
        min_allowed_weights: 1,
        max_weights_limit: u16::MAX,
        weights_rate_limit: 0,
        weights_version: 0,
        commit_reveal: false,
    };
    Metagraph::new(
        NETUID,
        Block(1000),
        BlockHash::default(),
        parameters,
        neurons,
    )
    .unwrap()
}

/// The validator at uid 0, then these hotkeys.
pub(crate) fn subnet(miners: impl IntoIterator<Item = Hotkey>) -> Metagraph {
    let own = Neuron {
        stake: Rao::from_tao(10_000),
        validator_permit: true,
        ..neuron(0, OWN)
    };
    let miners = (1..).zip(miners).map(|(uid, hotkey)| neuron(uid, hotkey));
    metagraph([own].into_iter().chain(miners).collect())
}

impl World {
    /// Miners with these behaviours at uids 1, 2, …; all are asked in every round.
    pub(crate) fn new(rounds: u64, behaviours: &[Behaviour]) -> Self {
        let miners = || (1..).take(behaviours.len()).map(miner);
        let toy = Toy::default();
        *lock(&toy.miners) = miners().zip(behaviours.iter().copied()).collect();
        Self {
            toy: Arc::new(toy),
            chain: FakeChain::new(subnet(miners()), OWN),
            config: ValidatorConfig {
                sample_size: behaviours.len(),
                answer_timeout_ms: 60_000,
                round_interval_ms: 0,
                rounds: Some(rounds),
                moving_average_alpha: ALPHA,
                drain_ms: 60_000,
                ..ValidatorConfig::default()
            },
            clock: TickingClock(ManualClock::at_nanos(1_800_000_000_000_000_000)),
            seed: 42,
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("state.db")
    }

    pub(crate) async fn store(&self) -> Store {
        Store::open(&self.path()).await.unwrap()
    }

    pub(crate) fn validator(&self, store: &Store) -> Validator<Toy, FakeChain> {
        Validator::new(
            Arc::clone(&self.toy),
            Arc::new(self.chain.clone()),
            store.clone(),
            Arc::new(self.clock.clone()),
            NETUID,
            OWN,
            self.seed,
            self.config.clone(),
        )
        .with_commits(Arc::new(FileCommitStore::new(
            self.folder.path().join("commits.json"),
        )))
    }

    /// One life of the process, until it ends by itself or by the token.
    pub(crate) async fn live(&self, shutdown: &CancellationToken) -> Store {
        let store = self.store().await;
        let validator = self.validator(&store);
        tokio::time::timeout(Duration::from_secs(120), validator.run(shutdown))
            .await
            .expect("the run ends by itself")
            .unwrap();
        store
    }

    /// One life, until all rounds are done.
    pub(crate) async fn finish(&self) -> Store {
        self.live(&CancellationToken::new()).await
    }
}

/// Waits until that many answers are stored.
pub(crate) async fn answered(store: &Store, answers: u64) {
    while store.counts().await.unwrap().answers < answers {
        tokio::task::yield_now().await;
    }
}

pub(crate) async fn tasks(store: &Store) -> Vec<TaskRow> {
    store.tasks_page(None, 10_000).await.unwrap()
}

pub(crate) async fn scores(store: &Store) -> Vec<ScoredRow> {
    store.scores_page(None, 10_000).await.unwrap()
}

pub(crate) async fn averages(store: &Store) -> BTreeMap<Hotkey, f64> {
    let rows = store.averages().await.unwrap();
    rows.into_iter()
        .map(|row| (row.hotkey, row.value))
        .collect()
}

/// What a mechanism drew for each round, and who was asked.
pub(crate) fn drawn(tasks: &[TaskRow]) -> Vec<(u32, u32, Vec<u16>)> {
    let drawn = |task: &TaskRow| {
        let addition: Addition = serde_json::from_value(task.payload.clone()).unwrap();
        let asked = task.asked.iter().map(|(uid, _)| uid.0).collect();
        (addition.left, addition.right, asked)
    };
    tasks.iter().map(drawn).collect()
}

/// The moving averages by their formula, from the stored scores alone.
pub(crate) fn expected_averages(scores: &[ScoredRow]) -> BTreeMap<Hotkey, f64> {
    let mut averages = BTreeMap::new();
    for row in scores.iter().filter(|row| row.verdict != "unanswered") {
        let average = averages.entry(row.hotkey).or_insert(0.0);
        *average = update_average(*average, row.score, ALPHA).unwrap();
    }
    averages
}

/// Every rule that must hold of a store once a run has ended, however it came there.
pub(crate) async fn assert_complete(world: &World, store: &Store, rounds: u64) {
    let counts = store.counts().await.unwrap();
    assert_eq!((counts.tasks, counts.judged), (rounds, rounds));
    assert_eq!(counts.scores, counts.asked, "one score for each asked");
    assert_eq!(counts.batches, counts.batches_delivered);
    let delivered = lock(&world.toy.delivered).len();
    assert_eq!(counts.batches, u64::try_from(delivered).unwrap());
    let scores = scores(store).await;
    let verdicts: BTreeMap<_, _> = scores
        .iter()
        .map(|row| ((row.task, row.hotkey), row.verdict.as_str()))
        .collect();
    assert_eq!(verdicts.len(), scores.len(), "nobody is scored twice");
    for task in tasks(store).await {
        for answer in store.answers(task.id).await.unwrap() {
            let expected = match answer.status {
                AnswerStatus::Answered => "scored",
                other => other.code(),
            };
            assert_eq!(verdicts[&(task.id, answer.hotkey)], expected);
        }
    }
    assert_eq!(averages(store).await, expected_averages(&scores));
    let audited = adit_neuron::audit(store, |policy, evidence| {
        adit_neuron::Mechanism::recompute(&*world.toy, policy, evidence)
    });
    let report = audited.await.unwrap();
    assert_eq!(report.scores, counts.scores);
    assert_eq!(report.differences, Vec::<String>::new());
}
