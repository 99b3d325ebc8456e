use adit_neuron::{Mechanism as _, audit};
use adit_primitives::{TaskId, Uid};
use adit_storage::{JudgedTask, NewTask, ScoreRow, Store};
use serde_json::{Value, json};

use crate::{
    harness::{NETUID, World, miner},
    toy::Behaviour,
};

/// Stores a judged task whose only score is as given.
async fn forge(store: &Store, nth: u64, score: f64, policy: &str, evidence: Value) {
    let id = TaskId::from_parts(nth, 0);
    let task = NewTask {
        id,
        mechanism: "toy".to_owned(),
        netuid: NETUID,
        policy: policy.to_owned(),
        seed: 0,
        payload: Value::Null,
        created_at_ms: nth,
        deadline_at_ms: nth,
        asked: vec![(Uid(1), miner(1))],
    };
    assert!(store.begin_task(&task).await.unwrap());
    let judged = JudgedTask {
        task: id,
        judged_at_ms: nth,
        policy: policy.to_owned(),
        scores: vec![ScoreRow {
            uid: Uid(1),
            hotkey: miner(1),
            score,
            verdict: "scored".to_owned(),
            reasons: Vec::new(),
            evidence,
        }],
        items: Vec::new(),
        averages: Vec::new(),
        batch: None,
    };
    assert!(store.commit_judgement(&judged).await.unwrap());
}

#[tokio::test]
async fn an_audit_finds_every_score_that_its_evidence_does_not_give() {
    let world = World::new(3, &[Behaviour::Right, Behaviour::Wrong, Behaviour::Timeout]);
    let store = world.finish().await;
    let recompute = |policy: &str, evidence: &Value| world.toy.recompute(policy, evidence);
    let honest = audit(&store, recompute).await.unwrap();
    assert_eq!((honest.scores, honest.differences.len()), (9, 0));

    let evidence = json!({ "expected": 10, "given": 13 });
    forge(&store, 1, 0.25, "toy/1", evidence.clone()).await;
    // One unit in the last place too much.
    forge(&store, 2, 0.25_f64.next_up(), "toy/1", evidence.clone()).await;
    forge(&store, 3, 1.0, "toy/1", Value::Null).await;
    forge(&store, 4, 0.25, "toy/2", evidence).await;
    forge(&store, 5, 0.25, "toy/1", json!({ "expected": 10 })).await;
    let report = audit(&store, recompute).await.unwrap();
    assert_eq!(report.scores, 14);
    let [by_a_bit, unanswered, policy, evidence] = &report.differences[..] else {
        panic!("{:?}", report.differences);
    };
    assert!(by_a_bit.contains("recomputed 0.25"), "{by_a_bit}");
    assert!(
        unanswered.contains("stored 1, recomputed 0"),
        "{unanswered}"
    );
    assert!(policy.contains("\"toy/2\" is unknown"), "{policy}");
    assert!(evidence.contains("no given"), "{evidence}");
}
