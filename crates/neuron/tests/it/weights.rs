use adit_chain::{Error, WeightsCall, WeightsRefusal, testing::ChainRequest};

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
    for request in [ChainRequest::Metagraph, ChainRequest::SendWeights] {
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

/// As the subnet of [`World::new`], with commit-reveal.
fn commit_reveal(world: &World) {
    let old = subnet([crate::harness::miner(1)]);
    let parameters = adit_primitives::SubnetParameters {
        commit_reveal: true,
        ..old.parameters
    };
    let (block, hash, neurons) = (old.block, old.block_hash, old.neurons().to_vec());
    let new = adit_primitives::Metagraph::new(NETUID, block, hash, parameters, neurons);
    world.chain.set_metagraph(new.unwrap());
}

/// Makes blocks while `life` lasts.
async fn beside_blocks<T>(world: &World, life: impl Future<Output = T>) -> T {
    let blocks = async {
        loop {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            world.chain.advance(1);
        }
    };
    tokio::select! {
        ended = life => ended,
        () = blocks => unreachable!("blocks never end"),
    }
}

#[tokio::test]
async fn committed_weights_are_seen_revealed_before_the_run_ends() {
    for sealed in [true, false] {
        let world = World::new(1, &[Behaviour::Right]);
        commit_reveal(&world);
        if !sealed {
            world.chain.forget_timelocks();
        }
        let store = beside_blocks(&world, world.finish()).await;
        assert_complete(&world, &store, 1).await;
        let mut history = store.weights_history(10).await.unwrap();
        history.reverse();
        let outcomes: Vec<_> = history.iter().map(|row| row.outcome.as_str()).collect();
        assert_eq!(outcomes, ["committed", "on_chain"]);
        assert_eq!(history[0].detail.contains("by the beacon's round"), sealed);
        let row =
            adit_chain::Chain::weights_on_chain(&world.chain, NETUID, adit_primitives::Uid(0));
        assert_eq!(row.await.unwrap(), history[1].weights);
    }
}

#[tokio::test]
async fn a_validator_stopped_between_commit_and_reveal_reveals_in_its_next_life() {
    let world = World::new(1, &[Behaviour::Right]);
    commit_reveal(&world);
    world.chain.forget_timelocks();
    let shutdown = tokio_util::sync::CancellationToken::new();
    let first = async {
        let stop = async {
            while world.chain.sent_weights().is_empty() {
                tokio::task::yield_now().await;
            }
            shutdown.cancel();
        };
        tokio::join!(world.live(&shutdown), stop).0
    };
    drop(first.await);
    assert_eq!(world.chain.taken_weights(), [], "committed only");
    let store = beside_blocks(&world, world.finish()).await;
    assert_complete(&world, &store, 1).await;
    let taken = world.chain.taken_weights();
    assert_eq!(taken[0].hotkey, OWN, "revealed by the second life");
    assert!(matches!(
        world.chain.sent_weights()[..2],
        [WeightsCall::Commit { .. }, WeightsCall::Reveal { .. }]
    ));
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
