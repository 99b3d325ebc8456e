use std::sync::Arc;

use adit_primitives::{
    BlockHash, Coldkey, Hotkey, ManualClock, Metagraph, Neuron, Rao, SubnetParameters, Uid,
};
use futures::executor::block_on;
use rand::{SeedableRng as _, rngs::StdRng};

use super::*;
use crate::{
    RevealMiss, WeightsFailure,
    testing::{ChainRequest, FakeChain},
};

const NETUID: NetUid = NetUid(1);
const OWN: Hotkey = Hotkey::new([1; 32]);
const FIRST: MechId = MechId(0);
const TEMPO: u16 = 20;

fn subnet(commit_reveal: bool, permit: bool, registered_at: u64) -> Metagraph {
    let neuron = |uid: u16| Neuron {
        uid: Uid(uid),
        hotkey: Hotkey::new([u8::try_from(uid).unwrap() + 1; 32]),
        coldkey: Coldkey::new([200; 32]),
        axon: None,
        stake: Rao(5),
        validator_permit: permit && uid == 0,
        active: true,
        incentive: 0,
        dividends: 0,
        consensus: 0,
        validator_trust: 0,
        emission: Rao(0),
        last_update: Block(0),
        registered_at: Block(registered_at),
    };
    let parameters = SubnetParameters {
        tempo: TEMPO,
        min_allowed_weights: 1,
        max_weights_limit: u16::MAX,
        weights_rate_limit: 5,
        weights_version: 0,
        commit_reveal,
    };
    let neurons = (0..3).map(neuron).collect();
    Metagraph::new(
        NETUID,
        Block(100),
        BlockHash::default(),
        parameters,
        neurons,
    )
    .unwrap()
}

/// Our last update, so that replacing the metagraph forgets no rate limit.
fn replace(chain: &FakeChain, with: &Metagraph) {
    let old = block_on(chain.metagraph(NETUID)).unwrap();
    let mut neurons = with.neurons().to_vec();
    neurons[0].last_update = old.neurons()[0].last_update;
    let (block, hash) = (old.block, old.block_hash);
    let new = Metagraph::new(NETUID, block, hash, with.parameters, neurons).unwrap();
    chain.set_metagraph(new);
}

/// A chain whose epochs begin at blocks 120, 140, 160, …
fn chain(commit_reveal: bool) -> FakeChain {
    let chain = FakeChain::new(subnet(commit_reveal, true, 1), OWN);
    chain.advance(1);
    chain
}

fn setter<S: CommitStore>(chain: &FakeChain, store: S) -> WeightSetter<FakeChain, S> {
    let chance = Box::new(StdRng::seed_from_u64(7));
    let clock = Arc::new(ManualClock::at_nanos(1_800_001_200_000_000_000));
    WeightSetter::new(chain.clone(), NETUID, FIRST, store, chance, clock)
}

fn choosing<S: CommitStore>(
    chain: &FakeChain,
    store: S,
    seal: SealChoice,
) -> WeightSetter<FakeChain, S> {
    let options = WeightSetterOptions {
        seal,
        patience: Patience::Once,
    };
    setter(chain, store).with_options(options)
}

fn memory() -> MemoryCommitStore {
    MemoryCommitStore::default()
}

fn weights(first: u16) -> WeightVector {
    WeightVector::new(vec![(Uid(1), first), (Uid(2), 5)]).unwrap()
}

fn row(chain: &FakeChain) -> WeightVector {
    block_on(chain.weights_on_chain(NETUID, Uid(0))).unwrap()
}

fn holds(chain: &FakeChain, weights: &WeightVector) -> bool {
    crate::preflight::holds(&row(chain), weights)
}

fn set<S: CommitStore>(setter: &mut WeightSetter<FakeChain, S>, first: u16) -> WeightsOutcome {
    block_on(setter.set(&weights(first))).unwrap()
}

fn follow<S: CommitStore>(setter: &mut WeightSetter<FakeChain, S>) -> Vec<WeightsOutcome> {
    block_on(setter.follow()).unwrap()
}

/// (epoch of the commit, epoch and block of the reveal, whether sealed)
fn committed(outcome: &WeightsOutcome) -> (u64, u64, u64, bool) {
    match outcome {
        WeightsOutcome::Committed {
            epoch,
            reveal_epoch,
            reveal_block,
            round,
            ..
        } => (*epoch, *reveal_epoch, reveal_block.0, round.is_some()),
        other => panic!("{other:?}"),
    }
}

