use std::{sync::Arc, time::Duration};

use adit_neuron::Worker;
use adit_primitives::{Clock, TaskId};
use adit_protocol::v1;
use tonic::{Request, Response, Status};

use crate::{ClipConstraints, VideoAnswer, VideoTask};

/// Most clips a request may ask for.
const MOST_CLIPS: u32 = 64;
/// Longest topic, in bytes.
const LONGEST_TOPIC: usize = 4_096;
/// Longest time one request may hold the miner.
const LONGEST_WORK: Duration = Duration::from_secs(600);

/// Serves `VideoMiner` from a [`Worker`]. Put it behind `adit-protocol`'s authentication: it
/// trusts that the caller was checked.
#[derive(Debug)]
pub struct VideoMinerService<W> {
    worker: Arc<W>,
    clock: Arc<dyn Clock>,
}

impl<W> VideoMinerService<W> {
    /// A service over a worker.
    pub fn new(worker: Arc<W>, clock: Arc<dyn Clock>) -> Self {
        Self { worker, clock }
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
