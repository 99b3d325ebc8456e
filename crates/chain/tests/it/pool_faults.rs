//! What a real node does too rarely to a transaction, done by the scripted one.

use std::time::Duration;

use adit_chain::{
    Error,
    client::{
        ChainCall, ChainValue, Client, ClientOptions, DropReason, PoolReason, SubmissionOutcome,
        SubtensorCode,
    },
};
use adit_primitives::Rao;
use serde_json::json;
use subxt::ext::scale_value::Value;

use crate::{
    devnet::{hasty, key},
    node::{Fault, Node, NodeRuntime, Outcome, Step, event, number},
};

async fn client(node: &Node, options: ClientOptions) -> Client {
    node.blocks(3);
    Client::connect(&[node.url()], options).await.unwrap()
}

fn pay() -> ChainCall {
    let to = ChainValue::address(key("//Bob").account());
    let arguments = [("dest", to), ("value", Rao(7).into())];
    ChainCall::new("Balances.transfer_keep_alive", arguments)
}

async fn submit(client: &Client) -> SubmissionOutcome {
    client.submit(&pay(), &key("//Alice")).await.unwrap()
}

/// The nonce in a transaction with a mortal era.
fn nonce(text: &str) -> u64 {
    let bytes = hex(text);
    let prefix = [1, 2, 4, 5][usize::from(bytes[0] & 0b11)];
    // Version, address and signature, each with its kind in front; two bytes of era.
    let place = prefix + 1 + 33 + 65 + 2;
    assert_eq!(bytes[place] & 0b11, 0, "a nonce below 64");
    u64::from(bytes[place] >> 2)
}

fn hex(text: &str) -> Vec<u8> {
    let digits = text.trim_start_matches("0x").as_bytes().chunks(2);
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.map(byte).collect()
}

fn refuse(code: i64, message: &'static str, data: Option<&'static str>) -> [Step; 1] {
    [Step::Refuse {
        code,
        message,
        data,
    }]
}

const INVALID: &str = "Invalid Transaction";

fn succeeded(place: u32) -> Value {
    let weight = Value::named_composite([("ref_time", number(0_u8)), ("proof_size", number(0_u8))]);
    let info = Value::named_composite([
        ("weight", weight),
        ("class", Value::unnamed_variant("Normal", [])),
        ("pays_fee", Value::unnamed_variant("Yes", [])),
    ]);
    event(Some(place), "System", "ExtrinsicSuccess", [info])
}

