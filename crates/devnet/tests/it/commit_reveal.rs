use codec::Encode as _;
use subxt::dynamic::Value;
use subxt_signer::sr25519::{Keypair, dev};

use crate::harness::{Chain, NETUID, account, key, list, number, refused, still};

const STRIDE: u16 = 4096;

/// What a commit hides.
#[derive(Clone)]
struct Row {
    index: u16,
    uids: Vec<u16>,
    values: Vec<u16>,
    salt: Vec<u16>,
}

impl Row {
    fn new(uids: &[u16], values: &[u16], salt: u16) -> Self {
        Self {
            index: NETUID,
            uids: uids.to_vec(),
            values: values.to_vec(),
            salt: vec![salt; 8],
        }
    }

    /// The hash as the formula of the live chain has it.
    fn hash(&self, hotkey: &Keypair) -> Value {
        let Self {
            index,
            uids,
            values,
            salt,
        } = self;
        let tuple = (hotkey.public_key().0, index, uids, values, salt, 0_u64);
        Value::from_bytes(sp_crypto_hashing::blake2_256(&tuple.encode()))
    }

    fn revealing(&self) -> Vec<Value> {
        vec![
            number(NETUID),
            list(&self.uids),
            list(&self.values),
            list(&self.salt),
            number(0_u16),
        ]
    }

    async fn commit(&self, chain: &Chain, hotkey: &Keypair) -> Result<Vec<String>, String> {
        let arguments = vec![number(NETUID), self.hash(hotkey)];
        chain.act(hotkey, "commit_weights", arguments).await
    }

    async fn reveal(&self, chain: &Chain, hotkey: &Keypair) -> Result<Vec<String>, String> {
        chain.act(hotkey, "reveal_weights", self.revealing()).await
    }
}

