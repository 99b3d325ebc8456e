use subxt::dynamic::Value;
use subxt_signer::sr25519::dev;

use crate::harness::{Chain, NETUID, TAO, account, key, number, refused, still};

fn yes() -> Value {
    Value::bool(true)
}

#[tokio::test(flavor = "multi_thread")]
async fn stake_moves_between_hotkeys_coldkeys_and_subnets() {
    let mut config = still();
    let mut second = config.subnets[0].clone();
    second.netuid = adit_primitives::NetUid(NETUID + 1);
    config.subnets.push(second);
    let chain = Chain::start(config).await;
    let (alice, bob) = (dev::alice(), dev::bob());
    let (first, other) = (key(1), key(2));
    chain.enrol(&first).await;
    chain.enrol(&other).await;
    let held = async |hotkey: &_, netuid: u16| -> u64 {
        let keys = vec![account(hotkey), number(netuid)];
        let stake = chain
            .find("SubtensorModule", "TotalHotkeyAlpha", keys)
            .await;
        stake.unwrap_or(0)
    };
    let limited = |amount: u64, price: u64| {
        let (hotkey, netuid) = (account(&first), number(NETUID));
        vec![hotkey, netuid, number(amount), number(price), yes()]
    };
    refused(
        chain
            .act(&alice, "add_stake_limit", limited(TAO, TAO - 1))
            .await,
        "ZeroMaxStakeAmount",
    );
    chain
        .act(&alice, "add_stake_limit", limited(9 * TAO, TAO))
        .await
        .unwrap();
    assert_eq!(held(&first, NETUID).await, 9 * TAO);

    let moving = vec![
        account(&first),
        account(&other),
        number(NETUID),
        number(NETUID),
        number(TAO),
    ];
    let events = chain.act(&alice, "move_stake", moving).await.unwrap();
    assert!(
        events.contains(&"SubtensorModule.StakeMoved".into()),
        "{events:?}"
    );
    assert_eq!(held(&other, NETUID).await, TAO);

    let giving = vec![
        account(&bob),
        account(&first),
        number(NETUID),
        number(NETUID),
        number(2 * TAO),
    ];
    let events = chain.act(&alice, "transfer_stake", giving).await.unwrap();
    assert!(
        events.contains(&"SubtensorModule.StakeTransferred".into()),
        "{events:?}"
    );
    let swap =
        |to: u16, amount: u64| vec![account(&first), number(NETUID), number(to), number(amount)];
    refused(
        chain.act(&alice, "swap_stake", swap(NETUID, TAO)).await,
        "SameNetuid",
    );
    refused(
        chain.act(&alice, "swap_stake", swap(99, TAO)).await,
        "SubnetNotExists",
    );
    chain
        .act(&alice, "swap_stake", swap(NETUID + 1, 3 * TAO))
        .await
        .unwrap();
    assert_eq!(held(&first, NETUID + 1).await, 3 * TAO);

    refused(
        chain
            .act(&alice, "remove_stake_limit", limited(TAO, TAO + 1))
            .await,
        "ZeroMaxStakeAmount",
    );
    chain
        .act(&alice, "remove_stake_limit", limited(TAO, TAO))
        .await
        .unwrap();
    chain
        .act(&alice, "unstake_all", vec![account(&first)])
        .await
        .unwrap();
    // What is left is Bob's, but for what an epoch may have paid in the meantime.
    assert_eq!(held(&first, NETUID + 1).await, 0);
    chain
        .act(&bob, "unstake_all_alpha", vec![account(&first)])
        .await
        .unwrap();
    assert!(held(&first, 0).await >= 2 * TAO);
    let root = vec![account(&first)];
    chain
        .act(&alice, "root_register", root.clone())
        .await
        .unwrap();
    refused(
        chain.act(&alice, "root_register", root).await,
        "HotKeyAlreadyRegisteredInSubNet",
    );
    chain.devnet.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn children_inherit_and_takes_have_bounds() {
    let chain = Chain::start(still()).await;
    let (alice, bob) = (dev::alice(), dev::bob());
    let (parent, child) = (key(1), key(2));
    chain.enrol(&parent).await;
    chain.enrol(&child).await;
    let stake = vec![account(&parent), number(NETUID), number(8 * TAO)];
    chain.act(&alice, "add_stake", stake).await.unwrap();
    let children = |pairs: &[(u64, &_)]| {
        let pairs = pairs
            .iter()
            .map(|(part, child)| Value::unnamed_composite([number(*part), account(child)]));
        vec![
            account(&parent),
            number(NETUID),
            Value::unnamed_composite(pairs),
        ]
    };
    let half = u64::MAX / 2;
    refused(
        chain
            .act(&bob, "set_children", children(&[(half, &child)]))
            .await,
        "NonAssociatedColdKey",
    );
    refused(
        chain
            .act(&alice, "set_children", children(&[(half, &parent)]))
            .await,
        "InvalidChild",
    );
    refused(
        chain
            .act(
                &alice,
                "set_children",
                children(&[(half, &child), (1, &child)]),
            )
            .await,
        "DuplicateChild",
    );
    let events = chain
        .act(&alice, "set_children", children(&[(half, &child)]))
        .await
        .unwrap();
    assert!(
        events.contains(&"SubtensorModule.SetChildrenScheduled".into()),
        "{events:?}"
    );
    chain.next_epoch().await;
    let shares: Vec<u16> = chain.read("StakeWeight", vec![number(NETUID)]).await;
    assert!(shares[0].abs_diff(shares[1]) <= 1, "{shares:?}");

    let take = |take: u16| vec![account(&parent), number(take)];
    refused(
        chain.act(&alice, "increase_take", take(11_797)).await,
        "Custom error: 27\"",
    );
    refused(
        chain.act(&alice, "decrease_take", take(11_796)).await,
        "Custom error: 26\"",
    );
    refused(
        chain.act(&bob, "decrease_take", take(9)).await,
        "Custom error: 25\"",
    );
    chain.act(&alice, "decrease_take", take(9)).await.unwrap();
    chain.act(&alice, "increase_take", take(10)).await.unwrap();
    refused(
        chain.act(&alice, "increase_take", take(11)).await,
        "Custom error: 6\"",
    );
    let child_take = |take: u16| vec![account(&child), number(NETUID), number(take)];
    refused(
        chain
            .act(&alice, "set_childkey_take", child_take(20_000))
            .await,
        "InvalidChildkeyTake",
    );
    chain
        .act(&alice, "set_childkey_take", child_take(1_000))
        .await
        .unwrap();
    chain.devnet.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registration_can_have_a_limit_and_an_interval_is_full_at_last() {
    let mut config = still();
    config.subnets[0].target_registrations = 1;
    let chain = Chain::start(config).await;
    let alice = dev::alice();
    let limited = |seed: u8, price: u64| vec![number(NETUID), account(&key(seed)), number(price)];
    refused(
        chain
            .act(&alice, "register_limit", limited(1, 99_000_000))
            .await,
        "RegistrationPriceLimitExceeded",
    );
    chain
        .act(&alice, "register_limit", limited(1, TAO))
        .await
        .unwrap();
    let work = vec![
        number(NETUID),
        number(0_u16),
        number(0_u16),
        Value::from_bytes([]),
        account(&key(2)),
        account(&alice),
    ];
    chain.act(&alice, "register", work).await.unwrap();
    chain
        .act(&alice, "register_limit", limited(3, TAO))
        .await
        .unwrap();
    refused(
        chain.act(&alice, "register_limit", limited(4, TAO)).await,
        "Custom error: 6\"",
    );
    chain.devnet.advance(100).unwrap();
    chain
        .act(&alice, "register_limit", limited(4, TAO))
        .await
        .unwrap();

    let neuron = key(1);
    let mut tls: Vec<Value> = [u64::from(NETUID), 1, 0x0a00_0001, 8091, 4, 4, 0, 0]
        .map(number)
        .to_vec();
    tls.push(Value::from_bytes([1, 2, 3]));
    chain.act(&neuron, "serve_axon_tls", tls).await.unwrap();
    let certificate: Option<Value> = chain
        .find(
            "SubtensorModule",
            "NeuronCertificates",
            vec![number(NETUID), account(&neuron)],
        )
        .await;
    let certificate = certificate.unwrap().to_string();
    assert!(certificate.contains("algorithm: 1"), "{certificate}");
    let metrics = [u64::from(NETUID), 1, 0x0a00_0001, 9100, 4]
        .map(number)
        .to_vec();
    let events = chain
        .act(&neuron, "serve_prometheus", metrics)
        .await
        .unwrap();
    assert!(
        events.contains(&"SubtensorModule.PrometheusServed".into()),
        "{events:?}"
    );
    chain.devnet.shutdown().await;
}
