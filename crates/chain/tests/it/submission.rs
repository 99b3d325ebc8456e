use std::{collections::BTreeSet, sync::Arc, time::Duration};

use adit_chain::{
    Error,
    client::{ChainCall, ChainEvent, ChainValue, Client, SubmissionOutcome},
};
use adit_primitives::Rao;
use adit_wallet::Keypair;

use crate::{
    devnet::{Devnet, connect, key},
    proxy::{Cut, Proxy},
};

const SEND: &str = "author_submitAndWatchExtrinsic";
/// Everywhere a connection can break while a transaction is sent and watched.
const STAGES: [(Cut, &str); 8] = [
    (Cut::BeforeRequest, SEND),
    (Cut::AfterRequest, SEND),
    (Cut::AfterReply, SEND),
    (Cut::AfterNotice, "\"ready\""),
    (Cut::BeforeNotice, "\"inBlock\""),
    (Cut::AfterNotice, "\"inBlock\""),
    (Cut::BeforeNotice, "\"finalized\""),
    (Cut::AfterNotice, "\"finalized\""),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_happens_once_whatever_the_stage_of_the_cut() {
    let devnet = Devnet::start(&["--finality-lag", "3"]);
    let proxy = Proxy::start(devnet.port).await;
    let client = connect(&[proxy.url()]).await;
    let bob = key("//Bob");
    for (nth, (cut, text)) in STAGES.into_iter().enumerate() {
        let friend = key(&format!("//friend-{nth}"));
        let pay = ChainCall::new(
            "Balances.transfer_keep_alive",
            [
                ("dest", ChainValue::address(friend.account())),
                ("value", Rao::from_tao(2).into()),
            ],
        );
        proxy.cut_at(cut, text);
        let outcome = client.submit(&pay, &bob).await.unwrap();
        assert_eq!(proxy.cuts_made(), nth + 1, "{cut:?} {text} happened");
        let SubmissionOutcome::Finalized(report) = outcome else {
            panic!("{cut:?} {text}: {outcome:?}")
        };
        assert_eq!(report.failure, None);
        let paid = |event: &ChainEvent| event.is("Balances", "Transfer");
        assert_eq!(report.events.iter().filter(|event| paid(event)).count(), 1);
        let balance = client.balance(friend.account()).await.unwrap();
        assert_eq!(
            balance,
            Rao::from_tao(2),
            "{cut:?} {text}: once and not twice"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_on_chain_is_named_whatever_the_stage_of_the_cut() {
    let devnet = Devnet::start(&["--finality-lag", "3"]);
    let proxy = Proxy::start(devnet.port).await;
    let client = connect(&[proxy.url()]).await;
    let alice = key("//Alice");
    for (nth, (cut, text)) in STAGES.into_iter().enumerate() {
        proxy.cut_at(cut, text);
        let missing = adit_primitives::NetUid(9);
        let failed = client
            .register_burned(missing, key("//miner").hotkey(), &alice)
            .await;
        let error = failed.unwrap_err();
        assert_eq!(proxy.cuts_made(), nth + 1, "{cut:?} {text}");
        let Error::Refused { pallet, error, .. } = &error else {
            panic!("{cut:?} {text}: {error:?}")
        };
        assert!(
            pallet == "SubtensorModule" && error.contains("NotExist"),
            "{pallet}.{error}"
        );
    }
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

/// What every account of a list owns.
async fn balances(client: &Client, accounts: &[Arc<Keypair>]) -> Vec<Rao> {
    let reads = accounts.iter().map(|key| client.balance(key.account()));
    let reads = futures::future::join_all(reads).await;
    reads.into_iter().map(Result::unwrap).collect()
}

fn friends(count: usize) -> Vec<Arc<Keypair>> {
    (0..count)
        .map(|nth| key(&format!("//friend-{nth}")))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_transfers_of_one_account_at_once_all_land_once() {
    let devnet = Devnet::start(&[]);
    let client = devnet.client().await;
    let (bob, friends) = (key("//Bob"), friends(50));
    let transfers = friends
        .iter()
        .map(|to| client.transfer(to.account(), Rao::from_tao(1), &bob));
    let receipts = futures::future::join_all(transfers).await;
    let receipts = receipts.into_iter().map(Result::unwrap).collect::<Vec<_>>();
    let hashes = receipts.iter().map(|receipt| receipt.extrinsic);
    assert_eq!(hashes.collect::<BTreeSet<_>>().len(), 50);
    let blocks = receipts.iter().map(|receipt| receipt.block);
    let blocks = blocks.collect::<BTreeSet<_>>();
    assert!(blocks.len() < 50, "several shared a block: {blocks:?}");
    assert_eq!(balances(&client, &friends).await, [Rao::from_tao(1); 50]);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_process_with_the_same_key_costs_nobody_a_transaction() {
    let devnet = Devnet::start(&[]);
    // Two clients know nothing of each other's nonces.
    let (one, other) = (devnet.client().await, devnet.client().await);
    let (bob, friends) = (key("//Bob"), friends(24));
    let transfers = friends.iter().enumerate().map(|(nth, to)| {
        let client = if nth % 2 == 0 { &one } else { &other };
        client.transfer(to.account(), Rao::from_tao(1), &bob)
    });
    for receipt in futures::future::join_all(transfers).await {
        receipt.unwrap();
    }
    assert_eq!(balances(&one, &friends).await, [Rao::from_tao(1); 24]);
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_transfers_survive_cut_connections_once_each() {
    let devnet = Devnet::start(&[]);
    let proxy = Proxy::start(devnet.port).await;
    let client = connect(&[proxy.url()]).await;
    let (bob, friends) = (key("//Bob"), friends(20));
    let transfers = friends
        .iter()
        .map(|to| client.transfer(to.account(), Rao::from_tao(1), &bob));
    let cutting = async {
        for _ in 0..4 {
            tokio::time::sleep(Duration::from_millis(40)).await;
            proxy.cut_now();
        }
    };
    let (receipts, ()) = tokio::join!(futures::future::join_all(transfers), cutting);
    for receipt in receipts {
        receipt.unwrap();
    }
    assert_eq!(balances(&client, &friends).await, [Rao::from_tao(1); 20]);
}
