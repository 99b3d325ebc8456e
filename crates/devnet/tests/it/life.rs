use subxt_signer::sr25519::dev;

use crate::harness::{Chain, NETUID, TAO, account, config, key, number};

#[tokio::test(flavor = "multi_thread")]
async fn a_neuron_from_registration_to_incentive() {
    let chain = Chain::start(config()).await;
    // Neither hotkey ever held a rao: their calls are free.
    let (validator, miner) = (dev::bob(), key(9));

    let events = chain.register(&validator).await.unwrap();
    assert!(
        events.contains(&"SubtensorModule.NeuronRegistered".into()),
        "{events:?}"
    );
    assert!(
        events.contains(&"TransactionPayment.TransactionFeePaid".into()),
        "{events:?}"
    );
    chain.register(&miner).await.unwrap();
    let events = chain.stake(&validator, 100 * TAO).await.unwrap();
    assert!(
        events.contains(&"SubtensorModule.StakeAdded".into()),
        "{events:?}"
    );

    let loopback = 0x7f00_0001;
    let events = chain.serve(&miner, loopback, 8091, 4).await.unwrap();
    assert!(
        events.contains(&"SubtensorModule.AxonServed".into()),
        "{events:?}"
    );
    let axon: subxt::dynamic::Value = chain
        .read("Axons", vec![number(NETUID), account(&miner)])
        .await;
    assert!(axon.to_string().contains("port: 8091"), "{axon}");

    chain.epoch().await;
    let permits: Vec<bool> = chain.read("ValidatorPermit", vec![number(NETUID)]).await;
    assert_eq!(permits, [true, false]);
    let incentive: Vec<u16> = chain.read("Incentive", vec![number(NETUID)]).await;
    assert_eq!(incentive, [0, 0]);

    let events = chain.set_weights(&validator, &[1], &[7]).await.unwrap();
    assert!(
        events.contains(&"SubtensorModule.WeightsSet".into()),
        "{events:?}"
    );
    let weights: Vec<(u16, u16)> = chain
        .read("Weights", vec![number(NETUID), number(0_u16)])
        .await;
    assert_eq!(weights, [(1, 65_535)]);

    chain.epoch().await;
    let incentive: Vec<u16> = chain.read("Incentive", vec![number(NETUID)]).await;
    assert_eq!(incentive, [0, 65_535]);
    let emission: Vec<u64> = chain.read("Emission", vec![number(NETUID)]).await;
    assert!(emission[1] > 0, "{emission:?}");
    let earned: u64 = chain
        .read("TotalHotkeyAlpha", vec![account(&miner), number(NETUID)])
        .await;
    assert!(earned >= emission[1]);

    // What was earned can be taken out by the coldkey.
    let arguments = vec![account(&miner), number(NETUID), number(earned)];
    let events = chain
        .subtensor(&dev::alice(), "remove_stake", arguments)
        .await
        .unwrap();
    assert!(
        events.contains(&"SubtensorModule.StakeRemoved".into()),
        "{events:?}"
    );
    chain.devnet.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_subnet_gives_the_weakest_place_away() {
    let mut config = config();
    config.subnets[0].max_uids = 2;
    config.subnets[0].immunity_period = 0;
    let chain = Chain::start(config).await;
    let (first, second, third) = (key(1), key(2), key(3));
    chain.register(&first).await.unwrap();
    chain.register(&second).await.unwrap();
    chain.register(&third).await.unwrap();
    let uid: u16 = chain
        .read("Uids", vec![number(NETUID), account(&third)])
        .await;
    assert_eq!(uid, 0, "the older of two that earned nothing");
    let n: u16 = chain.read("SubnetworkN", vec![number(NETUID)]).await;
    assert_eq!(n, 2);
    chain.devnet.shutdown().await;
}
