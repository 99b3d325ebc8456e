//! The validator half: asks miners, verifies what they claim, judges it, hands over what is kept.

mod claims;
mod judge;
mod query;
mod verify;

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use adit_media::Fetcher;
use adit_neuron::{Assigned, Call, Judgement, Mechanism, QueryFailure, Received, Unavailable};
use adit_primitives::{Hotkey, Score, TaskId};
use adit_protocol::client::{ConnectOptions, SignedChannel};
use adit_scoring::video::{AnswerEvidence, VideoPolicy};
use adit_wallet::Keypair;
use rand::{Rng as _, seq::IndexedRandom as _};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{ClipConstraints, DatasetClient, Embedders, VideoAnswer, VideoTask};

/// What the video mechanism asks and how it verifies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VideoConfig {
    /// Clips asked of a miner at once.
    pub clips_wanted: u32,
    /// What a clip must be.
    pub constraints: ClipConstraints,
    /// Name of the scoring policy. The field's own, `original`, compares frames with text; only
    /// ImageBind has the one space that this needs, and it is not offered here yet.
    pub policy: PolicyName,
    /// Pause before an unreachable origin is tried again, in milliseconds; it doubles each time.
    pub origin_retry_ms: u64,
}

impl Default for VideoConfig {
    fn default() -> Self {
        Self {
            clips_wanted: 8,
            constraints: ClipConstraints::default(),
            policy: PolicyName::Hardened,
            origin_retry_ms: 1_000,
        }
    }
}

/// Which of the named policies judges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PolicyName {
    /// Closes the known holes of the system in the field.
    Hardened,
}

/// The video mechanism as a validator runs it.
#[derive(Debug)]
pub struct VideoMechanism {
    keypair: Arc<Keypair>,
    connections: ConnectOptions,
    config: VideoConfig,
    policy: VideoPolicy,
    embedders: Embedders,
    fetcher: Fetcher,
    dataset: DatasetClient,
    channels: Mutex<HashMap<Hotkey, (SocketAddr, SignedChannel)>>,
    /// How often our own code failed on one miner's answer to one task.
    own_failures: Mutex<HashMap<(TaskId, Hotkey), u32>>,
}

/// A score's evidence with the exact rules that judged it.
#[derive(Debug, Serialize, Deserialize)]
struct JudgedEvidence {
    rules: VideoPolicy,
    answer: AnswerEvidence,
}

impl VideoMechanism {
    /// Puts the mechanism together. `connections` must be shared by everything that signs with the
    /// same key, because nonces come from it.
    pub fn new(
        keypair: Arc<Keypair>,
        connections: ConnectOptions,
        config: VideoConfig,
        embedders: Embedders,
        fetcher: Fetcher,
        dataset: DatasetClient,
    ) -> Self {
        let policy = policy_of(&config);
        Self {
            keypair,
            connections,
            config,
            policy,
            embedders,
            fetcher,
            dataset,
            channels: Mutex::new(HashMap::new()),
            own_failures: Mutex::new(HashMap::new()),
        }
    }

    /// A score computed again from stored evidence alone; needs neither models nor network.
    ///
    /// # Errors
    /// Why the evidence cannot be judged.
    pub fn recompute(policy: &str, evidence: &Value) -> Result<Score, String> {
        let stored: JudgedEvidence =
            JudgedEvidence::deserialize(evidence).map_err(|error| error.to_string())?;
        if stored.rules.name() != policy {
            return Err(format!(
                "judged by {policy}, but the evidence holds the rules of {}",
                stored.rules.name()
            ));
        }
        Ok(adit_scoring::video::judge(&stored.rules, &stored.answer).score)
    }

    fn backoff(&self, attempt: u32) -> Duration {
        Duration::from_millis(
            self.config
                .origin_retry_ms
                .saturating_mul(1 << attempt.min(6)),
        )
    }
}

/// The policy with the task's own bounds on clips and descriptions.
fn policy_of(config: &VideoConfig) -> VideoPolicy {
    let mut policy = match config.policy {
        PolicyName::Hardened => VideoPolicy::hardened(),
    };
    if let VideoPolicy::Hardened(rules) = &mut policy {
        rules.shortest_clip_ms = config.constraints.min_duration_ms.max(1);
        rules.longest_clip_ms = config.constraints.max_duration_ms.max(1);
        rules.description_bytes_most = config.constraints.max_description_bytes.max(1);
    }
    policy
}

impl Mechanism for VideoMechanism {
    type Task = VideoTask;
    type Answer = VideoAnswer;

    fn name(&self) -> &'static str {
        "video"
    }

    fn policy(&self) -> String {
        self.policy.name().to_owned()
    }

    async fn next_task(&self, rng: &mut ChaCha8Rng) -> Result<VideoTask, Unavailable> {
        let topics = self.dataset.topics().await?;
        let topic = topics
            .choose(rng)
            .ok_or_else(|| Unavailable::new("dataset", "it has no topics"))?;
        Ok(VideoTask {
            topic: topic.clone(),
            clips_wanted: self.config.clips_wanted,
            constraints: self.config.constraints.clone(),
        })
    }

    async fn query(&self, call: Call<'_, VideoTask>) -> Result<VideoAnswer, QueryFailure> {
        self.scrape(call).await
    }

    async fn judge(
        &self,
        task: &Assigned<VideoTask>,
        answers: &[Received<VideoAnswer>],
        rng: &mut ChaCha8Rng,
    ) -> Result<Judgement, Unavailable> {
        let seeds: Vec<u64> = answers.iter().map(|_| rng.random()).collect();
        self.judge_answers(task, answers, &seeds).await
    }

    async fn deliver(&self, batch_id: &str, batch: &Value) -> Result<Value, Unavailable> {
        self.dataset.submit(batch_id, batch).await
    }

    fn recompute(&self, policy: &str, evidence: &Value) -> Result<Score, String> {
        Self::recompute(policy, evidence)
    }
}
