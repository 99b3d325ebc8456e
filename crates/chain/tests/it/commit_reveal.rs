//! Weights that are committed and revealed, on the devnet.

use std::sync::Arc;

use adit_chain::{
    Chain as _, FileCommitStore, RevealMiss, SealChoice, WeightSetter, WeightSetterOptions,
    WeightsFailure, WeightsOutcome, client::Client,
};
use adit_primitives::{Block, MechId, SystemClock, Uid, WeightVector};
use futures::StreamExt as _;
use rand::{SeedableRng as _, rngs::StdRng};

use crate::devnet::{Devnet, SUBNET, pass, validator};

type Setter = WeightSetter<Client, FileCommitStore>;

/// A validator's setter whose state lies in a folder; a new one is the next life of its process.
fn setter(client: &Client, folder: &tempfile::TempDir, seal: SealChoice) -> Setter {
    let store = FileCommitStore::new(folder.path().join("weights.json"));
    let chance = Box::new(StdRng::from_os_rng());
    let options = WeightSetterOptions {
        seal,
        ..WeightSetterOptions::default()
    };
    WeightSetter::new(
        client.clone(),
        SUBNET,
        MechId(0),
        store,
        chance,
        Arc::new(SystemClock),
    )
    .with_options(options)
}

/// A devnet, a validator on it with its uid, and weights for the two others.
async fn scene(arguments: &[&str]) -> (Devnet, Client, Uid, WeightVector) {
    let devnet = Devnet::start(arguments);
    let client = devnet.client().await;
    let (validator, hotkey) = validator(&client).await;
    let uid = client.uid(SUBNET, hotkey.hotkey()).await.unwrap().unwrap();
    let others = (0..3).map(Uid).filter(|other| *other != uid);
    let weights = WeightVector::new(others.zip([100, 50]).collect()).unwrap();
    (devnet, validator, uid, weights)
}

/// Commits, as soon as the rate limit lets it.
async fn commit(setter: &mut Setter, weights: &WeightVector) -> (Block, u64, Option<u64>) {
    loop {
        match setter.set(weights).await.unwrap() {
            WeightsOutcome::Committed {
                block,
                epoch,
                reveal_epoch,
                round,
                ..
            } => {
                assert_eq!(reveal_epoch, epoch + 1);
                return (block, reveal_epoch, round);
            }
            WeightsOutcome::Refused(refusal) if refusal.blocks_to_wait().is_some() => {
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
            other => panic!("{other:?}"),
        }
    }
}

/// Follows once a block until something is told.
async fn told(client: &Client, setter: &mut Setter) -> Vec<WeightsOutcome> {
    let mut blocks = client.blocks().await.unwrap();
    loop {
        blocks.next().await.unwrap().unwrap();
        let outcomes = setter.follow().await.unwrap();
        if !outcomes.is_empty() {
            return outcomes;
        }
    }
}

async fn on_chain_after_a_restart(kind: &str, seal: SealChoice) {
    let (_devnet, client, uid, weights) = scene(&["--commit-reveal", kind]).await;
    let folder = tempfile::tempdir().unwrap();
    let mut first = setter(&client, &folder, seal);
    let (_, _, round) = commit(&mut first, &weights).await;
    assert_eq!(round.is_some(), seal != SealChoice::Hash);
    drop(first);
    let mut next_life = setter(&client, &folder, seal);
    let outcomes = told(&client, &mut next_life).await;
    let [WeightsOutcome::OnChain { weights: found, .. }] = &outcomes[..] else {
        panic!("{outcomes:?}")
    };
    assert_eq!(found.pairs()[0].1, u16::MAX);
    assert_eq!(found.pairs()[1].1, 32_768);
    assert_eq!(&client.weights_on_chain(SUBNET, uid).await.unwrap(), found);
    assert!(next_life.pending().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn hashed_weights_are_revealed_by_the_next_life_of_the_process() {
    on_chain_after_a_restart("hash", SealChoice::Hash).await;
}

/// Users' point 6, and the pain of reveals that are dropped without a word.
#[tokio::test(flavor = "multi_thread")]
pub(crate) async fn sealed_weights_are_opened_by_the_chain_with_its_beacon_and_seen() {
    on_chain_after_a_restart("timelock", SealChoice::ByChain).await;
}

#[tokio::test(flavor = "multi_thread")]
pub(crate) async fn a_reveal_window_missed_is_told_and_committed_anew() {
    let (_devnet, client, _, weights) = scene(&["--commit-reveal", "hash"]).await;
    let folder = tempfile::tempdir().unwrap();
    let mut setter = setter(&client, &folder, SealChoice::Hash);
    let (block, epoch, _) = commit(&mut setter, &weights).await;
    let tempo = client.metagraph(SUBNET).await.unwrap().parameters.tempo;
    pass(&client, 3 * u64::from(tempo)).await;
    let outcomes = setter.follow().await.unwrap();
    let WeightsOutcome::Failed(WeightsFailure::RevealMissed {
        committed,
        reveal_epoch,
        reason,
        ..
    }) = &outcomes[0]
    else {
        panic!("{outcomes:?}")
    };
    assert_eq!((*committed, *reveal_epoch), (block, epoch));
    assert_eq!(*reason, RevealMiss::WindowClosed);
    assert!(
        matches!(outcomes[1], WeightsOutcome::Committed { .. }),
        "{outcomes:?}"
    );
    let after = told(&client, &mut setter).await;
    assert!(
        matches!(after[..], [WeightsOutcome::OnChain { .. }]),
        "{after:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_mechanism_has_commits_of_its_own() {
    let (_devnet, client, uid, weights) =
        scene(&["--commit-reveal", "timelock", "--mechanisms", "2"]).await;
    let folder = tempfile::tempdir().unwrap();
    let store = FileCommitStore::new(folder.path().join("weights-1.json"));
    let chance = Box::new(StdRng::from_os_rng());
    let clock = Arc::new(SystemClock);
    let mut second = WeightSetter::new(client.clone(), SUBNET, MechId(1), store, chance, clock);
    commit(&mut second, &weights).await;
    let outcomes = told(&client, &mut second).await;
    assert!(
        matches!(outcomes[..], [WeightsOutcome::OnChain { .. }]),
        "{outcomes:?}"
    );
    let first = client.weights_on_chain(SUBNET, uid).await.unwrap();
    assert!(first.is_empty(), "the first mechanism has none");
}
