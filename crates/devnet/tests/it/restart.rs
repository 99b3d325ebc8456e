use adit_devnet::{Devnet, Error};

use crate::harness::{Chain, NETUID, TAO, account, config, key, number};

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_goes_on_with_the_same_chain() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config();
    config.database = Some(folder.path().join("chain"));
    let neuron = key(1);

    let chain = Chain::start(config.clone()).await;
    chain.register(&neuron).await.unwrap();
    chain.stake(&neuron, 3 * TAO).await.unwrap();
    let genesis = chain.devnet.genesis();
    let taken = Devnet::start(config.clone()).await;
    assert!(matches!(taken, Err(Error::Database { .. })), "{taken:?}");
    let Chain { devnet, client, .. } = chain;
    let head = devnet.head();
    let old = client.at_current_block().await.unwrap();
    devnet.shutdown().await;

    let chain = Chain::start(config.clone()).await;
    assert_eq!(chain.devnet.genesis(), genesis);
    assert!(chain.devnet.head() >= head);
    let uid: u16 = chain
        .read("Uids", vec![number(NETUID), account(&neuron)])
        .await;
    assert_eq!(uid, 0);
    // States and blocks from before the restart are still there, and blocks go on.
    let before = chain.client.at_block(old.block_number()).await.unwrap();
    assert_eq!(before.block_hash(), old.block_hash());
    chain.stake(&neuron, 4 * TAO).await.unwrap();
    chain.devnet.shutdown().await;

    config.stake_threshold = adit_primitives::Rao(1);
    let other = Devnet::start(config).await;
    assert!(
        matches!(other, Err(Error::DatabaseOfOtherChain { .. })),
        "{other:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn genesis_follows_from_the_configuration_alone() {
    let first = Devnet::start(config()).await.unwrap();
    let second = Devnet::start(config()).await.unwrap();
    let mut other = config();
    other.subnets[0].tempo = 11;
    let other = Devnet::start(other).await.unwrap();
    assert_eq!(first.genesis(), second.genesis());
    assert_ne!(first.genesis(), other.genesis());
    for devnet in [first, second, other] {
        devnet.shutdown().await;
    }
}
