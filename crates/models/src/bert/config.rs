use std::path::Path;

use serde::Deserialize;

use crate::{Error, Result, digest::read_bounded};

/// Largest `config.json`, in bytes.
const LARGEST_FILE: u64 = 1 << 20;

/// Which network of BERT's family a checkpoint holds: the names of its tensors, and what they lack
/// or have besides BERT's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    /// Word, position and token type embeddings.
    Bert,
    /// BERT without token types.
    Distil,
    /// BERT whose positions are counted from beyond the padding token.
    Roberta,
    /// No token types, positions as RoBERTa's, and a bias on attention scores by relative position.
    Mpnet,
}

/// What `config.json` says of shapes and arithmetic, checked.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct BertConfig {
    /// As the file spells it.
    pub(crate) model_type: String,
    pub(crate) family: Family,
    pub(crate) vocabulary: usize,
    /// Rows of the table of positions.
    pub(crate) positions: usize,
    /// Rows of the table of token types, none where the family has no such table.
    pub(crate) types: Option<usize>,
    pub(crate) hidden: usize,
    pub(crate) wide: usize,
    pub(crate) layers: usize,
    pub(crate) heads: usize,
    /// Added to the variance before its root is taken.
    pub(crate) epsilon: f64,
    /// The padding token, where positions are counted from beyond it.
    pub(crate) padding: Option<u32>,
    /// Buckets of relative positions, where attention is biased by them.
    pub(crate) buckets: Option<usize>,
}

/// The file's fields under all of the family's names.
#[derive(Debug, Deserialize)]
struct Fields {
    model_type: String,
    #[serde(alias = "activation")]
    hidden_act: String,
    #[serde(default = "absolute")]
    position_embedding_type: String,
    vocab_size: usize,
    max_position_embeddings: usize,
    type_vocab_size: Option<usize>,
    #[serde(alias = "dim")]
    hidden_size: usize,
    #[serde(alias = "hidden_dim")]
    intermediate_size: usize,
    #[serde(alias = "n_layers")]
    num_hidden_layers: usize,
    #[serde(alias = "n_heads")]
    num_attention_heads: usize,
    layer_norm_eps: Option<f64>,
    pad_token_id: Option<u32>,
    relative_attention_num_buckets: Option<usize>,
    #[serde(default)]
    is_decoder: bool,
}

fn absolute() -> String {
    "absolute".to_owned()
}

impl BertConfig {
    /// Reads `config.json`.
    pub(crate) fn load(path: &Path) -> Result<Self> {
        let bytes = read_bounded(path, LARGEST_FILE)?;
        Self::parse(&bytes).map_err(|reason| Error::Config {
            path: path.to_owned(),
            reason,
        })
    }

    fn parse(bytes: &[u8]) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Kind {
            model_type: String,
        }
        // The type first: another network's file has other fields, and is best named by its type.
        let kind: Kind = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        let family = match kind.model_type.as_str() {
            "bert" => Family::Bert,
            "distilbert" => Family::Distil,
            "roberta" | "xlm-roberta" | "camembert" => Family::Roberta,
            "mpnet" => Family::Mpnet,
            other => {
                return Err(format!(
                    "model_type is {:?}; supported are bert, distilbert, roberta, xlm-roberta, camembert and mpnet",
                    shown(other)
                ));
            }
        };
        let fields: Fields = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        fields.check(family)
    }

    /// Most tokens of a sequence.
    pub(crate) fn longest(&self) -> usize {
        self.positions - self.first_position()
    }

    /// The row of the table of positions that a sequence's first token has.
    fn first_position(&self) -> usize {
        self.padding.map_or(0, |padding| padding as usize + 1)
    }

    /// The row of the table of positions for each token. Where positions are counted from beyond the
    /// padding token, that token itself stands at its own number and is not counted.
    pub(crate) fn places(&self, ids: &[u32]) -> Vec<usize> {
        let mut next = self.first_position();
        let mut place = |id: &u32| match self.padding {
            Some(padding) if *id == padding => padding as usize,
            _ => {
                next += 1;
                next - 1
            }
        };
        ids.iter().map(&mut place).collect()
    }
}

