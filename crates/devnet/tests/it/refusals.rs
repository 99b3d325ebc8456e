use subxt_signer::sr25519::dev;

use crate::harness::{Chain, NETUID, TAO, account, config, key, number, refused};

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_of_weights_has_its_name() {
    let chain = Chain::start(config()).await;
    let (validator, miner) = (key(1), key(2));
    refused(
        chain.set_weights(&validator, &[], &[]).await,
        "HotKeyNotRegisteredInSubNet",
    );
    chain.register(&validator).await.unwrap();
    chain.register(&miner).await.unwrap();
    refused(
        chain.set_weights(&validator, &[1], &[1]).await,
        "NeuronNoValidatorPermit",
    );
    // One weight for oneself needs no permit.
    chain.set_weights(&miner, &[1], &[1]).await.unwrap();

    chain.stake(&validator, 100 * TAO).await.unwrap();
    chain.epoch().await;
    refused(
        chain.set_weights(&validator, &[1], &[1, 2]).await,
        "WeightVecNotEqualSize",
    );
    refused(
        chain.set_weights(&validator, &[0, 1, 2], &[1, 1, 1]).await,
        "UidsLengthExceedUidsInSubNet",
    );
    refused(
        chain.set_weights(&validator, &[1, 1], &[1, 1]).await,
        "DuplicateUids",
    );
    refused(
        chain.set_weights(&validator, &[1, 9], &[1, 1]).await,
        "UidVecContainInvalidOne",
    );
    refused(
        chain.set_weights(&validator, &[], &[]).await,
        "WeightVecLengthIsLow",
    );
    chain
        .set_weights(&validator, &[0, 1], &[1, 2])
        .await
        .unwrap();
    chain.devnet.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_that_hyperparameters_cause() {
    let mut config = config();
    config.subnets[0].weights_rate_limit = 1_000_000;
    config.subnets[0].weights_version = 3;
    let chain = Chain::start(config).await;
    let (validator, miner) = (key(1), key(2));
    chain.register(&validator).await.unwrap();
    chain.register(&miner).await.unwrap();
    refused(
        chain.set_weights(&validator, &[1], &[1]).await,
        "IncorrectWeightVersionKey",
    );
    chain.devnet.shutdown().await;

    let mut config = self::config();
    config.subnets[0].weights_rate_limit = 1_000_000;
    let chain = Chain::start(config).await;
    chain.register(&validator).await.unwrap();
    refused(
        chain.set_weights(&validator, &[0], &[1]).await,
        "SettingWeightsTooFast",
    );
    chain.devnet.shutdown().await;

    let mut config = self::config();
    config.stake_threshold = adit_primitives::Rao(5 * TAO);
    config.subnets[0].max_weights_limit = 32_768;
    let chain = Chain::start(config).await;
    chain.register(&validator).await.unwrap();
    chain.register(&miner).await.unwrap();
    refused(
        chain.set_weights(&validator, &[0], &[1]).await,
        "Custom error: 1\"",
    );
    chain.stake(&validator, 5 * TAO).await.unwrap();
    chain.epoch().await;
    refused(
        chain.set_weights(&validator, &[0, 1], &[1, 2]).await,
        "MaxWeightExceeded",
    );
    chain
        .set_weights(&validator, &[0, 1], &[1, 1])
        .await
        .unwrap();
    chain.devnet.shutdown().await;

    let mut config = self::config();
    config.subnets[0].commit_reveal_enabled = true;
    let chain = Chain::start(config).await;
    refused(
        chain.set_weights(&validator, &[0], &[1]).await,
        "CommitRevealEnabled",
    );
    chain.devnet.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_of_registration_stake_and_axons() {
    let mut config = config();
    config.allow_loopback_axons = false;
    let chain = Chain::start(config).await;
    let (alice, neuron, poor) = (dev::alice(), key(1), key(2));
    let register = |netuid: u16| vec![number(netuid), account(&neuron)];

    let absent = chain
        .subtensor(&alice, "burned_register", register(99))
        .await;
    refused(absent, "SubnetNotExists");
    let root = chain
        .subtensor(&alice, "burned_register", register(0))
        .await;
    refused(root, "RegistrationNotPermittedOnRootSubnet");
    refused(chain.stake(&neuron, TAO).await, "HotKeyAccountNotExists");
    chain.register(&neuron).await.unwrap();
    refused(
        chain.register(&neuron).await,
        "HotKeyAlreadyRegisteredInSubNet",
    );
    let pennies = chain.subtensor(
        &poor,
        "burned_register",
        vec![number(NETUID), account(&poor)],
    );
    refused(pennies.await, "Inability to pay some fees");
    refused(chain.stake(&neuron, 1).await, "AmountTooLow");
    refused(
        chain.stake(&neuron, 10_000_000 * TAO).await,
        "NotEnoughBalanceToStake",
    );
    let arguments = vec![account(&neuron), number(NETUID), number(TAO)];
    let unstaked = chain.subtensor(&alice, "remove_stake", arguments).await;
    refused(unstaked, "NotEnoughStakeToWithdraw");

    // The pool refuses these, under the live chain's codes.
    refused(chain.serve(&poor, 1, 1, 4).await, "Custom error: 10\"");
    refused(
        chain.serve(&neuron, 0x7f00_0001, 1, 4).await,
        "Custom error: 11\"",
    );
    refused(
        chain.serve(&neuron, 0x0a00_0001, 1, 5).await,
        "Custom error: 11\"",
    );
    refused(
        chain.serve(&neuron, 0x0a00_0001, 0, 4).await,
        "Custom error: 13\"",
    );
    chain.serve(&neuron, 0x0a00_0001, 1, 4).await.unwrap();
    refused(
        chain.serve(&neuron, 0x0a00_0001, 2, 4).await,
        "Custom error: 12\"",
    );
    chain.devnet.shutdown().await;
}
