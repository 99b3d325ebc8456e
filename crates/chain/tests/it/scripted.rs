//! The scripted node does what a script says, seen through the client.

use adit_chain::{Chain as _, Error};
use adit_primitives::{Block, Rao, Uid};
use futures::StreamExt as _;
use serde_json::json;
use subxt::ext::scale_value::Value;

use crate::{
    devnet::{SUBNET, connect, key},
    node::{Fault, Node, NodeRuntime, Outcome, Step, number},
};

/// A subnet whose neurons are these, with the hyperparameters finney's metadata defaults to.
pub(crate) fn subnet(node: &Node, hotkeys: &[&str]) {
    let netuid = || [number(SUBNET.0)];
    node.set("SubtensorModule", "NetworksAdded", netuid(), true);
    node.set("SubtensorModule", "Tempo", netuid(), 360_u16);
    let count = u16::try_from(hotkeys.len()).unwrap();
    node.set("SubtensorModule", "SubnetworkN", netuid(), count);
    for (uid, uri) in hotkeys.iter().enumerate() {
        let account = *key(uri).account().as_bytes();
        let uid = u16::try_from(uid).unwrap();
        let by_uid = || [number(SUBNET.0), number(uid)];
        let by_key = || [number(SUBNET.0), Value::from_bytes(account)];
        node.set("SubtensorModule", "Keys", by_uid(), account);
        node.set("SubtensorModule", "Uids", by_key(), uid);
        node.set(
            "SubtensorModule",
            "Owner",
            [Value::from_bytes(account)],
            [uid as u8; 32],
        );
        let alpha = [Value::from_bytes(account), number(SUBNET.0)];
        node.set("SubtensorModule", "TotalHotkeyAlpha", alpha, 1_000_u64);
    }
    for (item, value) in [("Active", true), ("ValidatorPermit", false)] {
        node.set(
            "SubtensorModule",
            item,
            netuid(),
            vec![value; hotkeys.len()],
        );
    }
    node.set(
        "SubtensorModule",
        "LastUpdate",
        netuid(),
        vec![1_u64; hotkeys.len()],
    );
    node.block();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scripted_subnet_is_read() {
    let node = Node::finney().await;
    subnet(&node, &["//one", "//two"]);
    let client = connect(&[node.url()]).await;
    assert_eq!(client.spec_version().await.unwrap(), 365);
    assert_eq!(client.head().await.unwrap(), node.head().number);
    let metagraph = client.metagraph(SUBNET).await.unwrap();
    assert_eq!(metagraph.block_hash, node.head().hash);
    let neuron = metagraph.neuron(Uid(1)).unwrap();
    assert_eq!(neuron.hotkey, key("//two").hotkey());
    assert_eq!(neuron.stake, Rao(1_000));
    assert_eq!(metagraph.parameters.tempo, 360);
}

#[tokio::test(flavor = "multi_thread")]
pub(crate) async fn a_scripted_transaction_goes_its_way() {
    let node = Node::finney().await;
    node.blocks(3);
    let client = connect(&[node.url()]).await;
    let (alice, bob) = (key("//Alice"), key("//Bob"));
    let sent = client
        .transfer(bob.account(), Rao(1), &alice)
        .await
        .unwrap();
    assert_eq!(sent.block, Block(4));
    assert_eq!(node.submitted().len(), 1);

    node.script([
        Step::Status(json!("ready")),
        Step::Include(Outcome::failed(
            "SubtensorModule",
            "NotEnoughBalanceToStake",
        )),
        Step::Finalize,
    ]);
    let failed = client
        .transfer(bob.account(), Rao(1), &alice)
        .await
        .unwrap_err();
    assert!(
        failed
            .to_string()
            .contains("SubtensorModule.NotEnoughBalanceToStake"),
        "{failed}"
    );

    node.script([Step::Refuse {
        code: 1010,
        message: "Invalid Transaction",
        data: Some("Custom error: 6"),
    }]);
    let refused = client
        .transfer(bob.account(), Rao(1), &alice)
        .await
        .unwrap_err();
    assert!(
        matches!(&refused, Error::Pool { code: 1010, .. }),
        "{refused:?}"
    );
    assert!(
        refused.to_string().contains("RateLimitExceeded"),
        "{refused}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn scripted_faults_pass() {
    let node = Node::finney().await;
    let client = connect(&[node.url()]).await;
    let mut blocks = client.blocks().await.unwrap();
    assert_eq!(blocks.next().await.unwrap().unwrap().number, Block(0));
    node.block();
    assert_eq!(blocks.next().await.unwrap().unwrap().number, Block(1));

    node.fail_times("chain_getHeader", 1, Fault::Garbage("{]".to_owned()));
    assert_eq!(client.head().await.unwrap(), Block(1));
    node.fail_times("chain_getHeader", 1, Fault::Close);
    assert_eq!(client.head().await.unwrap(), Block(1));
    assert!(node.sockets() >= 3, "{}", node.sockets());

    node.upgrade(NodeRuntime::edited(366, |_| {}));
    node.block();
    assert_eq!(client.spec_version().await.unwrap(), 366);
}
