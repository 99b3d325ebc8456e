use std::{fmt::Debug, future::Future, time::Duration};

use adit_primitives::{Hotkey, Neuron, Score, TaskId, Uid};
use rand_chacha::ChaCha8Rng;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

/// The validator half of an incentive mechanism: what to ask, how to ask it, how to judge.
///
/// A new subnet is one `Mechanism` and one [`Worker`]; the runtime ([`crate::Validator`]) does
/// everything else: sampling, deadlines, persistence, averages, weights. It is also the typed
/// successor of the SDK's `SubnetsAPI`: a client outside the subnet can call any neuron through
/// [`Mechanism::query`].
pub trait Mechanism: Send + Sync + 'static {
    /// What is asked; stored as JSON.
    type Task: Serialize + DeserializeOwned + Clone + Debug + Send + Sync + 'static;
    /// What a miner answers; stored as JSON before it is judged.
    type Answer: Serialize + DeserializeOwned + Clone + Debug + Send + Sync + 'static;

    /// Its name, such as `video`.
    fn name(&self) -> &'static str;

    /// The named, versioned policy it judges by, such as `video/hardened-1`.
    fn policy(&self) -> String;

    /// Draws the next task. All chance comes from `rng`.
    fn next_task(
        &self,
        rng: &mut ChaCha8Rng,
    ) -> impl Future<Output = Result<Self::Task, Unavailable>> + Send;

    /// Asks one miner, within `call.time_left`.
    fn query(
        &self,
        call: Call<'_, Self::Task>,
    ) -> impl Future<Output = Result<Self::Answer, QueryFailure>> + Send;

    /// Judges all answers to one task, given in the order they arrived. It must be a function of
    /// its arguments, `rng` and the outside world it verifies against; nothing in an answer may
    /// stop it, or touch anyone else's score.
    ///
    /// # Errors
    /// [`Unavailable`] when the validator's own services are down: the runtime tries again later,
    /// and nobody is charged or paid meanwhile.
    fn judge(
        &self,
        task: &Assigned<Self::Task>,
        answers: &[Received<Self::Answer>],
        rng: &mut ChaCha8Rng,
    ) -> impl Future<Output = Result<Judgement, Unavailable>> + Send;

    /// Hands a judged batch to whoever keeps the dataset; must be idempotent by `batch_id`.
    /// Answers with a receipt.
    ///
    /// # Errors
    /// [`Unavailable`]: the runtime keeps the batch and tries again.
    fn deliver(
        &self,
        batch_id: &str,
        batch: &Value,
    ) -> impl Future<Output = Result<Value, Unavailable>> + Send;

    /// Computes a score again from the evidence stored with it, for audits.
    ///
    /// # Errors
    /// A text that says why the evidence cannot be judged (unknown policy, unreadable evidence).
    fn recompute(&self, policy: &str, evidence: &Value) -> Result<Score, String>;
}

/// The miner half of a mechanism: answers tasks.
pub trait Worker: Send + Sync + 'static {
    /// What is asked.
    type Task: Send + 'static;
    /// What it answers.
    type Answer: Send + 'static;

    /// Works on a task; what is not back after `time_left` is worth nothing, so return what there
    /// is in time.
    fn work(
        &self,
        task: Self::Task,
        time_left: Duration,
    ) -> impl Future<Output = Result<Self::Answer, Unavailable>> + Send;
}

/// One question to one miner.
#[derive(Debug)]
pub struct Call<'a, T> {
    /// The task's id.
    pub id: TaskId,
    /// The task.
    pub task: &'a T,
    /// Who is asked.
    pub miner: &'a Neuron,
    /// Milliseconds since the Unix epoch after which the answer is worth nothing.
    pub deadline_unix_ms: u64,
    /// Time until then.
    pub time_left: Duration,
}

/// A task with the miners it was given to.
#[derive(Debug, Clone)]
pub struct Assigned<T> {
    /// The task's id.
    pub id: TaskId,
    /// The task.
    pub task: T,
    /// Who was asked.
    pub asked: Vec<(Uid, Hotkey)>,
}

/// An answer, bound to the uid and hotkey that was asked; nothing in it can change whose it is.
#[derive(Debug, Clone)]
pub struct Received<A> {
    /// Who was asked.
    pub uid: Uid,
    /// The hotkey that signed the answer.
    pub hotkey: Hotkey,
    /// The answer.
    pub answer: A,
    /// When it arrived, in milliseconds since the Unix epoch.
    pub received_at_ms: u64,
}

/// What a mechanism decided about all answers to a task.
#[derive(Debug, Clone, Default)]
pub struct Judgement {
    /// One entry per answer judged.
    pub scores: Vec<JudgedAnswer>,
    /// The parts of the answers, kept or refused.
    pub items: Vec<JudgedItem>,
    /// What is to be delivered, if anything was kept.
    pub batch: Option<Value>,
}

/// The score of one answer.
#[derive(Debug, Clone)]
pub struct JudgedAnswer {
    /// Whose answer.
    pub uid: Uid,
    /// Its hotkey.
    pub hotkey: Hotkey,
    /// What it is worth.
    pub score: Score,
    /// In a word: `scored`, `refused`, …
    pub verdict: String,
    /// Why, as stable codes.
    pub reasons: Vec<String>,
    /// Everything needed to compute the score again.
    pub evidence: Value,
}

/// One part of an answer (a clip, a tag, a sample).
#[derive(Debug, Clone)]
pub struct JudgedItem {
    /// Unique over all tasks.
    pub record_id: String,
    /// Whose.
    pub uid: Uid,
    /// Its hotkey.
    pub hotkey: Hotkey,
    /// Whether it is kept.
    pub accepted: bool,
    /// Why not, as a stable code.
    pub reason: Option<String>,
    /// What it is.
    pub payload: Value,
}

/// Why a miner's answer did not come.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QueryFailure {
    /// No answer in time.
    #[error("no answer in time")]
    Timeout,
    /// Nothing listens there, or the connection broke.
    #[error("unreachable: {0}")]
    Unreachable(String),
    /// The answer does not carry the right signature of the hotkey that was asked.
    #[error("the answer is not signed by the hotkey asked: {0}")]
    Unauthenticated(String),
    /// The miner said no.
    #[error("the miner refused: {0}")]
    Refused(String),
    /// The answer breaks the contract: too large, wrong task, not decodable.
    #[error("malformed answer: {0}")]
    Malformed(String),
}

/// One of our own services is down or failing: nobody's score may suffer, nor profit.
#[derive(Debug, thiserror::Error)]
#[error("{service} is unavailable: {reason}")]
pub struct Unavailable {
    /// Which service.
    pub service: &'static str,
    /// What it said.
    pub reason: String,
}

impl Unavailable {
    /// Says which service failed, and how.
    pub fn new(service: &'static str, reason: impl std::fmt::Display) -> Self {
        Self {
            service,
            reason: reason.to_string(),
        }
    }
}