/// Waits until the node has done something.
async fn until(what: impl Fn() -> bool) {
    while !what() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_pool_refuses_for_good_is_named_and_never_sent_again() {
    let node = Node::finney().await;
    let client = client(&node, hasty()).await;
    let cases = [
        (
            1010,
            Some("Custom error: 6"),
            PoolReason::Custom(SubtensorCode(6)),
        ),
        (
            1010,
            Some("Custom error: 255"),
            PoolReason::Custom(SubtensorCode(255)),
        ),
        (
            1010,
            Some("Transaction has a bad signature"),
            PoolReason::BadSignature,
        ),
        (
            1010,
            Some("Inability to pay some fees (e.g. account balance too low)"),
            PoolReason::CannotPay,
        ),
        (1011, None, PoolReason::Unknown),
        (1012, None, PoolReason::Banned),
        (1016, None, PoolReason::PoolFull),
    ];
    for (nth, (code, data, expected)) in cases.into_iter().enumerate() {
        node.script(refuse(code, INVALID, data));
        let outcome = submit(&client).await;
        let SubmissionOutcome::Rejected(refusal) = &outcome else {
            panic!("{code} {data:?}: {outcome:?}")
        };
        assert_eq!((refusal.code, refusal.reason), (code, expected));
        assert_eq!(node.submitted().len(), nth + 1, "{code} {data:?}");
    }
    assert!(submit(&client).await.succeeded(), "a refusal leaves no gap");
    let texts = node.submitted();
    assert!(
        texts.iter().all(|text| nonce(text) == 0),
        "the nonce was never used"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nonce_that_somebody_else_holds_is_passed_over() {
    let node = Node::finney().await;
    let client = client(&node, hasty()).await;
    node.script(refuse(1014, "Priority is too low: (1 vs 1)", None));
    node.script(refuse(1014, "Priority is too low: (1 vs 1)", None));
    assert!(submit(&client).await.succeeded());
    let nonces = node.submitted();
    let nonces = nonces.iter().map(|text| nonce(text)).collect::<Vec<_>>();
    assert_eq!(nonces, [0, 1, 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nonce_that_was_used_meanwhile_is_asked_for_again() {
    let node = Node::finney().await;
    let client = client(&node, hasty()).await;
    node.fail_times("system_accountNextIndex", 1, Fault::Answer(json!(0)));
    node.fail_times("system_accountNextIndex", 1, Fault::Answer(json!(5)));
    node.script(refuse(1010, INVALID, Some("Transaction is outdated")));
    assert!(submit(&client).await.succeeded());
    let nonces = node.submitted();
    let nonces = nonces.iter().map(|text| nonce(text)).collect::<Vec<_>>();
    assert_eq!(nonces, [0, 5]);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_always_too_late_ends_too() {
    let node = Node::finney().await;
    let client = client(&node, hasty()).await;
    for _ in 0..20 {
        node.script(refuse(1010, INVALID, Some("Transaction is outdated")));
    }
    let outcome = submit(&client).await;
    assert!(
        matches!(&outcome, SubmissionOutcome::Rejected(refusal) if refusal.reason == PoolReason::Outdated),
        "{outcome:?}"
    );
    assert!(node.submitted().len() < 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_pool_knows_already_is_looked_for_in_the_blocks() {
    let node = Node::finney().await;
    let client = client(&node, hasty()).await;
    node.script(refuse(1013, "Transaction Already Imported", None));
    let including = async {
        until(|| !node.submitted().is_empty()).await;
        node.block_with(node.submitted(), &[succeeded(0)]);
    };
    let (outcome, ()) = tokio::join!(submit(&client), including);
    assert!(
        outcome.succeeded() && matches!(outcome, SubmissionOutcome::Finalized(_)),
        "{outcome:?}"
    );
    assert_eq!(node.asked("author_submitAndWatchExtrinsic"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_between_signing_and_sending_is_signed_for_again() {
    let node = Node::finney().await;
    let client = client(&node, hasty()).await;
    node.fail_times(
        "system_accountNextIndex",
        1,
        Fault::Late(Duration::from_millis(100)),
    );
    node.script(refuse(
        1010,
        INVALID,
        Some("Transaction has a bad signature"),
    ));
    let upgrading = async {
        until(|| node.asked("system_accountNextIndex") > 0).await;
        node.upgrade(NodeRuntime::edited(366, |_| {}));
        node.block();
    };
    let (outcome, ()) = tokio::join!(submit(&client), upgrading);
    assert!(outcome.succeeded(), "{outcome:?}");
    assert_eq!(node.submitted().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_between_signing_and_inclusion_is_signed_for_once_more_with_the_same_nonce() {
    let node = Node::finney().await;
    let client = client(&node, hasty()).await;
    node.upgrade(NodeRuntime::edited(366, |_| {}));
    node.script([
        Step::Status(json!("ready")),
        Step::Blocks(1),
        Step::Status(json!("invalid")),
    ]);
    let outcome = submit(&client).await;
    assert!(outcome.succeeded(), "{outcome:?}");
    let texts = node.submitted();
    assert_eq!(texts.len(), 2);
    assert_eq!(
        nonce(&texts[0]),
        nonce(&texts[1]),
        "only one of them can ever be included"
    );
    assert_ne!(texts[0], texts[1]);

    // Without an upgrade the pool's word stands, and nothing is sent again.
    node.script([Step::Status(json!("ready")), Step::Status(json!("invalid"))]);
    let outcome = submit(&client).await;
    assert!(
        matches!(
            outcome,
            SubmissionOutcome::Dropped {
                reason: DropReason::Invalid,
                ..
            }
        ),
        "{outcome:?}"
    );
    assert_eq!(node.submitted().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_called_invalid_but_is_in_a_block_is_included() {
    let node = Node::finney().await;
    let client = client(&node, hasty()).await;
    let silently = Step::IncludeSilently(Outcome::success());
    for word in [
        json!("invalid"),
        json!({"usurped": "0x00"}),
        json!("dropped"),
    ] {
        node.script([
            Step::Status(json!("ready")),
            silently.clone(),
            Step::Status(word.clone()),
        ]);
        let outcome = submit(&client).await;
        assert!(outcome.succeeded(), "{word}: {outcome:?}");
    }
    assert_eq!(node.submitted().len(), 3, "nothing was sent twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_usurped_transaction_is_dropped() {
    let node = Node::finney().await;
    let client = client(&node, hasty()).await;
    node.script([
        Step::Status(json!("ready")),
        Step::Status(json!({"usurped": "0x00"})),
    ]);
    let outcome = submit(&client).await;
    assert!(
        matches!(
            outcome,
            SubmissionOutcome::Dropped {
                reason: DropReason::Usurped,
                ..
            }
        ),
        "{outcome:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_transaction_whose_nonce_another_used_is_usurped() {
    let node = Node::finney().await;
    let client = client(&node, hasty()).await;
    // The account's nonce on chain passes ours, and our transaction is in no block.
    node.on_call("AccountNonceApi_account_nonce", |_| {
        9_u32.to_le_bytes().to_vec()
    });
    node.script([Step::LoseAndClose]);
    node.fail("author_submitExtrinsic", Fault::error(1012, "banned"));
    node.run(Duration::from_millis(20));
    let outcome = submit(&client).await;
    assert!(
        matches!(
            outcome,
            SubmissionOutcome::Dropped {
                reason: DropReason::Usurped,
                ..
            }
        ),
        "{outcome:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_full_pool_drops_is_sent_again_as_it_was() {
    let node = Node::finney().await;
    let client = client(&node, hasty()).await;
    node.fail("system_accountNextIndex", Fault::Answer(json!(0)));
    node.script([Step::Status(json!("ready")), Step::Status(json!("dropped"))]);
    let including = async {
        until(|| node.asked("author_submitExtrinsic") > 0).await;
        node.block_with(Vec::new(), &[succeeded(0)]);
    };
    let (outcome, ()) = tokio::join!(submit(&client), including);
    assert!(outcome.succeeded(), "{outcome:?}");
    let texts = node.submitted();
    assert_eq!(texts.len(), 2);
    assert_eq!(texts[0], texts[1], "the same bytes");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retracted_block_is_forgotten() {
    let node = Node::finney().await;
    let client = client(&node, hasty()).await;
    node.finalising(false);
    node.script([
        Step::Status(json!("ready")),
        Step::Include(Outcome::failed(
            "SubtensorModule",
            "NotEnoughBalanceToStake",
        )),
        Step::Retract,
        Step::Include(Outcome::success()),
        Step::Finalize,
    ]);
    let outcome = submit(&client).await;
    assert!(
        outcome.succeeded() && matches!(outcome, SubmissionOutcome::Finalized(_)),
        "{outcome:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reorganisation_nobody_told_of_is_noticed_at_the_height_of_the_block() {
    let node = Node::finney().await;
    let mut options = hasty();
    options.mortality = 4;
    options.finality_wait = Duration::from_millis(300);
    let client = client(&node, options).await;
    node.finalising(false);
    node.script([
        Step::Status(json!("ready")),
        Step::Include(Outcome::success()),
    ]);
    let before = node.head().number.0;
    let reorganising = async {
        until(|| node.head().number.0 > before).await;
        node.reorganise(1);
        // Beyond the era and what a shorter reorganisation could still undo.
        node.blocks(20);
    };
    let (outcome, ()) = tokio::join!(submit(&client), reorganising);
    assert!(
        matches!(
            outcome,
            SubmissionOutcome::Dropped {
                reason: DropReason::Expired,
                ..
            }
        ),
        "{outcome:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stall_of_finality_leaves_an_included_transaction() {
    let node = Node::finney().await;
    let mut options = hasty();
    options.finality_wait = Duration::from_millis(200);
    let client = client(&node, options).await;
    node.finalising(false);
    node.script([
        Step::Status(json!("ready")),
        Step::Include(Outcome::success()),
    ]);
    let outcome = submit(&client).await;
    assert!(
        matches!(outcome, SubmissionOutcome::Included(_)) && outcome.succeeded(),
        "{outcome:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_goes_silent_after_taking_a_transaction_hangs_nobody() {
    let node = Node::finney().await;
    let mut options = hasty();
    options.stall = Duration::from_millis(300);
    let client = client(&node, options).await;
    node.script([
        Step::Status(json!("ready")),
        Step::IncludeSilently(Outcome::success()),
    ]);
    // The chain goes on; only about our transaction nothing is said any more.
    node.run(Duration::from_millis(20));
    let outcome = submit(&client).await;
    assert!(outcome.succeeded(), "{outcome:?}");
    assert_eq!(node.submitted().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn nonsense_from_a_node_is_an_unknown_fate_and_not_a_wrong_one() {
    let node = Node::finney().await;
    let mut options = hasty();
    options.determination_wait = Duration::from_millis(300);
    let client = client(&node, options).await;
    let odd = [
        json!(42),
        json!({"inBlock": "nonsense"}),
        json!({"finalized": 3}),
        json!(null),
    ];
    let mut script = odd.map(Step::Status).to_vec();
    script.push(Step::Include(Outcome::success()));
    script.push(Step::Finalize);
    node.script(script.clone());
    let outcome = submit(&client).await;
    assert!(outcome.succeeded(), "{outcome:?}");

    node.fail("chain_getBlock", Fault::Answer(json!({"block": "none"})));
    node.script(script);
    let outcome = submit(&client).await;
    let SubmissionOutcome::Unknown {
        reason, expires, ..
    } = &outcome
    else {
        panic!("{outcome:?}")
    };
    assert!(
        reason.contains("extrinsics") && expires.0 > 3,
        "{reason} {expires}"
    );
    let error = client
        .transfer(key("//Bob").account(), Rao(1), &key("//Alice"))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Undetermined { .. }), "{error:?}");

    let before = node.submitted().len();
    for nonce in [json!(u64::MAX), json!(-1), json!("7"), json!(null)] {
        node.fail_times("system_accountNextIndex", 1, Fault::Answer(nonce.clone()));
        let call = pay();
        let error = client.submit(&call, &key("//Alice")).await.unwrap_err();
        assert!(matches!(error, Error::Decode { .. }), "{nonce}: {error:?}");
    }
    assert_eq!(
        node.submitted().len(),
        before,
        "nothing was signed for a nonce that is none"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_closed_before_the_answer_does_not_send_twice_what_was_taken() {
    let node = Node::finney().await;
    let client = client(&node, hasty()).await;
    node.script([Step::TakeAndClose]);
    let including = async {
        until(|| !node.submitted().is_empty()).await;
        node.block_with(Vec::new(), &[succeeded(0)]);
    };
    let (outcome, ()) = tokio::join!(submit(&client), including);
    assert!(outcome.succeeded(), "{outcome:?}");
    assert_eq!(node.submitted().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_waits_for_an_earlier_one_is_waited_for() {
    let node = Node::finney().await;
    let client = client(&node, hasty()).await;
    node.fail_times("system_accountNextIndex", 1, Fault::Answer(json!(3)));
    node.script([
        Step::Status(json!("future")),
        Step::Blocks(2),
        Step::Status(json!("ready")),
        Step::Include(Outcome::success()),
        Step::Finalize,
    ]);
    let outcome = submit(&client).await;
    assert!(outcome.succeeded(), "{outcome:?}");
    assert_eq!(nonce(&node.submitted()[0]), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gap_below_others_on_their_way_is_filled() {
    let node = Node::finney().await;
    let client = client(&node, hasty()).await;
    node.fail("system_accountNextIndex", Fault::Answer(json!(0)));
    // The first becomes invalid while the second waits for it.
    node.fail_times("chain_getBlock", 1, Fault::Late(Duration::from_millis(300)));
    node.script([
        Step::Status(json!("ready")),
        Step::Blocks(1),
        Step::Status(json!("invalid")),
    ]);
    node.script([Step::Status(json!("future"))]);
    let second = async {
        until(|| node.asked("chain_getBlock") > 0).await;
        submit(&client).await
    };
    let including = async {
        until(|| node.asked("author_submitExtrinsic") > 0).await;
        let second = node.submitted()[1].clone();
        node.block_with(vec![second], &[succeeded(0), succeeded(1)]);
        // The script of the second is over: let it look for itself.
        node.hang_up();
    };
    let (first, second, ()) = tokio::join!(submit(&client), second, including);
    assert!(
        matches!(
            first,
            SubmissionOutcome::Dropped {
                reason: DropReason::Invalid,
                ..
            }
        ),
        "{first:?}"
    );
    assert!(second.succeeded(), "{second:?}");
    let nonces = node.submitted();
    let nonces = nonces.iter().map(|text| nonce(text)).collect::<Vec<_>>();
    assert_eq!(nonces, [0, 1, 0], "the gap at 0 is filled");
}

/// An error of finney's subnet pallet, in the shape of an event's field.
fn module_error() -> Value {
    let code = Value::unnamed_composite([0_u8, 0, 0, 0].map(number));
    let module = Value::named_composite([("index", number(7_u8)), ("error", code)]);
    Value::unnamed_variant("Module", [module])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_inside_of_a_success_is_a_failure_by_finneys_own_metadata() {
    let node = Node::finney().await;
    let client = client(&node, hasty()).await;
    let failed = || Value::unnamed_variant("Err", [module_error()]);
    let account = || Value::from_bytes([1_u8; 32]);
    let point = || Value::named_composite([("height", number(1_u8)), ("index", number(0_u8))]);
    let cases = [
        ("Sudo", "Sudid", vec![failed()]),
        ("Proxy", "ProxyExecuted", vec![failed()]),
        ("Utility", "ItemFailed", vec![module_error()]),
        (
            "Utility",
            "BatchInterrupted",
            vec![number(1_u8), module_error()],
        ),
        (
            "SubtensorModule",
            "BatchWeightItemFailed",
            vec![module_error()],
        ),
        (
            "Multisig",
            "MultisigExecuted",
            vec![account(), point(), account(), account(), failed()],
        ),
    ];
    for (pallet, name, fields) in cases {
        let outcome = Outcome::Success(vec![(pallet, name, fields)]);
        node.script([
            Step::Status(json!("ready")),
            Step::Include(outcome),
            Step::Finalize,
        ]);
        let outcome = submit(&client).await;
        let report = outcome.report().unwrap();
        let failure = report.failure.as_ref().unwrap();
        assert_eq!(failure.pallet, "SubtensorModule", "{name}");
        assert_eq!(failure.error, "RootNetworkDoesNotExist", "{name}");
        assert_eq!(failure.inside, Some(format!("{pallet}.{name}")));
        assert!(!outcome.succeeded());
    }
}
