use adit_embedding::Embedding;
use adit_neuron::Received;
use adit_primitives::{Hotkey, TaskId};
use adit_protocol::v1;
use adit_scoring::video::ClipVerdict;
use serde::{Deserialize, Serialize};

use crate::{ClaimedClip, PackedVector};

/// One accepted clip on its way to the dataset; stored with the scores until it is delivered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct BatchRecord {
    pub(crate) record_id: String,
    pub(crate) task: TaskId,
    pub(crate) topic: String,
    pub(crate) clip: ClaimedClip,
    pub(crate) relevance: f64,
    pub(crate) novelty: f64,
    pub(crate) score: f64,
    pub(crate) miner: Hotkey,
    pub(crate) submitted_at_ms: u64,
}

/// The parts of an accepted clip, its vectors verified and of unit length.
pub(crate) struct AcceptedClip<'a> {
    pub(crate) record_id: &'a str,
    pub(crate) clip: &'a ClaimedClip,
    pub(crate) video: &'a Embedding,
    pub(crate) audio: Option<&'a Embedding>,
    pub(crate) text: &'a Embedding,
}

impl BatchRecord {
    pub(crate) fn new<A>(
        task: TaskId,
        topic: &str,
        answer: &Received<A>,
        accepted: AcceptedClip<'_>,
        decided: &ClipVerdict,
    ) -> Self {
        Self {
            record_id: accepted.record_id.to_owned(),
            task,
            topic: topic.to_owned(),
            clip: ClaimedClip {
                video: Some(PackedVector::pack(accepted.video)),
                audio: accepted.audio.map(PackedVector::pack),
                text: Some(PackedVector::pack(accepted.text)),
                ..accepted.clip.clone()
            },
            relevance: decided.relevance,
            novelty: decided.novelty,
            score: decided.score,
            miner: answer.hotkey,
            submitted_at_ms: answer.received_at_ms,
        }
    }
}

impl From<BatchRecord> for v1::Record {
    fn from(record: BatchRecord) -> Self {
        Self {
            record_id: record.record_id,
            task_id: record.task.to_string(),
            topic: record.topic,
            clip: Some(record.clip.into()),
            relevance: record.relevance,
            novelty: record.novelty,
            score: record.score,
            miner: record.miner.to_string(),
            submitted_at_unix_ms: record.submitted_at_ms,
        }
    }
}
