//! Miners that answer with rubbish, with too much, not at all, or that die: each costs only itself.

use std::collections::BTreeSet;

use adit_storage::{AnswerStatus, HotkeySummary, Store};
use serde_json::Value;

use crate::{
    books::{assert_audited, assert_complete, assert_kept_once},
    harness::Localnet,
};

#[tokio::test]
async fn hostile_miners_are_refused_by_name_and_earn_no_more_than_honest_ones() {
    // One for each kind of malformed answer.
    const ROUNDS: u64 = 6;
    let miners = "honest,garbage,flood,silent,crash";
    let rounds = ROUNDS.to_string();
    let arguments = [
        "--rounds",
        &rounds,
        "--miners",
        miners,
        "--answer-timeout-ms",
        "6000",
    ];
    let mut localnet = Localnet::up(&arguments).await;
    let status = localnet.up.end("adit-localnet up").await;
    assert!(status.success(), "{status}\n{}", localnet.story());
    let report = localnet.report();
    assert_eq!(report["failures"], Value::Array(Vec::new()));

    let state = localnet.path("validator.db");
    assert_complete(&state, ROUNDS).await;
    assert_audited(&state);
    assert_kept_once(&[&state], &localnet.path("dataset"));

    let store = Store::open(&state).await.unwrap();
    let summaries = store.summary().await.unwrap();
    let of = |member: &str| -> &HotkeySummary {
        let hotkey = localnet.key(member).hotkey();
        summaries
            .iter()
            .find(|summary| summary.hotkey == hotkey)
            .unwrap()
    };
    let all = |summary: &HotkeySummary, status: AnswerStatus| {
        assert_eq!(summary.asked, ROUNDS);
        assert_eq!(summary.answers.get(&status), Some(&ROUNDS), "{summary:?}");
        assert_eq!(summary.items_accepted, 0);
        assert_eq!(summary.mean_score, 0.0);
    };
    let (honest, garbage, flood) = (of("miner-1"), of("miner-2"), of("miner-3"));
    all(of("miner-4"), AnswerStatus::Timeout);
    assert!(honest.items_accepted > 0 && honest.mean_score > 0.0);

    // Whoever died at the first question is out of reach from then on.
    let crash = of("miner-5");
    let gone = crash.answers.get(&AnswerStatus::Unreachable).copied();
    assert_eq!(gone, Some(ROUNDS), "{crash:?}");

    all(garbage, AnswerStatus::Answered);
    let refused: BTreeSet<&str> = garbage.items_refused.keys().map(String::as_str).collect();
    let expected = BTreeSet::from([
        "vector_not_finite",
        "vector_zero",
        "vector_length",
        "vector_space",
        "vector_missing",
        "source_address",
        "identifier",
        "bad_interval",
        "too_short",
        "too_long",
        "beyond_source",
        "description_empty",
        "description_too_long",
        "duplicate_id",
        // The answer whose clip starts after the video's end.
        "answer_refused",
    ]);
    assert_eq!(refused, expected);
    let reasons: BTreeSet<String> = scores(&store, garbage).await;
    assert!(reasons.contains("source_invalid"), "{reasons:?}");

    let reasons: BTreeSet<&str> = flood.items_refused.keys().map(String::as_str).collect();
    assert!(reasons.contains("beyond_wanted"), "{reasons:?}");
    assert!(reasons.contains("duplicate_id"), "{reasons:?}");
    assert!(flood.mean_score < honest.mean_score);

    let earned = |behaviour: &str| {
        let neurons = report["neurons"].as_array().unwrap();
        let row = neurons.iter().find(|row| row["behaviour"] == behaviour);
        row.unwrap()["incentive"].as_u64().unwrap()
    };
    assert!(earned("honest") > 0);
    assert!(earned("flood") < earned("honest"));
    for behaviour in ["garbage", "silent", "crash"] {
        assert_eq!(earned(behaviour), 0, "{behaviour}");
    }
}

/// Reasons stored with the scores of a miner's answers.
async fn scores(store: &Store, of: &HotkeySummary) -> BTreeSet<String> {
    let rows = store.scores_page(None, 10_000).await.unwrap();
    rows.into_iter()
        .filter(|row| row.hotkey == of.hotkey)
        .flat_map(|row| row.reasons)
        .collect()
}
