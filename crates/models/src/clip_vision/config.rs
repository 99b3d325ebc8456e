use std::path::Path;

use serde::Deserialize;

use crate::{Error, Result, digest::read_bounded, layers::Activation};

/// Largest `config.json`, in bytes.
const LARGEST_FILE: u64 = 1 << 20;
/// Colours of a picture.
const COLOURS: usize = 3;

/// The part of `config.json` that decides shapes, under the names of Hugging Face, whose defaults may
/// be left out of a file: those of ViT-B/32.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct ClipVisionConfig {
    model_type: String,
    architectures: Option<Vec<String>>,
    pub(crate) hidden_size: usize,
    pub(crate) intermediate_size: usize,
    pub(crate) projection_dim: usize,
    pub(crate) num_hidden_layers: usize,
    pub(crate) num_attention_heads: usize,
    num_channels: usize,
    pub(crate) image_size: usize,
    pub(crate) patch_size: usize,
    hidden_act: String,
    pub(crate) layer_norm_eps: f64,
}

impl Default for ClipVisionConfig {
    fn default() -> Self {
        Self {
            model_type: "clip_vision_model".to_owned(),
            architectures: None,
            hidden_size: 768,
            intermediate_size: 3_072,
            projection_dim: 512,
            num_hidden_layers: 12,
            num_attention_heads: 12,
            num_channels: COLOURS,
            image_size: 224,
            patch_size: 32,
            hidden_act: "quick_gelu".to_owned(),
            layer_norm_eps: 1e-5,
        }
    }
}

/// The configuration of a whole CLIP, texts and pictures.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Whole {
    model_type: String,
    projection_dim: Option<usize>,
    vision_config: Option<ClipVisionConfig>,
}

impl ClipVisionConfig {
    /// Reads `config.json`, of a vision tower or of a whole CLIP.
    pub(crate) fn load(path: &Path) -> Result<Self> {
        let refuse = |reason: String| Error::Config {
            path: path.to_owned(),
            reason,
        };
        let malformed = |error: serde_json::Error| refuse(error.to_string());
        let bytes = read_bounded(path, LARGEST_FILE)?;
        let whole: Whole = serde_json::from_slice(&bytes).map_err(malformed)?;
        let config = match whole.model_type.as_str() {
            "clip" => Self {
                // The whole model's projection is declared beside its towers.
                projection_dim: whole.projection_dim.unwrap_or(512),
                architectures: None,
                ..whole.vision_config.unwrap_or_default()
            },
            _ => serde_json::from_slice(&bytes).map_err(malformed)?,
        };
        match config.fault() {
            Some(reason) => Err(refuse(reason)),
            None => Ok(config),
        }
    }

    /// Whether answers are projected into the space that texts share. The class `CLIPVisionModel` is the
    /// tower alone.
    pub(crate) fn projects(&self) -> bool {
        let alone = |name: &String| name == "CLIPVisionModel";
        !self.architectures.iter().flatten().any(alone)
    }

    /// Components of an answer.
    pub(crate) fn dimension(&self) -> usize {
        if self.projects() {
            self.projection_dim
        } else {
            self.hidden_size
        }
    }

    pub(crate) fn activation(&self) -> Option<Activation> {
        match self.hidden_act.as_str() {
            "quick_gelu" => Some(Activation::QuickGelu),
            "gelu" => Some(Activation::Gelu),
            _ => None,
        }
    }

    /// What no such tower has. The bounds keep every product of two sizes far from overflow.
    fn fault(&self) -> Option<String> {
        // Older files name a tower by the whole model's type.
        if !matches!(self.model_type.as_str(), "clip_vision_model" | "clip") {
            let found: String = self.model_type.chars().take(40).collect();
            return Some(format!(
                "model_type is {found:?}, it must be \"clip_vision_model\" or \"clip\""
            ));
        }
        if self.activation().is_none() {
            let found: String = self.hidden_act.chars().take(40).collect();
            return Some(format!(
                "hidden_act is {found:?}, it must be \"quick_gelu\" or \"gelu\""
            ));
        }
        if self.num_channels != COLOURS {
            return Some(format!("num_channels is {}, not 3", self.num_channels));
        }
        if !(self.layer_norm_eps > 0.0 && self.layer_norm_eps < 1.0) {
            return Some(format!(
                "layer_norm_eps is {}, not between 0 and 1",
                self.layer_norm_eps
            ));
        }
        for (name, found, most) in [
            ("hidden_size", self.hidden_size, 1 << 14),
            ("intermediate_size", self.intermediate_size, 1 << 16),
            ("projection_dim", self.projection_dim, 1 << 14),
            ("num_hidden_layers", self.num_hidden_layers, 256),
            ("num_attention_heads", self.num_attention_heads, 256),
            ("image_size", self.image_size, 1_024),
            ("patch_size", self.patch_size, self.image_size),
        ] {
            if found == 0 || found > most {
                return Some(format!("{name} is {found}, not 1 to {most}"));
            }
        }
        (!self.hidden_size.is_multiple_of(self.num_attention_heads)).then(|| {
            format!(
                "hidden_size is {}, no multiple of {} heads",
                self.hidden_size, self.num_attention_heads
            )
        })
    }
}