fn missed(outcomes: &[WeightsOutcome]) -> RevealMiss {
    match outcomes.first() {
        Some(WeightsOutcome::Failed(WeightsFailure::RevealMissed { reason, .. })) => *reason,
        other => panic!("{other:?}"),
    }
}

fn assert_on_chain(outcomes: &[WeightsOutcome]) {
    assert!(
        matches!(outcomes, [WeightsOutcome::OnChain { .. }]),
        "{outcomes:?}"
    );
}

/// Makes blocks one by one and lets others run in between.
async fn pass(chain: &FakeChain, blocks: u64) {
    for _ in 0..blocks {
        chain.advance(1);
        let mut yielded = false;
        futures::future::poll_fn(|context| {
            context.waker().wake_by_ref();
            if std::mem::replace(&mut yielded, true) {
                std::task::Poll::Ready(())
            } else {
                std::task::Poll::Pending
            }
        })
        .await;
    }
}

#[test]
fn without_commit_reveal_weights_are_set_and_read_back() {
    let chain = chain(false);
    let mut setter = setter(&chain, memory()).with_version_key(9);
    let outcome = set(&mut setter, 10);
    let WeightsOutcome::OnChain { weights: found, .. } = &outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(found.pairs(), [(Uid(1), 65_535), (Uid(2), 32_768)]);
    assert_eq!(chain.taken_weights()[0].version_key, 9);
    assert!(follow(&mut setter).is_empty());
    let limited = WeightsRefusal::RateLimited { blocks_to_wait: 5 };
    assert_eq!(set(&mut setter, 10), WeightsOutcome::Refused(limited));
}

#[test]
fn hashed_weights_are_revealed_in_their_window_and_read_back() {
    let chain = chain(true);
    let mut setter = choosing(&chain, memory(), SealChoice::Hash);
    assert_eq!(committed(&set(&mut setter, 10)), (0, 1, 120, false));
    assert!(follow(&mut setter).is_empty(), "it is not time");
    // Weights that wait are not committed twice.
    assert_eq!(committed(&set(&mut setter, 10)), (0, 1, 120, false));
    assert_eq!(chain.sent_weights().len(), 1);
    assert!(row(&chain).is_empty());
    chain.advance(19);
    assert_on_chain(&follow(&mut setter));
    assert!(holds(&chain, &weights(10)));
    assert!(setter.pending().unwrap().is_empty());
    assert!(follow(&mut setter).is_empty());
}

#[test]
fn sealed_weights_are_revealed_by_the_chain_and_seen() {
    let chain = chain(true);
    let mut setter = setter(&chain, memory());
    let outcome = set(&mut setter, 10);
    assert_eq!(committed(&outcome), (0, 1, 120, true));
    let WeightsOutcome::Committed { round, .. } = outcome else {
        panic!("{outcome:?}")
    };
    // Block 101 plus 19 to the epoch plus 3, of 4 rounds each.
    assert_eq!(round, Some(chain.last_stored_round() + 22 * 4));
    chain.advance(19);
    assert!(
        follow(&mut setter).is_empty(),
        "the round is three blocks later"
    );
    chain.advance(3);
    assert_on_chain(&follow(&mut setter));
    assert!(holds(&chain, &weights(10)));
    assert!(setter.pending().unwrap().is_empty());
}

#[test]
fn a_longer_reveal_period_is_waited_for() {
    let chain = chain(true);
    chain.set_reveal_period(3);
    for seal in [SealChoice::Hash, SealChoice::Timelock] {
        let mut setter = choosing(&chain, memory(), seal);
        let (epoch, reveal, ..) = committed(&set(&mut setter, 10));
        assert_eq!(reveal, epoch + 3);
        chain.advance(40);
        assert!(follow(&mut setter).is_empty());
        chain.advance(25);
        assert_on_chain(&follow(&mut setter));
        chain.advance(10);
    }
}

#[test]
fn a_runtime_without_timelocks_gets_hashes_and_says_so_where_only_they_would_do() {
    let chain = chain(true);
    chain.forget_timelocks();
    let mut sealing = choosing(&chain, memory(), SealChoice::Timelock);
    let refused = WeightsRefusal::UnknownVersion { version: 4 };
    assert_eq!(set(&mut sealing, 10), WeightsOutcome::Refused(refused));
    assert!(!committed(&set(&mut setter(&chain, memory()), 10)).3);
}

#[test]
fn a_restart_between_commit_and_reveal_goes_on_where_it_was() {
    for seal in [SealChoice::Hash, SealChoice::Timelock] {
        let (chain, folder) = (chain(true), tempfile::tempdir().unwrap());
        let store = || FileCommitStore::new(folder.path().join("weights.json"));
        committed(&set(&mut choosing(&chain, store(), seal), 10));
        chain.advance(22);
        // All that the first life held in memory is gone.
        let mut next_life = choosing(&chain, store(), seal);
        assert_on_chain(&follow(&mut next_life));
        assert!(holds(&chain, &weights(10)));
    }
}

