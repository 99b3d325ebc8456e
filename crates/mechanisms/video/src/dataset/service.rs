use std::sync::Arc;

use adit_embedding::{Embedding, Space};
use adit_primitives::Hotkey;
use adit_protocol::{server::caller, v1, vector};
use adit_storage::{DatasetRow, Error as StorageError};
use tonic::{Request, Response, Status};

use super::VideoDataset;
use crate::{Error, Result};

/// Most vectors in one novelty request.
const MOST_VECTORS: usize = 1_024;
/// Most records in one batch.
const MOST_RECORDS: usize = 1_024;

/// Serves `Dataset` from a [`VideoDataset`]. Put it behind `adit-protocol`'s authentication.
#[derive(Debug)]
pub struct DatasetService {
    dataset: Arc<VideoDataset>,
    topics: Vec<String>,
}

impl DatasetService {
    /// A service over a dataset, with the topics tasks are drawn from.
    pub fn new(dataset: Arc<VideoDataset>, topics: Vec<String>) -> Self {
        Self { dataset, topics }
    }
}

#[tonic::async_trait]
impl v1::dataset_server::Dataset for DatasetService {
    async fn topics(
        &self,
        _request: Request<v1::TopicsRequest>,
    ) -> Result<Response<v1::TopicsResponse>, Status> {
        Ok(Response::new(v1::TopicsResponse {
            topics: self.topics.clone(),
        }))
    }

    async fn novelty(
        &self,
        request: Request<v1::NoveltyRequest>,
    ) -> Result<Response<v1::NoveltyResponse>, Status> {
        let vectors = request.into_inner().vectors;
        if vectors.len() > MOST_VECTORS {
            return Err(Status::invalid_argument(format!(
                "at most {MOST_VECTORS} vectors at once"
            )));
        }
        let space = &self.dataset.spaces().video;
        let decoded: Result<Vec<Embedding>, _> = vectors
            .iter()
            .map(|one| vector::decode(one, space))
            .collect();
        let hits = self
            .dataset
            .nearest(decoded?)
            .await
            .map_err(|error| status(&error))?;
        let neighbour = |hit: Option<adit_storage::IndexHit>| match hit {
            None => v1::Neighbour {
                novelty: 1.0,
                nearest: String::new(),
            },
            Some(hit) => v1::Neighbour {
                novelty: (1.0 - f64::from(hit.cosine)).clamp(0.0, 1.0),
                nearest: hit.id,
            },
        };
        Ok(Response::new(v1::NoveltyResponse {
            neighbours: hits.into_iter().map(neighbour).collect(),
        }))
    }

    async fn submit(
        &self,
        request: Request<v1::SubmitRequest>,
    ) -> Result<Response<v1::SubmitResponse>, Status> {
        let validator = caller(&request)?.hotkey;
        let v1::SubmitRequest { batch_id, records } = request.into_inner();
        if !is_batch_id(&batch_id) {
            return Err(Status::invalid_argument(
                "batch_id must have 1 to 64 characters of A-Z a-z 0-9 . _ -",
            ));
        }
        if records.is_empty() || records.len() > MOST_RECORDS {
            return Err(Status::invalid_argument(format!(
                "a batch has 1 to {MOST_RECORDS} records"
            )));
        }
        let spaces = self.dataset.spaces();
        let mut rows = Vec::with_capacity(records.len());
        for (place, record) in records.into_iter().enumerate() {
            let row = row(
                record,
                validator,
                [&spaces.video, &spaces.audio, &spaces.text],
            )
            .map_err(|reason| status(&Error::Record { place, reason }))?;
            rows.push(row);
        }
        let receipt = self
            .dataset
            .submit(&batch_id, &validator, rows)
            .await
            .map_err(|error| status(&error))?;
        tracing::info!(
            event = "batch",
            batch_id,
            stored = receipt.stored,
            replayed = receipt.replayed,
            "batch taken in"
        );
        metrics::counter!("adit_batches_total").increment(1);
        let count = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        Ok(Response::new(v1::SubmitResponse {
            batch_id,
            stored: count(receipt.stored),
            duplicates: count(receipt.duplicates),
            replayed: receipt.replayed,
        }))
    }

    async fn stats(
        &self,
        _request: Request<v1::StatsRequest>,
    ) -> Result<Response<v1::StatsResponse>, Status> {
        let (totals, shards) = self
            .dataset
            .totals()
            .await
            .map_err(|error| status(&error))?;
        Ok(Response::new(v1::StatsResponse {
            rows: totals.rows,
            duration_ms: totals.duration_ms,
            unique_sources: totals.unique_sources,
            batches: totals.batches,
            shards,
        }))
    }
}

fn is_batch_id(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    (1..=64).contains(&text.len()) && text.bytes().all(allowed)
}

fn row(
    record: v1::Record,
    validator: Hotkey,
    [video, audio, text]: [&Space; 3],
) -> Result<DatasetRow, String> {
    let clip = record.clip.ok_or("it has no clip")?;
    let embedding = |vector: Option<v1::Vector>, space: &Space, what: &str| {
        let vector = vector.ok_or_else(|| format!("it has no {what} vector"))?;
        vector::decode(&vector, space).map_err(|error| format!("{what} vector: {error}"))
    };
    if clip.end_ms <= clip.start_ms {
        return Err("its end is not after its start".to_owned());
    }
    let shares = [
        ("relevance", record.relevance),
        ("novelty", record.novelty),
        ("score", record.score),
    ];
    if let Some((name, _)) = shares
        .iter()
        .find(|(_, share)| !(0.0..=1.0).contains(share))
    {
        return Err(format!("its {name} lies outside 0 to 1"));
    }
    Ok(DatasetRow {
        record_id: record.record_id,
        video_id: clip.video_id,
        source_url: clip.source_url,
        start_ms: clip.start_ms,
        end_ms: clip.end_ms,
        description: clip.description,
        topic: record.topic,
        video: embedding(clip.video, video, "video")?,
        audio: clip
            .audio
            .map(|vector| embedding(Some(vector), audio, "audio"))
            .transpose()?,
        text: embedding(clip.text, text, "text")?,
        relevance: record.relevance,
        novelty: record.novelty,
        score: record.score,
        miner: record
            .miner
            .parse()
            .map_err(|error: adit_primitives::Error| error.to_string())?,
        validator,
        task: record
            .task_id
            .parse()
            .map_err(|error: adit_primitives::Error| error.to_string())?,
        submitted_at_ms: record.submitted_at_unix_ms,
    })
}

/// What a caller is told; the rest goes to the log.
fn status(error: &Error) -> Status {
    match error {
        Error::Record { .. } => Status::invalid_argument(error.to_string()),
        Error::Storage(StorageError::BatchConflict { .. }) => {
            Status::already_exists("this batch id was used for other contents")
        }
        Error::Storage(
            refused @ (StorageError::Row { .. }
            | StorageError::SpaceMismatch { .. }
            | StorageError::TooLarge { .. }),
        ) => Status::invalid_argument(refused.to_string()),
        other => {
            tracing::error!(error = %other, "the dataset failed");
            Status::unavailable("the dataset cannot be used now")
        }
    }
}
