//! What honest answers earn, what lies cost, and that neither touches anyone else.

use std::time::Duration;

use adit_mechanism_video::{
    ClaimedClip, VideoAnswer,
    miner::{Library, VideoWorker},
    validator::VideoMechanism,
};
use adit_neuron::{Mechanism as _, Received, Worker as _};
use adit_primitives::Uid;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use crate::{
    origin::Reply,
    subnet::{Subnet, TOPIC, fetcher, hotkey, refusals, scores, task},
};

const CATALOGUE: &str = r#"
[[video]]
file = "bikes.mp4"
title = "Bicycles and cars in a city"
description = "A man in a suit, a bus and many bicycles pass in front of brick houses."
licence = "BSD"

[[video]]
file = "bigbuckbunny.mp4"
title = "A rabbit"
description = "A rabbit far from bicycles and cars stretches in a meadow."
"#;

async fn worker(subnet: &Subnet, cache: &str, seed: u64) -> VideoWorker {
    let catalogue = Reply::Bytes(CATALOGUE.as_bytes().to_vec());
    let catalogue = subnet.origin.serve("/catalogue.toml", catalogue);
    let fetcher = fetcher(&subnet.folder.path().join(cache), &subnet.origin);
    let library = Library::load(&catalogue, &fetcher, &subnet.embedders);
    VideoWorker::new(
        library.await.unwrap(),
        fetcher,
        subnet.embedders.clone(),
        seed,
    )
}

fn received(miner: usize, answer: &VideoAnswer) -> Received<VideoAnswer> {
    // As the validator's store keeps it: as text.
    let text = serde_json::to_string(answer).unwrap();
    Received {
        uid: Uid(u16::try_from(miner).unwrap()),
        hotkey: hotkey(miner),
        answer: serde_json::from_str(&text).unwrap(),
        received_at_ms: 1_800_000_000_000,
    }
}

#[tokio::test]
async fn a_workers_answer_is_accepted_once() {
    let subnet = Subnet::start().await;
    let worker = worker(&subnet, "miner", 1).await;
    let minute = Duration::from_secs(60);
    let answer = worker.work(task(), minute).await.unwrap();
    assert!((2..=4).contains(&answer.clips.len()));

    let judged = subnet.judge_received(1, &[received(0, &answer)]).await;
    let judged = judged.unwrap();
    assert_eq!(refusals(&judged, 0), vec![None; answer.clips.len()]);
    assert_eq!(judged.scores[0].verdict, "scored");
    assert!(scores(&judged)[0] > 0.2, "{:?}", scores(&judged));
    assert!(judged.scores[0].reasons.is_empty());

    let batch = serde_json::to_string(&judged.batch.unwrap()).unwrap();
    let batch: Value = serde_json::from_str(&batch).unwrap();
    let receipt = subnet.validator.deliver("batch-1", &batch).await.unwrap();
    let stored = answer.clips.len();
    let expected = json!({ "stored": stored, "duplicates": 0, "replayed": false });
    assert_eq!(receipt, expected);
    let receipt = subnet.validator.deliver("batch-1", &batch).await.unwrap();
    assert_eq!(receipt["replayed"], true);
    let stats = subnet.api.client().stats().await.unwrap();
    assert_eq!(stats.rows, stored as u64);

    // Another task, another miner, the same footage.
    let again = subnet.judge_received(2, &[received(1, &answer)]).await;
    let again = again.unwrap();
    let duplicate = Some("duplicate_in_dataset");
    assert_eq!(refusals(&again, 1), vec![duplicate; stored]);
    assert_eq!(scores(&again), [0.0]);
    assert_eq!(again.scores[0].reasons, ["duplicate_in_dataset"]);
    assert!(again.batch.is_none());

    // What entered the dataset is what was claimed.
    subnet.api.dataset.flush().await.unwrap();
    let folder = subnet.folder.path().join("dataset");
    let reader = adit_storage::DatasetReader::open(&folder).unwrap();
    let rows: Vec<_> = reader
        .shards()
        .iter()
        .flat_map(|shard| reader.rows(shard).unwrap())
        .collect();
    assert_eq!(rows.len(), stored);
    for (row, clip) in rows.iter().zip(&answer.clips) {
        assert_eq!(row.source_url, clip.source_url);
        assert_eq!((row.start_ms, row.end_ms), (clip.start_ms, clip.end_ms));
        assert_eq!((row.topic.as_str(), row.miner), (TOPIC, hotkey(0)));
        let video = clip.video.as_ref().unwrap();
        assert_eq!(video.unpack(row.video.space()).unwrap(), row.video);
    }
}