#[test]
fn a_commit_whose_answer_was_lost_is_found_and_revealed() {
    for seal in [SealChoice::Hash, SealChoice::Timelock] {
        let (chain, store) = (chain(true), Arc::new(memory()));
        chain.lose_next_answer();
        let mut first = choosing(&chain, Arc::clone(&store), seal);
        let error = block_on(first.set(&weights(10))).unwrap_err();
        assert!(matches!(error, Error::Undetermined { .. }), "{error:?}");
        chain.advance(1);
        let mut next_life = choosing(&chain, Arc::clone(&store), seal);
        assert!(follow(&mut next_life).is_empty());
        assert!(next_life.pending().unwrap()[0].included.is_some());
        chain.advance(22);
        assert_on_chain(&follow(&mut next_life));
        assert_eq!(store.load().unwrap().commits, []);
    }
}

#[test]
fn a_commit_that_never_left_is_dropped_when_it_can_no_longer_come() {
    let (chain, store) = (chain(true), Arc::new(memory()));
    chain.fail_next(
        ChainRequest::SendWeights,
        Error::ConnectionLost {
            during: "sending",
            source: "cut".into(),
        },
    );
    let mut setter = choosing(&chain, Arc::clone(&store), SealChoice::Hash);
    block_on(setter.set(&weights(10))).unwrap_err();
    chain.advance(256);
    assert!(follow(&mut setter).is_empty());
    assert_eq!(store.load().unwrap().commits.len(), 1);
    chain.advance(1);
    assert!(follow(&mut setter).is_empty());
    assert_eq!(store.load().unwrap().commits, []);
}

#[test]
fn a_missed_window_is_told_and_the_weights_are_committed_anew() {
    let chain = chain(true);
    let mut setter = choosing(&chain, memory(), SealChoice::Hash);
    committed(&set(&mut setter, 10));
    chain.advance(40);
    let outcomes = follow(&mut setter);
    assert_eq!(missed(&outcomes), RevealMiss::WindowClosed);
    assert_eq!(committed(&outcomes[1]), (2, 3, 160, false));
    chain.advance(20);
    assert_on_chain(&follow(&mut setter));
}

#[test]
fn an_epoch_that_is_put_off_is_waited_for() {
    for seal in [SealChoice::Hash, SealChoice::Timelock] {
        let chain = chain(true);
        let mut setter = choosing(&chain, memory(), seal);
        committed(&set(&mut setter, 10));
        chain.advance(18);
        chain.defer_epochs(9);
        chain.advance(9);
        // Block 128: the round is there, the epoch is not.
        assert!(follow(&mut setter).is_empty(), "{seal:?}");
        chain.advance(1);
        assert_on_chain(&follow(&mut setter));
    }
}

#[test]
fn a_permit_lost_between_commit_and_reveal_is_told() {
    let hashed = chain(true);
    let mut setter = choosing(&hashed, memory(), SealChoice::Hash);
    committed(&set(&mut setter, 10));
    replace(&hashed, &subnet(true, false, 1));
    hashed.advance(19);
    let no_permit = || WeightsOutcome::Refused(WeightsRefusal::NoValidatorPermit { uid: Uid(0) });
    assert_eq!(follow(&mut setter), [no_permit()]);
    // It comes back within the epoch.
    replace(&hashed, &subnet(true, true, 1));
    hashed.advance(5);
    assert_on_chain(&follow(&mut setter));

    let sealed = chain(true);
    let mut setter = choosing(&sealed, memory(), SealChoice::Timelock);
    committed(&set(&mut setter, 10));
    replace(&sealed, &subnet(true, false, 1));
    sealed.advance(22);
    let outcomes = follow(&mut setter);
    assert_eq!(missed(&outcomes), RevealMiss::Dropped);
    assert_eq!(outcomes[1], no_permit());
    assert!(setter.pending().unwrap().is_empty());
}

#[test]
fn a_beacon_that_stops_is_waited_for_until_the_epoch_ends() {
    let chain = chain(true);
    let mut setter = setter(&chain, memory());
    committed(&set(&mut setter, 10));
    chain.hold_beacon(Some(chain.last_stored_round()));
    chain.advance(30);
    assert!(follow(&mut setter).is_empty(), "the chain still tries");
    chain.advance(10);
    let outcomes = follow(&mut setter);
    assert_eq!(missed(&outcomes), RevealMiss::WindowClosed);
    assert!(matches!(outcomes[1], WeightsOutcome::Committed { .. }));
}

