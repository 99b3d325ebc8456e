//! Records to submit, in small spaces.

use std::{path::Path, sync::Arc};

use adit_embedding::{Embedding, Space};
use adit_mechanism_video::dataset::{DatasetConfig, VideoDataset};
use adit_primitives::{Hotkey, SystemClock, TaskId};
use adit_protocol::{v1, vector};
use adit_storage::{DatasetRow, DatasetSpaces};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

pub(crate) fn spaces() -> DatasetSpaces {
    DatasetSpaces {
        video: Space::new("video-v1", 16).unwrap(),
        audio: Space::new("audio-v1", 4).unwrap(),
        text: Space::new("text-v1", 8).unwrap(),
    }
}

pub(crate) fn random(space: &Space, seed: u64) -> Embedding {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let values = (0..space.dimension())
        .map(|_| rng.random_range(-1.0_f32..1.0))
        .collect();
    Embedding::new(space.clone(), values).unwrap()
}

pub(crate) fn packed(embedding: &Embedding) -> v1::Vector {
    vector::encode(embedding, vector::VectorEncoding::F32)
}

/// The vector of a record's frames.
pub(crate) fn frames(number: u64) -> Embedding {
    random(&spaces().video, number)
}

pub(crate) fn record(number: u64) -> v1::Record {
    let spaces = spaces();
    v1::Record {
        record_id: format!("{number:032x}"),
        task_id: TaskId::from_parts(1_800_000_000_000, 7).to_string(),
        topic: "bridges".to_owned(),
        clip: Some(v1::Clip {
            video_id: format!("video-{}", number % 2),
            source_url: format!("http://media.example/{}.mp4", number % 2),
            start_ms: number * 1_000,
            end_ms: number * 1_000 + 2_500,
            description: "a bridge over a river".to_owned(),
            video: Some(packed(&frames(number))),
            audio: (number.is_multiple_of(2)).then(|| packed(&random(&spaces.audio, number))),
            text: Some(packed(&random(&spaces.text, number))),
        }),
        relevance: 0.5,
        novelty: 1.0,
        score: 0.75,
        miner: Hotkey::new([3; 32]).to_string(),
        submitted_at_unix_ms: 1_800_000_000_123,
    }
}

pub(crate) fn rows(numbers: std::ops::Range<u64>) -> Vec<DatasetRow> {
    let spaces = spaces();
    numbers
        .map(|number| DatasetRow {
            record_id: format!("{number:032x}"),
            video_id: "video".to_owned(),
            source_url: "http://media.example/video.mp4".to_owned(),
            start_ms: number * 1_000,
            end_ms: number * 1_000 + 2_500,
            description: "a bridge over a river".to_owned(),
            topic: "bridges".to_owned(),
            video: frames(number),
            audio: None,
            text: random(&spaces.text, number),
            relevance: 0.5,
            novelty: 1.0,
            score: 0.75,
            miner: Hotkey::new([3; 32]),
            validator: Hotkey::new([9; 32]),
            task: TaskId::from_parts(1_800_000_000_000, 7),
            submitted_at_ms: 1_800_000_000_123,
        })
        .collect()
}

pub(crate) fn config(folder: &Path, shard_rows: u32) -> DatasetConfig {
    DatasetConfig {
        folder: folder.to_owned(),
        shard_rows,
        flush_after_ms: 3_600_000,
    }
}

pub(crate) async fn open(config: &DatasetConfig) -> adit_mechanism_video::Result<VideoDataset> {
    VideoDataset::open(config, spaces(), Arc::new(SystemClock)).await
}
