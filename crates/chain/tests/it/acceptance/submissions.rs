//! The points of the users' list (`spec/chain.md` §8.3) and of the field's known pains (§9) that are
//! about transactions, each by its name.

use std::time::Duration;

use adit_chain::{
    Chain as _, Error, WeightsOutcome,
    client::{
        ChainCall, Client, DropReason, PoolReason, SubmissionOutcome, TransactionReport, calls,
    },
};
use adit_primitives::{NetUid, Rao, Uid, WeightVector};
use serde_json::json;

use crate::{
    devnet::{Devnet, SUBNET, connect, hasty, key, pass, registered, validator},
    node::{Fault, Node, Outcome, Step},
};

fn pay(amount: u64) -> ChainCall {
    calls::transfer_keep_alive(key("//friend").account(), Rao(amount))
}

/// §8.3 (5): every way a submission can end has a name, and exactly one applies.
#[tokio::test(flavor = "multi_thread")]
async fn users_5_a_submission_is_rejected_dropped_included_finalized_or_unknown() {
    let node = Node::finney().await;
    node.blocks(3);
    let mut options = hasty();
    options.finality_wait = Duration::from_millis(200);
    options.determination_wait = Duration::from_millis(300);
    let endpoints = [node.url()];
    let client = Client::connect(&endpoints, options).await.unwrap();
    let submit = || async { client.submit(&pay(1), &key("//Alice")).await.unwrap() };
    let ready = || Step::Status(json!("ready"));

    node.script([Step::Refuse {
        code: 1010,
        message: "Invalid Transaction",
        data: Some("Custom error: 12"),
    }]);
    let rejected = submit().await;
    assert!(
        matches!(&rejected, SubmissionOutcome::Rejected(refusal) if refusal.reason.name() == "ServingRateLimitExceeded"),
        "{rejected:?}"
    );

    node.script([ready(), Step::Status(json!("invalid"))]);
    let dropped = submit().await;
    assert!(
        matches!(
            dropped,
            SubmissionOutcome::Dropped {
                reason: DropReason::Invalid,
                ..
            }
        ),
        "{dropped:?}"
    );

    node.finalising(false);
    node.script([ready(), Step::Include(Outcome::success())]);
    let included = submit().await;
    assert!(
        matches!(included, SubmissionOutcome::Included(_)),
        "{included:?}"
    );

    let failed = Outcome::failed("SubtensorModule", "NotEnoughBalanceToStake");
    node.script([ready(), Step::Include(failed), Step::Finalize]);
    let finalized = submit().await;
    let SubmissionOutcome::Finalized(TransactionReport { failure, .. }) = &finalized else {
        panic!("{finalized:?}")
    };
    assert_eq!(failure.as_ref().unwrap().error, "NotEnoughBalanceToStake");

    node.script([ready(), Step::Status(json!("dropped"))]);
    node.fail("chain_getBlock", Fault::error(-32_000, "down"));
    let unknown = submit().await;
    assert!(
        matches!(unknown, SubmissionOutcome::Unknown { .. }),
        "{unknown:?}"
    );
}

/// §8.3 (7): error names come from the metadata of the block, not from tables of ours.
#[tokio::test(flavor = "multi_thread")]
async fn users_7_errors_are_named_from_metadata() {
    let devnet = Devnet::start(&[]);
    let client = devnet.client().await;
    let call = calls::burned_register(NetUid(9), key("//miner").hotkey());
    let outcome = client.submit(&call, &key("//Alice")).await.unwrap();
    let failure = outcome.report().unwrap().failure.clone().unwrap();
    assert_eq!(failure.pallet, "SubtensorModule");
    assert!(failure.error.contains("NotExist"), "{failure}");
    assert!(
        outcome
            .report()
            .unwrap()
            .events
            .iter()
            .any(|event| event.is("System", "ExtrinsicFailed"))
    );
}

/// §9 "set" but not set: an answer that says so was read back from the chain.
#[tokio::test(flavor = "multi_thread")]
async fn pain_weights_called_set_are_on_chain() {
    let devnet = Devnet::start(&[]);
    let client = devnet.client().await;
    let (validator, hotkey) = validator(&client).await;
    let uid = client.uid(SUBNET, hotkey.hotkey()).await.unwrap().unwrap();
    let other = Uid(if uid.0 == 0 { 1 } else { 0 });
    pass(&client, 6).await;
    let weights = WeightVector::new(vec![(other, 65_535)]).unwrap();
    let outcome = validator.set_weights(SUBNET, &weights, 0).await.unwrap();
    assert!(
        matches!(outcome, WeightsOutcome::OnChain { .. }),
        "{outcome:?}"
    );
    assert_eq!(client.weights_on_chain(SUBNET, uid).await.unwrap(), weights);
    // At once again is too soon: the answer says so instead of looking like a success.
    let outcome = validator.set_weights(SUBNET, &weights, 0).await.unwrap();
    assert!(
        !matches!(outcome, WeightsOutcome::OnChain { .. }),
        "{outcome:?}"
    );
}

