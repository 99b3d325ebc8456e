use std::time::Duration;

use adit_primitives::Uid;
use adit_scoring::weights::{WeightLimits, quantise};
use adit_storage::AnswerStatus;
use tokio_util::sync::CancellationToken;

use crate::{
    harness::{World, answered, assert_complete, averages, drawn, miner, scores, tasks},
    toy::Behaviour,
};

const EVERY_KIND: [Behaviour; 8] = [
    Behaviour::Right,
    Behaviour::Wrong,
    Behaviour::Timeout,
    Behaviour::Unreachable,
    Behaviour::Malformed,
    Behaviour::Panics,
    Behaviour::Unauthenticated,
    Behaviour::Refuses,
];

#[tokio::test]
async fn six_rounds_end_by_themselves_with_weights_on_chain() {
    let world = World::new(6, &EVERY_KIND);
    let store = world.finish().await;
    assert_complete(&world, &store, 6).await;

    // Six times the same score: alpha · score · (1 + (1-alpha) + … + (1-alpha)^5).
    let averages = averages(&store).await;
    let reached = 1.0 - 0.7_f64.powi(6);
    assert!((averages[&miner(1)] - reached).abs() < 1e-12);
    assert!((averages[&miner(2)] - reached / 4.0).abs() < 1e-12);
    for uid in 3..=8 {
        assert_eq!(averages[&miner(uid)], 0.0, "uid {uid}");
    }

    let taken = world.chain.taken_weights();
    let on_chain = &taken.last().unwrap().weights;
    let earned: Vec<(Uid, f64)> = (1..=8)
        .map(|uid| (Uid(uid), averages[&miner(uid)]))
        .collect();
    assert_eq!(
        *on_chain,
        quantise(&earned, WeightLimits::default()).unwrap()
    );
    assert_eq!(on_chain.pairs(), [(Uid(1), 65_535), (Uid(2), 16_384)]);
    let attempts = store.weights_history(10).await.unwrap();
    assert!(attempts.iter().all(|row| row.outcome == "on_chain"));
    assert_eq!(attempts.len(), taken.len());
}

#[tokio::test]
async fn every_miner_asked_is_scored_and_a_panic_harms_nobody_else() {
    let world = World::new(2, &EVERY_KIND);
    let store = world.finish().await;
    let expected = [
        (AnswerStatus::Answered, "scored", 1.0),
        (AnswerStatus::Answered, "scored", 0.25),
        (AnswerStatus::Timeout, "timeout", 0.0),
        (AnswerStatus::Unreachable, "unreachable", 0.0),
        (AnswerStatus::Malformed, "malformed", 0.0),
        (AnswerStatus::Malformed, "malformed", 0.0),
        (AnswerStatus::Unauthenticated, "unauthenticated", 0.0),
        (AnswerStatus::Refused, "refused", 0.0),
    ];
    let scores = scores(&store).await;
    for task in tasks(&store).await {
        let answers = store.answers(task.id).await.unwrap();
        assert_eq!((task.asked.len(), answers.len()), (8, 8));
        for (uid, (status, verdict, score)) in (1..).zip(expected) {
            let of = miner(uid);
            let answer = answers.iter().find(|answer| answer.hotkey == of).unwrap();
            let row = scores
                .iter()
                .find(|row| row.task == task.id && row.hotkey == of)
                .unwrap();
            assert_eq!(
                (answer.status, row.verdict.as_str(), row.score),
                (status, verdict, score),
                "uid {uid}"
            );
        }
    }
}

#[tokio::test]
async fn who_hangs_is_cut_off_at_the_deadline_and_the_others_count() {
    let mut world = World::new(1, &[Behaviour::Hangs, Behaviour::Right]);
    world.config.answer_timeout_ms = 50;
    let store = world.finish().await;
    let task = &tasks(&store).await[0];
    let mut answers = store.answers(task.id).await.unwrap();
    answers.sort_by_key(|answer| answer.uid);
    assert_eq!(answers[0].status, AnswerStatus::Timeout);
    assert!(answers[0].elapsed_ms >= 50);
    assert_eq!(answers[1].status, AnswerStatus::Answered);
    assert_complete(&world, &store, 1).await;
}

#[tokio::test]
async fn an_answer_in_time_counts_however_slowly_the_others_are_stored() {
    let mut world = World::new(1, &[Behaviour::Right; 40]);
    world.config.concurrency = 40;
    let store = world.store().await;
    let validator = world.validator(&store);
    let shutdown = CancellationToken::new();
    // All have answered when the first answer is stored; the rest is stored after the deadline.
    let slow = async {
        answered(&store, 1).await;
        world.clock.advance(Duration::from_secs(3_600));
    };
    let (ended, ()) = tokio::join!(validator.run(&shutdown), slow);
    ended.unwrap();
    let scores = scores(&store).await;
    assert_eq!(scores.len(), 40);
    assert!(scores.iter().all(|row| row.verdict == "scored"));
}

#[tokio::test]
async fn a_run_in_which_nobody_earns_anything_ends_without_weights() {
    let world = World::new(2, &[Behaviour::Unreachable, Behaviour::Timeout]);
    let store = world.finish().await;
    assert_complete(&world, &store, 2).await;
    assert_eq!(world.chain.taken_weights(), []);
}

#[tokio::test]
async fn the_same_seed_draws_the_same_tasks_and_samples() {
    let draws = |seed| async move {
        let mut world = World::new(4, &[Behaviour::Right; 9]);
        world.config.sample_size = 3;
        world.seed = seed;
        let store = world.finish().await;
        drawn(&tasks(&store).await)
    };
    let (first, again, other) = (draws(1).await, draws(1).await, draws(2).await);
    assert_eq!(first, again);
    assert_ne!(first, other);
    assert!(first.iter().all(|(_, _, asked)| asked.len() == 3));
}
