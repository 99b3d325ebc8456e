//! Where the parameters stand in each family's checkpoints.

use crate::{
    bert::{BertConfig, Family},
    parameters::Shapes,
};

pub(crate) const WORDS: &str = "embeddings.word_embeddings.weight";
pub(crate) const POSITIONS: &str = "embeddings.position_embeddings.weight";
pub(crate) const TYPES: &str = "embeddings.token_type_embeddings.weight";
pub(crate) const EMBEDDING_NORM: &str = "embeddings.LayerNorm";
/// A row for each bucket, a column for each head.
pub(crate) const RELATIVE: &str = "encoder.relative_attention_bias.weight";

/// The prefixes of one layer's tensors, each with a weight and a bias.
#[derive(Debug)]
pub(crate) struct LayerNames {
    /// Queries, keys, values.
    pub(crate) attention_input: [String; 3],
    pub(crate) attention_output: String,
    pub(crate) attention_norm: String,
    pub(crate) feed_input: String,
    pub(crate) feed_output: String,
    pub(crate) feed_norm: String,
}

impl LayerNames {
    pub(crate) fn new(family: Family, index: usize) -> Self {
        let (stem, names) = match family {
            Family::Bert | Family::Roberta => (
                "encoder",
                [
                    "attention.self.query",
                    "attention.self.key",
                    "attention.self.value",
                    "attention.output.dense",
                    "attention.output.LayerNorm",
                    "intermediate.dense",
                    "output.dense",
                    "output.LayerNorm",
                ],
            ),
            Family::Mpnet => (
                "encoder",
                [
                    "attention.attn.q",
                    "attention.attn.k",
                    "attention.attn.v",
                    "attention.attn.o",
                    "attention.LayerNorm",
                    "intermediate.dense",
                    "output.dense",
                    "output.LayerNorm",
                ],
            ),
            Family::Distil => (
                "transformer",
                [
                    "attention.q_lin",
                    "attention.k_lin",
                    "attention.v_lin",
                    "attention.out_lin",
                    "sa_layer_norm",
                    "ffn.lin1",
                    "ffn.lin2",
                    "output_layer_norm",
                ],
            ),
        };
        let [query, key, value, output, norm, wide, narrow, last] =
            names.map(|name| format!("{stem}.layer.{index}.{name}"));
        Self {
            attention_input: [query, key, value],
            attention_output: output,
            attention_norm: norm,
            feed_input: wide,
            feed_output: narrow,
            feed_norm: last,
        }
    }
}

/// Every tensor of a configuration.
pub(crate) fn shapes(config: &BertConfig) -> Shapes {
    let (hidden, wide) = (config.hidden, config.wide);
    let mut all = Shapes::default();
    all.add(WORDS, &[config.vocabulary, hidden]);
    all.add(POSITIONS, &[config.positions, hidden]);
    if let Some(types) = config.types {
        all.add(TYPES, &[types, hidden]);
    }
    if let Some(buckets) = config.buckets {
        all.add(RELATIVE, &[buckets, config.heads]);
    }
    all.norm(EMBEDDING_NORM, hidden);
    for index in 0..config.layers {
        let names = LayerNames::new(config.family, index);
        for name in &names.attention_input {
            all.linear(name, hidden, hidden);
        }
        all.linear(&names.attention_output, hidden, hidden);
        all.linear(&names.feed_input, wide, hidden);
        all.linear(&names.feed_output, hidden, wide);
        all.norm(&names.attention_norm, hidden);
        all.norm(&names.feed_norm, hidden);
    }
    all
}

/// Whether a checkpoint may hold this tensor although sentence encoders do not use it.
pub(crate) fn unused(name: &str) -> bool {
    [
        "embeddings.position_ids",
        "pooler.dense.weight",
        "pooler.dense.bias",
    ]
    .contains(&name)
}
