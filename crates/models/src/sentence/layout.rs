//! How sentence-transformers lays a model out in a folder.

use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use crate::{Error, Result, SentencePooling, digest::read_bounded};

/// Largest of these files, in bytes.
const LARGEST_FILE: u64 = 1 << 20;

/// What the folder's small files say of the steps around the network.
#[derive(Debug)]
pub(crate) struct SentenceLayout {
    /// Where `config.json`, the weights and the tokenizer are.
    pub(crate) network: PathBuf,
    pub(crate) pooling: SentencePooling,
    pub(crate) normalise: bool,
    /// Tokens at which a sequence is cut, if the model says it.
    pub(crate) longest: Option<usize>,
    /// The same, if only the tokenizer says it.
    pub(crate) tokenizer_longest: Option<usize>,
    pub(crate) lowercase: bool,
}

#[derive(Deserialize)]
struct Module {
    path: String,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Default, Deserialize)]
struct SentenceBert {
    max_seq_length: Option<usize>,
    #[serde(default)]
    do_lower_case: bool,
}

#[derive(Default, Deserialize)]
struct TokenizerConfig {
    /// Absurdly large where nobody set it.
    model_max_length: Option<f64>,
}

impl SentenceLayout {
    /// Reads what is there of `modules.json`, `sentence_bert_config.json`, `tokenizer_config.json` and
    /// the pooling's `config.json`. A folder of none of them is pooled by the mean and normalised.
    pub(crate) fn read(folder: &Path) -> Result<Self> {
        let mut layout = Self {
            network: folder.to_owned(),
            pooling: SentencePooling::Mean,
            normalise: true,
            longest: None,
            tokenizer_longest: None,
            lowercase: false,
        };
        let path = folder.join("modules.json");
        if let Some(modules) = optional::<Vec<Module>>(&path)? {
            layout.modules(folder, &path, &modules)?;
        }
        let sentence: Option<SentenceBert> =
            optional(&layout.network.join("sentence_bert_config.json"))?;
        let sentence = sentence.unwrap_or_default();
        layout.lowercase = sentence.do_lower_case;
        layout.longest = sentence.max_seq_length;
        let tokenizer: Option<TokenizerConfig> =
            optional(&layout.network.join("tokenizer_config.json"))?;
        layout.tokenizer_longest = tokenizer
            .and_then(|config| config.model_max_length)
            .filter(|longest| (1.0..1e6).contains(longest))
            .map(|longest| longest as usize);
        Ok(layout)
    }

    fn modules(&mut self, folder: &Path, path: &Path, modules: &[Module]) -> Result<()> {
        let refuse = |reason: String| Error::Config {
            path: path.to_owned(),
            reason,
        };
        self.normalise = false;
        let mut pools = false;
        for (index, module) in modules.iter().enumerate() {
            let place = Path::new(&module.path);
            let inside = place
                .components()
                .all(|part| matches!(part, Component::Normal(_)));
            if !inside || module.path.len() > 64 {
                return Err(refuse(format!(
                    "a module lies at {:?}",
                    shown(&module.path)
                )));
            }
            let place = folder.join(place);
            match (index, module.kind.rsplit('.').next()) {
                (0, Some("Transformer")) => self.network = place,
                (1, Some("Pooling")) => {
                    self.pooling = pooling(&place.join("config.json"))?;
                    pools = true;
                }
                (2, Some("Normalize")) => self.normalise = true,
                _ => {
                    return Err(refuse(format!(
                        "module {index} is {:?}; supported are a Transformer, a Pooling, and a Normalize or none, in this order",
                        shown(&module.kind)
                    )));
                }
            }
        }
        if pools {
            Ok(())
        } else {
            Err(refuse("it has no Pooling".to_owned()))
        }
    }
}

/// The pooling's configuration, as sentence-transformers wrote it until version 5 (a switch for each
/// way of pooling) or writes it since (a name).
fn pooling(path: &Path) -> Result<SentencePooling> {
    const PREFIX: &str = "pooling_mode_";
    let refuse = |reason: String| Error::Config {
        path: path.to_owned(),
        reason,
    };
    let fields: Map<String, Value> = optional(path)?.ok_or_else(|| Error::Missing {
        path: path.to_owned(),
    })?;
    let mut names: Vec<&str> = fields
        .iter()
        .filter(|(_, value)| **value == Value::Bool(true))
        .filter_map(|(name, _)| name.strip_prefix(PREFIX))
        .collect();
    match fields.get("pooling_mode") {
        Some(Value::String(name)) => names = vec![name],
        Some(other) => {
            return Err(refuse(format!(
                "pooling_mode is {}",
                shown(&other.to_string())
            )));
        }
        None => {}
    }
    match names.as_slice() {
        ["mean" | "mean_tokens"] => Ok(SentencePooling::Mean),
        ["cls" | "cls_token"] => Ok(SentencePooling::Cls),
        names => Err(refuse(format!(
            "it pools by {:?}; supported are mean or cls, one of them",
            shown(&names.join(", "))
        ))),
    }
}

/// A file's JSON, if the file is there.
fn optional<T: DeserializeOwned>(path: &Path) -> Result<Option<T>> {
    let bytes = match read_bounded(path, LARGEST_FILE) {
        Err(Error::Missing { .. }) => return Ok(None),
        read => read?,
    };
    serde_json::from_slice(&bytes)
        .map(Some)
        .map_err(|error| Error::Config {
            path: path.to_owned(),
            reason: error.to_string(),
        })
}

fn shown(text: &str) -> String {
    text.chars().take(80).collect()
}
