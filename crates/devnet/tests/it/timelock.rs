use adit_chain::commit_reveal::{
    TimelockedWeights,
    timelock::{BeaconPublicKey, seal},
};
use adit_primitives::{Hotkey, Uid, WeightVector};
use rand::{SeedableRng as _, rngs::StdRng};
use subxt::dynamic::Value;
use subxt_signer::sr25519::{Keypair, dev};

use crate::harness::{Chain, NETUID, account, key, number, refused, still};

/// A subnet whose weights are sealed, with a validator and a miner.
async fn subnet() -> (Chain, Keypair) {
    let mut config = still();
    config.drand_period = 1;
    config.subnets[0].commit_reveal_enabled = true;
    let chain = Chain::start(config).await;
    let validator = key(1);
    chain.enrol(&validator).await;
    chain.enrol(&key(2)).await;
    let arguments = vec![
        account(&validator),
        number(NETUID),
        number(5_000_000_000_u64),
    ];
    chain
        .act(&dev::alice(), "add_stake", arguments)
        .await
        .unwrap();
    chain.next_epoch().await;
    (chain, validator)
}

async fn newest_round(chain: &Chain) -> u64 {
    let round = chain.find("Drand", "LastStoredRound", vec![]).await;
    round.unwrap_or(0)
}

/// Weights of `hotkey` sealed to a round with the key that the chain names.
async fn sealed(chain: &Chain, hotkey: &Keypair, round: u64) -> Vec<u8> {
    let config: Option<Value> = chain.find("Drand", "BeaconConfig", vec![]).await;
    let mut public_key = Vec::new();
    collect(&config.unwrap(), &mut public_key);
    let beacon = BeaconPublicKey::from_bytes(&public_key[..96].try_into().unwrap()).unwrap();
    let weights = WeightVector::new(vec![(Uid(0), 1), (Uid(1), 65_535)]).unwrap();
    let payload = TimelockedWeights::new(Hotkey::new(hotkey.public_key().0), &weights, 0);
    let mut rng = StdRng::seed_from_u64(round);
    seal(&beacon, round, &payload.encode(), &mut rng).unwrap()
}

/// Every number in a value, in order: the public key's bytes come first in a beacon's record.
fn collect(value: &Value, bytes: &mut Vec<u8>) {
    use subxt::ext::scale_value::{Composite, Primitive, ValueDef};
    match &value.value {
        ValueDef::Composite(Composite::Named(fields)) => {
            fields.iter().for_each(|(_, value)| collect(value, bytes));
        }
        ValueDef::Composite(Composite::Unnamed(values)) => {
            values.iter().for_each(|value| collect(value, bytes));
        }
        ValueDef::Primitive(Primitive::U128(number)) => bytes.push((*number & 0xff) as u8),
        _ => {}
    }
}

fn commit(bytes: &[u8], round: u64, version: u16) -> Vec<Value> {
    vec![
        number(NETUID),
        Value::from_bytes(bytes),
        number(round),
        number(version),
    ]
}

async fn waiting(chain: &Chain) -> usize {
    let at = chain.client.at_current_block().await.unwrap();
    let address =
        subxt::dynamic::storage::<Vec<Value>, Value>("SubtensorModule", "TimelockedWeightCommits");
    let mut entries = at
        .storage()
        .iter(address, vec![number(NETUID)])
        .await
        .unwrap();
    let mut count = 0;
    while let Some(entry) = entries.next().await {
        entry.unwrap();
        count += 1;
    }
    count
}

async fn row(chain: &Chain) -> Vec<(u16, u16)> {
    let keys = vec![number(NETUID), number(0_u16)];
    let row = chain.find("SubtensorModule", "Weights", keys).await;
    row.unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_chain_opens_what_was_sealed_when_the_round_and_the_epoch_have_come() {
    let (chain, validator) = subnet().await;
    let round = newest_round(&chain).await + 1;
    let bytes = sealed(&chain, &validator, round).await;
    refused(
        chain
            .act(
                &validator,
                "commit_timelocked_weights",
                commit(&bytes, round, 3),
            )
            .await,
        "IncorrectCommitRevealVersion",
    );
    refused(
        chain
            .act(
                &validator,
                "commit_timelocked_weights",
                commit(&bytes, 0, 4),
            )
            .await,
        "Custom error: 15\"",
    );
    let events = chain
        .act(
            &validator,
            "commit_timelocked_weights",
            commit(&bytes, round, 4),
        )
        .await
        .unwrap();
    assert!(
        events.contains(&"SubtensorModule.TimelockedWeightsCommitted".into()),
        "{events:?}"
    );
    assert_eq!((waiting(&chain).await, row(&chain).await), (1, vec![]));
    // The round's signature comes long before the epoch ends; nothing opens until it does.
    chain.next_epoch().await;
    assert!(newest_round(&chain).await >= round);
    assert_eq!(
        (waiting(&chain).await, row(&chain).await),
        (0, vec![(0, 1), (1, 65_535)])
    );
    chain.devnet.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_opened_is_dropped_without_a_word() {
    let (chain, validator) = subnet().await;
    let round = newest_round(&chain).await + 1;
    // Somebody else's weights, noise, and a round that comes too late.
    let others = sealed(&chain, &key(2), round).await;
    let late = sealed(&chain, &validator, 1_000_000).await;
    for (bytes, round) in [(others, round), (vec![9; 300], round), (late, 1_000_000)] {
        chain
            .act(
                &validator,
                "commit_timelocked_weights",
                commit(&bytes, round, 4),
            )
            .await
            .unwrap();
    }
    assert_eq!(waiting(&chain).await, 1);
    chain.next_epoch().await;
    assert_eq!(
        waiting(&chain).await,
        1,
        "the late one waits for this epoch's end"
    );
    chain.next_epoch().await;
    assert_eq!((waiting(&chain).await, row(&chain).await), (0, vec![]));
    chain.devnet.shutdown().await;
}
