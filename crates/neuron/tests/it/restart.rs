use std::{collections::BTreeMap, future::Future, pin::pin, task::Poll};

use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use tokio_util::sync::CancellationToken;

use crate::{
    harness::{World, assert_complete, drawn, scores, tasks},
    toy::{Behaviour, lock},
};

const ROUNDS: u64 = 6;
const MINERS: [Behaviour; 5] = [
    Behaviour::Right,
    Behaviour::Wrong,
    Behaviour::Unreachable,
    Behaviour::Panics,
    Behaviour::Right,
];

/// Polls a future so often at most, then drops it where it waits. Whether it came to its end.
async fn cut_after<T>(polls: u32, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    let mut left = polls;
    std::future::poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending if left == 0 => Poll::Ready(None),
        Poll::Pending => {
            left -= 1;
            Poll::Pending
        }
    })
    .await
}

/// Runs six rounds in as many lives as it takes, each cut at a random await point.
async fn interrupted(seed: u64) -> (World, adit_storage::Store, u32) {
    let mut world = World::new(ROUNDS, &MINERS);
    world.config.sample_size = 3;
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut lives = 1;
    loop {
        let store = world.store().await;
        let validator = world.validator(&store);
        // Long enough on average to get ahead, short enough that no life does all.
        let polls = rng.random_range(0..90);
        let done = cut_after(polls, validator.run(&CancellationToken::new())).await;
        if let Some(result) = done {
            result.unwrap();
            return (world, store, lives);
        }
        // As after a kill, nothing of this life is used again.
        drop((validator, store));
        lives += 1;
        assert!(lives < 2_000, "no life gets ahead");
    }
}

#[tokio::test]
async fn a_validator_cut_anywhere_loses_no_answer_and_stores_and_delivers_none_twice() {
    let calm = {
        let mut world = World::new(ROUNDS, &MINERS);
        world.config.sample_size = 3;
        let store = world.finish().await;
        (drawn(&tasks(&store).await), by_round(&store).await)
    };
    let mut cuts = 0;
    for seed in 0..10 {
        let (world, store, lives) = interrupted(seed).await;
        cuts += lives - 1;
        assert_complete(&world, &store, ROUNDS).await;
        let arrivals = lock(&world.toy.arrivals).clone();
        let mut unique = arrivals.clone();
        unique.sort();
        unique.dedup();
        assert_eq!(arrivals, unique, "in order and once, seed {seed}");
        let tasks = tasks(&store).await;
        assert_eq!(drawn(&tasks), calm.0, "seed {seed}");
        let scored = by_round(&store).await;
        assert_eq!(scored.len(), calm.1.len());
        for (key, score) in scored {
            // Who was not heard because of a cut has no say; everybody else earns the same.
            if score.1 != "unanswered" {
                assert_eq!(score, calm.1[&key], "{key:?}, seed {seed}");
            }
        }
        assert!(!world.chain.taken_weights().is_empty());
    }
    assert!(cuts > 20, "only {cuts} cuts");
}

/// Score and verdict by number of the round and uid.
async fn by_round(store: &adit_storage::Store) -> BTreeMap<(usize, u16), (f64, String)> {
    let tasks = tasks(store).await;
    let round = |id| tasks.iter().position(|task| task.id == id).unwrap();
    scores(store)
        .await
        .into_iter()
        .map(|row| ((round(row.task), row.uid.0), (row.score, row.verdict)))
        .collect()
}
