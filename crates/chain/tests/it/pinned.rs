//! Everything that can be read, on scripted nodes whose storage is known and on the devnet.

use std::time::Duration;

use adit_chain::{
    Chain as _, Error,
    client::{Pinned, examine},
};
use adit_primitives::{
    Block, Clock as _, CommitmentField, ManualClock, MechId, NetUid, Rao, SystemClock, Uid,
};
use subxt::ext::scale_value::Value;

use crate::{
    devnet::{Devnet, SUBNET, connect, key, pass, registered, validator},
    faults::quick,
    node::{Door, Node, NodeRuntime, number},
    scripted::subnet,
};

fn axon(ip: u128, port: u16, block: u64) -> Value {
    Value::named_composite([
        ("block", number(block)),
        ("version", number(10_u8)),
        ("ip", number(ip)),
        ("port", number(port)),
        ("ip_type", number(4_u8)),
        ("protocol", number(4_u8)),
        ("placeholder1", number(0_u8)),
        ("placeholder2", number(0_u8)),
    ])
}

async fn scripted() -> (Node, Pinned) {
    let node = Node::finney().await;
    subnet(&node, &["//one", "//two", "//three"]);
    let one = key("//one");
    let account = || Value::from_bytes(one.account().as_bytes());
    let index = MechId(1).storage_index(SUBNET);
    for (item, key, row) in [
        ("Weights", SUBNET.0, vec![(2_u16, 65_535_u16), (1, 0)]),
        ("Weights", index, vec![(0, 7)]),
        ("Bonds", SUBNET.0, vec![(1, 9)]),
    ] {
        node.set("SubtensorModule", item, [number(key), number(1_u8)], row);
    }
    node.set(
        "SubtensorModule",
        "MechanismCountCurrent",
        [number(SUBNET.0)],
        2_u8,
    );
    let split = Value::unnamed_composite([number(1_u16), number(3_u16)]);
    node.set(
        "SubtensorModule",
        "MechanismEmissionSplit",
        [number(SUBNET.0)],
        split,
    );
    node.set("SubtensorModule", "TaoWeight", [], 1_u64 << 63);
    node.set(
        "SubtensorModule",
        "TotalHotkeyAlpha",
        [account(), number(0_u8)],
        500_u64,
    );
    node.set(
        "SubtensorModule",
        "WeightsSetRateLimit",
        [number(SUBNET.0)],
        100_u64,
    );
    node.set("SubtensorModule", "StakeThreshold", [], 2_000_u64);
    let served = [number(SUBNET.0), account()];
    node.set(
        "SubtensorModule",
        "Axons",
        served,
        axon(3_232_235_786, 8_091, 2),
    );
    node.block();
    let client = connect(&[node.url()]).await;
    let pinned = client.pin().await.unwrap();
    (node, pinned)
}

#[tokio::test(flavor = "multi_thread")]
async fn all_settings_come_by_name_and_absent_ones_as_none() {
    let (node, pinned) = scripted().await;
    let asked = node.asked("state_queryStorageAt");
    let settings = pinned.hyperparameters(SUBNET).await.unwrap();
    assert_eq!(node.asked("state_queryStorageAt"), asked + 1, "one request");
    assert_eq!(settings.tempo, Some(360));
    assert_eq!(settings.stake_threshold, Some(2_000));
    assert_eq!(
        settings.alpha_values,
        Some((45_875, 58_982)),
        "finney's default"
    );
    assert_eq!(settings.kappa, Some(32_767));
    assert_eq!(settings.commit_reveal_enabled, Some(true));
    assert_eq!(
        settings.last_epoch_block, None,
        "finney had none at spec 365"
    );
    let missing = pinned.hyperparameters(NetUid(9)).await.unwrap_err();
    assert!(matches!(missing, Error::NoSuchSubnet { netuid: NetUid(9) }));
}

