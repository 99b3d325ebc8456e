use std::{sync::Arc, time::Duration};

use adit_chain::{
    Error,
    testing::{ChainRequest, FakeChain},
};
use adit_neuron::MetagraphWatch;
use adit_primitives::{Block, Hotkey, Rao};
use tokio_util::sync::CancellationToken;

use crate::harness::{NETUID, OWN, miner, subnet};

fn away() -> Error {
    Error::NoSuchSubnet { netuid: NETUID }
}

/// Waits until the watch shows a picture of this block.
async fn shows(watch: &MetagraphWatch, block: u64) {
    let shown = async {
        while watch.latest().block != Block(block) {
            tokio::task::yield_now().await;
        }
    };
    let bound = Duration::from_secs(60);
    tokio::time::timeout(bound, shown).await.unwrap();
}

#[tokio::test]
async fn the_watch_follows_the_chain_also_after_it_was_away_and_ends_with_its_token() {
    let chain = Arc::new(FakeChain::new(subnet([miner(1)]), OWN));
    let shutdown = CancellationToken::new();
    let interval = Duration::from_millis(1);
    let watch = MetagraphWatch::start(Arc::clone(&chain), NETUID, interval, shutdown.clone())
        .await
        .unwrap();
    assert_eq!(watch.latest().block, Block(1000));
    assert_eq!(
        watch.check_caller(&OWN, true, Rao::from_tao(10_000)),
        Ok(())
    );
    assert_eq!(watch.check_caller(&miner(1), false, Rao(0)), Ok(()));
    let refusals = [
        (miner(2), false, Rao(0), "hotkey is not registered"),
        (miner(1), true, Rao(0), "hotkey has no validator permit"),
        (
            OWN,
            true,
            Rao::from_tao(10_001),
            "stake is below the minimum",
        ),
    ];
    for (hotkey, permit, stake, reason) in refusals {
        assert_eq!(watch.check_caller(&hotkey, permit, stake), Err(reason));
    }

    chain.fail_next(ChainRequest::Metagraph, away());
    chain.advance(5);
    shows(&watch, 1005).await;
    let newcomer = Hotkey::new([0x77; 32]);
    chain.set_metagraph(subnet([miner(1), newcomer]));
    chain.advance(1);
    shows(&watch, 1006).await;
    assert_eq!(watch.check_caller(&newcomer, false, Rao(0)), Ok(()));

    shutdown.cancel();
    while Arc::strong_count(&chain) > 1 {
        tokio::task::yield_now().await;
    }
    assert_eq!(watch.latest().block, Block(1006));
}

#[tokio::test]
async fn a_watch_without_a_first_picture_does_not_start() {
    let chain = FakeChain::new(subnet([]), OWN);
    chain.fail_next(ChainRequest::Metagraph, away());
    let started = MetagraphWatch::start(
        Arc::new(chain),
        NETUID,
        Duration::from_secs(1),
        CancellationToken::new(),
    );
    assert!(started.await.is_err());
}
