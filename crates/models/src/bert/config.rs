use std::path::Path;

use serde::Deserialize;

use crate::{Error, Result, digest::read_bounded};

/// Largest `config.json`, in bytes.
const LARGEST_FILE: u64 = 1 << 20;

/// The part of `config.json` that decides shapes and arithmetic.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct BertConfig {
    pub(crate) model_type: String,
    pub(crate) hidden_act: String,
    #[serde(default = "absolute")]
    pub(crate) position_embedding_type: String,
    pub(crate) vocab_size: usize,
    pub(crate) max_position_embeddings: usize,
    pub(crate) type_vocab_size: usize,
    pub(crate) hidden_size: usize,
    pub(crate) intermediate_size: usize,
    pub(crate) num_hidden_layers: usize,
    pub(crate) num_attention_heads: usize,
    pub(crate) layer_norm_eps: f64,
}

fn absolute() -> String {
    "absolute".to_owned()
}

impl BertConfig {
    /// Reads `config.json`.
    pub(crate) fn load(path: &Path) -> Result<Self> {
        let bytes = read_bounded(path, LARGEST_FILE)?;
        serde_json::from_slice(&bytes).map_err(|error| Error::Config {
            path: path.to_owned(),
            reason: error.to_string(),
        })
    }
}
