use subxt::rpcs::rpc_params;

use crate::harness::{Chain, config};

#[tokio::test(flavor = "multi_thread")]
async fn unknown_blocks_methods_and_bad_arguments_are_errors() {
    let chain = Chain::start(config()).await;
    let ask = async |method: &str, params| -> Result<serde_json::Value, String> {
        let answer = chain.rpc.request(method, params).await;
        answer.map_err(|error| format!("{error:?}"))
    };
    let unknown = format!("0x{}", "11".repeat(32));
    let error = ask("state_getStorage", rpc_params!["0x00", unknown.clone()])
        .await
        .unwrap_err();
    assert!(
        error.contains("4003") && error.contains("UnknownBlock"),
        "{error}"
    );
    let header = ask("chain_getHeader", rpc_params![unknown]).await.unwrap();
    assert!(header.is_null());
    let hash = ask("chain_getBlockHash", rpc_params![4_000_000_000_u32])
        .await
        .unwrap();
    assert!(hash.is_null());
    for (method, params) in [
        ("no_such_method", rpc_params![]),
        ("state_getStorage", rpc_params!["not hex"]),
        ("state_getStorage", rpc_params![]),
        ("state_getKeysPaged", rpc_params!["0x", 1_000_000]),
        ("state_call", rpc_params!["No_such_call", "0x"]),
        (
            "state_call",
            rpc_params!["AccountNonceApi_account_nonce", "0x00"],
        ),
        ("system_accountNextIndex", rpc_params!["5Grw"]),
        ("chain_getBlockHash", rpc_params!["0xzz"]),
    ] {
        assert!(ask(method, params).await.is_err(), "{method}");
    }
    chain.devnet.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn discarded_states_say_so() {
    let mut config = config();
    config.block_time = std::time::Duration::from_millis(1);
    let chain = Chain::start(config).await;
    let first: String = chain
        .rpc
        .request("chain_getBlockHash", rpc_params![0])
        .await
        .unwrap();
    while chain.devnet.head().0 < 530 {
        tokio::task::yield_now().await;
    }
    let params = rpc_params!["0x00", first];
    let answer: Result<Option<String>, _> = chain.rpc.request("state_getStorage", params).await;
    let error = format!("{:?}", answer.unwrap_err());
    assert!(error.contains("State already discarded for 0x"), "{error}");
    chain.devnet.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn finality_can_lag() {
    let mut config = config();
    config.finality_lag = 3;
    let chain = Chain::start(config).await;
    let mut best = chain.client.stream_best_blocks().await.unwrap();
    let mut reached = 0;
    while reached < 6 {
        reached = best.next().await.unwrap().unwrap().number();
    }
    let finalized = chain
        .client
        .at_current_block()
        .await
        .unwrap()
        .block_number();
    assert!(
        finalized + 3 >= reached && finalized >= 3,
        "{finalized} {reached}"
    );
    chain.devnet.shutdown().await;
}
