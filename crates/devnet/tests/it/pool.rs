use subxt::{
    config::{DefaultExtrinsicParamsBuilder, PolkadotConfig},
    dynamic::{self, Value},
    rpcs::rpc_params,
};
use subxt_signer::sr25519::{Keypair, dev};

use crate::harness::{Chain, account, config, number};

/// A signed transfer with a chosen nonce.
async fn transfer(chain: &Chain, from: &Keypair, nonce: u64, rao: u64) -> Vec<u8> {
    let to = Value::unnamed_variant("Id", [account(&dev::bob())]);
    let payload = dynamic::transaction("Balances", "transfer_keep_alive", vec![to, number(rao)]);
    let parameters = DefaultExtrinsicParamsBuilder::<PolkadotConfig>::new()
        .nonce(nonce)
        .build();
    let mut transactions = chain.client.tx().await.unwrap();
    let signed = transactions.create_signed(&payload, from, parameters).await;
    signed.unwrap().into_encoded()
}

async fn submit(chain: &Chain, bytes: &[u8]) -> Result<String, String> {
    let text = format!("0x{}", hex::encode(bytes));
    let answer = chain
        .rpc
        .request("author_submitExtrinsic", rpc_params![text]);
    answer.await.map_err(|error| format!("{error:?}"))
}

async fn next_nonce(chain: &Chain, key: &Keypair) -> u64 {
    let address = key.public_key().to_account_id().to_string();
    let answer = chain
        .rpc
        .request("system_accountNextIndex", rpc_params![address]);
    answer.await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn nonces_signatures_and_repeats() {
    // No block comes by itself during this test.
    let mut config = config();
    config.block_time = std::time::Duration::from_secs(3600);
    let chain = Chain::start(config).await;
    let alice = dev::alice();

    let first = transfer(&chain, &alice, 0, 1_000_000).await;
    let gap = transfer(&chain, &alice, 2, 1_000_000).await;
    let rival = transfer(&chain, &alice, 0, 2_000_000).await;
    submit(&chain, &first).await.unwrap();
    assert_eq!(next_nonce(&chain, &alice).await, 1);
    submit(&chain, &gap).await.expect("a future nonce waits");
    assert_eq!(next_nonce(&chain, &alice).await, 1);
    let repeated = submit(&chain, &first).await.unwrap_err();
    assert!(repeated.contains("1013"), "{repeated}");
    let crowded = submit(&chain, &rival).await.unwrap_err();
    assert!(crowded.contains("1014"), "{crowded}");

    let mut forged = transfer(&chain, &alice, 1, 1_000_000).await;
    let last = forged.len() - 1;
    forged[last] ^= 1;
    let forged = submit(&chain, &forged).await.unwrap_err();
    assert!(
        forged.contains("1010") && forged.contains("bad signature"),
        "{forged}"
    );
    let garbage = submit(&chain, &[1, 2, 3]).await.unwrap_err();
    assert!(garbage.contains("1001"), "{garbage}");
    let pending: Vec<String> = chain
        .rpc
        .request("author_pendingExtrinsics", rpc_params![])
        .await
        .unwrap();
    assert_eq!(pending.len(), 2);
    chain.devnet.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_nonce_is_outdated_and_a_gap_that_closes_goes_through() {
    let chain = Chain::start(config()).await;
    let charlie = dev::charlie();
    let late = transfer(&chain, &charlie, 1, 1_000_000).await;
    submit(&chain, &late).await.unwrap();
    let to = Value::unnamed_variant("Id", [account(&dev::bob())]);
    chain
        .send(
            &charlie,
            "Balances",
            "transfer_keep_alive",
            vec![to, number(5_000_u64)],
        )
        .await
        .unwrap();
    let mut blocks = chain.client.stream_blocks().await.unwrap();
    while next_nonce(&chain, &charlie).await < 2 {
        blocks.next().await.unwrap().unwrap();
    }
    let stale = transfer(&chain, &charlie, 0, 3_000_000).await;
    let stale = submit(&chain, &stale).await.unwrap_err();
    assert!(
        stale.contains("1010") && stale.contains("Transaction is outdated"),
        "{stale}"
    );
    chain.devnet.shutdown().await;
}