#[tokio::test]
async fn a_liars_answer_is_refused_and_no_one_elses() {
    let subnet = Subnet::start().await;
    let one = subnet.clip("bikes.mp4", 0, 1_200).await;
    let two = subnet.clip("bikes.mp4", 3_040, 5_480).await;
    let three = subnet.clip("bikes.mp4", 5_480, 7_480).await;
    let lie = |interval: &ClaimedClip, vectors: &ClaimedClip| ClaimedClip {
        video: vectors.video.clone(),
        ..interval.clone()
    };
    let lies = vec![lie(&three, &one), lie(&two, &three), lie(&one, &two)];
    let honest = [vec![one.clone(), two], vec![three]];
    let without = subnet.judge(1, &honest).await.unwrap();
    let [first, second] = honest;
    let with = subnet.judge(1, &[first, lies, second]).await.unwrap();

    assert_eq!(with.scores[1].verdict, "refused");
    assert_eq!(with.scores[1].reasons, ["mismatch"]);
    assert_eq!(refusals(&with, 1), [Some("answer_refused"); 3]);
    let (without, with) = (scores(&without), scores(&with));
    assert_eq!((with[0], with[1], with[2]), (without[0], 0.0, without[1]));
    assert!(with[0] > 0.0 && with[2] > 0.0);
}

#[tokio::test]
async fn the_first_to_arrive_has_the_news() {
    let subnet = Subnet::start().await;
    let early = subnet.clip("bikes.mp4", 5_480, 7_480).await;
    let mut late = subnet.clip("bikes.mp4", 5_600, 7_400).await;
    late.source_url.push_str("?another=address");
    for answers in [[early.clone(), late.clone()], [late, early]] {
        let judged = subnet.judge(1, &answers.map(|clip| vec![clip])).await;
        let judged = judged.unwrap();
        assert_eq!(refusals(&judged, 0), [None]);
        assert_eq!(refusals(&judged, 1), [Some("duplicate_in_task")]);
        let scores = scores(&judged);
        assert!(scores[0] > 0.0 && scores[1] == 0.0);
        let batch = judged.batch.unwrap();
        assert_eq!(batch.as_array().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn judging_again_gives_the_same() {
    let subnet = Subnet::start().await;
    let one = subnet.clip("bikes.mp4", 0, 1_200).await;
    let two = subnet.clip("bigbuckbunny.mp4", 0, 2_000).await;
    let answers = [vec![one.clone(), two], vec![one]];
    let first = subnet.judge(3, &answers).await.unwrap();
    let second = subnet.judge(3, &answers).await.unwrap();
    assert_eq!(format!("{first:?}"), format!("{second:?}"));
}

#[tokio::test]
async fn evidence_judges_by_its_own_rules_only() {
    let subnet = Subnet::start().await;
    let judged = subnet.judge(1, &[Vec::new()]).await.unwrap();
    assert_eq!(judged.scores[0].reasons, ["empty"]);
    let evidence = &judged.scores[0].evidence;
    let recompute = VideoMechanism::recompute;
    assert!(recompute(&subnet.validator.policy(), evidence).is_ok());
    assert!(recompute("video/original-1", evidence).is_err());
    for broken in [Value::Null, json!({}), json!({ "rules": 1, "answer": 2 })] {
        assert!(recompute("video/hardened-1", &broken).is_err());
    }
}

#[tokio::test]
async fn tasks_come_from_the_topics() {
    let subnet = Subnet::start().await;
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    assert_eq!(subnet.validator.next_task(&mut rng).await.unwrap(), task());
}
