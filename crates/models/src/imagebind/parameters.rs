use burn_tensor::{FloatDType, backend::Backend};

use super::{
    config::{ImageBindConfig, TUBELET, TrunkSize},
    network::{Joint, Trunk},
    patches::{AUDIO, VISION},
};
use crate::{
    Result,
    checkpoint::Checkpoint,
    layers::{Activation, Block},
    parameters::{Parameters, Shapes},
};

/// What layer normalisation adds to the variance: in the trunks and heads, and in the audio stem.
const EPSILON: f64 = 1e-6;
const STEM_EPSILON: f64 = 1e-5;
/// Largest factor of a post-processor.
const LARGEST_SCALE: f32 = 100.0;

/// The modalities of the published checkpoint that this crate does not run.
const OTHER_MODALITIES: [&str; 3] = ["depth", "thermal", "imu"];

/// Whether a checkpoint may hold this tensor although the network does not use it: another modality,
/// or the causal mask, which follows from the context.
fn unused(name: &str) -> bool {
    let mut parts = name.split('.');
    let of_modality = parts
        .next()
        .is_some_and(|part| part.starts_with("modality_"));
    let other = parts
        .next()
        .is_some_and(|modality| OTHER_MODALITIES.contains(&modality));
    name == "modality_preprocessors.text.mask" || (of_modality && other)
}

impl<B: Backend> Joint<B> {
    /// Reads all parameters; the checkpoint must hold exactly the configuration's tensors, besides
    /// those of other modalities.
    pub(crate) fn load(
        checkpoint: &mut Checkpoint,
        config: &ImageBindConfig,
        device: &B::Device,
        dtype: FloatDType,
    ) -> Result<Self> {
        let mut reader = Parameters::new(checkpoint, shapes(config), unused, device, dtype)?;
        let stem = |modality: &str, part: &str| format!("modality_preprocessors.{modality}.{part}");
        let vision = Trunk {
            patches: Some(reader.dense(&stem("vision", "rgbt_stem.proj.1.weight"), None)?),
            patch_norm: None,
            class: Some(reader.tensor(&stem("vision", "cls_token"))?),
            positions: reader.tensor(&stem("vision", "pos_embedding_helper.pos_embed"))?,
            opening_norm: Some(
                reader.norm("modality_trunks.vision.pre_transformer_layer.0", EPSILON)?,
            ),
            blocks: blocks(&mut reader, "vision", config.vision())?,
            head_norm: reader.norm("modality_heads.vision.0", EPSILON)?,
            head: reader.dense("modality_heads.vision.2.weight", None)?,
            scale: 1.0,
        };
        let audio = Trunk {
            patches: Some(reader.dense(&stem("audio", "rgbt_stem.proj.weight"), None)?),
            patch_norm: Some(reader.norm(&stem("audio", "rgbt_stem.norm_layer"), STEM_EPSILON)?),
            class: Some(reader.tensor(&stem("audio", "cls_token"))?),
            positions: reader.tensor(&stem("audio", "pos_embedding_helper.pos_embed"))?,
            opening_norm: None,
            blocks: blocks(&mut reader, "audio", config.audio())?,
            head_norm: reader.norm("modality_heads.audio.0", EPSILON)?,
            head: reader.dense("modality_heads.audio.2.weight", None)?,
            scale: scale(&mut reader, "audio")?,
        };
        let text = Trunk {
            patches: None,
            patch_norm: None,
            class: None,
            positions: reader.tensor(&stem("text", "pos_embed"))?,
            opening_norm: None,
            blocks: blocks(&mut reader, "text", config.text())?,
            head_norm: reader.norm("modality_heads.text.proj.0", EPSILON)?,
            head: reader.dense("modality_heads.text.proj.1.weight", None)?,
            scale: scale(&mut reader, "text")?,
        };
        Ok(Self {
            vision,
            audio,
            text,
            words: reader.tensor(&stem("text", "token_embedding.weight"))?,
        })
    }
}

fn blocks<B: Backend>(
    reader: &mut Parameters<'_, B>,
    modality: &str,
    size: TrunkSize,
) -> Result<Vec<Block<B>>> {
    (0..size.blocks)
        .map(|index| block(reader, modality, index, size.heads))
        .collect()
}

