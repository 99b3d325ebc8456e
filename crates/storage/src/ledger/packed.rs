//! A record as bytes: scalars as JSON, then the vectors as little-endian f32.

use adit_embedding::{Embedding, Space};
use adit_primitives::{Hotkey, TaskId};
use serde::{Deserialize, Serialize};

use crate::{DatasetRow, DatasetSpaces, Error, Result};

#[derive(Serialize, Deserialize)]
struct Scalars {
    record_id: String,
    video_id: String,
    source_url: String,
    start_ms: u64,
    end_ms: u64,
    description: String,
    topic: String,
    has_audio: bool,
    relevance: f64,
    novelty: f64,
    score: f64,
    miner: Hotkey,
    validator: Hotkey,
    task: TaskId,
    submitted_at_ms: u64,
}

pub(super) fn pack(row: &DatasetRow) -> Result<Vec<u8>> {
    let scalars = Scalars {
        record_id: row.record_id.clone(),
        video_id: row.video_id.clone(),
        source_url: row.source_url.clone(),
        start_ms: row.start_ms,
        end_ms: row.end_ms,
        description: row.description.clone(),
        topic: row.topic.clone(),
        has_audio: row.audio.is_some(),
        relevance: row.relevance,
        novelty: row.novelty,
        score: row.score,
        miner: row.miner,
        validator: row.validator,
        task: row.task,
        submitted_at_ms: row.submitted_at_ms,
    };
    let scalars = serde_json::to_vec(&scalars)
        .map_err(|error| Error::stored("record", &row.record_id, error))?;
    let mut bytes = (scalars.len() as u64).to_le_bytes().to_vec();
    bytes.extend_from_slice(&scalars);
    for vector in [Some(&row.video), row.audio.as_ref(), Some(&row.text)]
        .into_iter()
        .flatten()
    {
        bytes.extend(vector.values().iter().flat_map(|value| value.to_le_bytes()));
    }
    Ok(bytes)
}

pub(super) fn unpack(bytes: &[u8], spaces: &DatasetSpaces) -> Result<DatasetRow> {
    let short = || Error::stored("record", "", "it is cut short");
    let (length, rest) = bytes.split_first_chunk::<8>().ok_or_else(short)?;
    let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|_| short())?;
    let (scalars, mut vectors) = rest.split_at_checked(length).ok_or_else(short)?;
    let scalars: Scalars =
        serde_json::from_slice(scalars).map_err(|error| Error::stored("record", "", error))?;
    let mut vector = |space: &Space| -> Result<Embedding> {
        let (own, rest) = vectors
            .split_at_checked(space.dimension() * 4)
            .ok_or_else(short)?;
        vectors = rest;
        let (values, _) = own.as_chunks::<4>();
        Ok(Embedding::new(
            space.clone(),
            values
                .iter()
                .map(|bytes| f32::from_le_bytes(*bytes))
                .collect(),
        )?)
    };
    let video = vector(&spaces.video)?;
    let audio = if scalars.has_audio {
        Some(vector(&spaces.audio)?)
    } else {
        None
    };
    let text = vector(&spaces.text)?;
    Ok(DatasetRow {
        record_id: scalars.record_id,
        video_id: scalars.video_id,
        source_url: scalars.source_url,
        start_ms: scalars.start_ms,
        end_ms: scalars.end_ms,
        description: scalars.description,
        topic: scalars.topic,
        video,
        audio,
        text,
        relevance: scalars.relevance,
        novelty: scalars.novelty,
        score: scalars.score,
        miner: scalars.miner,
        validator: scalars.validator,
        task: scalars.task,
        submitted_at_ms: scalars.submitted_at_ms,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_cut_short_is_an_error_and_never_a_panic() {
        let space = |name| Space::new(name, 3).unwrap();
        let spaces = DatasetSpaces {
            video: space("video"),
            audio: space("audio"),
            text: space("text"),
        };
        let vector = |space: &Space| Embedding::new(space.clone(), vec![0.1, -0.7, 0.3]).unwrap();
        let row = DatasetRow {
            record_id: "a".to_owned(),
            video_id: "b".to_owned(),
            source_url: "c".to_owned(),
            start_ms: 1,
            end_ms: 2,
            description: "\u{0}\"é".to_owned(),
            topic: String::new(),
            video: vector(&spaces.video),
            audio: Some(vector(&spaces.audio)),
            text: vector(&spaces.text),
            relevance: 0.1,
            novelty: f64::MIN_POSITIVE,
            score: -0.0,
            miner: Hotkey::new([1; 32]),
            validator: Hotkey::new([2; 32]),
            task: TaskId::from_parts(1, 2),
            submitted_at_ms: 3,
        };
        let bytes = pack(&row).unwrap();
        assert_eq!(unpack(&bytes, &spaces).unwrap(), row);
        for length in 0..bytes.len() {
            assert!(
                matches!(unpack(&bytes[..length], &spaces), Err(Error::Stored { .. })),
                "cut at {length}"
            );
        }
    }
}
