//! What is inside a transaction can fail while the transaction succeeds.

use subxt::dynamic::{self, Value};
use subxt_signer::sr25519::dev;

use crate::harness::{Chain, NETUID, account, key, list, number, refused, still};

/// A call as an argument of another.
fn inner(pallet: &str, call: &str, arguments: Vec<(&str, Value)>) -> Value {
    let arguments = arguments
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value));
    Value::unnamed_variant(pallet, [Value::named_variant(call, arguments)])
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_tell_of_their_failures_in_events() {
    let chain = Chain::start(still()).await;
    let remark = || inner("System", "remark", vec![("remark", Value::from_bytes([1]))]);
    let weights = || {
        let arguments = vec![
            ("netuid", number(NETUID)),
            ("dests", list(&[0])),
            ("weights", list(&[1])),
            ("version_key", number(0_u16)),
        ];
        inner("SubtensorModule", "set_weights", arguments)
    };
    let calls = || vec![Value::unnamed_composite([remark(), weights(), remark()])];
    let alice = dev::alice();
    let events = chain
        .act_in("Utility", &alice, "batch", calls())
        .await
        .unwrap();
    assert!(
        events.contains(&"Utility.BatchInterrupted".into()),
        "{events:?}"
    );
    let events = chain
        .act_in("Utility", &alice, "force_batch", calls())
        .await
        .unwrap();
    for name in ["ItemFailed", "ItemCompleted", "BatchCompletedWithErrors"] {
        assert!(events.contains(&format!("Utility.{name}")), "{events:?}");
    }
    refused(
        chain.act_in("Utility", &alice, "batch_all", calls()).await,
        "UidsLengthExceedUidsInSubNet",
    );
    chain.devnet.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sudo_is_alices_and_changes_anything() {
    let chain = Chain::start(still()).await;
    let address = dynamic::storage::<Vec<Value>, u16>("SubtensorModule", "Tempo");
    let at = chain.client.at_current_block().await.unwrap();
    let key_of_tempo = at
        .storage()
        .entry(address)
        .unwrap()
        .fetch_key(vec![number(NETUID)])
        .unwrap();
    let pair = Value::unnamed_composite([
        Value::from_bytes(key_of_tempo),
        Value::from_bytes(33_u16.to_le_bytes()),
    ]);
    let items = Value::unnamed_composite([pair]);
    let call = inner("System", "set_storage", vec![("items", items)]);
    refused(
        chain
            .act_in("Sudo", &dev::bob(), "sudo", vec![call.clone()])
            .await,
        "Invalid signing address",
    );
    let events = chain
        .act_in("Sudo", &dev::alice(), "sudo", vec![call])
        .await
        .unwrap();
    assert!(events.contains(&"Sudo.Sudid".into()), "{events:?}");
    let tempo: u16 = chain.read("Tempo", vec![number(NETUID)]).await;
    assert_eq!(tempo, 33);
    chain.devnet.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn commitments_are_kept_up_to_a_budget() {
    let chain = Chain::start(still()).await;
    let neuron = key(1);
    let commit = |bytes: usize| {
        let field =
            Value::unnamed_variant(format!("Raw{bytes}"), [Value::from_bytes(vec![7; bytes])]);
        let fields = Value::unnamed_composite([field]);
        vec![number(NETUID), Value::named_composite([("fields", fields)])]
    };
    refused(
        chain
            .act_in("Commitments", &neuron, "set_commitment", commit(5))
            .await,
        "AccountNotAllowedCommit",
    );
    chain.enrol(&neuron).await;
    let events = chain
        .act_in("Commitments", &neuron, "set_commitment", commit(5))
        .await
        .unwrap();
    assert!(
        events.contains(&"Commitments.Commitment".into()),
        "{events:?}"
    );
    let stored: Option<Value> = chain
        .find(
            "Commitments",
            "CommitmentOf",
            vec![number(NETUID), account(&neuron)],
        )
        .await;
    let stored = stored.unwrap().to_string();
    assert!(stored.contains("Raw5"), "{stored}");
    chain.devnet.shutdown().await;
}
