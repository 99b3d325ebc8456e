use adit_chain::Error;
use adit_primitives::Rao;

use crate::{
    devnet::{Devnet, connect, key},
    proxy::{Cut, Proxy},
};

/// Sends one transfer over a connection that is cut on the way.
async fn transfer_through(cut: Cut) {
    let devnet = Devnet::start(&[]);
    let proxy = Proxy::start(devnet.port).await;
    let client = connect(&[proxy.url()]).await;
    let (bob, friend) = (key("//Bob"), key("//friend"));
    proxy.cut_at(cut, "author_submitAndWatchExtrinsic");

    let receipt = client
        .transfer(friend.account(), Rao::from_tao(2), &bob)
        .await
        .unwrap();
    assert_eq!(proxy.cuts_made(), 1, "{cut:?} happened");
    let balance = client.balance(friend.account()).await.unwrap();
    assert_eq!(balance, Rao::from_tao(2), "{cut:?}: once and not twice");
    assert!(receipt.block.0 > 0);

    client
        .transfer(friend.account(), Rao::from_tao(1), &bob)
        .await
        .unwrap();
    assert_eq!(
        client.balance(friend.account()).await.unwrap(),
        Rao::from_tao(3)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_never_arrived_is_sent_again() {
    transfer_through(Cut::BeforeRequest).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_whose_acceptance_got_lost_is_found() {
    transfer_through(Cut::AfterRequest).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_whose_progress_got_lost_is_found() {
    transfer_through(Cut::AfterReply).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_on_chain_is_named_even_when_the_connection_was_cut() {
    let devnet = Devnet::start(&[]);
    let proxy = Proxy::start(devnet.port).await;
    let client = connect(&[proxy.url()]).await;
    let alice = key("//Alice");
    proxy.cut_at(Cut::AfterRequest, "author_submitAndWatchExtrinsic");
    let missing = adit_primitives::NetUid(9);
    let failed = client
        .register_burned(missing, key("//miner").hotkey(), &alice)
        .await;
    let error = failed.unwrap_err();
    assert_eq!(proxy.cuts_made(), 1);
    let Error::Refused { pallet, error, .. } = &error else {
        panic!("{error:?}")
    };
    assert!(
        pallet == "SubtensorModule" && error.contains("NotExist"),
        "{pallet}.{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_can_no_longer_be_included_expires() {
    let devnet = Devnet::start(&[]);
    let proxy = Proxy::start(devnet.port).await;
    let mut options = crate::devnet::hasty();
    options.mortality = 4;
    let endpoints = [proxy.url()];
    let client = adit_chain::client::Client::connect(&endpoints, options)
        .await
        .unwrap();
    // What never arrives and is kept from being sent again can only expire.
    proxy.cut_at(Cut::BeforeRequest, "author_submitAndWatchExtrinsic");
    proxy.block("author_submitExtrinsic");
    let friend = key("//friend");
    let lost = client
        .transfer(friend.account(), Rao::from_tao(2), &key("//Bob"))
        .await;
    let error = lost.unwrap_err();
    assert!(
        matches!(error, Error::Expired { .. }) && error.is_retryable(),
        "{error:?}"
    );
    assert_eq!(client.balance(friend.account()).await.unwrap(), Rao(0));
}
