use adit_chain::{Chain as _, Error, client::Client};
use adit_primitives::Block;
use futures::StreamExt as _;

use crate::{
    devnet::{Devnet, SUBNET, connect, hasty, registered},
    proxy::Proxy,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_endpoint_falls_over_to_the_next() {
    let devnet = Devnet::start(&[]);
    // Nothing listens on port 1 of loopback.
    let client = connect(&["ws://127.0.0.1:1".to_owned(), devnet.url()]).await;
    assert_eq!(client.endpoint().await.unwrap(), devnet.url());
    assert!(client.head().await.is_ok());

    let mut options = hasty();
    options.attempts = 2;
    let nowhere = Client::connect(&["ws://127.0.0.1:1".to_owned()], options)
        .await
        .unwrap_err();
    assert!(
        matches!(nowhere, Error::Connect { .. }) && nowhere.is_retryable(),
        "{nowhere}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_endpoint_in_use_dies_and_the_next_one_serves() {
    // Two ways to one chain.
    let devnet = Devnet::start(&[]);
    let (first, second) = (
        Proxy::start(devnet.port).await,
        Proxy::start(devnet.port).await,
    );
    let client = connect(&[first.url(), second.url()]).await;
    assert_eq!(client.endpoint().await.unwrap(), first.url());
    first.lead_to(1);
    first.cut_now();
    let before = client.head().await.unwrap();
    let mut blocks = client.blocks().await.unwrap();
    while !matches!(blocks.next().await.unwrap(), Ok(head) if head.number > before) {}
    assert_eq!(client.endpoint().await.unwrap(), second.url());
    client.metagraph(SUBNET).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn another_chain_behind_the_same_address_is_refused() {
    let devnet = Devnet::start(&[]);
    let other = Devnet::start(&["--tempo", "77"]);
    let proxy = Proxy::start(devnet.port).await;
    let mut options = hasty();
    options.attempts = 3;
    let client = Client::connect(&[proxy.url()], options).await.unwrap();
    let genesis = client.genesis().await.unwrap();
    proxy.lead_to(other.port);
    proxy.cut_now();
    let refused = loop {
        match client.head().await {
            Ok(_) => tokio::task::yield_now().await,
            Err(error) => break error,
        }
    };
    let Error::ForeignGenesis {
        expected, found, ..
    } = &refused
    else {
        panic!("{refused:?}")
    };
    assert!(*expected == genesis && *found != genesis && !refused.is_retryable());
}

#[tokio::test(flavor = "multi_thread")]
async fn blocks_have_no_gap_when_the_node_is_killed_and_comes_back() {
    let mut devnet = Devnet::start_on_disk();
    let proxy = Proxy::start(devnet.port).await;
    let client = connect(&[proxy.url()]).await;
    registered(&client, "//miner").await;
    let mut blocks = client.blocks().await.unwrap();
    let first = blocks.next().await.unwrap().unwrap();
    let mut last = first.number;
    let mut interruptions = 0;
    let mut restarts = 0;
    while last < Block(first.number.0 + 40) || restarts < 2 {
        if restarts < 2 && last.0 >= first.number.0 + 10 * (restarts + 1) {
            restarts += 1;
            devnet.kill();
            devnet.restart();
            proxy.lead_to(devnet.port);
        }
        match blocks.next().await.unwrap() {
            Ok(head) => {
                assert_eq!(head.number, Block(last.0 + 1), "a gap or a repetition");
                last = head.number;
            }
            Err(error) => {
                assert!(error.is_retryable(), "{error}");
                interruptions += 1;
            }
        }
    }
    assert!(
        interruptions >= 1,
        "the stream says that it was interrupted"
    );
    let metagraph = client.metagraph(SUBNET).await.unwrap();
    assert_eq!(metagraph.neurons().len(), 1, "the chain kept its state");
}