#[tokio::test(flavor = "multi_thread")]
pub(crate) async fn rows_mechanisms_and_stake_are_read_at_one_block() {
    let (node, pinned) = scripted().await;
    // What happens later is not seen.
    node.set(
        "SubtensorModule",
        "MechanismCountCurrent",
        [number(SUBNET.0)],
        9_u8,
    );
    node.blocks(3);
    let mechanisms = pinned.mechanisms(SUBNET).await.unwrap();
    assert_eq!(
        (mechanisms.count, mechanisms.emission),
        (2, Some(vec![1, 3]))
    );
    let weights = pinned.weights(SUBNET, MechId(0)).await.unwrap();
    assert_eq!(weights.len(), 1);
    assert_eq!(
        weights[&Uid(1)],
        [(Uid(2), 65_535), (Uid(1), 0)],
        "as submitted"
    );
    let second = pinned.weights(SUBNET, MechId(1)).await.unwrap();
    assert_eq!(second[&Uid(1)], [(Uid(0), 7)]);
    let bonds = pinned.bonds(SUBNET, MechId(0)).await.unwrap();
    assert_eq!(bonds[&Uid(1)], [(Uid(1), 9)]);
    let stake = pinned.stake(SUBNET, key("//one").hotkey()).await.unwrap();
    assert_eq!((stake.alpha, stake.tao), (Rao(1_000), Rao(500)));
    assert_eq!(stake.total(), Rao(1_250));
    let axon = pinned
        .axon(SUBNET, key("//one").hotkey())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(axon.socket().to_string(), "192.168.1.10:8091");
    assert!(
        pinned
            .axon(SUBNET, key("//two").hotkey())
            .await
            .unwrap()
            .is_none()
    );
    let uid = pinned.uid(SUBNET, key("//three").hotkey()).await.unwrap();
    assert_eq!(uid, Some(Uid(2)));
}

#[tokio::test(flavor = "multi_thread")]
async fn commitments_of_every_kind_are_read() {
    let node = Node::finney().await;
    subnet(&node, &["//one", "//two", "//three"]);
    let raw = |text: &str| {
        let name = format!("Raw{}", text.len());
        Value::unnamed_variant(name, [Value::from_bytes(text)])
    };
    let sealed = Value::named_variant(
        "TimelockEncrypted",
        [
            ("encrypted", Value::from_bytes([7; 40])),
            ("reveal_round", number(12_u8)),
        ],
    );
    let unit = |name: &str| Value::unnamed_variant(name, []);
    let kinds = [
        ("//one", vec![raw("hello"), unit("ResetBondsFlag"), sealed]),
        ("//three", vec![unit("None")]),
    ];
    for (uri, fields) in kinds {
        let info = Value::named_composite([("fields", Value::unnamed_composite(fields))]);
        let stored = Value::named_composite([
            ("deposit", number(0_u8)),
            ("block", number(9_u8)),
            ("info", info),
        ]);
        let account = key(uri).account();
        let at = [number(SUBNET.0), Value::from_bytes(account.as_bytes())];
        node.set("Commitments", "CommitmentOf", at, stored);
    }
    node.block();
    let client = connect(&[node.url()]).await;
    let pinned = client.pin().await.unwrap();
    let all = pinned.commitments(SUBNET).await.unwrap();
    assert_eq!(all.len(), 2);
    let one = &all[&key("//one").hotkey()];
    assert_eq!((one.block, one.unknown), (Block(9), 0));
    assert_eq!(
        one.fields,
        [
            CommitmentField::Raw(b"hello".to_vec()),
            CommitmentField::ResetBondsFlag,
            CommitmentField::TimelockEncrypted {
                encrypted: vec![7; 40],
                reveal_round: 12,
            },
        ]
    );
    let three = pinned
        .commitment(SUBNET, key("//three").hotkey())
        .await
        .unwrap();
    assert_eq!(three.unwrap().fields, [CommitmentField::None]);
    assert_eq!(
        pinned
            .commitment(SUBNET, key("//two").hotkey())
            .await
            .unwrap(),
        None
    );
}

