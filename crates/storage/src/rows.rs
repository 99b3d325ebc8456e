use std::{fmt, str::FromStr};

use adit_primitives::{Block, Hotkey, NetUid, TaskId, Uid, WeightVector};
use serde_json::Value;

/// A task as it is handed out.
#[derive(Debug, Clone, PartialEq)]
pub struct NewTask {
    /// Its id: the key under which everything about it is stored.
    pub id: TaskId,
    /// Name of the mechanism that made it.
    pub mechanism: String,
    /// The subnet.
    pub netuid: NetUid,
    /// Scoring policy in force when it was handed out.
    pub policy: String,
    /// Seed of the sample.
    pub seed: u64,
    /// The task itself, in the mechanism's own form; at most 64 MiB as text.
    pub payload: Value,
    /// When it was made, in milliseconds since the Unix epoch.
    pub created_at_ms: u64,
    /// When answers are due, in milliseconds since the Unix epoch.
    pub deadline_at_ms: u64,
    /// Who is asked, in order; each hotkey once.
    pub asked: Vec<(Uid, Hotkey)>,
}

/// How far a task has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskState {
    /// Answers are awaited.
    Open,
    /// All answers are in.
    Closed,
    /// Judged; nothing about it changes any more.
    Judged,
}

/// A stored task.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskRow {
    /// Its id.
    pub id: TaskId,
    /// Name of the mechanism that made it.
    pub mechanism: String,
    /// The subnet.
    pub netuid: NetUid,
    /// Scoring policy in force when it was handed out.
    pub policy: String,
    /// Seed of the sample.
    pub seed: u64,
    /// The task itself.
    pub payload: Value,
    /// When it was made, in milliseconds since the Unix epoch.
    pub created_at_ms: u64,
    /// When answers are due, in milliseconds since the Unix epoch.
    pub deadline_at_ms: u64,
    /// Who was asked, in order.
    pub asked: Vec<(Uid, Hotkey)>,
    /// How far it has come.
    pub state: TaskState,
    /// When it was judged, in milliseconds since the Unix epoch.
    pub judged_at_ms: Option<u64>,
    /// The policy it was judged by.
    pub judged_policy: Option<String>,
}

/// What became of one question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AnswerStatus {
    /// A well-formed answer came in time.
    Answered,
    /// Nothing came in time.
    Timeout,
    /// No connection.
    Unreachable,
    /// The answer's signature is missing or wrong.
    Unauthenticated,
    /// The miner refused.
    Refused,
    /// The answer could not be read.
    Malformed,
    /// It came after the deadline.
    Late,
}

impl AnswerStatus {
    /// Every status.
    pub const ALL: [Self; 7] = [
        Self::Answered,
        Self::Timeout,
        Self::Unreachable,
        Self::Unauthenticated,
        Self::Refused,
        Self::Malformed,
        Self::Late,
    ];

    /// Its name in the database, in metrics and in logs: lower case, one word.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Timeout => "timeout",
            Self::Unreachable => "unreachable",
            Self::Unauthenticated => "unauthenticated",
            Self::Refused => "refused",
            Self::Malformed => "malformed",
            Self::Late => "late",
        }
    }
}

impl fmt::Display for AnswerStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for AnswerStatus {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|status| status.code() == text);
        found.ok_or_else(|| "no status of an answer".to_owned())
    }
}

/// One miner's answer to one task, or why there is none.
#[derive(Debug, Clone, PartialEq)]
pub struct AnswerRow {
    /// The task.
    pub task: TaskId,
    /// The uid that was asked.
    pub uid: Uid,
    /// The hotkey that was asked; with the task, the key of the row.
    pub hotkey: Hotkey,
    /// What became of the question.
    pub status: AnswerStatus,
    /// What went wrong, at most 4,096 bytes.
    pub detail: Option<String>,
    /// The answer in the mechanism's own form; at most 64 MiB as text.
    pub payload: Option<Value>,
    /// When it came, in milliseconds since the Unix epoch.
    pub received_at_ms: u64,
    /// How long it took, in milliseconds.
    pub elapsed_ms: u64,
}