#[test]
fn nothing_is_sealed_to_a_round_that_the_chain_cannot_open() {
    let behind = chain(true);
    let expected = behind.last_stored_round();
    behind.hold_beacon(Some(expected - 201));
    let refused = WeightsRefusal::BeaconBehind {
        last_stored: expected - 201,
        expected,
    };
    let outcome = set(&mut setter(&behind, memory()), 10);
    assert_eq!(outcome, WeightsOutcome::Refused(refused));
    behind.hold_beacon(Some(expected - 200));
    committed(&set(&mut setter(&behind, memory()), 10));

    // Rounds that once jumped ahead can never be stored any more.
    let ahead = chain(true);
    ahead.hold_beacon(Some(expected + 10_000));
    let outcome = set(&mut setter(&ahead, memory()), 10);
    let WeightsOutcome::Committed { round, .. } = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(round, Some(expected + 10_001));
}

#[test]
fn nothing_is_committed_just_before_an_epoch() {
    let chain = chain(true);
    chain.advance(17);
    let mut hasty = setter(&chain, memory());
    let ends = WeightsRefusal::EpochEnds { blocks_to_wait: 2 };
    assert_eq!(set(&mut hasty, 10), WeightsOutcome::Refused(ends));
    let options = WeightSetterOptions {
        patience: Patience::UntilEpochEnds,
        ..WeightSetterOptions::default()
    };
    let mut patient = setter(&chain, memory()).with_options(options);
    let new = weights(10);
    let (outcome, ()) = block_on(futures::future::join(patient.set(&new), pass(&chain, 2)));
    assert_eq!(committed(&outcome.unwrap()), (1, 2, 140, true));
}

#[test]
fn what_passes_is_waited_for_until_the_epoch_ends() {
    let chain = chain(false);
    let options = WeightSetterOptions {
        patience: Patience::UntilEpochEnds,
        ..WeightSetterOptions::default()
    };
    let mut setter = setter(&chain, memory()).with_options(options);
    set(&mut setter, 10);
    let full = || Error::Pool {
        call: "SubtensorModule.set_weights".into(),
        code: 1016,
        message: "the pool is full".into(),
    };
    chain.fail_next(ChainRequest::SendWeights, full());
    let new = weights(20);
    // Five for the rate limit, one for the pool.
    let (outcome, ()) = block_on(futures::future::join(setter.set(&new), pass(&chain, 6)));
    assert!(matches!(outcome, Ok(WeightsOutcome::OnChain { .. })));
    assert!(holds(&chain, &new));

    // Block 107 and 5 more are too late when the epoch begins at 120 in 2 blocks.
    chain.advance(8);
    set(&mut setter, 30);
    chain.advance(2);
    let late = set(&mut setter, 40);
    let limited = WeightsRefusal::RateLimited { blocks_to_wait: 3 };
    assert_eq!(late, WeightsOutcome::Refused(limited));
}

#[test]
fn a_pools_refusal_keeps_its_name() {
    let chain = chain(true);
    chain.fail_next(
        ChainRequest::SendWeights,
        Error::Pool {
            call: "SubtensorModule.commit_timelocked_weights".into(),
            code: 1010,
            message: "Custom error: 15 (InvalidRevealRound)".into(),
        },
    );
    let mut setter = setter(&chain, memory());
    let outcome = set(&mut setter, 10);
    let WeightsOutcome::Failed(failure @ WeightsFailure::Pool { code: 1010, .. }) = &outcome else {
        panic!("{outcome:?}")
    };
    assert!(failure.to_string().contains("InvalidRevealRound"));
    assert!(setter.pending().unwrap().is_empty());
    // What changed in between is named with its numbers.
    replace(&chain, &subnet(true, false, 1));
    let refused = set(&mut setter, 10);
    assert_eq!(refused.code(), "no_validator_permit");
}

#[test]
fn the_newest_of_several_commits_counts() {
    for seal in [SealChoice::Hash, SealChoice::Timelock] {
        let chain = chain(true);
        let mut setter = choosing(&chain, memory(), seal);
        committed(&set(&mut setter, 10));
        chain.advance(6);
        committed(&set(&mut setter, 20));
        assert_eq!(setter.pending().unwrap().len(), 2);
        chain.advance(16);
        assert_on_chain(&follow(&mut setter));
        assert!(holds(&chain, &weights(20)), "{seal:?}");
        assert!(setter.pending().unwrap().is_empty());
    }
}