#[tokio::test(flavor = "multi_thread")]
pub(crate) async fn newtypes_around_numbers_are_transparent() {
    // As finney did in July 2026: netuids and balances got types of their own, the bytes stayed.
    let newtyped = NodeRuntime::edited(441, crate::upgrades::wrap_numbers);
    let node = Node::start(newtyped, 0).await;
    subnet(&node, &["//one"]);
    let client = connect(&[node.url()]).await;
    let metagraph = client.metagraph(SUBNET).await.unwrap();
    assert_eq!(metagraph.parameters.tempo, 360);
    assert_eq!(metagraph.neurons()[0].stake, Rao(1_000));
    let settings = client.hyperparameters(SUBNET).await.unwrap();
    assert_eq!(settings.min_burn, Some(500_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_devnet_says_the_same_everywhere() {
    let devnet = Devnet::start(&[]);
    let client = devnet.client().await;
    let (validator, hotkey) = validator(&client).await;
    let uid = client.uid(SUBNET, hotkey.hotkey()).await.unwrap().unwrap();
    let others = (0..3).filter(|other| *other != uid.0).collect::<Vec<_>>();
    let pairs = others.iter().map(|other| (Uid(*other), 1)).collect();
    let weights = adit_primitives::WeightVector::new(pairs).unwrap();
    pass(&client, 6).await;
    validator.set_weights(SUBNET, &weights, 0).await.unwrap();

    let pinned = client.pin().await.unwrap();
    let metagraph = pinned.metagraph(SUBNET).await.unwrap();
    assert_eq!(
        (metagraph.block, metagraph.block_hash),
        (pinned.block(), pinned.block_hash())
    );
    let settings = pinned.hyperparameters(SUBNET).await.unwrap();
    assert_eq!(settings.tempo, Some(metagraph.parameters.tempo));
    assert_eq!(
        settings.weights_rate_limit,
        Some(metagraph.parameters.weights_rate_limit)
    );
    let neuron = metagraph.neuron(uid).unwrap();
    let stake = pinned.stake(SUBNET, hotkey.hotkey()).await.unwrap();
    assert_eq!(stake.total(), neuron.stake);
    assert!(pinned.validator_permit(SUBNET, uid).await.unwrap());
    let rows = pinned.weights(SUBNET, MechId(0)).await.unwrap();
    assert_eq!(rows[&uid].len(), 2);
    let updates = pinned.last_updates(SUBNET, MechId(0)).await.unwrap();
    assert_eq!(updates[&uid], neuron.last_update);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_finds_a_healthy_validator_healthy() {
    let (node, _) = scripted().await;
    let alice = key("//one").hotkey();
    node.set(
        "SubtensorModule",
        "ValidatorPermit",
        [number(SUBNET.0)],
        vec![true, false, false],
    );
    node.set("SubtensorModule", "StakeThreshold", [], 1_000_u64);
    node.set(
        "SubtensorModule",
        "LastUpdate",
        [number(SUBNET.0)],
        vec![3_u64, 0, 0],
    );
    let head = node.blocks(4);
    let report = examine(&[node.url()], quick(), Some((SUBNET, alice)), &SystemClock)
        .await
        .unwrap();
    assert_eq!(report.problems, Vec::<String>::new());
    let chain = report.chain.unwrap();
    assert!(chain.ahead_ms.is_some_and(|ahead| ahead >= 0));
    assert_eq!((chain.block, chain.spec_version), (head.number, 365));
    let neuron = report.neuron.unwrap();
    assert_eq!(neuron.uid, Some(Uid(0)));
    assert!(neuron.validator_permit && neuron.commit_reveal);
    assert_eq!(
        (neuron.stake, neuron.stake_threshold),
        (Rao(1_250), Rao(1_000))
    );
    assert_eq!(neuron.weights_age, Some(head.number.0 - 3));
    assert_eq!(neuron.weights_wait, 100 - (head.number.0 - 3));
    assert_eq!(neuron.axon.unwrap().port, 8_091);
    // The axon was announced at block 2 and may be again after 50 blocks.
    assert_eq!(neuron.serving_wait, 50 - (head.number.0 - 2));
}

#[tokio::test(flavor = "multi_thread")]
pub(crate) async fn the_doctor_names_every_trouble() {
    let (node, _) = scripted().await;
    let (other, dead) = (
        Node::start(NodeRuntime::finney(), 9).await,
        Node::finney().await,
    );
    dead.door(Door::Refused(429));
    let urls = [node.url(), other.url(), dead.url()];
    let one = key("//one").hotkey();
    // Our clock is a minute and a half behind.
    let clock = ManualClock::at_nanos(SystemClock.unix_nanos() - 90_000_000_000);
    let report = examine(&urls, quick(), Some((SUBNET, one)), &clock)
        .await
        .unwrap();
    let found = report.problems.join("\n");
    for expected in [
        "is on the chain with genesis",
        "asks for fewer requests",
        "s behind the chain's",
        "has no validator permit",
        "below the 0.000002000 TAO needed",
    ] {
        assert!(found.contains(expected), "{expected}: {found}");
    }
    let stranger = key("//nobody").hotkey();
    let report = examine(
        &[node.url()],
        quick(),
        Some((SUBNET, stranger)),
        &SystemClock,
    )
    .await
    .unwrap();
    assert!(
        report.problems[0].contains("is not registered on subnet 1"),
        "{:?}",
        report.problems
    );
    let clock = ManualClock::default();
    clock.advance(Duration::from_secs(1 << 33));
    let report = examine(&[node.url()], quick(), None, &clock).await.unwrap();
    assert!(
        report.problems[0].contains("the chain stands still"),
        "{:?}",
        report.problems
    );
    let nowhere = examine(&[dead.url()], quick(), None, &SystemClock)
        .await
        .unwrap();
    assert!(nowhere.chain.is_none() && !nowhere.problems.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn registering_shows_in_the_next_reading() {
    let devnet = Devnet::start(&[]);
    let client = devnet.client().await;
    let before = client.pin().await.unwrap();
    let (_, hotkey) = registered(&client, "//miner").await;
    assert_eq!(before.uid(SUBNET, hotkey.hotkey()).await.unwrap(), None);
    let after = client.pin().await.unwrap();
    assert!(after.uid(SUBNET, hotkey.hotkey()).await.unwrap().is_some());
}