async fn subnet(change: impl FnOnce(&mut adit_devnet::SubnetConfig)) -> (Chain, Keypair) {
    let mut config = still();
    config.subnets[0].commit_reveal_enabled = true;
    change(&mut config.subnets[0]);
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

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_is_revealed_in_exactly_one_epoch() {
    let (chain, validator) = subnet(|_| ()).await;
    let direct = vec![number(NETUID), list(&[1]), list(&[1]), number(0_u16)];
    refused(
        chain.act(&validator, "set_weights", direct).await,
        "CommitRevealEnabled",
    );
    let row = Row::new(&[1, 0], &[65_535, 1], 3);
    refused(row.reveal(&chain, &validator).await, "Custom error: 16\"");
    let events = row.commit(&chain, &validator).await.unwrap();
    assert!(
        events.contains(&"SubtensorModule.WeightsCommitted".into()),
        "{events:?}"
    );
    let keys = || vec![number(NETUID), account(&validator)];
    type Commits = Vec<([u8; 32], u64, u64, u64)>;
    let commits: Commits = chain.read("WeightCommits", keys()).await;
    assert_eq!((commits.len(), commits[0].3), (1, 0));
    assert_eq!(commits[0].2, chain.devnet.head().0);
    let updates: Vec<u64> = chain.read("LastUpdate", vec![number(NETUID)]).await;
    assert_eq!(updates[0], commits[0].2, "the commit counts as the update");

    refused(row.reveal(&chain, &validator).await, "Custom error: 17\"");
    chain.next_epoch().await;
    let other = Row::new(&[1], &[7], 3);
    refused(other.reveal(&chain, &validator).await, "Custom error: 16\"");
    let events = row.reveal(&chain, &validator).await.unwrap();
    for name in ["WeightsSet", "WeightsRevealed"] {
        assert!(
            events.contains(&format!("SubtensorModule.{name}")),
            "{events:?}"
        );
    }
    let weights: Vec<(u16, u16)> = chain
        .read("Weights", vec![number(NETUID), number(0_u16)])
        .await;
    assert_eq!(weights, [(1, 65_535), (0, 1)]);
    let left: Option<Commits> = chain.find("SubtensorModule", "WeightCommits", keys()).await;
    assert_eq!(left, None);

    // Two epochs later it is too late; a batch shows the reason that the pool's code hides.
    row.commit(&chain, &validator).await.unwrap();
    chain.next_epoch().await;
    chain.next_epoch().await;
    refused(row.reveal(&chain, &validator).await, "Custom error: 17\"");
    chain.devnet.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn commits_are_limited_in_rate_and_number() {
    let (chain, validator) = subnet(|subnet| subnet.weights_rate_limit = 4).await;
    chain.devnet.advance(4).unwrap();
    Row::new(&[1], &[1], 0)
        .commit(&chain, &validator)
        .await
        .unwrap();
    refused(
        Row::new(&[1], &[1], 1).commit(&chain, &validator).await,
        "CommittingWeightsTooFast",
    );
    chain.devnet.shutdown().await;

    let (chain, validator) = subnet(|subnet| subnet.tempo = 100).await;
    for salt in 0..10 {
        Row::new(&[1], &[1], salt)
            .commit(&chain, &validator)
            .await
            .unwrap();
    }
    refused(
        Row::new(&[1], &[1], 10).commit(&chain, &validator).await,
        "TooManyUnrevealedCommits",
    );
    // The newest drops all the older ones.
    chain.next_epoch().await;
    Row::new(&[1], &[1], 9)
        .reveal(&chain, &validator)
        .await
        .unwrap();
    refused(
        Row::new(&[1], &[1], 0).reveal(&chain, &validator).await,
        "Custom error: 16\"",
    );
    chain.devnet.shutdown().await;

    let chain = Chain::start(still()).await;
    chain.enrol(&validator).await;
    refused(
        Row::new(&[1], &[1], 0).commit(&chain, &validator).await,
        "CommitRevealDisabled",
    );
    chain.devnet.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_go_on_after_a_refused_item() {
    let (chain, validator) = subnet(|_| ()).await;
    let rows = [Row::new(&[1], &[1], 1), Row::new(&[1, 0], &[2, 1], 2)];
    let hashes = rows.each_ref().map(|row| row.hash(&validator));
    let netuids = Value::unnamed_composite([number(NETUID), number(99_u16)]);
    let arguments = vec![netuids, Value::unnamed_composite(hashes.clone())];
    let events = chain
        .act(&validator, "batch_commit_weights", arguments)
        .await
        .unwrap();
    for name in [
        "WeightsCommitted",
        "BatchWeightItemFailed",
        "BatchCompletedWithErrors",
    ] {
        assert!(
            events.contains(&format!("SubtensorModule.{name}")),
            "{events:?}"
        );
    }
    rows[1].commit(&chain, &validator).await.unwrap();
    chain.next_epoch().await;
    let nested =
        |part: fn(&Row) -> &[u16]| Value::unnamed_composite(rows.iter().map(|row| list(part(row))));
    let arguments = vec![
        number(NETUID),
        nested(|row| &row.uids),
        nested(|row| &row.values),
        nested(|row| &row.salt),
        Value::unnamed_composite([number(0_u16), number(0_u16)]),
    ];
    let events = chain
        .act(&validator, "batch_reveal_weights", arguments)
        .await
        .unwrap();
    assert!(
        events.contains(&"SubtensorModule.WeightsBatchRevealed".into()),
        "{events:?}"
    );
    let weights: Vec<(u16, u16)> = chain
        .read("Weights", vec![number(NETUID), number(0_u16)])
        .await;
    assert_eq!(weights, [(1, 65_535), (0, 32_768)]);
    chain.devnet.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mechanisms_have_weights_of_their_own() {
    let (chain, validator) = subnet(|subnet| subnet.mechanisms = 2).await;
    let mut row = Row::new(&[1], &[9], 5);
    row.index = NETUID + STRIDE;
    let arguments = vec![number(NETUID), number(1_u16), row.hash(&validator)];
    chain
        .act(&validator, "commit_mechanism_weights", arguments)
        .await
        .unwrap();
    chain.next_epoch().await;
    let mut arguments = row.revealing();
    arguments.insert(1, number(1_u16));
    chain
        .act(&validator, "reveal_mechanism_weights", arguments)
        .await
        .unwrap();
    let weights = async |index: u16| -> Vec<(u16, u16)> {
        let keys = vec![number(index), number(0_u16)];
        let row = chain.find("SubtensorModule", "Weights", keys).await;
        row.unwrap_or_default()
    };
    assert_eq!(weights(NETUID).await, []);
    assert_eq!(weights(NETUID + STRIDE).await, [(1, 65_535)]);
    // Only the second mechanism has weights, and it pays half.
    chain.next_epoch().await;
    let incentive: Vec<u16> = chain.read("Incentive", vec![number(NETUID + STRIDE)]).await;
    assert_eq!(incentive, [0, 65_535]);
    let emission: Vec<u64> = chain.read("Emission", vec![number(NETUID)]).await;
    assert!(emission[1] > 0, "{emission:?}");
    chain.devnet.shutdown().await;

    let mut config = still();
    config.subnets[0].mechanisms = 2;
    let chain = Chain::start(config).await;
    chain.enrol(&validator).await;
    let set = |mecid: u16| {
        let (uids, values) = (list(&[0]), list(&[1]));
        vec![number(NETUID), number(mecid), uids, values, number(0_u16)]
    };
    chain
        .act(&validator, "set_mechanism_weights", set(1))
        .await
        .unwrap();
    refused(
        chain.act(&validator, "set_mechanism_weights", set(2)).await,
        "MechanismDoesNotExist",
    );
    let batch = vec![
        Value::unnamed_composite([number(NETUID), number(98_u16)]),
        Value::unnamed_composite([0, 1].map(|_| {
            Value::unnamed_composite([Value::unnamed_composite([number(0_u16), number(5_u16)])])
        })),
        Value::unnamed_composite([number(0_u16), number(0_u16)]),
    ];
    let events = chain
        .act(&validator, "batch_set_weights", batch)
        .await
        .unwrap();
    for name in [
        "WeightsSet",
        "BatchWeightItemFailed",
        "BatchWeightsCompleted",
    ] {
        assert!(
            events.contains(&format!("SubtensorModule.{name}")),
            "{events:?}"
        );
    }
    chain.devnet.shutdown().await;
}
