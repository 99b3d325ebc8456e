use std::collections::BTreeMap;

use adit_primitives::{Block, NetUid, TaskId, Uid, WeightVector};
use adit_storage::{
    AnswerRow, AnswerStatus, AverageRow, Error, ItemRow, JudgedTask, NewBatch, NewTask, ScoreRow,
    Store, TaskState, WeightsRow,
};
use serde_json::{Value, json};

use crate::sample::{hotkey, task};

pub(crate) fn new_task(id: TaskId) -> NewTask {
    NewTask {
        id,
        mechanism: "video".to_owned(),
        netuid: NetUid(24),
        policy: "hardened".to_owned(),
        seed: u64::MAX - 5,
        payload: json!({ "topic": "rivers" }),
        created_at_ms: id.unix_millis(),
        deadline_at_ms: id.unix_millis() + 1000,
        asked: vec![(Uid(2), hotkey(2)), (Uid(1), hotkey(1))],
    }
}

pub(crate) fn answer(id: TaskId, key: u8) -> AnswerRow {
    AnswerRow {
        task: id,
        uid: Uid(u16::from(key)),
        hotkey: hotkey(key),
        status: AnswerStatus::Answered,
        detail: None,
        payload: Some(json!({ "clips": [0.1, 1e-300, 5] })),
        received_at_ms: id.unix_millis() + 10,
        elapsed_ms: 10,
    }
}

/// `0.1 + 0.2` and its like: decimals that only survive if every bit does.
pub(crate) const SCORE: f64 = 0.300_000_000_000_000_04;

pub(crate) fn judged(id: TaskId) -> JudgedTask {
    let score = |key: u8, score| ScoreRow {
        uid: Uid(u16::from(key)),
        hotkey: hotkey(key),
        score,
        verdict: "accepted".to_owned(),
        reasons: vec!["novel".to_owned()],
        evidence: json!({ "score": score }),
    };
    let item = |number: u64, key: u8, reason: Option<&str>| ItemRow {
        record_id: format!("{id}-{number}"),
        uid: Uid(u16::from(key)),
        hotkey: hotkey(key),
        accepted: reason.is_none(),
        reason: reason.map(str::to_owned),
        payload: json!({ "clip": number }),
    };
    JudgedTask {
        task: id,
        judged_at_ms: id.unix_millis() + 2000,
        policy: "hardened".to_owned(),
        scores: vec![score(1, SCORE), score(2, 0.0)],
        items: vec![
            item(0, 1, None),
            item(1, 1, Some("duplicate")),
            item(2, 2, Some("unreachable")),
        ],
        averages: vec![AverageRow {
            hotkey: hotkey(1),
            uid: Uid(1),
            value: SCORE / 3.0,
            updated_at_ms: id.unix_millis() + 2000,
        }],
        batch: Some(NewBatch {
            batch_id: id.to_string(),
            payload: json!([{ "record": 0 }]),
        }),
    }
}

