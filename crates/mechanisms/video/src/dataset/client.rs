use adit_embedding::Embedding;
use adit_neuron::Unavailable;
use adit_protocol::{client::SignedChannel, v1, vector};
use serde_json::{Value, json};
use tonic::Status;
use v1::dataset_client::DatasetClient as Wire;

use super::records::BatchRecord;

/// Vectors in one novelty request: well below the message limit at any dimension in use.
const VECTORS_AT_ONCE: usize = 256;

/// A validator's view of the dataset.
#[derive(Debug, Clone)]
pub struct DatasetClient {
    wire: Wire<SignedChannel>,
}

impl DatasetClient {
    /// A client over a signed channel to the validator API.
    pub fn new(channel: SignedChannel) -> Self {
        Self {
            wire: channel.dataset(),
        }
    }

    /// The topics tasks are drawn from.
    ///
    /// # Errors
    /// [`Unavailable`] when the API does not answer.
    pub async fn topics(&self) -> Result<Vec<String>, Unavailable> {
        let answer = self
            .wire
            .clone()
            .topics(v1::TopicsRequest {})
            .await
            .map_err(unavailable)?;
        Ok(answer.into_inner().topics)
    }

    /// For each vector, 1 minus the largest cosine to anything in the dataset (0 to 1).
    ///
    /// # Errors
    /// [`Unavailable`] when the API does not answer, or not for each vector.
    pub async fn novelty(&self, vectors: &[Embedding]) -> Result<Vec<f64>, Unavailable> {
        let mut novelty = Vec::with_capacity(vectors.len());
        for chunk in vectors.chunks(VECTORS_AT_ONCE) {
            let vectors = chunk
                .iter()
                .map(|one| vector::encode(one, vector::VectorEncoding::F32))
                .collect();
            let request = v1::NoveltyRequest { vectors };
            let answer = self
                .wire
                .clone()
                .novelty(request)
                .await
                .map_err(unavailable)?
                .into_inner();
            if answer.neighbours.len() != chunk.len() {
                return Err(Unavailable::new(
                    "dataset",
                    "it did not answer for each vector",
                ));
            }
            novelty.extend(answer.neighbours.iter().map(|neighbour| neighbour.novelty));
        }
        match novelty.iter().all(|value| (0.0..=1.0).contains(value)) {
            true => Ok(novelty),
            false => Err(Unavailable::new("dataset", "a novelty lies outside 0 to 1")),
        }
    }

    /// Hands over a batch of accepted clips, as stored by the validator. Answers with the receipt.
    ///
    /// # Errors
    /// [`Unavailable`] when the API does not take it now.
    pub async fn submit(&self, batch_id: &str, batch: &Value) -> Result<Value, Unavailable> {
        let records: Vec<BatchRecord> = serde::Deserialize::deserialize(batch)
            .map_err(|error: serde_json::Error| Unavailable::new("dataset", error))?;
        let records = records.into_iter().map(v1::Record::from).collect();
        let request = v1::SubmitRequest {
            batch_id: batch_id.to_owned(),
            records,
        };
        let receipt = self
            .wire
            .clone()
            .submit(request)
            .await
            .map_err(unavailable)?
            .into_inner();
        Ok(json!({
            "stored": receipt.stored,
            "duplicates": receipt.duplicates,
            "replayed": receipt.replayed,
        }))
    }

    /// What the dataset holds.
    ///
    /// # Errors
    /// [`Unavailable`] when the API does not answer.
    pub async fn stats(&self) -> Result<v1::StatsResponse, Unavailable> {
        Ok(self
            .wire
            .clone()
            .stats(v1::StatsRequest {})
            .await
            .map_err(unavailable)?
            .into_inner())
    }
}

fn unavailable(status: Status) -> Unavailable {
    Unavailable::new(
        "dataset",
        format!("{}: {}", status.code(), status.message()),
    )
}
