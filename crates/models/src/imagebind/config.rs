use std::path::Path;

use serde::Deserialize;

use crate::{ClipTokenizer, Error, Result, digest::read_bounded};

/// Largest `config.json`, in bytes.
const LARGEST_FILE: u64 = 1 << 20;
/// Frames of a tubelet.
pub(crate) const TUBELET: usize = 2;

/// The part of `config.json` that decides shapes, under the names of the original's constructor.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct ImageBindConfig {
    pub(crate) video_frames: usize,
    pub(crate) out_embed_dim: usize,
    vision_embed_dim: usize,
    vision_num_blocks: usize,
    vision_num_heads: usize,
    text_embed_dim: usize,
    text_num_blocks: usize,
    text_num_heads: usize,
    audio_embed_dim: usize,
    audio_num_blocks: usize,
    audio_num_heads: usize,
    pub(crate) vocab_size: usize,
    pub(crate) context_length: usize,
}

/// The published `imagebind_huge`, whose checkpoint comes without a configuration.
const HUGE: ImageBindConfig = ImageBindConfig {
    video_frames: TUBELET,
    out_embed_dim: 1_024,
    vision_embed_dim: 1_280,
    vision_num_blocks: 32,
    vision_num_heads: 16,
    text_embed_dim: 1_024,
    text_num_blocks: 24,
    text_num_heads: 16,
    audio_embed_dim: 768,
    audio_num_blocks: 12,
    audio_num_heads: 12,
    vocab_size: 49_408,
    context_length: ClipTokenizer::CONTEXT,
};

/// The size of one trunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TrunkSize {
    pub(crate) width: usize,
    pub(crate) blocks: usize,
    pub(crate) heads: usize,
}

impl ImageBindConfig {
    /// Reads the `config.json` beside weights, a file or all of a folder. If there is none, the weights
    /// are the published ones.
    pub(crate) fn beside(weights: &Path) -> Result<Self> {
        let folder = match weights.is_file() {
            true => weights.parent().unwrap_or(Path::new("")),
            false => weights,
        };
        match Self::load(&folder.join("config.json")) {
            Err(Error::Missing { .. }) if weights.exists() => Ok(HUGE),
            other => other,
        }
    }

    /// Reads `config.json`.
    pub(crate) fn load(path: &Path) -> Result<Self> {
        let refuse = |reason: String| Error::Config {
            path: path.to_owned(),
            reason,
        };
        let bytes = read_bounded(path, LARGEST_FILE)?;
        let config: Self =
            serde_json::from_slice(&bytes).map_err(|error| refuse(error.to_string()))?;
        match config.fault() {
            Some(reason) => Err(refuse(reason)),
            None => Ok(config),
        }
    }

    pub(crate) fn vision(&self) -> TrunkSize {
        TrunkSize {
            width: self.vision_embed_dim,
            blocks: self.vision_num_blocks,
            heads: self.vision_num_heads,
        }
    }

    pub(crate) fn text(&self) -> TrunkSize {
        TrunkSize {
            width: self.text_embed_dim,
            blocks: self.text_num_blocks,
            heads: self.text_num_heads,
        }
    }

    pub(crate) fn audio(&self) -> TrunkSize {
        TrunkSize {
            width: self.audio_embed_dim,
            blocks: self.audio_num_blocks,
            heads: self.audio_num_heads,
        }
    }

    /// What no ImageBind has. The bounds keep every product of two sizes far from overflow.
    fn fault(&self) -> Option<String> {
        let exact = [
            ("video_frames", self.video_frames, TUBELET),
            (
                "context_length",
                self.context_length,
                ClipTokenizer::CONTEXT,
            ),
        ];
        for (name, found, expected) in exact {
            if found != expected {
                return Some(format!("{name} is {found}, it must be {expected}"));
            }
        }
        let bounded = |name: &str, found: usize, most: usize| {
            (found == 0 || found > most).then(|| format!("{name} is {found}, not 1 to {most}"))
        };
        let fault = bounded("out_embed_dim", self.out_embed_dim, 1 << 16)
            .or_else(|| bounded("vocab_size", self.vocab_size, 1 << 20));
        let trunks = [
            ("vision", self.vision()),
            ("text", self.text()),
            ("audio", self.audio()),
        ];
        fault.or_else(|| {
            trunks.into_iter().find_map(|(name, size)| {
                bounded(&format!("{name}_embed_dim"), size.width, 1 << 14)
                    .or_else(|| bounded(&format!("{name}_num_blocks"), size.blocks, 256))
                    .or_else(|| bounded(&format!("{name}_num_heads"), size.heads, 256))
                    .or_else(|| {
                        (size.width % size.heads != 0).then(|| {
                            format!(
                                "{name}_embed_dim is {}, no multiple of {} heads",
                                size.width, size.heads
                            )
                        })
                    })
            })
        })
    }
}
