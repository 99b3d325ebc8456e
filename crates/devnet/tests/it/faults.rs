//! What tests can make go wrong, as a client sees it.

use serde_json::Value as Json;
use subxt::{
    dynamic::{self, Value},
    rpcs::{RpcClient, rpc_params},
    tx::TransactionStatus,
};
use subxt_signer::sr25519::dev;

use crate::harness::{Chain, account, number, still};

async fn start(lag: u32) -> Chain {
    let mut config = still();
    config.faults = true;
    config.finality_lag = lag;
    Chain::start(config).await
}

async fn ask(rpc: &RpcClient, method: &str, params: subxt::rpcs::client::RpcParams) -> Json {
    rpc.request(method, params).await.unwrap()
}

/// A transfer that a test watches.
fn transfer() -> impl subxt::tx::Payload {
    let to = Value::unnamed_variant("Id", [account(&dev::bob())]);
    dynamic::transaction(
        "Balances",
        "transfer_keep_alive",
        vec![to, number(5_000_u64)],
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_flag_there_are_no_faults() {
    let chain = Chain::start(still()).await;
    let names = ask(&chain.rpc, "rpc_methods", rpc_params![])
        .await
        .to_string();
    assert!(!names.contains("devnet_"), "{names}");
    chain.devnet.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_whose_block_is_taken_back_is_included_again() {
    let chain = start(10).await;
    let mut transactions = chain.client.tx().await.unwrap();
    let mut watched = transactions
        .sign_and_submit_then_watch_default(&transfer(), &dev::alice())
        .await
        .unwrap();
    ask(&chain.rpc, "devnet_advance", rpc_params![2]).await;
    let first = loop {
        if let TransactionStatus::InBestBlock(block) = watched.next().await.unwrap().unwrap() {
            break block.block_hash();
        }
    };
    let head = ask(&chain.rpc, "devnet_reorganize", rpc_params![2]).await;
    assert_eq!(head, 3, "one block more than was taken back");
    let gone = ask(&chain.rpc, "chain_getHeader", rpc_params![first]).await;
    assert!(gone.is_null(), "{gone}");
    let second = loop {
        if let TransactionStatus::InBestBlock(block) = watched.next().await.unwrap().unwrap() {
            break block.block_hash();
        }
    };
    assert_ne!(first, second);
    // Final blocks stay.
    ask(&chain.rpc, "devnet_advance", rpc_params![20]).await;
    let refused: Result<Json, _> = chain
        .rpc
        .request("devnet_reorganize", rpc_params![11])
        .await;
    assert!(format!("{:?}", refused.unwrap_err()).contains("final"));
    chain.devnet.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pool_can_lose_a_transaction() {
    let chain = start(0).await;
    let mut transactions = chain.client.tx().await.unwrap();
    let mut watched = transactions
        .sign_and_submit_then_watch_default(&transfer(), &dev::alice())
        .await
        .unwrap();
    assert_eq!(ask(&chain.rpc, "devnet_evict", rpc_params![]).await, 1);
    ask(&chain.rpc, "devnet_advance", rpc_params![1]).await;
    loop {
        match watched.next().await.unwrap().unwrap() {
            TransactionStatus::Dropped { .. } => break,
            TransactionStatus::InBestBlock(_) => panic!("it was included"),
            _ => {}
        }
    }
    chain.devnet.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn finality_stalls_time_jumps_and_states_are_discarded() {
    let chain = start(0).await;
    ask(&chain.rpc, "devnet_stallFinality", rpc_params![true]).await;
    ask(&chain.rpc, "devnet_advance", rpc_params![3]).await;
    let finalized = ask(&chain.rpc, "chain_getFinalizedHead", rpc_params![]).await;
    let header = ask(&chain.rpc, "chain_getHeader", rpc_params![finalized]).await;
    assert_eq!(header["number"], "0x0");
    ask(&chain.rpc, "devnet_stallFinality", rpc_params![false]).await;

    let now = async || -> u64 { chain.find("Timestamp", "Now", vec![]).await.unwrap() };
    let before = now().await;
    ask(&chain.rpc, "devnet_warp", rpc_params![86_400]).await;
    ask(&chain.rpc, "devnet_advance", rpc_params![1]).await;
    // Blocks built at once run ahead of the clock by fractions of a second.
    assert!(now().await >= before + 86_390_000);

    ask(&chain.rpc, "devnet_keepStates", rpc_params![2]).await;
    let old = ask(&chain.rpc, "chain_getBlockHash", rpc_params![1]).await;
    let answer: Result<Json, _> = chain
        .rpc
        .request("state_getStorage", rpc_params!["0x00", old])
        .await;
    let error = format!("{:?}", answer.unwrap_err());
    assert!(error.contains("State already discarded"), "{error}");
    chain.devnet.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_makes_what_was_signed_before_invalid() {
    let chain = start(0).await;
    let spec = async || {
        ask(&chain.rpc, "state_getRuntimeVersion", rpc_params![]).await["specVersion"].clone()
    };
    let before = spec().await.as_u64().unwrap();
    let mut transactions = chain.client.tx().await.unwrap();
    let signed = transactions
        .create_signed(&transfer(), &dev::alice(), Default::default())
        .await
        .unwrap();
    ask(&chain.rpc, "devnet_upgrade", rpc_params![]).await;
    assert_eq!(spec().await, before, "not before the next block");
    ask(&chain.rpc, "devnet_advance", rpc_params![1]).await;
    assert_eq!(spec().await, before + 1);
    let refused = signed.submit().await.unwrap_err();
    assert!(
        format!("{refused:?}").contains("bad signature"),
        "{refused:?}"
    );
    // A client that looks again goes on.
    chain
        .act_in(
            "Balances",
            &dev::alice(),
            "transfer_keep_alive",
            vec![
                Value::unnamed_variant("Id", [account(&dev::bob())]),
                number(5_000_u64),
            ],
        )
        .await
        .unwrap();
    chain.devnet.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_break_and_new_ones_are_refused_for_a_while() {
    let chain = start(0).await;
    let victim = RpcClient::from_url(chain.devnet.url()).await.unwrap();
    ask(&victim, "system_chain", rpc_params![]).await;
    // Its own answer may or may not come through.
    let _: Result<Json, _> = victim.request("devnet_dropSockets", rpc_params![]).await;
    let answer: Result<Json, _> = victim.request("system_chain", rpc_params![]).await;
    answer.unwrap_err();

    let other = RpcClient::from_url(chain.devnet.url()).await.unwrap();
    ask(&other, "devnet_throttle", rpc_params![2]).await;
    for _ in 0..2 {
        let refused = RpcClient::from_url(chain.devnet.url()).await;
        let error = format!("{:?}", refused.map(|_| ()).unwrap_err());
        assert!(error.contains("429"), "{error}");
    }
    RpcClient::from_url(chain.devnet.url()).await.unwrap();
    chain.devnet.shutdown().await;
}
