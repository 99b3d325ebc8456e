//! Faults of a real chain while transactions are on their way, asked of the devnet.

use std::time::Duration;

use adit_chain::{
    Chain as _,
    client::{ChainCall, Client, SubmissionOutcome, calls},
};
use adit_primitives::Rao;
use serde_json::Value as Json;
use subxt::rpcs::{RpcClient, client::RpcParams};

use crate::devnet::{Devnet, connect, hasty, key};

/// The devnet's own switches.
struct Switches(RpcClient);

impl Switches {
    async fn of(devnet: &Devnet) -> Self {
        Self(RpcClient::from_insecure_url(devnet.url()).await.unwrap())
    }

    async fn ask(&self, method: &str, params: &[Json]) -> Json {
        let mut given = RpcParams::new();
        for param in params {
            given.push(param).unwrap();
        }
        // Whoever asks for sockets to be dropped gets no answer.
        self.0.request(method, given).await.unwrap_or_default()
    }

    /// Waits until that many transactions wait for a block.
    async fn pooled(&self, count: usize) {
        while self
            .ask("author_pendingExtrinsics", &[])
            .await
            .as_array()
            .unwrap()
            .len()
            < count
        {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

fn pay(nth: usize) -> ChainCall {
    let friend = key(&format!("//friend-{nth}"));
    calls::transfer_keep_alive(friend.account(), Rao::from_tao(1))
}

async fn paid(client: &Client, nth: usize) -> Rao {
    let friend = key(&format!("//friend-{nth}"));
    client.balance(friend.account()).await.unwrap()
}

/// Sends several transfers of one account, does something to the chain once all are in the pool, and
/// lets it go on; each must land once.
async fn all_land_once(arguments: &[&str], fault: &str, params: &[Json]) {
    const COUNT: usize = 5;
    let devnet = Devnet::start(arguments);
    let switches = Switches::of(&devnet).await;
    let client = connect(&[devnet.url()]).await;
    let bob = key("//Bob");
    let calls = (0..COUNT).map(pay).collect::<Vec<_>>();
    client.head().await.unwrap();
    switches.ask("devnet_stall", &[true.into()]).await;
    let sending = calls.iter().map(|call| client.submit(call, &bob));
    let breaking = async {
        switches.pooled(COUNT).await;
        switches.ask(fault, params).await;
        // Where all sockets were dropped, ours was too.
        let again = Switches::of(&devnet).await;
        again.ask("devnet_stall", &[false.into()]).await;
    };
    let (outcomes, ()) = tokio::join!(futures::future::join_all(sending), breaking);
    for (nth, outcome) in outcomes.into_iter().enumerate() {
        let outcome = outcome.unwrap();
        assert!(outcome.succeeded(), "{fault} {nth}: {outcome:?}");
        assert_eq!(paid(&client, nth).await, Rao::from_tao(1), "{fault} {nth}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_with_transactions_in_the_pool_costs_none_of_them() {
    all_land_once(&["--faults"], "devnet_upgrade", &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_pool_evicts_is_brought_back() {
    all_land_once(&["--faults"], "devnet_evict", &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sockets_dropped_by_the_node_cost_nothing() {
    all_land_once(&["--faults"], "devnet_dropSockets", &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reorganisation_takes_a_transfer_back_and_brings_it_again() {
    let devnet = Devnet::start(&["--faults", "--finality-lag", "6"]);
    let switches = Switches::of(&devnet).await;
    let client = connect(&[devnet.url()]).await;
    let (call, bob) = (pay(0), key("//Bob"));
    let breaking = async {
        while paid(&client, 0).await == Rao(0) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        switches
            .ask("devnet_reorganize", &[3.into(), true.into()])
            .await;
    };
    let (outcome, ()) = tokio::join!(client.submit(&call, &bob), breaking);
    let outcome = outcome.unwrap();
    assert!(
        outcome.succeeded() && matches!(outcome, SubmissionOutcome::Finalized(_)),
        "{outcome:?}"
    );
    assert_eq!(paid(&client, 0).await, Rao::from_tao(1), "once");
}

#[tokio::test(flavor = "multi_thread")]
async fn stalled_finality_leaves_a_transfer_included_and_says_so() {
    let devnet = Devnet::start(&["--faults"]);
    let switches = Switches::of(&devnet).await;
    let mut options = hasty();
    options.finality_wait = Duration::from_millis(500);
    let endpoints = [devnet.url()];
    let client = Client::connect(&endpoints, options).await.unwrap();
    switches.ask("devnet_stallFinality", &[true.into()]).await;
    let outcome = client.submit(&pay(0), &key("//Bob")).await.unwrap();
    assert!(
        outcome.succeeded() && matches!(outcome, SubmissionOutcome::Included(_)),
        "{outcome:?}"
    );
    switches.ask("devnet_stallFinality", &[false.into()]).await;
    let outcome = client.submit(&pay(1), &key("//Bob")).await.unwrap();
    assert!(
        matches!(outcome, SubmissionOutcome::Finalized(_)),
        "{outcome:?}"
    );
}
