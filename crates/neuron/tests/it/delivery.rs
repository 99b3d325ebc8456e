use tokio_util::sync::CancellationToken;

use crate::{
    harness::{World, assert_complete, tasks},
    toy::{Behaviour, lock},
};

#[tokio::test]
async fn batches_wait_while_nobody_takes_them_and_arrive_once_and_in_order() {
    // More rounds than one reading of the waiting batches holds.
    const ROUNDS: u64 = 20;
    let world = World::new(ROUNDS, &[Behaviour::Right]);
    let shutdown = CancellationToken::new();
    world.toy.deliver_down.until(ROUNDS, &shutdown);
    let store = world.live(&shutdown).await;
    let counts = store.counts().await.unwrap();
    assert_eq!((counts.judged, counts.batches), (ROUNDS, ROUNDS));
    assert_eq!(counts.batches_delivered, 0);
    let oldest = &store.pending_batches().await.unwrap()[0];
    assert_eq!(oldest.failures, ROUNDS);
    let reason = oldest.last_failure.as_deref().unwrap();
    assert!(reason.contains("dataset is unavailable"), "{reason}");
    store.close().await;

    world.toy.deliver_down.end();
    let store = world.finish().await;
    assert_complete(&world, &store, ROUNDS).await;
    let ids: Vec<_> = tasks(&store)
        .await
        .iter()
        .map(|task| task.id.to_string())
        .collect();
    assert_eq!(*lock(&world.toy.arrivals), ids);
}

#[tokio::test]
async fn a_run_does_not_end_before_its_last_batch_is_delivered() {
    let world = World::new(2, &[Behaviour::Right]);
    world.toy.deliver_down.times(7);
    let store = world.finish().await;
    assert_complete(&world, &store, 2).await;
    assert_eq!(lock(&world.toy.arrivals).len(), 2);
}