#[tokio::test]
async fn a_round_reads_back_as_it_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let store = Store::open(&path).await.unwrap();
    let id = task(1);
    assert!(store.begin_task(&new_task(id)).await.unwrap());
    assert!(
        store
            .tasks_to_judge(id.unix_millis() + 1000)
            .await
            .unwrap()
            .is_empty(),
        "still open, in time"
    );
    assert_eq!(
        store
            .tasks_to_judge(id.unix_millis() + 1001)
            .await
            .unwrap()
            .len(),
        1,
        "past its deadline"
    );
    assert!(store.record_answer(&answer(id, 1)).await.unwrap());
    let late = AnswerRow {
        status: AnswerStatus::Late,
        detail: Some("9 ms late".to_owned()),
        payload: None,
        ..answer(id, 2)
    };
    assert!(store.record_answer(&late).await.unwrap());
    assert!(store.close_task(id).await.unwrap());
    let waiting = store.tasks_to_judge(0).await.unwrap();
    assert_eq!(waiting[0].asked, new_task(id).asked);
    assert_eq!(
        (waiting[0].seed, waiting[0].state),
        (u64::MAX - 5, TaskState::Closed)
    );
    assert_eq!(
        store.answers(id).await.unwrap(),
        [answer(id, 1), late.clone()]
    );
    assert!(store.commit_judgement(&judged(id)).await.unwrap());
    store.close().await;

    let store = Store::open(&path).await.unwrap();
    assert!(store.tasks_to_judge(u64::MAX).await.unwrap().is_empty());
    let held = store.task(id).await.unwrap().unwrap();
    assert_eq!(
        (held.state, held.judged_at_ms),
        (TaskState::Judged, Some(id.unix_millis() + 2000))
    );
    assert_eq!(store.averages().await.unwrap(), judged(id).averages);
    let page = store.scores_page(None, 10).await.unwrap();
    assert_eq!(page[0].score.to_bits(), SCORE.to_bits());
    assert_eq!(page[0].evidence, json!({ "score": SCORE }));
    assert_eq!(page[0].policy, "hardened");
    assert_eq!(
        store.scores_page(Some(page[0].sequence), 10).await.unwrap(),
        page[1..]
    );
    let batches = store.pending_batches().await.unwrap();
    assert_eq!(
        (&batches[0].payload, batches[0].task),
        (&json!([{ "record": 0 }]), id)
    );

    let summary = store.summary().await.unwrap();
    let first = summary.iter().find(|one| one.hotkey == hotkey(1)).unwrap();
    assert_eq!(
        (first.items_accepted, first.scores, first.mean_score),
        (1, 1, SCORE)
    );
    assert_eq!(
        first.items_refused,
        BTreeMap::from([("duplicate".to_owned(), 1)])
    );
    let second = summary.iter().find(|one| one.hotkey == hotkey(2)).unwrap();
    assert_eq!(second.answers, BTreeMap::from([(AnswerStatus::Late, 1)]));
    let counts = store.counts().await.unwrap();
    assert_eq!(
        (counts.tasks, counts.judged, counts.scores, counts.items),
        (1, 1, 2, 3)
    );
}

#[tokio::test]
async fn a_judgement_is_whole_or_nothing() {
    let store = Store::in_memory().await.unwrap();
    let id = task(1);
    store.begin_task(&new_task(id)).await.unwrap();
    let spoiled: [fn(&mut JudgedTask); 6] = [
        |judged| judged.scores[1].score = f64::NAN,
        |judged| judged.scores[1].hotkey = hotkey(7),
        |judged| judged.items[2].record_id = judged.items[0].record_id.clone(),
        |judged| judged.averages[0].value = f64::INFINITY,
        |judged| judged.averages[0].updated_at_ms = u64::MAX,
        |judged| judged.batch.as_mut().unwrap().batch_id = "x".repeat(257),
    ];
    for spoil in spoiled {
        let mut bad = judged(id);
        spoil(&mut bad);
        assert!(store.commit_judgement(&bad).await.is_err());
        let counts = store.counts().await.unwrap();
        let written = (
            counts.judged,
            counts.scores,
            counts.items,
            counts.averages,
            counts.batches,
        );
        assert_eq!(written, (0, 0, 0, 0, 0));
    }
    assert!(store.commit_judgement(&judged(id)).await.unwrap());
}

#[tokio::test]
async fn what_does_not_belong_has_its_own_error() {
    let store = Store::in_memory().await.unwrap();
    let id = task(1);
    assert!(matches!(
        store.record_answer(&answer(id, 1)).await,
        Err(Error::UnknownTask { .. })
    ));
    assert!(matches!(
        store.close_task(id).await,
        Err(Error::UnknownTask { .. })
    ));
    assert!(matches!(
        store.commit_judgement(&judged(id)).await,
        Err(Error::UnknownTask { .. })
    ));
    store.begin_task(&new_task(id)).await.unwrap();
    assert!(matches!(
        store.record_answer(&answer(id, 5)).await,
        Err(Error::NotAsked { .. })
    ));
    let mut twice = new_task(task(2));
    twice.asked.push(twice.asked[0]);
    assert!(matches!(
        store.begin_task(&twice).await,
        Err(Error::Repeated { .. })
    ));
    let flood = AnswerRow {
        detail: Some("x".repeat(5000)),
        ..answer(id, 1)
    };
    assert!(matches!(
        store.record_answer(&flood).await,
        Err(Error::TooLarge { .. })
    ));
    let huge = AnswerRow {
        payload: Some(Value::String("x".repeat(65 << 20))),
        ..answer(id, 1)
    };
    assert!(matches!(
        store.record_answer(&huge).await,
        Err(Error::TooLarge { .. })
    ));
    assert!(matches!(
        store.mark_delivered("none", &Value::Null, 1).await,
        Err(Error::UnknownBatch { .. })
    ));
    let mut other = judged(id);
    other.batch.as_mut().unwrap().batch_id = "taken".to_owned();
    store.commit_judgement(&other).await.unwrap();
    store.begin_task(&new_task(task(3))).await.unwrap();
    let mut clash = judged(task(3));
    clash.batch.as_mut().unwrap().batch_id = "taken".to_owned();
    assert!(matches!(
        store.commit_judgement(&clash).await,
        Err(Error::Repeated { .. })
    ));
}

