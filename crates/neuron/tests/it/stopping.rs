use adit_storage::AnswerStatus;
use tokio_util::sync::CancellationToken;

use crate::{
    harness::{World, answered, assert_complete, averages, miner, scores, tasks},
    toy::{Behaviour, lock},
};

#[tokio::test]
async fn a_signal_ends_a_run_that_would_go_on_for_ever() {
    let mut world = World::new(0, &[Behaviour::Right]);
    world.config.rounds = None;
    world.config.round_interval_ms = 3_600_000;
    let shutdown = CancellationToken::new();
    *lock(&world.toy.stop_at_first_answer) = Some(shutdown.clone());
    let store = world.live(&shutdown).await;
    // The round under way was finished in the time it has to drain.
    assert_complete(&world, &store, 1).await;
}

#[tokio::test]
async fn a_signal_before_the_start_asks_nobody() {
    let world = World::new(3, &[Behaviour::Right]);
    let shutdown = CancellationToken::new();
    shutdown.cancel();
    let store = world.live(&shutdown).await;
    assert_eq!(store.counts().await.unwrap().tasks, 0);
}

#[tokio::test]
async fn what_was_answered_before_a_cut_counts_and_who_was_not_heard_is_not_charged() {
    let world = World::new(1, &[Behaviour::Right, Behaviour::Hangs]);
    let store = world.store().await;
    let validator = world.validator(&store);
    let shutdown = CancellationToken::new();
    tokio::select! {
        _ = validator.run(&shutdown) => panic!("one miner hangs"),
        () = answered(&store, 1) => {}
    }
    let task = tasks(&store).await.remove(0);
    let answers = store.answers(task.id).await.unwrap();
    assert_eq!(answers.len(), 1);
    assert_eq!(answers[0].status, AnswerStatus::Answered);
    assert_eq!(store.counts().await.unwrap().judged, 0);
    store.close().await;

    // The next life has all its rounds, but not all are judged.
    let store = world.finish().await;
    assert_complete(&world, &store, 1).await;
    let verdicts: Vec<_> = scores(&store)
        .await
        .into_iter()
        .map(|row| (row.hotkey, row.verdict))
        .collect();
    assert_eq!(
        verdicts,
        [
            (miner(1), "scored".to_owned()),
            (miner(2), "unanswered".to_owned())
        ]
    );
    assert!(!averages(&store).await.contains_key(&miner(2)));
}
