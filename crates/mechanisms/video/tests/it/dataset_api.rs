//! Topics, novelty, intake and totals over signed calls.

use adit_protocol::v1;
use serde_json::json;
use tempfile::TempDir;
use tonic::Code;
use v1::vector::Encoding;

use crate::{
    records::{frames, packed, random, record, spaces},
    subnet::Api,
};

struct Started {
    api: Api,
    _folder: TempDir,
}

impl Started {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let api = Api::start(folder.path(), spaces(), &["rivers", "bridges"]).await;
        Self {
            api,
            _folder: folder,
        }
    }

    async fn submit(&self, id: &str, records: Vec<v1::Record>) -> Result<v1::SubmitResponse, Code> {
        let batch_id = id.to_owned();
        let request = v1::SubmitRequest { batch_id, records };
        let answer = self.api.channel.dataset().submit(request).await;
        answer
            .map(tonic::Response::into_inner)
            .map_err(|status| status.code())
    }

    async fn novelty(&self, vectors: Vec<v1::Vector>) -> Result<Vec<v1::Neighbour>, Code> {
        let request = v1::NoveltyRequest { vectors };
        let answer = self.api.channel.dataset().novelty(request).await;
        answer
            .map(|answer| answer.into_inner().neighbours)
            .map_err(|status| status.code())
    }
}

#[tokio::test]
async fn what_was_submitted_is_no_longer_novel() {
    let started = Started::new().await;
    let client = started.api.client();
    assert_eq!(client.topics().await.unwrap(), ["rivers", "bridges"]);
    let asked = [frames(0), frames(1)];
    assert_eq!(client.novelty(&asked).await.unwrap(), [1.0, 1.0]);

    let receipt = started.submit("batch", vec![record(0)]).await.unwrap();
    assert_eq!((receipt.stored, receipt.duplicates), (1, 0));
    assert!(!receipt.replayed);
    let novelty = client.novelty(&asked).await.unwrap();
    assert!(novelty[0] < 1e-6 && novelty[1] > 0.1, "{novelty:?}");
    let neighbours = started.novelty(vec![packed(&frames(0))]).await.unwrap();
    assert_eq!(neighbours[0].nearest, record(0).record_id);

    let stats = client.stats().await.unwrap();
    assert_eq!((stats.rows, stats.duration_ms), (1, 2_500));
    assert_eq!((stats.unique_sources, stats.batches), (1, 1));
    assert_eq!(stats.shards, 0);
}

#[tokio::test]
async fn a_batch_counts_once() {
    let started = Started::new().await;
    let batch = vec![record(0), record(1)];
    let first = started.submit("batch", batch.clone()).await.unwrap();
    let again = started.submit("batch", batch).await.unwrap();
    assert_eq!((first.stored, first.replayed), (2, false));
    assert_eq!((again.stored, again.replayed), (2, true));
    let other = started.submit("batch", vec![record(0), record(2)]).await;
    assert_eq!(other, Err(Code::AlreadyExists));
    let stats = started.api.client().stats().await.unwrap();
    assert_eq!((stats.rows, stats.batches), (2, 1));
    let neighbours = started.novelty(vec![packed(&frames(2))]).await.unwrap();
    assert!(
        neighbours[0].novelty > 0.1,
        "the refused batch left a trace"
    );
}

#[tokio::test]
async fn a_record_id_used_again_changes_nothing() {
    let started = Started::new().await;
    started.submit("first", vec![record(0)]).await.unwrap();
    let forged = v1::Record {
        record_id: record(0).record_id,
        ..record(5)
    };
    let receipt = started.submit("second", vec![forged]).await.unwrap();
    assert_eq!((receipt.stored, receipt.duplicates), (0, 1));
    let asked = [frames(0), frames(5)];
    let novelty = started.api.client().novelty(&asked).await.unwrap();
    assert!(novelty[0] < 1e-6 && novelty[1] > 0.1, "{novelty:?}");
}

