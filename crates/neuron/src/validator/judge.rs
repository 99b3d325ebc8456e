use std::{
    collections::{BTreeMap, BTreeSet},
    panic::AssertUnwindSafe,
};

use adit_chain::Chain;
use adit_storage::{AnswerRow, AnswerStatus, ItemRow, JudgedTask, NewBatch, ScoreRow, TaskRow};
use futures::FutureExt as _;
use serde_json::Value;

use super::Validator;
use crate::{Assigned, Error, JudgedAnswer, Judgement, Mechanism, Received, Result};

impl<M: Mechanism, C: Chain> Validator<M, C> {
    /// Judges every task that waits, oldest first; stops at the first that must wait longer,
    /// because later ones may build on it. Answers how many still wait.
    pub(super) async fn judge_waiting(&self) -> Result<usize> {
        let tasks = self.store.tasks_to_judge(self.clock.unix_millis()).await?;
        let mut waiting = tasks.len();
        for task in tasks {
            if !self.judge_one(&task).await? {
                break;
            }
            waiting -= 1;
        }
        metrics::gauge!("adit_unjudged_tasks").set(waiting as f64);
        Ok(waiting)
    }

    #[tracing::instrument(skip_all, fields(task = %row.id))]
    async fn judge_one(&self, row: &TaskRow) -> Result<bool> {
        let started = std::time::Instant::now();
        let task: M::Task =
            serde_json::from_value(row.payload.clone()).map_err(|source| Error::Payload {
                task: row.id,
                what: "task",
                source,
            })?;
        let assigned = Assigned {
            id: row.id,
            task,
            asked: row.asked.clone(),
        };
        let rows = self.store.answers(row.id).await?;
        let mut unreadable = BTreeSet::new();
        let mut answers = Vec::new();
        for answer in &rows {
            match received::<M>(answer, row.deadline_at_ms) {
                Some(Ok(received)) => answers.push(received),
                Some(Err(())) => {
                    unreadable.insert(answer.hotkey);
                }
                None => {}
            }
        }
        let mut rng = self.rng("judge", u128::from_be_bytes(row.id.to_bytes()));
        let judging = self.mechanism.judge(&assigned, &answers, &mut rng);
        let judgement = match AssertUnwindSafe(judging).catch_unwind().await {
            Ok(Ok(judgement)) => judgement,
            Ok(Err(unavailable)) => {
                tracing::warn!(event = "postponed", %unavailable, "cannot judge now; nobody is charged or paid");
                return Ok(false);
            }
            Err(_panic) => {
                tracing::error!(event = "postponed", "judging panicked; the task waits");
                return Ok(false);
            }
        };
        self.commit(row, &rows, judgement, &unreadable).await?;
        metrics::histogram!("adit_judge_seconds").record(started.elapsed().as_secs_f64());
        Ok(true)
    }

    async fn commit(
        &self,
        row: &TaskRow,
        answers: &[AnswerRow],
        judgement: Judgement,
        unreadable: &BTreeSet<adit_primitives::Hotkey>,
    ) -> Result<()> {
        let now = self.clock.unix_millis();
        let mut scores: Vec<ScoreRow> = judgement.scores.into_iter().map(score_row).collect();
        let judged: BTreeSet<_> = scores.iter().map(|score| score.hotkey).collect();
        let by_hotkey: BTreeMap<_, _> = answers
            .iter()
            .map(|answer| (answer.hotkey, answer))
            .collect();
        for (uid, hotkey) in row
            .asked
            .iter()
            .filter(|(_, hotkey)| !judged.contains(hotkey))
        {
            let verdict = match by_hotkey.get(hotkey) {
                Some(_) if unreadable.contains(hotkey) => AnswerStatus::Malformed.code(),
                Some(answer) if answer.status == AnswerStatus::Answered => {
                    AnswerStatus::Late.code()
                }
                Some(answer) => answer.status.code(),
                // Asked in an earlier life that was killed before the answer came: not the miner's fault.
                None => "unanswered",
            };
            scores.push(ScoreRow {
                uid: *uid,
                hotkey: *hotkey,
                score: 0.0,
                verdict: verdict.to_owned(),
                reasons: vec![verdict.to_owned()],
                evidence: Value::Null,
            });
        }
        // A miner whose question died with an earlier life of this process is neither paid nor charged.
        let counted: Vec<_> = scores
            .iter()
            .filter(|score| score.verdict != "unanswered")
            .collect();
        let averages = self.averaged(&counted, now).await?;
        for score in &scores {
            tracing::info!(
                event = "score",
                uid = %score.uid,
                hotkey = %score.hotkey,
                score = score.score,
                verdict = score.verdict,
                reasons = score.reasons.join(","),
                "scored"
            );
        }
        for item in &judgement.items {
            let outcome = if item.accepted { "accepted" } else { "refused" };
            let reason = item.reason.clone().unwrap_or_default();
            metrics::counter!("adit_items_total", "outcome" => outcome, "reason" => reason)
                .increment(1);
        }
        let items = judgement
            .items
            .into_iter()
            .map(|item| ItemRow {
                record_id: item.record_id,
                uid: item.uid,
                hotkey: item.hotkey,
                accepted: item.accepted,
                reason: item.reason,
                payload: item.payload,
            })
            .collect();
        let batch = judgement.batch.map(|payload| NewBatch {
            batch_id: row.id.to_string(),
            payload,
        });
        let judged = JudgedTask {
            task: row.id,
            judged_at_ms: now,
            policy: self.mechanism.policy(),
            scores,
            items,
            averages,
            batch,
        };
        if !self.store.commit_judgement(&judged).await? {
            tracing::warn!("the task was judged before; nothing changed");
        }
        Ok(())
    }
}

fn score_row(judged: JudgedAnswer) -> ScoreRow {
    ScoreRow {
        uid: judged.uid,
        hotkey: judged.hotkey,
        score: judged.score.get(),
        verdict: judged.verdict,
        reasons: judged.reasons,
        evidence: judged.evidence,
    }
}

/// The answer as the mechanism sees it; `None` when there is none that counts.
fn received<M: Mechanism>(
    row: &AnswerRow,
    deadline_at_ms: u64,
) -> Option<Result<Received<M::Answer>, ()>> {
    if row.status != AnswerStatus::Answered || row.received_at_ms > deadline_at_ms {
        return None;
    }
    let payload = row.payload.clone()?;
    Some(match serde_json::from_value(payload) {
        Ok(answer) => Ok(Received {
            uid: row.uid,
            hotkey: row.hotkey,
            answer,
            received_at_ms: row.received_at_ms,
        }),
        Err(error) => {
            tracing::warn!(uid = %row.uid, %error, "a stored answer cannot be read");
            Err(())
        }
    })
}
