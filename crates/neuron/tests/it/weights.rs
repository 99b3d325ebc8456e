use adit_chain::{Error, WeightsRefusal, testing::ChainRequest};

use crate::{
    harness::{NETUID, OWN, World, assert_complete, subnet},
    toy::Behaviour,
};

#[tokio::test]
async fn refused_weights_are_tried_until_they_are_on_chain_and_every_attempt_is_kept() {
    let world = World::new(1, &[Behaviour::Right]);
    let limited = WeightsRefusal::RateLimited { blocks_to_wait: 5 };
    world.chain.refuse_next(limited.clone());
    world.chain.refuse_next(limited.clone());
    let store = world.finish().await;
    assert_complete(&world, &store, 1).await;
    let mut attempts = store.weights_history(10).await.unwrap();
    attempts.reverse();
    let outcomes: Vec<_> = attempts.iter().map(|row| row.outcome.as_str()).collect();
    assert_eq!(outcomes, [limited.code(), limited.code(), "on_chain"]);
    assert_eq!(attempts[0].detail, limited.to_string());
    assert_eq!((attempts[0].block, &attempts[0].extrinsic), (None, &None));
    assert!(attempts[2].extrinsic.as_ref().unwrap().starts_with("0x"));
    let taken = world.chain.taken_weights();
    assert_eq!(taken.len(), 1);
    assert_eq!((taken[0].hotkey, taken[0].netuid), (OWN, NETUID));
    assert_eq!(taken[0].weights, attempts[2].weights);
}

#[tokio::test]
async fn a_chain_that_is_away_stops_neither_the_start_nor_the_end() {
    let world = World::new(2, &[Behaviour::Right]);
    let away = || Error::NoSuchSubnet { netuid: NETUID };
    for request in [ChainRequest::Metagraph, ChainRequest::SetWeights] {
        world.chain.fail_next(request, away());
    }
    let store = world.finish().await;
    assert_complete(&world, &store, 2).await;
    let failed = store.weights_history(10).await.unwrap();
    assert!(failed.iter().any(|row| row.outcome == "failed"));
    assert_eq!(failed[0].outcome, "on_chain");
}

#[tokio::test]
async fn weights_wait_for_their_interval_until_the_run_ends() {
    let world = World::new(4, &[Behaviour::Right]);
    let mut neurons = subnet([crate::harness::miner(1)]).neurons().to_vec();
    neurons[0].last_update = adit_primitives::Block(990);
    world
        .chain
        .set_metagraph(crate::harness::metagraph(neurons));
    let store = world.finish().await;
    assert_complete(&world, &store, 4).await;
    assert_eq!(world.chain.taken_weights().len(), 1, "only the last");
}

#[tokio::test]
async fn a_validator_told_to_set_no_weights_sets_none() {
    let mut world = World::new(1, &[Behaviour::Right]);
    world.config.disable_set_weights = true;
    let store = world.finish().await;
    assert_complete(&world, &store, 1).await;
    assert_eq!(world.chain.taken_weights(), []);
    assert_eq!(store.counts().await.unwrap().weights, 0);
}