/// A way to spoil a record.
type Spoil = (&'static str, fn(&mut v1::Record));

fn clip(record: &mut v1::Record) -> &mut v1::Clip {
    record.clip.as_mut().unwrap()
}

fn vector(record: &mut v1::Record) -> &mut v1::Vector {
    clip(record).video.as_mut().unwrap()
}

fn floats(value: f32, count: usize) -> Vec<u8> {
    value.to_le_bytes().repeat(count)
}

const SPOILS: &[Spoil] = &[
    ("no record id", |record| record.record_id.clear()),
    ("record id too long for the index", |record| {
        record.record_id = "a".repeat(300);
    }),
    ("record id too long for the ledger", |record| {
        record.record_id = "a".repeat(2_000);
    }),
    ("no task", |record| record.task_id.clear()),
    ("no ULID", |record| record.task_id = "first".to_owned()),
    ("long topic", |record| record.topic = "t".repeat(2_000)),
    ("no clip", |record| record.clip = None),
    ("long video id", |record| {
        clip(record).video_id = "v".repeat(2_000)
    }),
    ("long address", |record| {
        clip(record).source_url = "u".repeat(70_000)
    }),
    ("ends where it starts", |record| {
        clip(record).end_ms = clip(record).start_ms;
    }),
    ("ends too late", |record| clip(record).end_ms = u64::MAX),
    ("long description", |record| {
        clip(record).description = "d".repeat(70_000);
    }),
    ("no video vector", |record| clip(record).video = None),
    ("no text vector", |record| clip(record).text = None),
    ("video vector of another space", |record| {
        vector(record).space = "other-v1/16".to_owned();
    }),
    ("text vector in place of the video's", |record| {
        clip(record).video = clip(record).text.clone();
    }),
    ("video vector in place of the sound's", |record| {
        clip(record).audio = clip(record).video.clone();
    }),
    ("unknown encoding", |record| vector(record).encoding = 77),
    ("no encoding", |record| {
        vector(record).encoding = Encoding::Unspecified as i32;
    }),
    ("wrong dimension", |record| vector(record).dimension = 17),
    ("cut vector", |record| {
        vector(record).values = floats(0.1, 15).into()
    }),
    ("NaN vector", |record| {
        vector(record).values = floats(f32::NAN, 16).into()
    }),
    ("infinite vector", |record| {
        vector(record).values = floats(f32::INFINITY, 16).into();
    }),
    ("zero vector", |record| {
        vector(record).values = floats(0.0, 16).into()
    }),
    ("NaN relevance", |record| record.relevance = f64::NAN),
    ("novelty above one", |record| record.novelty = 1.5),
    ("negative score", |record| record.score = -0.25),
    ("infinite score", |record| record.score = f64::INFINITY),
    ("no miner", |record| record.miner.clear()),
    ("mistyped miner", |record| {
        record.miner.replace_range(5..6, "0")
    }),
    ("beyond time", |record| {
        record.submitted_at_unix_ms = u64::MAX
    }),
];

#[tokio::test]
async fn a_malformed_record_refuses_its_whole_batch() {
    let started = Started::new().await;
    for (what, spoil) in SPOILS {
        let mut spoiled = record(1);
        spoil(&mut spoiled);
        let answer = started.submit("batch", vec![record(0), spoiled]).await;
        assert_eq!(answer, Err(Code::InvalidArgument), "{what}");
    }
    let ids = ["", "a/b", "a b", "ä", &"b".repeat(65)];
    for id in ids {
        let answer = started.submit(id, vec![record(0)]).await;
        assert_eq!(answer, Err(Code::InvalidArgument), "{id:?}");
    }
    let many = (0..1_025).map(record).collect();
    for records in [Vec::new(), many] {
        let answer = started.submit("batch", records).await;
        assert_eq!(answer, Err(Code::InvalidArgument));
    }
    let stats = started.api.client().stats().await.unwrap();
    assert_eq!((stats.rows, stats.batches), (0, 0));
    let novelty = started.api.client().novelty(&[frames(0)]).await.unwrap();
    assert_eq!(novelty, [1.0]);
    // Nothing of it was remembered, its id neither.
    let receipt = started.submit("batch", vec![record(0)]).await.unwrap();
    assert_eq!((receipt.stored, receipt.replayed), (1, false));
}

#[tokio::test]
async fn novelty_is_asked_for_sound_vectors_only() {
    let started = Started::new().await;
    started.submit("batch", vec![record(0)]).await.unwrap();
    let good = || packed(&frames(0));
    let spoiled = |spoil: fn(&mut v1::Vector)| {
        let mut vector = packed(&frames(0));
        spoil(&mut vector);
        vector
    };
    let bad = [
        packed(&random(&spaces().text, 1)),
        spoiled(|vector| vector.values = floats(f32::NAN, 16).into()),
        spoiled(|vector| vector.values = floats(0.0, 16).into()),
        spoiled(|vector| vector.values = floats(1.0, 17).into()),
        spoiled(|vector| vector.space = "other-v1/16".to_owned()),
        v1::Vector::default(),
    ];
    for vector in bad {
        let answer = started.novelty(vec![good(), vector.clone()]).await;
        assert_eq!(answer, Err(Code::InvalidArgument), "{vector:?}");
    }
    assert_eq!(started.novelty(Vec::new()).await, Ok(Vec::new()));
    let full = started.novelty(vec![good(); 1_024]).await.unwrap();
    assert!(full.len() == 1_024 && full.iter().all(|one| one.novelty < 1e-6));
    let beyond = started.novelty(vec![good(); 1_025]).await;
    assert_eq!(beyond, Err(Code::InvalidArgument));
    // The client asks in parts.
    let many = vec![frames(0); 1_500];
    assert_eq!(
        started.api.client().novelty(&many).await.unwrap().len(),
        1_500
    );
}

#[tokio::test]
async fn a_batch_that_cannot_be_read_is_not_sent() {
    let started = Started::new().await;
    let client = started.api.client();
    for batch in [json!("clips"), json!([{ "record_id": 7 }])] {
        assert!(client.submit("batch", &batch).await.is_err(), "{batch}");
    }
    assert_eq!(client.stats().await.unwrap().batches, 0);
}
