//! Rows to store.

use adit_embedding::{Embedding, Space};
use adit_primitives::{Hotkey, TaskId};
use adit_storage::{DatasetRow, DatasetSpaces};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

pub(crate) fn hotkey(number: u8) -> Hotkey {
    Hotkey::new([number; 32])
}

pub(crate) fn task(number: u64) -> TaskId {
    TaskId::from_parts(1_700_000_000_000 + number, u128::from(number))
}

pub(crate) fn spaces() -> DatasetSpaces {
    DatasetSpaces {
        video: Space::new("video-v1", 6).unwrap(),
        audio: Space::new("audio-v1", 4).unwrap(),
        text: Space::new("text-v1", 5).unwrap(),
    }
}

pub(crate) fn vector(space: &Space, seed: u64) -> Embedding {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let values = (0..space.dimension())
        .map(|_| rng.random_range(-1.0_f32..1.0))
        .collect();
    Embedding::new(space.clone(), values).unwrap()
}

pub(crate) fn row(number: u64) -> DatasetRow {
    let spaces = spaces();
    DatasetRow {
        record_id: format!("record-{number}"),
        video_id: format!("video-{}", number % 3),
        source_url: format!("https://example.org/{}.mp4", number % 3),
        start_ms: number * 1000,
        end_ms: number * 1000 + 5000,
        description: format!("a bridge over río {number} ✓"),
        topic: "bridges".to_owned(),
        video: vector(&spaces.video, number),
        audio: number
            .is_multiple_of(2)
            .then(|| vector(&spaces.audio, number + 1)),
        text: vector(&spaces.text, number + 2),
        relevance: 0.1 + number as f64 / 7.0,
        novelty: 1.0 / 3.0,
        score: 0.7,
        miner: hotkey(1),
        validator: hotkey(9),
        task: task(number),
        submitted_at_ms: 1_700_000_000_123 + number,
    }
}

pub(crate) fn rows(numbers: std::ops::Range<u64>) -> Vec<DatasetRow> {
    numbers.map(row).collect()
}
