//! The cached metagraph, and the two ways to read one.

use std::time::Duration;

use adit_chain::{
    Chain as _,
    client::{Client, MetagraphCache, MetagraphCacheOptions, MetagraphUpdate},
};
use adit_primitives::{MetagraphChange, Rao, Uid};
use subxt::ext::scale_value::Value;
use tokio::sync::broadcast::Receiver;

use crate::{
    devnet::{Devnet, SUBNET, connect, key, registered, validator},
    faults::quick,
    node::{Door, Fault, Node, NodeRuntime, event, number},
    scripted::subnet,
};

async fn next(updates: &mut Receiver<MetagraphUpdate>) -> MetagraphUpdate {
    let waiting = tokio::time::timeout(Duration::from_secs(20), updates.recv());
    waiting.await.unwrap().unwrap()
}

/// The next update in which something changed.
async fn next_change(updates: &mut Receiver<MetagraphUpdate>) -> Vec<MetagraphChange> {
    loop {
        let update = next(updates).await;
        if !update.changes.is_empty() {
            return update.changes;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
pub(crate) async fn a_replaced_hotkey_is_told_when_the_chain_tells_it() {
    let node = Node::finney().await;
    subnet(&node, &["//one", "//two"]);
    let client = Client::connect(&[node.url()], quick()).await.unwrap();
    let options = MetagraphCacheOptions {
        refresh_blocks: 1_000,
        ..MetagraphCacheOptions::default()
    };
    let cache = MetagraphCache::start(client.clone(), SUBNET, options);
    let mut updates = cache.updates();
    let first = cache.ready().await;
    assert_eq!(first.metagraph.neurons().len(), 2);
    let before = node.asked("state_queryStorageAt");
    // Blocks in which nothing of ours happens cost their events and no metagraph.
    node.blocks(3);
    while cache.current().unwrap().age != Some(3) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(node.asked("state_queryStorageAt") <= before + 3 + 1);

    let three = *key("//three").account().as_bytes();
    node.set(
        "SubtensorModule",
        "Keys",
        [number(SUBNET.0), number(1_u8)],
        three,
    );
    node.set(
        "SubtensorModule",
        "ValidatorPermit",
        [number(SUBNET.0)],
        vec![true, false],
    );
    let fields = [number(SUBNET.0), number(1_u8), Value::from_bytes(three)];
    let told = event(None, "SubtensorModule", "NeuronRegistered", fields);
    node.block_with(Vec::new(), &[told]);
    let changes = next_change(&mut updates).await;
    assert_eq!(
        changes,
        [
            MetagraphChange::PermitChanged {
                uid: Uid(0),
                permit: true
            },
            MetagraphChange::Replaced {
                uid: Uid(1),
                old: key("//two").hotkey(),
                new: key("//three").hotkey(),
            },
        ]
    );
    assert_eq!(
        cache.current().unwrap().metagraph.neurons()[1].hotkey,
        key("//three").hotkey()
    );
}

#[tokio::test(flavor = "multi_thread")]
pub(crate) async fn it_reads_anew_after_so_many_blocks_and_serves_what_it_has_meanwhile() {
    let node = Node::finney().await;
    subnet(&node, &["//one"]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cache").join("metagraph.json");
    let options = MetagraphCacheOptions {
        refresh_blocks: 5,
        follow_events: false,
        file: Some(file.clone()),
    };
    let client = Client::connect(&[node.url()], quick()).await.unwrap();
    let cache = MetagraphCache::start(client, SUBNET, options.clone());
    let mut updates = cache.updates();
    let first = cache.ready().await.metagraph;
    node.set(
        "SubtensorModule",
        "ValidatorPermit",
        [number(SUBNET.0)],
        vec![true],
    );
    node.blocks(2);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(
        cache.current().unwrap().metagraph.block,
        first.block,
        "it is not due yet"
    );
    node.blocks(3);
    let changes = next_change(&mut updates).await;
    assert_eq!(
        changes,
        [MetagraphChange::PermitChanged {
            uid: Uid(0),
            permit: true
        }]
    );

    // The chain cannot be reached, and the picture is still there.
    node.door(Door::Hung);
    node.hang_up();
    let kept = cache.current().unwrap();
    assert!(kept.metagraph.neurons()[0].validator_permit);
    node.door(Door::Open);
    drop(cache);

    // Another start has it before the chain was asked.
    node.fail("state_queryStorageAt", Fault::Silence);
    let client = Client::connect(&[node.url()], quick()).await.unwrap();
    let cache = MetagraphCache::start(client.clone(), SUBNET, options.clone());
    assert!(cache.ready().await.metagraph.neurons()[0].validator_permit);
    drop(cache);
    node.heal("state_queryStorageAt");
    // A damaged file counts as none.
    std::fs::write(&file, "{").unwrap();
    let cache = MetagraphCache::start(client, SUBNET, options);
    assert_eq!(cache.ready().await.metagraph.block, node.head().number);
}

/// What finney's runtime would say of the scripted subnet of these neurons.
fn selective(hotkeys: &[&str]) -> Value {
    let none = || Value::unnamed_variant("None", []);
    let some = |value: Value| Value::unnamed_variant("Some", [value]);
    let list = |values: Vec<Value>| some(Value::unnamed_composite(values));
    let accounts = || {
        let accounts = hotkeys
            .iter()
            .map(|uri| Value::from_bytes(key(uri).account().as_bytes()));
        accounts.collect::<Vec<_>>()
    };
    let axon = Value::named_composite(
        [
            "block",
            "version",
            "ip",
            "port",
            "ip_type",
            "protocol",
            "placeholder1",
            "placeholder2",
        ]
        .map(|field| (field, number(0_u8))),
    );
    let runtime = NodeRuntime::finney();
    let fields = runtime.fields_returned("SubnetInfoRuntimeApi", "get_selective_metagraph");
    let fields = fields.into_iter().map(|name| {
        let value = match name.as_str() {
            "netuid" => number(SUBNET.0),
            "hotkeys" => list(accounts()),
            "coldkeys" => list(
                (0..hotkeys.len())
                    .map(|uid| Value::from_bytes([uid as u8; 32]))
                    .collect(),
            ),
            "axons" => list(vec![axon.clone(); hotkeys.len()]),
            "block_at_registration" => list(vec![number(0_u8); hotkeys.len()]),
            "total_stake" => list(vec![number(1_000_u16); hotkeys.len()]),
            _ => none(),
        };
        (name, value)
    });
    some(Value::named_composite(fields))
}

#[tokio::test(flavor = "multi_thread")]
pub(crate) async fn the_runtimes_own_metagraph_says_the_same_in_fewer_requests() {
    let hotkeys = ["//one", "//two", "//three"];
    let node = Node::finney().await;
    subnet(&node, &hotkeys);
    let client = connect(&[node.url()]).await;
    let pinned = client.pin().await.unwrap();
    let stored = pinned.metagraph_from_storage(SUBNET).await.unwrap();
    // The function is in the metadata but fails: storage is asked.
    assert_eq!(pinned.metagraph(SUBNET).await.unwrap(), stored);

    let answer = NodeRuntime::finney().returned(
        "SubnetInfoRuntimeApi",
        "get_selective_metagraph",
        &selective(&hotkeys),
    );
    node.on_call(
        "SubnetInfoRuntimeApi_get_selective_metagraph",
        move |input| {
            // Netuid, then a list of places: hotkeys are the 52nd field and so on.
            assert_eq!(input, [1, 0, 20, 52, 0, 53, 0, 55, 0, 66, 0, 69, 0]);
            answer.clone()
        },
    );
    let asked = node.asked("state_queryStorageAt");
    assert_eq!(pinned.metagraph(SUBNET).await.unwrap(), stored);
    assert_eq!(node.asked("state_queryStorageAt"), asked + 1);

    // One that has fewer neurons than storage is not believed.
    let short = NodeRuntime::finney().returned(
        "SubnetInfoRuntimeApi",
        "get_selective_metagraph",
        &selective(&hotkeys[..2]),
    );
    node.on_call("SubnetInfoRuntimeApi_get_selective_metagraph", move |_| {
        short.clone()
    });
    assert_eq!(pinned.metagraph(SUBNET).await.unwrap(), stored);
    node.on_call("SubnetInfoRuntimeApi_get_selective_metagraph", |_| {
        vec![1, 2, 3]
    });
    assert_eq!(pinned.metagraph(SUBNET).await.unwrap(), stored);
}

#[tokio::test(flavor = "multi_thread")]
async fn both_ways_agree_on_the_devnet() {
    let devnet = Devnet::start(&[]);
    let client = devnet.client().await;
    validator(&client).await;
    registered(&client, "//late").await;
    let pinned = client.pin().await.unwrap();
    let (either, stored) = (
        pinned.metagraph(SUBNET).await.unwrap(),
        pinned.metagraph_from_storage(SUBNET).await.unwrap(),
    );
    assert_eq!(either, stored);
    assert!(either.neurons().iter().any(|neuron| neuron.stake > Rao(0)));
    assert!(client.head().await.unwrap() >= pinned.block());
}