#[test]
fn no_more_commits_are_sent_than_the_chain_keeps() {
    let chain = chain(true);
    chain.set_reveal_period(20);
    let mut setter = choosing(&chain, memory(), SealChoice::Hash);
    for nth in 0..10 {
        // Five blocks apart at least, and never in an epoch's last two.
        committed(&set(&mut setter, 10 + nth));
        chain.advance(10);
    }
    let many = WeightsRefusal::TooManyUnrevealed {
        unrevealed: 10,
        most: 10,
    };
    assert_eq!(set(&mut setter, 99), WeightsOutcome::Refused(many));
}

#[test]
fn weights_made_for_another_place_are_refused_once() {
    let chain = chain(true);
    let mut setter = setter(&chain, memory());
    committed(&set(&mut setter, 10));
    chain.advance(6);
    replace(&chain, &subnet(true, true, 104));
    let stale = WeightsRefusal::StaleRegistration {
        uid: Uid(0),
        since: Block(104),
    };
    assert_eq!(set(&mut setter, 20), WeightsOutcome::Refused(stale));
    committed(&set(&mut setter, 20));
}

#[test]
fn mechanisms_have_weights_of_their_own() {
    let chain = chain(false);
    let chance = || Box::new(StdRng::seed_from_u64(7));
    let clock = || Arc::new(ManualClock::at_nanos(0));
    let second = MechId(1);
    let mut setter = WeightSetter::new(chain.clone(), NETUID, second, memory(), chance(), clock());
    let missing = WeightsRefusal::NoSuchMechanism {
        mechid: second,
        mechanisms: 1,
    };
    assert_eq!(set(&mut setter, 10), WeightsOutcome::Refused(missing));
    chain.set_mechanisms(2);
    assert_on_chain(&[set(&mut setter, 10)]);
    assert!(row(&chain).is_empty(), "the first mechanism has none");
}

#[test]
fn a_broken_state_is_told_once_and_kept() {
    let (chain, folder) = (chain(true), tempfile::tempdir().unwrap());
    let path = folder.path().join("weights.json");
    std::fs::write(&path, "{").unwrap();
    let mut setter = choosing(&chain, FileCommitStore::new(&path), SealChoice::Hash);
    let error = block_on(setter.set(&weights(10))).unwrap_err();
    assert!(matches!(error, Error::CommitState { .. }), "{error:?}");
    assert_eq!(chain.sent_weights(), []);
    committed(&set(&mut setter, 10));
    assert!(folder.path().join("weights.json.unreadable-1").exists());
}

#[test]
fn what_cannot_be_saved_is_not_sent() {
    let chain = chain(true);
    let store = FileCommitStore::new("/nonexistent/weights.json");
    let error = block_on(choosing(&chain, store, SealChoice::Hash).set(&weights(1))).unwrap_err();
    assert!(matches!(error, Error::CommitFile { .. }), "{error:?}");
    assert_eq!(chain.sent_weights(), []);
}

#[test]
fn a_state_of_another_mechanism_is_refused() {
    let (chain, store) = (chain(true), Arc::new(memory()));
    committed(&set(&mut setter(&chain, Arc::clone(&store)), 10));
    let chance = Box::new(StdRng::seed_from_u64(7));
    let clock = Arc::new(ManualClock::at_nanos(0));
    let mut other = WeightSetter::new(chain, NETUID, MechId(1), store, chance, clock);
    let error = other.pending().unwrap_err();
    assert!(
        matches!(error, Error::ForeignCommitState { .. }),
        "{error:?}"
    );
}

#[test]
fn weights_can_be_made_from_the_limits_they_are_held_to() {
    let chain = chain(false);
    let mut setter = setter(&chain, memory());
    let outcome = block_on(setter.set_with(|standing| {
        assert_eq!((standing.uid, standing.neurons), (Some(Uid(0)), 3));
        Ok(weights(standing.parameters.tempo))
    }));
    assert!(matches!(outcome, Ok(WeightsOutcome::OnChain { .. })));
    assert!(holds(&chain, &weights(TEMPO)));
}

#[test]
fn secrets_are_not_shown() {
    let chain = chain(true);
    let mut setter = choosing(&chain, memory(), SealChoice::Hash);
    set(&mut setter, 10);
    let salt = match &setter.pending().unwrap()[0].seal {
        CommitSeal::Hash { salt, .. } => salt.numbers()[0].to_string(),
        CommitSeal::Timelock { .. } => panic!("a hash was asked for"),
    };
    assert!(!format!("{setter:?}").contains(&salt));
}
