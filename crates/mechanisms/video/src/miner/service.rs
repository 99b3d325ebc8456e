use std::{sync::Arc, time::Duration};

use adit_neuron::Worker;
use adit_primitives::{Clock, TaskId};
use adit_protocol::v1;
use adit_storage::DatasetSpaces;
use tonic::{Request, Response, Status};

use crate::{ClipConstraints, VideoAnswer, VideoTask};

/// Most clips a request may ask for.
const MOST_CLIPS: u32 = 64;
/// Longest topic, in bytes.
const LONGEST_TOPIC: usize = 4_096;
/// Characters of a foreign space that are repeated to who asked for it.
const LONGEST_SPACE_SHOWN: usize = 80;
/// Longest time one request may hold the miner.
const LONGEST_WORK: Duration = Duration::from_secs(600);

/// Serves `VideoMiner` from a [`Worker`]. Put it behind `adit-protocol`'s authentication: it
/// trusts that the caller was checked.
#[derive(Debug)]
pub struct VideoMinerService<W> {
    worker: Arc<W>,
    clock: Arc<dyn Clock>,
    spaces: Option<DatasetSpaces>,
}

impl<W> VideoMinerService<W> {
    /// A service over a worker.
    pub fn new(worker: Arc<W>, clock: Arc<dyn Clock>) -> Self {
        Self {
            worker,
            clock,
            spaces: None,
        }
    }

    /// Refuses whoever asks for vectors of other spaces than the worker's, before any work is done for
    /// an answer that cannot count. Who names no space is answered.
    pub fn in_spaces(self, spaces: DatasetSpaces) -> Self {
        Self {
            spaces: Some(spaces),
            ..self
        }
    }

    /// The first difference between what is asked for and what the worker has.
    fn foreign(&self, asked: &v1::ClipConstraints) -> Option<Status> {
        let ours = self.spaces.as_ref()?;
        let pairs = [
            ("video", &ours.video, &asked.video_space),
            ("audio", &ours.audio, &asked.audio_space),
            ("text", &ours.text, &asked.text_space),
        ];
        let mut foreign = pairs
            .into_iter()
            .filter(|(_, ours, asked)| !asked.is_empty() && ours.to_string() != **asked);
        let (what, ours, asked) = foreign.next()?;
        let asked: String = asked.chars().take(LONGEST_SPACE_SHOWN).collect();
        Some(Status::failed_precondition(format!(
            "this miner embeds {what} in the space {ours}, not in {asked}"
        )))
    }
}

#[tonic::async_trait]
impl<W> v1::video_miner_server::VideoMiner for VideoMinerService<W>
where
    W: Worker<Task = VideoTask, Answer = VideoAnswer>,
{
    async fn scrape(
        &self,
        request: Request<v1::ScrapeRequest>,
    ) -> Result<Response<v1::ScrapeResponse>, Status> {
        let request = request.into_inner();
        let id: TaskId = request
            .task_id
            .parse()
            .map_err(|_| Status::invalid_argument("task_id is not a ULID"))?;
        if request.clips_wanted == 0 || request.clips_wanted > MOST_CLIPS {
            return Err(Status::invalid_argument("clips_wanted must lie in 1 to 64"));
        }
        if request.topic.trim().is_empty() || request.topic.len() > LONGEST_TOPIC {
            return Err(Status::invalid_argument("topic must have 1 to 4096 bytes"));
        }
        if let Some(foreign) = request
            .constraints
            .as_ref()
            .and_then(|asked| self.foreign(asked))
        {
            tracing::warn!(event = "foreign_space", task = %id, reason = foreign.message(), "refusing");
            metrics::counter!("adit_requests_total", "outcome" => "foreign_space").increment(1);
            return Err(foreign);
        }
        let left = request
            .deadline_unix_ms
            .saturating_sub(self.clock.unix_millis());
        if left == 0 {
            return Err(Status::deadline_exceeded("the deadline has passed"));
        }
        let left = Duration::from_millis(left).min(LONGEST_WORK);
        let task = VideoTask {
            topic: request.topic,
            clips_wanted: request.clips_wanted,
            constraints: request
                .constraints
                .map_or_else(ClipConstraints::default, |constraints| ClipConstraints {
                    min_duration_ms: constraints.min_duration_ms,
                    max_duration_ms: constraints.max_duration_ms,
                    max_description_bytes: constraints.max_description_bytes,
                }),
        };
        tracing::info!(event = "task", task = %id, topic = task.topic, "working");
        let answer = match tokio::time::timeout(left, self.worker.work(task, left)).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => {
                tracing::warn!(task = %id, %error, "cannot answer");
                metrics::counter!("adit_requests_total", "outcome" => "failed").increment(1);
                return Err(Status::unavailable("cannot answer now"));
            }
            Err(_elapsed) => return Err(Status::deadline_exceeded("the deadline has passed")),
        };
        metrics::counter!("adit_requests_total", "outcome" => "answered").increment(1);
        tracing::info!(event = "answered", task = %id, clips = answer.clips.len(), "answered");
        let clips = answer.clips.into_iter().map(v1::Clip::from).collect();
        Ok(Response::new(v1::ScrapeResponse {
            task_id: id.to_string(),
            clips,
        }))
    }
}
