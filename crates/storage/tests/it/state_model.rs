//! Calls in any order and number leave what a simple model says.

use std::collections::{BTreeMap, BTreeSet};

use adit_storage::{AnswerStatus, Error, Store, TaskState};
use proptest::prelude::*;

use crate::{
    sample::task,
    state::{answer, judged, new_task},
};

#[derive(Debug, Clone, Copy)]
enum Call {
    Begin(u64),
    Record(u64, u8),
    Close(u64),
    Commit(u64),
    Deliver(u64),
}

fn calls() -> impl Strategy<Value = Vec<Call>> {
    let call = prop_oneof![
        (0_u64..3).prop_map(Call::Begin),
        // Key 3 was never asked.
        (0_u64..3, 1_u8..4).prop_map(|(task, key)| Call::Record(task, key)),
        (0_u64..3).prop_map(Call::Close),
        (0_u64..3).prop_map(Call::Commit),
        (0_u64..3).prop_map(Call::Deliver),
    ];
    prop::collection::vec(call, 0..40)
}

#[derive(Debug, Default)]
struct Model {
    tasks: BTreeMap<u64, (TaskState, BTreeSet<u8>)>,
    delivered: BTreeSet<u64>,
}

impl Model {
    /// What the store must answer: `None` for an error.
    fn apply(&mut self, call: Call) -> Option<bool> {
        match call {
            Call::Begin(task) => {
                let new = !self.tasks.contains_key(&task);
                self.tasks
                    .entry(task)
                    .or_insert((TaskState::Open, BTreeSet::new()));
                Some(new)
            }
            Call::Record(task, key) => {
                let (state, answers) = self.tasks.get_mut(&task)?;
                match (*state, key) {
                    (TaskState::Judged, _) => Some(false),
                    (_, 3) => None,
                    (_, key) => Some(answers.insert(key)),
                }
            }
            Call::Close(task) => {
                let (state, _) = self.tasks.get_mut(&task)?;
                let open = *state == TaskState::Open;
                if open {
                    *state = TaskState::Closed;
                }
                Some(open)
            }
            Call::Commit(task) => {
                let (state, _) = self.tasks.get_mut(&task)?;
                Some(std::mem::replace(state, TaskState::Judged) != TaskState::Judged)
            }
            Call::Deliver(task) => match self.tasks.get(&task)?.0 {
                TaskState::Judged => Some(self.delivered.insert(task)),
                _ => None,
            },
        }
    }
}

async fn apply(store: &Store, call: Call) -> Result<bool, Error> {
    match call {
        Call::Begin(number) => store.begin_task(&new_task(task(number))).await,
        Call::Record(number, key) => store.record_answer(&answer(task(number), key)).await,
        Call::Close(number) => store.close_task(task(number)).await,
        Call::Commit(number) => store.commit_judgement(&judged(task(number))).await,
        Call::Deliver(number) => {
            store
                .mark_delivered(&task(number).to_string(), &serde_json::json!(1), 1)
                .await
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn any_order_and_repetition_agrees_with_the_model(calls in calls()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let store = Store::in_memory().await.unwrap();
            let mut model = Model::default();
            for call in calls {
                prop_assert_eq!(apply(&store, call).await.ok(), model.apply(call), "{:?}", call);
            }
            let counts = store.counts().await.unwrap();
            let judged = model.tasks.values().filter(|(state, _)| *state == TaskState::Judged).count() as u64;
            let answers: usize = model.tasks.values().map(|(_, answers)| answers.len()).sum();
            prop_assert_eq!(counts.tasks, model.tasks.len() as u64);
            prop_assert_eq!(counts.answers, answers as u64);
            prop_assert_eq!((counts.judged, counts.scores, counts.items), (judged, judged * 2, judged * 3));
            prop_assert_eq!(counts.batches_delivered, model.delivered.len() as u64);
            prop_assert_eq!(store.pending_batches().await.unwrap().len() as u64, judged - counts.batches_delivered);
            let waiting: BTreeSet<_> =
                store.tasks_to_judge(0).await.unwrap().into_iter().map(|row| row.id).collect();
            let closed = model.tasks.iter().filter(|(_, (state, _))| *state == TaskState::Closed);
            prop_assert_eq!(waiting, closed.map(|(number, _)| task(*number)).collect());
            let answered: u64 = store.summary().await.unwrap().iter()
                .filter_map(|one| one.answers.get(&AnswerStatus::Answered)).sum();
            prop_assert_eq!(answered, answers as u64);
            Ok(())
        })?;
    }
}
