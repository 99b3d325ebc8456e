use adit_chain::{Chain as _, WeightsOutcome, WeightsRefusal, client::Client};
use adit_primitives::{NetUid, Rao, Uid, WeightVector};

use crate::devnet::{Devnet, SUBNET, key, pass, registered, validator};

fn vector(pairs: &[(u16, u16)]) -> WeightVector {
    WeightVector::new(
        pairs
            .iter()
            .map(|(uid, weight)| (Uid(*uid), *weight))
            .collect(),
    )
    .unwrap()
}

async fn refusal(client: &Client, weights: &WeightVector, version_key: u64) -> WeightsRefusal {
    match client
        .set_weights(SUBNET, weights, version_key)
        .await
        .unwrap()
    {
        WeightsOutcome::Refused(refusal) => refusal,
        taken => panic!("{taken:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn weights_are_set_read_back_and_then_rate_limited() {
    let devnet = Devnet::start(&[]);
    let client = devnet.client().await;
    let (validator, hotkey) = validator(&client).await;
    let uid = client.uid(SUBNET, hotkey.hotkey()).await.unwrap().unwrap();
    let others = (0..3).filter(|other| *other != uid.0).collect::<Vec<_>>();
    let sent = vector(&[(others[0], 100), (others[1], 50)]);
    pass(&client, 6).await;
    let unknown = WeightsRefusal::UnknownUid {
        uid: Uid(3),
        neurons: 3,
    };
    assert_eq!(refusal(&validator, &vector(&[(3, 1)]), 0).await, unknown);
    let too_few = WeightsRefusal::TooFew {
        given: 0,
        required: 1,
    };
    assert_eq!(refusal(&validator, &vector(&[]), 0).await, too_few);

    let outcome = validator.set_weights(SUBNET, &sent, 0).await.unwrap();
    let WeightsOutcome::OnChain { block, weights, .. } = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(weights, vector(&[(others[0], 65_535), (others[1], 32_768)]));
    assert_eq!(client.weights_on_chain(SUBNET, uid).await.unwrap(), weights);
    let metagraph = client.metagraph(SUBNET).await.unwrap();
    assert_eq!(metagraph.neuron(uid).unwrap().last_update, block);

    let limited = refusal(&validator, &sent, 0).await;
    let WeightsRefusal::RateLimited { blocks_to_wait } = limited else {
        panic!("{limited:?}")
    };
    pass(&client, blocks_to_wait).await;
    let outcome = validator.set_weights(SUBNET, &sent, 0).await.unwrap();
    assert!(
        matches!(outcome, WeightsOutcome::OnChain { .. }),
        "{outcome:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
pub(crate) async fn refusals_come_named_before_anything_is_signed() {
    let devnet = Devnet::start(&[]);
    let client = devnet.client().await;
    let stranger = client.with_signer(key("//stranger"));
    let one = vector(&[(0, 1)]);
    let (miner, miner_key) = registered(&client, "//miner-0").await;
    registered(&client, "//miner-1").await;
    // Registering counts as an update, so that the rate limit would come first.
    pass(&client, 6).await;

    let hotkey = key("//stranger").hotkey();
    assert_eq!(
        refusal(&stranger, &one, 0).await,
        WeightsRefusal::NotRegistered { hotkey }
    );
    let uid = client
        .uid(SUBNET, miner_key.hotkey())
        .await
        .unwrap()
        .unwrap();
    let other = vector(&[(1 - uid.0, 1)]);
    assert_eq!(
        refusal(&miner, &other, 0).await,
        WeightsRefusal::NoValidatorPermit { uid }
    );
    let many = vector(&[(0, 1), (1, 1), (2, 1)]);
    assert_eq!(
        refusal(&miner, &many, 0).await,
        WeightsRefusal::TooMany { given: 3, most: 2 }
    );

    let missing = stranger.set_weights(NetUid(9), &one, 0).await.unwrap();
    let no_subnet = WeightsRefusal::NoSuchSubnet { netuid: NetUid(9) };
    assert_eq!(missing, WeightsOutcome::Refused(no_subnet));
    let root = stranger.set_weights(NetUid(0), &one, 0).await.unwrap();
    assert_eq!(root, WeightsOutcome::Refused(WeightsRefusal::RootNetwork));
    let nonce_unused = client.balance(key("//stranger").account()).await.unwrap();
    assert_eq!(nonce_unused, Rao(0));
}
