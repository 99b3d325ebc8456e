//! Every call of a neuron and its owner against the devnet, read back.

use std::sync::Arc;

use adit_chain::{
    Chain as _, Error, Served,
    client::{
        BatchMode, CallClass, ChainCall, ChainValue, Client, DryRun, StakeChange,
        SubmissionOutcome, calls,
    },
};
use adit_primitives::{
    AXON_PROTOCOL_ANY, AxonInfo, Block, Coldkey, CommitmentField, NetUid, Rao, Uid, WeightVector,
};
use adit_wallet::{Keypair, SignatureScheme};

use serde_json::json;
use subxt::ext::scale_value::Value;

use crate::{
    devnet::{Devnet, SUBNET, connect, key, pass, registered, validator},
    node::{Node, Outcome, Step},
};

fn axon(port: u16) -> AxonInfo {
    AxonInfo {
        ip: "203.0.113.7".parse().unwrap(),
        port,
        protocol: AXON_PROTOCOL_ANY,
        version: 1,
        block: Block(0),
    }
}

/// What a failure is called, wherever it was noticed.
fn said(error: &Error) -> String {
    assert!(
        matches!(error, Error::Refused { .. } | Error::Pool { .. }),
        "{error:?}"
    );
    error.to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_is_bought_for_no_more_than_the_limit() {
    let devnet = Devnet::start(&[]);
    let client = devnet.client().await;
    let (alice, miner) = (key("//Alice"), key("//miner").hotkey());
    let price = client.burn_price(SUBNET).await.unwrap();
    assert!(price > Rao(0));
    let dear = client.register_within(SUBNET, miner, Rao(price.0 / 2), &alice);
    let text = said(&dear.await.unwrap_err());
    assert!(text.contains("RegistrationPriceLimitExceeded"), "{text}");
    let bought = client
        .register_within(SUBNET, miner, Rao(price.0 * 2), &alice)
        .await
        .unwrap();
    assert!(bought.receipt.is_some());
    assert_eq!(client.uid(SUBNET, miner).await.unwrap(), Some(bought.uid));

    let root = client.register_root(miner, &alice).await.unwrap();
    assert_eq!(client.uid(NetUid(0), miner).await.unwrap(), Some(root.uid));
    let again = client.register_root(miner, &alice).await.unwrap();
    assert_eq!(again.receipt, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_runtime_is_asked_for_the_price_before() {
    let node = Node::finney().await;
    node.set(
        "SubtensorModule",
        "Burn",
        [crate::node::number(1_u8)],
        5_000_u64,
    );
    node.block();
    let client = connect(&[node.url()]).await;
    let hotkey = key("//miner").hotkey();
    let alice = key("//Alice");
    let dear = client.register_within(SUBNET, hotkey, Rao(4_999), &alice);
    let error = dear.await.unwrap_err();
    assert!(
        matches!(
            error,
            Error::PriceAboveLimit {
                price: Rao(5_000),
                limit: Rao(4_999),
                ..
            }
        ),
        "{error:?}"
    );
    assert!(node.submitted().is_empty(), "nothing was sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn stake_comes_and_goes_and_the_chain_says_how_much() {
    let devnet = Devnet::start(&[]);
    let client = devnet.client().await;
    let (alice, tao) = (key("//Alice"), Rao::from_tao);
    let (_, one) = registered(&client, "//one").await;
    let (_, other) = registered(&client, "//other").await;
    let (one, other) = (one.hotkey(), other.hotkey());

    let added = client
        .add_stake(SUBNET, one, tao(10), &alice)
        .await
        .unwrap();
    let [
        StakeChange {
            added: true,
            netuid: SUBNET,
            hotkey,
            tao: paid,
            alpha,
            ..
        },
    ] = added.changes[..]
    else {
        panic!("{added:?}")
    };
    assert_eq!((hotkey, paid), (one, tao(10)));
    assert!(alpha > Rao(0));

    let cheap = (Rao(1), false);
    let refused = client
        .add_stake_within(SUBNET, one, tao(1), cheap, &alice)
        .await;
    let text = said(&refused.unwrap_err());
    assert!(
        text.contains("SlippageTooHigh") || text.contains("ZeroMax"),
        "{text}"
    );
    let generous = (tao(100), true);
    let within = client
        .add_stake_within(SUBNET, one, tao(1), generous, &alice)
        .await
        .unwrap();
    assert_eq!(within.changes[0].tao, tao(1));

    let removed = client
        .remove_stake(SUBNET, one, tao(2), &alice)
        .await
        .unwrap();
    assert!(!removed.changes[0].added && removed.changes[0].alpha == tao(2));
    let low = (Rao(1), false);
    let removed = client
        .remove_stake_within(SUBNET, one, tao(1), low, &alice)
        .await
        .unwrap();
    assert_eq!(removed.changes[0].alpha, tao(1));
    let much = client
        .remove_stake(SUBNET, one, tao(1_000_000), &alice)
        .await;
    assert!(said(&much.unwrap_err()).contains("NotEnoughStakeToWithdraw"));

    let (from, to) = ((one, SUBNET), (other, SUBNET));
    let moved = client.move_stake(from, to, tao(3), &alice).await.unwrap();
    assert!(moved.moved.is_some(), "{moved:?}");
    let bob = Coldkey(key("//Bob").account());
    let given = client
        .transfer_stake(bob, other, (SUBNET, SUBNET), tao(1), &alice)
        .await
        .unwrap();
    assert!(given.moved.is_some(), "{given:?}");
    let swapped = client
        .swap_stake(one, SUBNET, NetUid(0), tao(1), &alice)
        .await
        .unwrap();
    assert!(swapped.moved.is_some(), "{swapped:?}");

    let all = client.unstake_all(one, &alice).await.unwrap();
    assert!(!all.changes.is_empty() && all.changes.iter().all(|change| !change.added));
    let none = client.remove_stake(SUBNET, one, tao(1), &alice).await;
    assert!(said(&none.unwrap_err()).contains("NotEnoughStakeToWithdraw"));
}

#[tokio::test(flavor = "multi_thread")]
async fn tao_goes_in_all_three_ways() {
    let devnet = Devnet::start(&[]);
    let client = devnet.client().await;
    let (friend, heir) = (key("//friend"), key("//heir"));
    client
        .transfer(friend.account(), Rao::from_tao(5), &key("//Bob"))
        .await
        .unwrap();
    let deadly = Rao::from_tao(4);
    client
        .transfer_allow_death(heir.account(), deadly, &friend)
        .await
        .unwrap();
    assert_eq!(client.balance(heir.account()).await.unwrap(), deadly);
    let left = client.balance(friend.account()).await.unwrap();
    let (_, moved) = client
        .transfer_all(heir.account(), false, &friend)
        .await
        .unwrap();
    assert!(moved < left, "the fee is paid from it");
    assert_eq!(client.balance(friend.account()).await.unwrap(), Rao(0));
    let heired = client.balance(heir.account()).await.unwrap();
    assert_eq!(heired, deadly.saturating_add(moved));
    let (_, moved) = client
        .transfer_all(friend.account(), true, &heir)
        .await
        .unwrap();
    assert!(moved < heired);
    assert_eq!(client.balance(heir.account()).await.unwrap(), Rao(500));
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_and_metrics_are_announced_once() {
    let devnet = Devnet::start(&[]);
    let client = devnet.client().await;
    let (miner, _) = registered(&client, "//miner").await;
    let certificate = [&[1_u8][..], &[7; 64]].concat();
    let served = miner
        .serve_axon_tls(SUBNET, &axon(8_091), &certificate)
        .await
        .unwrap();
    assert!(matches!(served, Served::OnChain { .. }));
    let again = miner
        .serve_axon_tls(SUBNET, &axon(8_091), &certificate)
        .await
        .unwrap();
    assert_eq!(again, Served::AlreadySo);
    pass(&client, 6).await;
    let other = [&[2_u8][..], &[8; 64]].concat();
    let changed = miner
        .serve_axon_tls(SUBNET, &axon(8_091), &other)
        .await
        .unwrap();
    assert!(
        matches!(changed, Served::OnChain { .. }),
        "the certificate changed"
    );
    for bad in [0, 1, 66] {
        let refused = miner
            .serve_axon_tls(SUBNET, &axon(8_091), &vec![1; bad])
            .await;
        assert!(matches!(refused, Err(Error::Certificate { bytes }) if bytes == bad));
    }

    let at = "203.0.113.7:7091".parse().unwrap();
    let served = miner.serve_prometheus(SUBNET, at, 3).await.unwrap();
    assert!(matches!(served, Served::OnChain { .. }));
    assert_eq!(
        miner.serve_prometheus(SUBNET, at, 3).await.unwrap(),
        Served::AlreadySo
    );

    let stranger = client.with_signer(key("//stranger"));
    let refused = stranger.serve_prometheus(SUBNET, at, 3).await.unwrap_err();
    assert!(said(&refused).contains("HotKeyNotRegistered"));
}

#[tokio::test(flavor = "multi_thread")]
async fn commitments_are_published_within_their_space() {
    let devnet = Devnet::start(&[]);
    let client = devnet.client().await;
    let (miner, _) = registered(&client, "//miner").await;
    let before = miner.commitment_space(SUBNET).await.unwrap();
    assert_eq!(before.used, 0);
    let fields = [
        CommitmentField::Raw(b"https://example.org/model".to_vec()),
        CommitmentField::Sha256([9; 32]),
    ];
    miner.set_commitment(SUBNET, &fields).await.unwrap();
    let after = miner.commitment_space(SUBNET).await.unwrap();
    assert!(after.used >= 100 || after.limit == 0, "{after:?}");
    let long = [CommitmentField::Raw(vec![1; 129])];
    let refused = miner.set_commitment(SUBNET, &long).await.unwrap_err();
    assert!(matches!(refused, Error::Commitment { .. }), "{refused:?}");
    let stranger = client.with_signer(key("//stranger"));
    let refused = stranger.set_commitment(SUBNET, &fields).await.unwrap_err();
    assert!(said(&refused).contains("AccountNotAllowedCommit"));
}

#[tokio::test(flavor = "multi_thread")]
async fn children_and_takes_are_set_and_read_back() {
    let devnet = Devnet::start(&[]);
    let client = devnet.client().await;
    let alice = key("//Alice");
    let (_, parent) = registered(&client, "//parent").await;
    let (_, child) = registered(&client, "//child").await;
    let (parent, child) = (parent.hotkey(), child.hotkey());
    let half = [(u64::MAX / 2, child)];
    let scheduled = client
        .set_children(SUBNET, parent, &half, &alice)
        .await
        .unwrap();
    assert!(scheduled.from.unwrap() >= scheduled.receipt.block);
    let own = client
        .set_children(SUBNET, parent, &[(1, parent)], &alice)
        .await;
    assert!(said(&own.unwrap_err()).contains("InvalidChild"));

    let set = client
        .set_childkey_take(SUBNET, child, 1_000, &alice)
        .await
        .unwrap();
    assert!(set.take == 1_000 && set.receipt.is_some());
    let again = client
        .set_childkey_take(SUBNET, child, 1_000, &alice)
        .await
        .unwrap();
    assert_eq!(again.receipt, None);

    let lowered = client
        .set_delegate_take(parent, 5_000, &alice)
        .await
        .unwrap();
    assert!(lowered.take == 5_000 && lowered.receipt.is_some());
    let again = client
        .set_delegate_take(parent, 5_000, &alice)
        .await
        .unwrap();
    assert_eq!(again.receipt, None);
    let high = client.set_delegate_take(parent, 60_000, &alice).await;
    assert!(said(&high.unwrap_err()).contains("TakeTooHigh"));
}

fn pay(to: &Keypair, amount: Rao) -> ChainCall {
    calls::transfer_keep_alive(to.account(), amount)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_failed_in_a_batch_is_named_although_the_chain_calls_it_a_success() {
    let devnet = Devnet::start(&[]);
    let client = devnet.client().await;
    let (bob, friend) = (key("//Bob"), key("//friend"));
    let one = Rao::from_tao(1);
    let missing = calls::burned_register(NetUid(9), key("//miner").hotkey());
    let mixed = || vec![pay(&friend, one), missing.clone(), pay(&friend, one)];

    let every = client.batch(mixed(), BatchMode::Every, &bob).await.unwrap();
    assert_eq!(every.items.len(), 3);
    let failure = every.items[1].as_ref().unwrap();
    assert!(failure.error.contains("NotExist"), "{failure}");
    assert!(every.items[0].is_none() && every.items[2].is_none());
    assert_eq!(
        client.balance(friend.account()).await.unwrap(),
        Rao::from_tao(2)
    );

    let until = client
        .batch(mixed(), BatchMode::UntilFailure, &bob)
        .await
        .unwrap();
    assert_eq!(until.items.len(), 2);
    assert!(until.items[0].is_none() && until.items[1].is_some());
    assert_eq!(
        client.balance(friend.account()).await.unwrap(),
        Rao::from_tao(3)
    );

    let none = client
        .batch(mixed(), BatchMode::AllOrNone, &bob)
        .await
        .unwrap_err();
    assert!(said(&none).contains("NotExist"));
    assert_eq!(
        client.balance(friend.account()).await.unwrap(),
        Rao::from_tao(3)
    );
    let good = vec![pay(&friend, one), pay(&friend, one)];
    let both = client
        .batch(good, BatchMode::AllOrNone, &bob)
        .await
        .unwrap();
    assert_eq!(both.items, [None, None]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_behind_sudo_is_a_failure() {
    let devnet = Devnet::start(&[]);
    let client = devnet.client().await;
    let missing = calls::burned_register(NetUid(9), key("//miner").hotkey());
    let sudo = ChainCall::new("Sudo.sudo", [("call", missing.as_argument())]);
    let outcome = client.submit(&sudo, &key("//Alice")).await.unwrap();
    let SubmissionOutcome::Finalized(report) = outcome else {
        panic!("{outcome:?}")
    };
    let failure = report.failure.unwrap();
    assert_eq!(failure.inside.as_deref(), Some("Sudo.Sudid"), "{failure}");
}

#[tokio::test(flavor = "multi_thread")]
async fn weights_on_several_subnets_say_which_were_refused() {
    let devnet = Devnet::start(&[]);
    let client = devnet.client().await;
    let (validator, hotkey) = validator(&client).await;
    let uid = client.uid(SUBNET, hotkey.hotkey()).await.unwrap().unwrap();
    let other = Uid(if uid.0 == 0 { 1 } else { 0 });
    pass(&client, 6).await;
    let weights = WeightVector::new(vec![(other, 65_535)]).unwrap();
    let item = |netuid| calls::WeightsItem {
        netuid,
        weights: weights.clone(),
        version_key: 0,
    };
    let batch = [item(NetUid(9)), item(SUBNET)];
    let report = validator.batch_set_weights(&batch).await.unwrap();
    // What a subnet that is not there counts as is the runtime's to say.
    let failure = report.items[0].as_ref().unwrap();
    let inside = Some("SubtensorModule.BatchWeightItemFailed");
    assert_eq!(failure.inside.as_deref(), inside, "{failure}");
    assert_eq!(report.items[1], None);
    assert_eq!(client.weights_on_chain(SUBNET, uid).await.unwrap(), weights);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fee_is_no_less_than_what_is_paid_and_a_dry_run_is_what_happens() {
    let devnet = Devnet::start(&[]);
    let client = devnet.client().await;
    let (bob, friend) = (key("//Bob"), key("//friend"));
    let call = pay(&friend, Rao::from_tao(1));
    let fee = client.estimate_fee(&call, bob.account()).await.unwrap();
    assert_eq!(fee.class, CallClass::Normal);
    assert_eq!(client.dry_run(&call, &bob).await.unwrap(), DryRun::Succeeds);
    let before = client.balance(bob.account()).await.unwrap();
    assert!(client.submit(&call, &bob).await.unwrap().succeeded());
    let after = client.balance(bob.account()).await.unwrap();
    // What the call did not use of its weight is paid back.
    let paid = before.0 - after.0 - Rao::from_tao(1).0;
    assert!(0 < paid && paid <= fee.fee.0, "{paid} of {}", fee.fee);

    let missing = calls::burned_register(NetUid(9), key("//miner").hotkey());
    let fails = client.dry_run(&missing, &bob).await.unwrap();
    assert!(
        matches!(&fails, DryRun::Fails(failure) if failure.error.contains("NotExist")),
        "{fails:?}"
    );
    let poor = client.dry_run(&call, &key("//poor")).await.unwrap();
    assert!(matches!(poor, DryRun::Rejected(_)), "{poor:?}");
    let announce = calls::serve_axon(SUBNET, &axon(1));
    let refused = client.dry_run(&announce, &key("//stranger")).await.unwrap();
    let DryRun::Rejected(refusal) = &refused else {
        panic!("{refused:?}")
    };
    assert_eq!(refusal.reason.name(), "HotKeyNotRegisteredInNetwork");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_runs_nothing_on_trial_still_tells_what_its_pool_would_say() {
    let node = Node::finney().await;
    node.blocks(2);
    let client = connect(&[node.url()]).await;
    let call = pay(&key("//friend"), Rao(1));
    // Valid: priority, nothing required, one tag provided, longevity, propagated.
    let valid = [
        &[0][..],
        &7_u64.to_le_bytes(),
        &[0, 4, 4, 1],
        &64_u64.to_le_bytes(),
        &[1],
    ]
    .concat();
    node.on_call("TaggedTransactionQueue_validate_transaction", move |_| {
        valid.clone()
    });
    let taken = DryRun::Taken {
        ready: true,
        priority: 7,
        longevity: 64,
    };
    assert_eq!(client.dry_run(&call, &key("//Alice")).await.unwrap(), taken);
    node.on_call("TaggedTransactionQueue_validate_transaction", |_| {
        vec![1, 0, 7, 6]
    });
    let rejected = client.dry_run(&call, &key("//Alice")).await.unwrap();
    let DryRun::Rejected(refusal) = &rejected else {
        panic!("{rejected:?}")
    };
    assert_eq!(refusal.reason.name(), "RateLimitExceeded");
    assert!(node.submitted().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_runtime_does_not_have_is_named_and_nothing_is_sent() {
    let node = Node::finney().await;
    let client = connect(&[node.url()]).await;
    let alice = key("//Alice");
    let unknown = ChainCall::new(
        "SubtensorModule.from_the_future",
        [("netuid", SUBNET.into())],
    );
    let error = client.submit(&unknown, &alice).await.unwrap_err();
    assert!(error.to_string().contains("from_the_future"), "{error}");
    let typed = ChainCall::new(
        "SubtensorModule.start_call",
        [("netuid", ChainValue::Text("one".to_owned()))],
    );
    let error = client.submit(&typed, &alice).await.unwrap_err();
    assert!(matches!(error, Error::Build { .. }), "{error:?}");
    assert!(node.submitted().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_swap_of_hotkeys_is_believed_when_the_chain_tells_of_it() {
    let node = Node::finney().await;
    node.block();
    let client = connect(&[node.url()]).await;
    let (alice, old, new) = (key("//Alice"), key("//old"), key("//new"));
    let account = |key: &Keypair| Value::from_bytes(key.account().as_bytes());
    let told = (
        "SubtensorModule",
        "HotkeySwapped",
        vec![account(&alice), account(&old), account(&new)],
    );
    node.script([
        Step::Status(json!("ready")),
        Step::Include(Outcome::Success(vec![told])),
        Step::Finalize,
    ]);
    let swapped = client.swap_hotkey(old.hotkey(), new.hotkey(), None, &alice);
    assert_eq!(swapped.await.unwrap().block, node.head().number);
    let untold = client.swap_hotkey(old.hotkey(), new.hotkey(), Some(SUBNET), &alice);
    let error = untold.await.unwrap_err();
    assert!(matches!(error, Error::NotAsSent { .. }), "{error:?}");
}

/// A hotkey that signs ed25519, registered and seen on chain.
async fn edwards(client: &Client) -> (Client, Arc<Keypair>) {
    let seed = [42; 32];
    let hotkey = Keypair::from_seed_with_scheme(SignatureScheme::Ed25519, &seed);
    let hotkey = Arc::new(hotkey);
    client
        .register_burned(SUBNET, hotkey.hotkey(), &key("//Alice"))
        .await
        .unwrap();
    (client.with_signer(Arc::clone(&hotkey)), hotkey)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ed25519_hotkey_signs_too() {
    let devnet = Devnet::start(&[]);
    let client = devnet.client().await;
    let (miner, hotkey) = edwards(&client).await;
    let served = miner.serve_axon(SUBNET, &axon(9)).await.unwrap();
    assert!(matches!(served, Served::OnChain { .. }));
    let metagraph = client.metagraph(SUBNET).await.unwrap();
    let neuron = metagraph.by_hotkey(&hotkey.hotkey()).unwrap();
    assert_eq!(neuron.axon.unwrap().port, 9);
}
