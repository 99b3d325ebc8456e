use std::path::Path;

use serde::Deserialize;

use crate::{
    Error, Result,
    digest::read_bounded,
    rotary::{Rotary, RotaryConfig},
};

/// Largest `config.json` and `generation_config.json`, in bytes.
const LARGEST_FILE: u64 = 1 << 20;
/// The base of the angles where a configuration does not say.
const THETA: f64 = 10_000.0;
/// Components of a Qwen3 head where a configuration does not say.
const QWEN3_HEAD: usize = 128;

/// What decides a network's shapes and sums.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CausalConfig {
    pub(crate) vocabulary: usize,
    pub(crate) hidden: usize,
    /// Width between the two products of a feed-forward layer.
    pub(crate) wide: usize,
    pub(crate) heads: usize,
    /// Heads of keys and values; each serves `heads / groups` heads of queries.
    pub(crate) groups: usize,
    /// Components of a head.
    pub(crate) head: usize,
    /// Of each layer, the positions that a token sees, itself included; all where there is none.
    pub(crate) windows: Vec<Option<usize>>,
    /// Added to the mean square before its root is taken.
    pub(crate) epsilon: f32,
    pub(crate) rotary: Rotary,
    /// Most positions.
    pub(crate) context: usize,
    /// Whether queries, keys and values have biases.
    pub(crate) input_bias: bool,
    /// Whether attention's output has a bias.
    pub(crate) output_bias: bool,
    /// Whether the feed-forward layers have biases.
    pub(crate) feed_bias: bool,
    /// Whether queries and keys are normalised head by head.
    pub(crate) head_norms: bool,
    /// Whether the words' embeddings also give the logits.
    pub(crate) tied: bool,
    /// Tokens that end a text.
    pub(crate) ends: Vec<u32>,
}

/// The part of `config.json` that we read.
#[derive(Debug, Deserialize)]
struct Written {
    model_type: String,
    vocab_size: usize,
    hidden_size: usize,
    intermediate_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    num_key_value_heads: Option<usize>,
    head_dim: Option<usize>,
    hidden_act: Option<String>,
    rms_norm_eps: Option<f64>,
    max_position_embeddings: usize,
    rope_theta: Option<f64>,
    rope_scaling: Option<RotaryConfig>,
    rope_parameters: Option<RotaryConfig>,
    tie_word_embeddings: Option<bool>,
    attention_bias: Option<bool>,
    mlp_bias: Option<bool>,
    use_sliding_window: Option<bool>,
    sliding_window: Option<usize>,
    max_window_layers: Option<usize>,
    layer_types: Option<Vec<String>>,
    eos_token_id: Option<Ends>,
    quantization_config: Option<serde_json::Value>,
}

