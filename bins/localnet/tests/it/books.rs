//! What a validator's state and the dataset must say after everything that happened to them.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::{Command, Output},
};

use adit_primitives::Hotkey;
use adit_storage::{AnswerStatus, DatasetReader, ScoredRow, Store, TaskState};

use crate::harness::{binary, sql};

/// Weight of a new score in the moving average; the configuration's default.
const ALPHA: f64 = 0.3;

/// Runs `adit-validator audit`.
pub(crate) fn audit(state: &Path) -> Output {
    let mut command = Command::new(binary("adit-validator"));
    command.args(["audit", "--db"]).arg(state).output().unwrap()
}

/// Every score can be computed again.
pub(crate) fn assert_audited(state: &Path) {
    let output = audit(state);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    assert!(said.trim_end().ends_with(" 0 differences"), "{said}");
    assert!(!said.starts_with("0 scores"), "{said}");
}

/// Every one of so many tasks is judged, every question has exactly one score, what was answered in
/// time was judged as an answer, averages follow from the scores, everything is delivered.
pub(crate) async fn assert_complete(state: &Path, rounds: u64) {
    let store = Store::open(state).await.unwrap();
    let tasks = store.tasks_page(None, 10_000).await.unwrap();
    assert_eq!(tasks.len() as u64, rounds);
    let mut scores: BTreeMap<_, Vec<ScoredRow>> = BTreeMap::new();
    let mut in_order = Vec::new();
    for row in store.scores_page(None, 10_000).await.unwrap() {
        scores.entry(row.task).or_default().push(row.clone());
        in_order.push(row);
    }
    for task in &tasks {
        assert_eq!(task.state, TaskState::Judged, "task {}", task.id);
        let asked: BTreeSet<Hotkey> = task.asked.iter().map(|(_, hotkey)| *hotkey).collect();
        assert_eq!(asked.len(), task.asked.len(), "task {}", task.id);
        let scored = scores.remove(&task.id).unwrap_or_default();
        let of: BTreeMap<Hotkey, &ScoredRow> = scored.iter().map(|row| (row.hotkey, row)).collect();
        assert_eq!(of.len(), scored.len(), "two scores in task {}", task.id);
        assert_eq!(of.keys().copied().collect::<BTreeSet<_>>(), asked);
        let answers = store.answers(task.id).await.unwrap();
        let answered: BTreeSet<Hotkey> = answers.iter().map(|row| row.hotkey).collect();
        assert_eq!(
            answered.len(),
            answers.len(),
            "an answer twice in {}",
            task.id
        );
        assert!(answered.is_subset(&asked));
        for answer in &answers {
            let in_time = answer.received_at_ms <= task.deadline_at_ms;
            let counts = answer.status == AnswerStatus::Answered && in_time;
            let verdict = of[&answer.hotkey].verdict.as_str();
            let judged = matches!(verdict, "scored" | "refused");
            assert_eq!(counts, judged, "{} was judged {verdict}", answer.status);
        }
        for hotkey in asked.difference(&answered) {
            assert_eq!(of[hotkey].verdict, "unanswered");
        }
    }
    assert!(scores.is_empty(), "scores of no task: {scores:?}");
    let mut averages: BTreeMap<Hotkey, f64> = BTreeMap::new();
    for row in in_order.iter().filter(|row| row.verdict != "unanswered") {
        let average = averages.entry(row.hotkey).or_default();
        *average = ALPHA * row.score + (1.0 - ALPHA) * *average;
    }
    let kept = store.averages().await.unwrap();
    assert_eq!(kept.len(), averages.len());
    for row in kept {
        let difference = (row.value - averages[&row.hotkey]).abs();
        assert!(difference < 1e-12, "{}: off by {difference}", row.hotkey);
    }
    let counts = store.counts().await.unwrap();
    assert_eq!(counts.judged, rounds);
    assert_eq!(counts.batches_delivered, counts.batches);
    assert!(counts.items_accepted > 0, "nothing was accepted at all");
    store.close().await;
}

/// What the validators accepted is in the dataset, each record once, and nothing else is.
pub(crate) fn assert_kept_once(states: &[&Path], dataset: &Path) {
    let mut accepted = Vec::new();
    for state in states {
        let records = sql(state, "SELECT record_id FROM items WHERE accepted = 1");
        accepted.extend(records.lines().map(str::to_owned));
    }
    let reader = DatasetReader::open(dataset).unwrap();
    let mut kept = Vec::new();
    for shard in reader.shards() {
        let rows = reader.rows(shard).unwrap();
        kept.extend(rows.into_iter().map(|row| row.record_id));
    }
    accepted.sort();
    kept.sort();
    assert_eq!(accepted, kept);
    kept.dedup();
    assert_eq!(accepted.len(), kept.len(), "a record is kept twice");
}