/// §9 hangs: a socket that dies while a transaction is watched does not leave anybody waiting, and
/// the transaction is not watched a second time with a second submission.
#[tokio::test(flavor = "multi_thread")]
async fn pain_a_dead_socket_hangs_no_submission() {
    let node = Node::finney().await;
    node.blocks(3);
    let client = connect(&[node.url()]).await;
    node.script([
        Step::Status(json!("ready")),
        Step::Close,
        Step::IncludeSilently(Outcome::success()),
    ]);
    let (call, alice) = (pay(1), key("//Alice"));
    let submitting = client.submit(&call, &alice);
    let outcome = tokio::time::timeout(Duration::from_secs(60), submitting).await;
    let outcome = outcome.unwrap().unwrap();
    assert!(outcome.succeeded(), "{outcome:?}");
    assert_eq!(node.asked("author_submitAndWatchExtrinsic"), 1);
    assert_eq!(node.submitted().len(), 1);
}

/// §9 nonce collisions: one hotkey, many signers in two processes at once.
#[tokio::test(flavor = "multi_thread")]
async fn pain_concurrent_signers_of_one_key_do_not_collide() {
    let devnet = Devnet::start(&[]);
    let clients = [devnet.client().await, devnet.client().await];
    let alice = key("//Alice");
    let sends = (0..16).map(|nth| {
        let client = &clients[nth % 2];
        let alice = &alice;
        async move { client.submit(&pay(1_000), alice).await.unwrap() }
    });
    for outcome in futures::future::join_all(sends).await {
        assert!(outcome.succeeded(), "{outcome:?}");
    }
    let balance = clients[0].balance(key("//friend").account()).await.unwrap();
    assert_eq!(balance, Rao(16_000), "each once");
}

/// §9 "Priority is too low (1014)": is never the end while another nonce is free.
#[tokio::test(flavor = "multi_thread")]
async fn pain_priority_too_low_takes_the_next_nonce() {
    let node = Node::finney().await;
    let client = connect(&[node.url()]).await;
    node.script([Step::Refuse {
        code: 1014,
        message: "Priority is too low: (1 vs 1)",
        data: None,
    }]);
    let outcome = client.submit(&pay(1), &key("//Alice")).await.unwrap();
    assert!(outcome.succeeded(), "{outcome:?}");
}

/// §9 "Transaction is outdated" and bad signatures after an upgrade: signed anew, no restart needed.
#[tokio::test(flavor = "multi_thread")]
async fn pain_outdated_and_bad_signatures_mend_themselves() {
    let node = Node::finney().await;
    let client = connect(&[node.url()]).await;
    let alice = key("//Alice");
    let refuse = |data| {
        [Step::Refuse {
            code: 1010,
            message: "Invalid Transaction",
            data: Some(data),
        }]
    };
    node.script(refuse("Transaction is outdated"));
    assert!(client.submit(&pay(1), &alice).await.unwrap().succeeded());
    // The signed-for runtime is gone when the transaction arrives.
    node.fail_times(
        "system_accountNextIndex",
        1,
        Fault::Late(Duration::from_millis(100)),
    );
    node.script(refuse("Transaction has a bad signature"));
    let upgrading = async {
        tokio::time::sleep(Duration::from_millis(40)).await;
        node.upgrade(crate::node::NodeRuntime::edited(366, |_| {}));
        node.block();
    };
    let call = pay(2);
    let (outcome, ()) = tokio::join!(client.submit(&call, &alice), upgrading);
    assert!(outcome.unwrap().succeeded());
    assert_eq!(client.spec_version().await.unwrap(), 366);
    // A signature that is bad for another reason is said to be so, once.
    let before = node.submitted().len();
    node.script(refuse("Transaction has a bad signature"));
    let outcome = client.submit(&pay(3), &alice).await.unwrap();
    assert!(
        matches!(&outcome, SubmissionOutcome::Rejected(refusal) if refusal.reason == PoolReason::BadSignature),
        "{outcome:?}"
    );
    assert_eq!(node.submitted().len(), before + 1);
}

/// §9 temporarily banned (1012): what was sent is never sent again as a reflex.
#[tokio::test(flavor = "multi_thread")]
async fn pain_a_ban_is_reported_and_not_provoked_further() {
    let node = Node::finney().await;
    let client = connect(&[node.url()]).await;
    node.script([Step::Refuse {
        code: 1012,
        message: "Transaction is temporarily banned",
        data: None,
    }]);
    let (friend, alice) = (key("//friend").account(), key("//Alice"));
    let error = client.transfer(friend, Rao(1), &alice);
    let error = error.await.unwrap_err();
    assert!(
        matches!(&error, Error::Pool { code: 1012, .. }),
        "{error:?}"
    );
    assert_eq!(node.submitted().len(), 1);
}

/// §9 hotkeys without funds: what neurons call is free, also for an account that holds nothing.
#[tokio::test(flavor = "multi_thread")]
async fn pain_an_unfunded_hotkey_needs_no_tao() {
    let devnet = Devnet::start(&[]);
    let client = devnet.client().await;
    let (miner, hotkey) = registered(&client, "//miner").await;
    assert_eq!(client.balance(hotkey.account()).await.unwrap(), Rao(0));
    let axon = adit_primitives::AxonInfo {
        ip: "203.0.113.7".parse().unwrap(),
        port: 1,
        protocol: 4,
        version: 1,
        block: adit_primitives::Block(0),
    };
    miner.serve_axon(SUBNET, &axon).await.unwrap();
    assert_eq!(client.balance(hotkey.account()).await.unwrap(), Rao(0));
}