#[tokio::test]
async fn deliveries_weights_settings_and_averages_are_kept() {
    let store = Store::in_memory().await.unwrap();
    let id = task(1);
    store.begin_task(&new_task(id)).await.unwrap();
    store.commit_judgement(&judged(id)).await.unwrap();
    let batch = id.to_string();
    assert!(
        store
            .record_delivery_failure(&batch, &"é".repeat(9000), 5)
            .await
            .unwrap()
    );
    let waiting = store.pending_batches().await.unwrap();
    assert_eq!((waiting[0].failures, waiting[0].failed_at_ms), (1, Some(5)));
    assert!(
        store
            .mark_delivered(&batch, &json!({ "stored": 1 }), 6)
            .await
            .unwrap()
    );
    assert!(
        !store
            .mark_delivered(&batch, &json!({ "stored": 9 }), 7)
            .await
            .unwrap()
    );
    assert!(
        !store
            .record_delivery_failure(&batch, "late", 8)
            .await
            .unwrap()
    );
    assert!(store.pending_batches().await.unwrap().is_empty());

    let weights = |at_ms, outcome: &str| WeightsRow {
        netuid: NetUid(24),
        block: Some(Block(7)),
        weights: WeightVector::new(vec![(Uid(3), 65535), (Uid(1), 9)]).unwrap(),
        outcome: outcome.to_owned(),
        detail: String::new(),
        extrinsic: None,
        at_ms,
    };
    assert!(store.record_weights(&weights(1, "refused")).await.unwrap());
    assert!(store.record_weights(&weights(2, "on_chain")).await.unwrap());
    assert!(!store.record_weights(&weights(2, "other")).await.unwrap());
    assert_eq!(
        store.weights_history(9).await.unwrap(),
        [weights(2, "on_chain"), weights(1, "refused")]
    );
    assert_eq!(store.weights_history(1).await.unwrap().len(), 1);

    assert_eq!(store.setting("round").await.unwrap(), None);
    store.put_setting("round", "1").await.unwrap();
    store.put_setting("round", "2").await.unwrap();
    assert_eq!(store.setting("round").await.unwrap().as_deref(), Some("2"));

    assert_eq!(
        store
            .remove_averages(&[hotkey(1), hotkey(8)])
            .await
            .unwrap(),
        1
    );
    assert!(store.averages().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_file_that_is_no_database_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    std::fs::write(
        &path,
        "not a database, and long enough to be read as a header page ".repeat(20),
    )
    .unwrap();
    assert!(Store::open(&path).await.is_err());
    assert!(
        Store::open(&folder.path().join("no/such/folder/state.db"))
            .await
            .is_err()
    );
}

#[tokio::test]
async fn writers_queue_while_readers_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("state.db")).await.unwrap();
    let mut writers = tokio::task::JoinSet::new();
    for number in 0..24 {
        let store = store.clone();
        writers.spawn(async move {
            let id = task(number);
            store.begin_task(&new_task(id)).await?;
            store.record_answer(&answer(id, 1)).await?;
            store.summary().await?;
            store.commit_judgement(&judged(id)).await
        });
    }
    while let Some(done) = writers.join_next().await {
        assert!(done.unwrap().unwrap());
    }
    assert_eq!(store.counts().await.unwrap().scores, 48);
}