impl Fields {
    fn check(self, family: Family) -> Result<BertConfig, String> {
        let words = [
            ("hidden_act", &self.hidden_act, "gelu"),
            (
                "position_embedding_type",
                &self.position_embedding_type,
                "absolute",
            ),
        ];
        for (name, found, expected) in words {
            if found != expected {
                return Err(format!(
                    "{name} is {:?}; supported is {expected:?} alone",
                    shown(found)
                ));
            }
        }
        if self.is_decoder {
            return Err("is_decoder is true; an encoder sees all of a text".to_owned());
        }
        let types = match family {
            Family::Bert | Family::Roberta => Some(self.type_vocab_size.unwrap_or(2)),
            Family::Distil | Family::Mpnet => None,
        };
        let buckets = match family {
            Family::Mpnet => Some(self.relative_attention_num_buckets.unwrap_or(32)),
            _ => None,
        };
        // The bounds keep every product of two sizes far from overflow.
        let bounded = [
            ("vocab_size", self.vocab_size, 1 << 20),
            (
                "max_position_embeddings",
                self.max_position_embeddings,
                1 << 14,
            ),
            ("type_vocab_size", types.unwrap_or(1), 1 << 10),
            ("hidden_size", self.hidden_size, 1 << 14),
            ("intermediate_size", self.intermediate_size, 1 << 16),
            ("num_hidden_layers", self.num_hidden_layers, 256),
            ("num_attention_heads", self.num_attention_heads, 256),
        ];
        for (name, found, most) in bounded {
            if found == 0 || found > most {
                return Err(format!("{name} is {found}, not 1 to {most}"));
            }
        }
        if !self.hidden_size.is_multiple_of(self.num_attention_heads) {
            return Err(format!(
                "hidden_size is {}, no multiple of num_attention_heads, which is {}",
                self.hidden_size, self.num_attention_heads
            ));
        }
        if let Some(buckets) =
            buckets.filter(|count| !(4..=1 << 10).contains(count) || !count.is_multiple_of(4))
        {
            return Err(format!(
                "relative_attention_num_buckets is {buckets}, no multiple of 4 up to 1024"
            ));
        }
        let epsilon = self.layer_norm_eps.unwrap_or(1e-12);
        if !(0.0..=1.0).contains(&epsilon) {
            return Err(format!("layer_norm_eps is {epsilon}, not 0 to 1"));
        }
        let padding = match family {
            Family::Bert | Family::Distil => None,
            Family::Roberta => Some(self.pad_token_id.unwrap_or(1)),
            // The original's constant, whatever the file says.
            Family::Mpnet => Some(1),
        };
        let config = BertConfig {
            model_type: self.model_type,
            family,
            vocabulary: self.vocab_size,
            positions: self.max_position_embeddings,
            types,
            hidden: self.hidden_size,
            wide: self.intermediate_size,
            layers: self.num_hidden_layers,
            heads: self.num_attention_heads,
            epsilon,
            padding,
            buckets,
        };
        if config.first_position() >= config.positions {
            return Err(format!(
                "max_position_embeddings is {}, which leaves no token a position: the first is {}",
                config.positions,
                config.first_position()
            ));
        }
        Ok(config)
    }
}

fn shown(text: &str) -> String {
    text.chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::BertConfig;

    fn config(model_type: &str, more: &str) -> Result<BertConfig, String> {
        let text = format!(
            r#"{{"model_type": "{model_type}", "hidden_act": "gelu", "vocab_size": 9, "max_position_embeddings": 8,
                "hidden_size": 4, "intermediate_size": 4, "num_hidden_layers": 1, "num_attention_heads": 2{more}}}"#
        );
        BertConfig::parse(text.as_bytes())
    }

    #[test]
    fn positions_are_counted_from_beyond_the_padding_token() {
        let bert = config("bert", "").unwrap();
        assert_eq!(
            (bert.longest(), bert.places(&[5, 1, 7])),
            (8, vec![0, 1, 2])
        );
        let mpnet = config("mpnet", "").unwrap();
        assert_eq!(mpnet.longest(), 6);
        assert_eq!(mpnet.places(&[5, 1, 7, 1, 6]), [2, 1, 3, 1, 4]);
        let roberta = config("roberta", r#", "pad_token_id": 3"#).unwrap();
        assert_eq!(roberta.places(&[5, 1, 3, 6]), [4, 5, 3, 6]);
        assert!(config("roberta", r#", "pad_token_id": 7"#).is_err());
        assert!(config("roberta", r#", "pad_token_id": 4294967295"#).is_err());
    }
}