/// The part of `generation_config.json` that we read.
#[derive(Debug, Deserialize)]
struct WrittenGeneration {
    eos_token_id: Option<Ends>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Ends {
    One(u32),
    Many(Vec<u32>),
}

impl CausalConfig {
    /// Reads `config.json` of a folder, and `generation_config.json` where there is one.
    pub(crate) fn load(folder: &Path) -> Result<Self> {
        let path = folder.join("config.json");
        let refuse = |reason: String| Error::Config {
            path: path.clone(),
            reason,
        };
        let bytes = read_bounded(&path, LARGEST_FILE)?;
        let written: Written =
            serde_json::from_slice(&bytes).map_err(|error| refuse(error.to_string()))?;
        let mut config = written.understood().map_err(refuse)?;
        let path = folder.join("generation_config.json");
        match read_bounded(&path, LARGEST_FILE) {
            Ok(bytes) => {
                let written: WrittenGeneration =
                    serde_json::from_slice(&bytes).map_err(|error| Error::Config {
                        path,
                        reason: error.to_string(),
                    })?;
                if let Some(ends) = written.eos_token_id {
                    config.ends = ends.into_list();
                }
            }
            Err(Error::Missing { .. }) => {}
            Err(error) => return Err(error),
        }
        Ok(config)
    }
}

impl Ends {
    fn into_list(self) -> Vec<u32> {
        match self {
            Self::One(end) => vec![end],
            Self::Many(ends) => ends,
        }
    }
}

impl Written {
    fn understood(self) -> Result<CausalConfig, String> {
        let family = self.model_type.as_str();
        let (input_bias, output_bias, feed_bias, head_norms) = match family {
            "llama" => {
                let bias = self.attention_bias == Some(true);
                (bias, bias, self.mlp_bias == Some(true), false)
            }
            "qwen2" => (true, false, false, false),
            "qwen3" => {
                let bias = self.attention_bias == Some(true);
                (bias, bias, false, true)
            }
            other => {
                let shown: String = other.chars().take(40).collect();
                return Err(format!(
                    "model_type is {shown:?}; llama, qwen2 and qwen3 are supported"
                ));
            }
        };
        if self.quantization_config.is_some() {
            return Err("it has a quantization_config: quantised weights are not supported".into());
        }
        if let Some(act) = self.hidden_act.as_deref().filter(|act| *act != "silu") {
            let shown: String = act.chars().take(40).collect();
            return Err(format!("hidden_act is {shown:?}, it must be \"silu\""));
        }
        let heads = self.num_attention_heads;
        let groups = self.num_key_value_heads.unwrap_or(heads);
        // The bounds keep every product of two sizes far from overflow.
        for (name, found, most) in [
            ("vocab_size", self.vocab_size, 1 << 22),
            ("hidden_size", self.hidden_size, 1 << 16),
            ("intermediate_size", self.intermediate_size, 1 << 18),
            ("num_hidden_layers", self.num_hidden_layers, 1 << 10),
            ("num_attention_heads", heads, 1 << 10),
            ("num_key_value_heads", groups, 1 << 10),
            (
                "max_position_embeddings",
                self.max_position_embeddings,
                1 << 24,
            ),
        ] {
            if found == 0 || found > most {
                return Err(format!("{name} is {found}, not 1 to {most}"));
            }
        }
        let head = match self.head_dim {
            Some(head) => head,
            None if family == "qwen3" => QWEN3_HEAD,
            None if self.hidden_size.is_multiple_of(heads) => self.hidden_size / heads,
            None => {
                return Err(format!(
                    "hidden_size is {}, no multiple of {heads} heads",
                    self.hidden_size
                ));
            }
        };
        if head == 0 || head > 1 << 10 || !head.is_multiple_of(2) {
            return Err(format!("head_dim is {head}, no even number up to 1024"));
        }
        if !heads.is_multiple_of(groups) {
            return Err(format!(
                "num_attention_heads is {heads}, no multiple of {groups} heads of keys"
            ));
        }
        let epsilon = self.rms_norm_eps.unwrap_or(1e-6);
        if !(0.0..=1.0).contains(&epsilon) {
            return Err(format!("rms_norm_eps is {epsilon}, not 0 to 1"));
        }
        let windows = self.windows()?;
        let (rotary, context) = self.rotary(head)?;
        Ok(CausalConfig {
            vocabulary: self.vocab_size,
            hidden: self.hidden_size,
            wide: self.intermediate_size,
            heads,
            groups,
            head,
            windows,
            epsilon: epsilon as f32,
            rotary,
            context,
            input_bias,
            output_bias,
            feed_bias,
            head_norms,
            tied: self.tie_word_embeddings == Some(true),
            ends: self.eos_token_id.map(Ends::into_list).unwrap_or_default(),
        })
    }

    /// The window of each layer: Qwen's configurations say `use_sliding_window`, and either the type of
    /// each layer or the first layer with a window.
    fn windows(&self) -> Result<Vec<Option<usize>>, String> {
        let layers = self.num_hidden_layers;
        let full = vec![None; layers];
        if self.model_type == "llama" || self.use_sliding_window != Some(true) {
            let sliding = |kind: &String| kind != "full_attention";
            if let Some(kind) = self.layer_types.iter().flatten().find(|kind| sliding(kind)) {
                let shown: String = kind.chars().take(40).collect();
                return Err(format!(
                    "layer_types has {shown:?} without a sliding window"
                ));
            }
            return Ok(full);
        }
        let Some(window) = self.sliding_window else {
            return Ok(full);
        };
        if window == 0 {
            return Err("sliding_window is 0".to_owned());
        }
        match &self.layer_types {
            Some(kinds) if kinds.len() != layers => Err(format!(
                "layer_types has {} entries for {layers} layers",
                kinds.len()
            )),
            Some(kinds) => kinds
                .iter()
                .map(|kind| match kind.as_str() {
                    "full_attention" => Ok(None),
                    "sliding_attention" => Ok(Some(window)),
                    other => {
                        let shown: String = other.chars().take(40).collect();
                        Err(format!("layer_types has {shown:?}: not supported"))
                    }
                })
                .collect(),
            None => {
                let first = self.max_window_layers.unwrap_or(28);
                Ok((0..layers)
                    .map(|layer| (layer >= first).then_some(window))
                    .collect())
            }
        }
    }

    fn rotary(&self, head: usize) -> Result<(Rotary, usize), String> {
        // The newer spelling holds the base; the older one has it beside the stretching.
        let config = self.rope_parameters.clone().or(self.rope_scaling.clone());
        let given = config.as_ref().and_then(|config| config.rope_theta);
        let theta = match given.or(self.rope_theta) {
            Some(theta) => theta,
            None if self.rope_parameters.is_some() => {
                return Err("rope_parameters lacks rope_theta".to_owned());
            }
            None => THETA,
        };
        let positions = self.max_position_embeddings;
        let rotary = Rotary::new(&config.unwrap_or_default(), theta, head, positions)?;
        let context = rotary.reach.unwrap_or(positions).max(positions);
        if context > 1 << 26 {
            return Err(format!("{context} positions are too many"));
        }
        Ok((rotary, context))
    }
}
