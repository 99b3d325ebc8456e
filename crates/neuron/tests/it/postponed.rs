use tokio_util::sync::CancellationToken;

use crate::{
    harness::{World, assert_complete, tasks},
    toy::{Behaviour, lock},
};

#[tokio::test]
async fn while_judging_is_unavailable_nobody_is_charged_and_later_all_is_judged_in_order() {
    let mut world = World::new(5, &[Behaviour::Right, Behaviour::Unreachable]);
    world.config.max_unjudged = 3;
    let shutdown = CancellationToken::new();
    world.toy.judge_down.until(12, &shutdown);
    let store = world.live(&shutdown).await;
    let counts = store.counts().await.unwrap();
    assert_eq!(counts.tasks, 3, "no more is asked than may wait");
    assert_eq!((counts.judged, counts.scores, counts.averages), (0, 0, 0));
    assert_eq!(counts.answers, counts.asked, "what was answered is kept");
    assert_eq!(world.chain.taken_weights(), []);
    store.close().await;

    world.toy.judge_down.end();
    let store = world.finish().await;
    assert_complete(&world, &store, 5).await;
    let ids: Vec<_> = tasks(&store).await.iter().map(|task| task.id).collect();
    assert_eq!(*lock(&world.toy.judged), ids);
}

#[tokio::test]
async fn a_panic_while_judging_costs_nobody_anything() {
    let world = World::new(3, &[Behaviour::Right, Behaviour::Wrong]);
    world.toy.judge_panics.times(1);
    let store = world.finish().await;
    assert_complete(&world, &store, 3).await;
    let ids: Vec<_> = tasks(&store).await.iter().map(|task| task.id).collect();
    assert_eq!(*lock(&world.toy.judged), ids);
}
