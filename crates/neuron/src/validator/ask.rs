use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use adit_chain::Chain;
use adit_primitives::{Metagraph, Neuron, TaskId};
use adit_storage::{AnswerRow, AnswerStatus, NewTask};
use futures::FutureExt as _;
use rand::Rng as _;
use tokio::{sync::Semaphore, task::JoinSet, time::Instant};

use super::Validator;
use crate::{Call, Error, Mechanism, QueryFailure, Result};

impl<M: Mechanism, C: Chain> Validator<M, C> {
    /// Asks one round: draws a task and miners, stores the task, then each answer as it arrives.
    #[tracing::instrument(skip_all, fields(round, task))]
    pub(super) async fn ask(&self, round: u64, metagraph: &Metagraph) -> Result<()> {
        let mut rng = self.rng("ask", u128::from(round));
        let task = match self.mechanism.next_task(&mut rng).await {
            Ok(task) => task,
            Err(unavailable) => {
                tracing::warn!(%unavailable, "no task; trying again later");
                return Ok(());
            }
        };
        let miners = self.sampling().draw(metagraph, &self.hotkey, &mut rng);
        if miners.is_empty() {
            tracing::warn!(block = %metagraph.block, "no miner serves; nobody to ask");
            return Ok(());
        }
        let now = self.clock.unix_millis();
        let id = TaskId::from_parts(now, rng.random());
        let span = tracing::Span::current();
        span.record("round", round)
            .record("task", tracing::field::display(id));
        let deadline_at_ms = now.saturating_add(self.config.answer_timeout_ms);
        let payload = serde_json::to_value(&task).map_err(|source| Error::Encode {
            what: "task",
            source,
        })?;
        self.store
            .begin_task(&NewTask {
                id,
                mechanism: self.mechanism.name().to_owned(),
                netuid: self.netuid,
                policy: self.mechanism.policy(),
                seed: self.seed,
                payload: payload.clone(),
                created_at_ms: now,
                deadline_at_ms,
                asked: miners
                    .iter()
                    .map(|miner| (miner.uid, miner.hotkey))
                    .collect(),
            })
            .await?;
        metrics::counter!("adit_rounds_total").increment(1);
        tracing::info!(event = "round", round, %id, miners = miners.len(), task = %payload, "asking");
        self.collect(id, task, miners, deadline_at_ms).await?;
        self.store.close_task(id).await?;
        Ok(())
    }

    async fn collect(
        &self,
        id: TaskId,
        task: M::Task,
        miners: Vec<&Neuron>,
        deadline_at_ms: u64,
    ) -> Result<()> {
        let task = Arc::new(task);
        let slots = Arc::new(Semaphore::new(self.config.concurrency.max(1)));
        let time_left = Duration::from_millis(self.config.answer_timeout_ms);
        let started = Instant::now();
        let mut questions = JoinSet::new();
        for miner in miners {
            let (mechanism, task, slots) = (
                Arc::clone(&self.mechanism),
                Arc::clone(&task),
                Arc::clone(&slots),
            );
            let miner = miner.clone();
            let asked = (miner.uid, miner.hotkey);
            let question = async move {
                let Ok(_slot) = slots.acquire_owned().await else {
                    return Err(QueryFailure::Timeout);
                };
                let left = time_left.saturating_sub(started.elapsed());
                let call = Call {
                    id,
                    task: &*task,
                    miner: &miner,
                    deadline_unix_ms: deadline_at_ms,
                    time_left: left,
                };
                tokio::time::timeout(left, mechanism.query(call))
                    .await
                    .unwrap_or(Err(QueryFailure::Timeout))
            };
            let clock = Arc::clone(&self.clock);
            questions.spawn(async move {
                // An answer which makes our code panic harms nobody else.
                let guarded = AssertUnwindSafe(question).catch_unwind().await;
                let outcome = guarded.unwrap_or_else(|_panic| {
                    Err(QueryFailure::Malformed(
                        "reading the answer panicked".to_owned(),
                    ))
                });
                // Here and not when it is stored: storing the others' answers takes time.
                (asked, outcome, clock.unix_millis(), started.elapsed())
            });
        }
        while let Some(finished) = questions.join_next().await {
            let Ok(((uid, hotkey), outcome, received_at_ms, elapsed)) = finished else {
                continue;
            };
            let (status, detail, payload) = match outcome {
                Ok(answer) => match serde_json::to_value(&answer) {
                    Ok(payload) => (AnswerStatus::Answered, None, Some(payload)),
                    Err(error) => (AnswerStatus::Malformed, Some(error.to_string()), None),
                },
                Err(failure) => (status_of(&failure), Some(failure.to_string()), None),
            };
            metrics::counter!("adit_answers_total", "status" => status.code()).increment(1);
            metrics::histogram!("adit_answer_seconds").record(elapsed.as_secs_f64());
            tracing::info!(
                event = "answer",
                %uid,
                %hotkey,
                status = status.code(),
                detail = detail.as_deref().unwrap_or_default(),
                elapsed_ms = elapsed.as_millis() as u64,
                "answered"
            );
            let elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
            self.store
                .record_answer(&AnswerRow {
                    task: id,
                    uid,
                    hotkey,
                    status,
                    detail: detail.map(|text| text.chars().take(500).collect()),
                    payload,
                    received_at_ms,
                    elapsed_ms,
                })
                .await?;
        }
        Ok(())
    }
}

fn status_of(failure: &QueryFailure) -> AnswerStatus {
    match failure {
        QueryFailure::Timeout => AnswerStatus::Timeout,
        QueryFailure::Unreachable(_) => AnswerStatus::Unreachable,
        QueryFailure::Unauthenticated(_) => AnswerStatus::Unauthenticated,
        QueryFailure::Refused(_) => AnswerStatus::Refused,
        QueryFailure::Malformed(_) => AnswerStatus::Malformed,
    }
}