fn block<B: Backend>(
    reader: &mut Parameters<'_, B>,
    modality: &str,
    index: usize,
    heads: usize,
) -> Result<Block<B>> {
    let name = |part: &str| format!("modality_trunks.{modality}.blocks.{index}.{part}");
    let attention_bias = if reader.has(&name("attn.bias_k")) {
        Some([
            reader.vector(&name("attn.bias_k"))?,
            reader.vector(&name("attn.bias_v"))?,
        ])
    } else {
        None
    };
    Ok(Block {
        attention_input: reader.dense(
            &name("attn.in_proj_weight"),
            Some(&name("attn.in_proj_bias")),
        )?,
        attention_output: reader.linear(&name("attn.out_proj"))?,
        feed_input: reader.linear(&name("mlp.fc1"))?,
        feed_output: reader.linear(&name("mlp.fc2"))?,
        attention_norm: reader.norm(&name("norm_1"), EPSILON)?,
        feed_norm: reader.norm(&name("norm_2"), EPSILON)?,
        activation: Activation::Gelu,
        attention_bias,
        heads,
    })
}

/// The factor of a post-processor: the exponential of what the checkpoint holds, at most 100.
fn scale<B: Backend>(reader: &mut Parameters<'_, B>, modality: &str) -> Result<f32> {
    let (values, _) = reader.values(&scale_name(modality))?;
    let logarithm = values.first().copied().unwrap_or_default();
    Ok(logarithm.exp().min(LARGEST_SCALE))
}

fn scale_name(modality: &str) -> String {
    format!("modality_postprocessors.{modality}.1.log_logit_scale")
}

/// Every tensor of a configuration.
fn shapes(config: &ImageBindConfig) -> Shapes {
    let mut all = Shapes::default();
    let (vision, audio, text) = (config.vision(), config.audio(), config.text());
    for (modality, size, proj, kernel, places) in [
        (
            "vision",
            vision,
            "rgbt_stem.proj.1.weight",
            &[3, TUBELET, VISION.kernel, VISION.kernel][..],
            VISION.count(),
        ),
        (
            "audio",
            audio,
            "rgbt_stem.proj.weight",
            &[1, AUDIO.kernel, AUDIO.kernel],
            AUDIO.count(),
        ),
    ] {
        let stem = format!("modality_preprocessors.{modality}");
        all.add(format!("{stem}.{proj}"), &[&[size.width], kernel].concat());
        all.add(format!("{stem}.cls_token"), &[1, 1, size.width]);
        all.add(
            format!("{stem}.pos_embedding_helper.pos_embed"),
            &[1, places + 1, size.width],
        );
        all.norm(&format!("modality_heads.{modality}.0"), size.width);
        all.add(
            format!("modality_heads.{modality}.2.weight"),
            &[config.out_embed_dim, size.width],
        );
    }
    all.norm(
        "modality_preprocessors.audio.rgbt_stem.norm_layer",
        audio.width,
    );
    all.norm(
        "modality_trunks.vision.pre_transformer_layer.0",
        vision.width,
    );
    let stem = "modality_preprocessors.text";
    all.add(
        format!("{stem}.token_embedding.weight"),
        &[config.vocab_size, text.width],
    );
    all.add(
        format!("{stem}.pos_embed"),
        &[1, config.context_length, text.width],
    );
    all.norm("modality_heads.text.proj.0", text.width);
    all.add(
        "modality_heads.text.proj.1.weight",
        &[config.out_embed_dim, text.width],
    );
    for modality in ["audio", "text"] {
        all.add(scale_name(modality), &[]);
    }
    for (modality, size) in [("vision", vision), ("audio", audio), ("text", text)] {
        let (width, wide) = (size.width, 4 * size.width);
        for index in 0..size.blocks {
            let name = |part: &str| format!("modality_trunks.{modality}.blocks.{index}.{part}");
            all.add(name("attn.in_proj_weight"), &[3 * width, width]);
            all.add(name("attn.in_proj_bias"), &[3 * width]);
            all.linear(&name("attn.out_proj"), width, width);
            if modality == "audio" {
                all.add(name("attn.bias_k"), &[1, 1, width]);
                all.add(name("attn.bias_v"), &[1, 1, width]);
            }
            all.linear(&name("mlp.fc1"), wide, width);
            all.linear(&name("mlp.fc2"), width, wide);
            all.norm(&name("norm_1"), width);
            all.norm(&name("norm_2"), width);
        }
    }
    all
}