/// A task's judgement: everything that is committed together.
#[derive(Debug, Clone, PartialEq)]
pub struct JudgedTask {
    /// The task.
    pub task: TaskId,
    /// When, in milliseconds since the Unix epoch.
    pub judged_at_ms: u64,
    /// The policy that judged.
    pub policy: String,
    /// One score per hotkey.
    pub scores: Vec<ScoreRow>,
    /// The parts of the answers.
    pub items: Vec<ItemRow>,
    /// The moving averages that change.
    pub averages: Vec<AverageRow>,
    /// What is to be delivered.
    pub batch: Option<NewBatch>,
}

/// One answer's score.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreRow {
    /// Whose.
    pub uid: Uid,
    /// Whose; was asked the task.
    pub hotkey: Hotkey,
    /// The score; finite.
    pub score: f64,
    /// The verdict in one word.
    pub verdict: String,
    /// Why, in the policy's own words.
    pub reasons: Vec<String>,
    /// Everything needed to compute the score again; at most 64 MiB as text.
    pub evidence: Value,
}

/// One part of an answer, kept or refused.
#[derive(Debug, Clone, PartialEq)]
pub struct ItemRow {
    /// Its id, once per task; 1 to 256 bytes.
    pub record_id: String,
    /// Whose.
    pub uid: Uid,
    /// Whose; was asked the task.
    pub hotkey: Hotkey,
    /// Whether it is kept.
    pub accepted: bool,
    /// Why not, if not.
    pub reason: Option<String>,
    /// The part itself; at most 64 MiB as text.
    pub payload: Value,
}

/// A hotkey's moving average of scores.
#[derive(Debug, Clone, PartialEq)]
pub struct AverageRow {
    /// Whose; the key of the row.
    pub hotkey: Hotkey,
    /// Its uid when last updated.
    pub uid: Uid,
    /// The average; finite.
    pub value: f64,
    /// When it last changed, in milliseconds since the Unix epoch.
    pub updated_at_ms: u64,
}

/// Something to deliver, exactly as it will be sent.
#[derive(Debug, Clone, PartialEq)]
pub struct NewBatch {
    /// The receiver knows a repetition by this; 1 to 256 bytes.
    pub batch_id: String,
    /// What is sent; at most 64 MiB as text.
    pub payload: Value,
}

/// A batch that waits for its delivery.
#[derive(Debug, Clone, PartialEq)]
pub struct BatchRow {
    /// Its id.
    pub batch_id: String,
    /// The task it came from.
    pub task: TaskId,
    /// What is sent.
    pub payload: Value,
    /// Attempts that failed.
    pub failures: u64,
    /// Why the last one failed.
    pub last_failure: Option<String>,
    /// When the last one failed, in milliseconds since the Unix epoch.
    pub failed_at_ms: Option<u64>,
}

/// One attempt to set weights.
#[derive(Debug, Clone, PartialEq)]
pub struct WeightsRow {
    /// The subnet.
    pub netuid: NetUid,
    /// The block that holds them, once one does.
    pub block: Option<Block>,
    /// The weights.
    pub weights: WeightVector,
    /// What became of the attempt, in one word.
    pub outcome: String,
    /// More about it, at most 4,096 bytes.
    pub detail: String,
    /// Hash of the extrinsic.
    pub extrinsic: Option<String>,
    /// When, in milliseconds since the Unix epoch; with the subnet, the key of the row.
    pub at_ms: u64,
}

/// A stored score with what an audit needs to compute it again.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoredRow {
    /// Position in the order of commits, from 1, ascending.
    pub sequence: u64,
    /// The task.
    pub task: TaskId,
    /// Whose.
    pub uid: Uid,
    /// Whose.
    pub hotkey: Hotkey,
    /// The policy that judged.
    pub policy: String,
    /// When it was judged, in milliseconds since the Unix epoch.
    pub judged_at_ms: u64,
    /// The score, bit for bit as it was committed.
    pub score: f64,
    /// The verdict in one word.
    pub verdict: String,
    /// Why.
    pub reasons: Vec<String>,
    /// Everything needed to compute the score again.
    pub evidence: Value,
}
