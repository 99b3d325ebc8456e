use std::net::IpAddr;

use adit_chain::{Chain as _, Error, Served};
use adit_primitives::{AXON_PROTOCOL_ANY, AxonInfo, Block, NetUid, Rao, Uid};

use crate::devnet::{Devnet, SUBNET, key, pass, registered};

fn axon(ip: &str, port: u16) -> AxonInfo {
    AxonInfo {
        ip: ip.parse::<IpAddr>().unwrap(),
        port,
        protocol: AXON_PROTOCOL_ANY,
        version: 10_002_000,
        block: Block(0),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_neuron_registers_serves_and_is_seen() {
    let devnet = Devnet::start(&[]);
    let client = devnet.client().await;
    let (alice, before) = (
        key("//Alice"),
        client.balance(key("//Alice").account()).await.unwrap(),
    );

    let (miner, hotkey) = registered(&client, "//miner").await;
    let after = client.balance(alice.account()).await.unwrap();
    assert!(after < before, "registering burns {before} to {after}");
    assert_eq!(
        client.balance(key("//nobody").account()).await.unwrap(),
        Rao(0)
    );

    let again = client
        .register_burned(SUBNET, hotkey.hotkey(), &alice)
        .await
        .unwrap();
    assert_eq!(again.receipt, None, "registering twice sends nothing");

    let wanted = axon("203.0.113.7", 8_091);
    let served = miner.serve_axon(SUBNET, &wanted).await.unwrap();
    assert!(matches!(served, Served::OnChain { .. }));
    assert_eq!(
        miner.serve_axon(SUBNET, &wanted).await.unwrap(),
        Served::AlreadySo
    );
    pass(&client, 6).await;
    let moved = axon("2001:db8::7", 8_092);
    assert!(matches!(
        miner.serve_axon(SUBNET, &moved).await.unwrap(),
        Served::OnChain { .. }
    ));

    let metagraph = client.metagraph(SUBNET).await.unwrap();
    let neuron = metagraph.by_hotkey(&hotkey.hotkey()).unwrap();
    assert_eq!(neuron.uid, again.uid);
    assert_eq!(neuron.coldkey, alice.coldkey());
    assert_eq!(neuron.axon.unwrap().socket(), moved.socket());
    assert!(neuron.axon.unwrap().block > Block(0));
    assert!(neuron.registered_at > Block(0) && neuron.registered_at < metagraph.block);
    assert_eq!(metagraph.parameters.tempo, 20);
    assert!(!metagraph.parameters.commit_reveal);
    let empty = client.weights_on_chain(SUBNET, Uid(0)).await.unwrap();
    assert!(empty.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_exist_is_named() {
    let devnet = Devnet::start(&[]);
    let client = devnet.client().await;
    let missing = client.metagraph(NetUid(77)).await;
    assert!(matches!(
        missing,
        Err(Error::NoSuchSubnet { netuid: NetUid(77) })
    ));
    let unsigned = client.serve_axon(SUBNET, &axon("203.0.113.7", 1)).await;
    assert!(matches!(unsigned, Err(Error::NoSigner)));

    let stranger = client.with_signer(key("//stranger"));
    let refused = stranger
        .serve_axon(SUBNET, &axon("203.0.113.7", 1))
        .await
        .unwrap_err();
    let text = refused.to_string();
    assert!(
        matches!(refused, Error::Refused { .. } | Error::Pool { .. }),
        "{refused:?}"
    );
    assert!(text.contains("NotRegistered"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn tao_and_stake_move() {
    let devnet = Devnet::start(&[]);
    let client = devnet.client().await;
    let (_, hotkey) = registered(&client, "//miner").await;
    let friend = key("//friend");
    client
        .transfer(friend.account(), Rao::from_tao(3), &key("//Bob"))
        .await
        .unwrap();
    assert_eq!(
        client.balance(friend.account()).await.unwrap(),
        Rao::from_tao(3)
    );

    let poor = client
        .transfer(hotkey.account(), Rao::from_tao(4), &friend)
        .await
        .unwrap_err();
    assert!(
        matches!(poor, Error::Refused { .. } | Error::Pool { .. }),
        "{poor:?}"
    );

    client
        .add_stake(SUBNET, hotkey.hotkey(), Rao::from_tao(2), &key("//Alice"))
        .await
        .unwrap();
    let metagraph = client.metagraph(SUBNET).await.unwrap();
    let stake = metagraph.by_hotkey(&hotkey.hotkey()).unwrap().stake;
    assert!(stake >= Rao::from_tao(1), "{stake}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_account_can_send_much_at_once() {
    let devnet = Devnet::start(&[]);
    let client = devnet.client().await;
    let bob = key("//Bob");
    let friends = (0..8)
        .map(|nth| key(&format!("//friend-{nth}")))
        .collect::<Vec<_>>();
    let transfers = friends
        .iter()
        .map(|to| client.transfer(to.account(), Rao::from_tao(1), &bob));
    for receipt in futures::future::join_all(transfers).await {
        receipt.unwrap();
    }
    for friend in friends {
        assert_eq!(
            client.balance(friend.account()).await.unwrap(),
            Rao::from_tao(1)
        );
    }
}
