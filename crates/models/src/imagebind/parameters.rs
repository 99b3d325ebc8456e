use std::collections::BTreeMap;

use burn_tensor::{Tensor, TensorData, backend::Backend};

use super::{
    config::{ImageBindConfig, TUBELET, TrunkSize},
    layers::{Block, Dense, LayerNorm},
    network::{Joint, Trunk},
    patches::{AUDIO, VISION},
};
use crate::{
    Result,
    checkpoint::{Checkpoint, Wanted},
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
    ) -> Result<Self> {
        let shapes = shapes(config);
        let wanted: Vec<Wanted> = shapes
            .iter()
            .map(|(name, shape)| Wanted {
                name: name.clone(),
                shape: shape.clone(),
            })
            .collect();
        checkpoint.expect(&wanted, unused)?;
        let mut reader = Reader {
            checkpoint,
            shapes: &shapes,
            device,
        };
        let stem = |modality: &str, part: &str| format!("modality_preprocessors.{modality}.{part}");
        let vision = Trunk {
            patches: Some(reader.dense(&stem("vision", "rgbt_stem.proj.1.weight"), None)?),
            patch_norm: None,
            class: Some(reader.tensor(&stem("vision", "cls_token"))?),
            positions: reader.tensor(&stem("vision", "pos_embedding_helper.pos_embed"))?,
            opening_norm: Some(
                reader.norm("modality_trunks.vision.pre_transformer_layer.0", EPSILON)?,
            ),
            blocks: reader.blocks("vision", config.vision())?,
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
            blocks: reader.blocks("audio", config.audio())?,
            head_norm: reader.norm("modality_heads.audio.0", EPSILON)?,
            head: reader.dense("modality_heads.audio.2.weight", None)?,
            scale: reader.scale("audio")?,
        };
        let text = Trunk {
            patches: None,
            patch_norm: None,
            class: None,
            positions: reader.tensor(&stem("text", "pos_embed"))?,
            opening_norm: None,
            blocks: reader.blocks("text", config.text())?,
            head_norm: reader.norm("modality_heads.text.proj.0", EPSILON)?,
            head: reader.dense("modality_heads.text.proj.1.weight", None)?,
            scale: reader.scale("text")?,
        };
        Ok(Self {
            vision,
            audio,
            text,
            words: reader.tensor(&stem("text", "token_embedding.weight"))?,
        })
    }
}

struct Reader<'a, B: Backend> {
    checkpoint: &'a mut Checkpoint,
    shapes: &'a BTreeMap<String, Vec<usize>>,
    device: &'a B::Device,
}

impl<B: Backend> Reader<'_, B> {
    fn values(&mut self, name: &str) -> Result<(Vec<f32>, Vec<usize>)> {
        let shape = self.shapes.get(name).cloned().unwrap_or_default();
        let values = self.checkpoint.tensor(&Wanted {
            name: name.to_owned(),
            shape: shape.clone(),
        })?;
        Ok((values, shape))
    }

    fn tensor<const D: usize>(&mut self, name: &str) -> Result<Tensor<B, D>> {
        let (values, shape) = self.values(name)?;
        Ok(Tensor::from_data(
            TensorData::new(values, shape),
            self.device,
        ))
    }

    fn vector(&mut self, name: &str) -> Result<Tensor<B, 1>> {
        let (values, _) = self.values(name)?;
        Ok(Tensor::from_floats(values.as_slice(), self.device))
    }

    fn norm(&mut self, prefix: &str, epsilon: f64) -> Result<LayerNorm<B>> {
        Ok(LayerNorm {
            scale: self.vector(&format!("{prefix}.weight"))?,
            shift: self.vector(&format!("{prefix}.bias"))?,
            epsilon,
        })
    }

    /// A weight of `outputs × inputs`, of however many dimensions the inputs are. It is transposed in
    /// memory: products over a transposed view are slower on the CPU.
    fn dense(&mut self, weight: &str, bias: Option<&str>) -> Result<Dense<B>> {
        let (values, shape) = self.values(weight)?;
        let outputs = shape.first().copied().unwrap_or_default().max(1);
        let inputs = values.len() / outputs;
        let mut transposed = vec![0.0; values.len()];
        for (output, row) in values.chunks_exact(inputs.max(1)).enumerate() {
            let column = transposed.iter_mut().skip(output).step_by(outputs);
            for (place, value) in column.zip(row) {
                *place = *value;
            }
        }
        let weight = TensorData::new(transposed, [inputs, outputs]);
        Ok(Dense {
            weight: Tensor::from_data(weight, self.device),
            bias: bias.map(|bias| self.vector(bias)).transpose()?,
        })
    }

    fn blocks(&mut self, modality: &str, size: TrunkSize) -> Result<Vec<Block<B>>> {
        (0..size.blocks)
            .map(|index| self.block(modality, index, size.heads))
            .collect()
    }

    fn block(&mut self, modality: &str, index: usize, heads: usize) -> Result<Block<B>> {
        let name = |part: &str| format!("modality_trunks.{modality}.blocks.{index}.{part}");
        let attention_bias = if self.shapes.contains_key(&name("attn.bias_k")) {
            Some([
                self.vector(&name("attn.bias_k"))?,
                self.vector(&name("attn.bias_v"))?,
            ])
        } else {
            None
        };
        let mut dense = |weight: &str, bias: &str| self.dense(&name(weight), Some(&name(bias)));
        Ok(Block {
            attention_input: dense("attn.in_proj_weight", "attn.in_proj_bias")?,
            attention_output: dense("attn.out_proj.weight", "attn.out_proj.bias")?,
            feed_input: dense("mlp.fc1.weight", "mlp.fc1.bias")?,
            feed_output: dense("mlp.fc2.weight", "mlp.fc2.bias")?,
            attention_norm: self.norm(&name("norm_1"), EPSILON)?,
            feed_norm: self.norm(&name("norm_2"), EPSILON)?,
            attention_bias,
            heads,
        })
    }

    /// The factor of a post-processor: the exponential of what the checkpoint holds, at most 100.
    fn scale(&mut self, modality: &str) -> Result<f32> {
        let (values, _) = self.values(&scale_name(modality))?;
        let logarithm = values.first().copied().unwrap_or_default();
        Ok(logarithm.exp().min(LARGEST_SCALE))
    }
}

fn scale_name(modality: &str) -> String {
    format!("modality_postprocessors.{modality}.1.log_logit_scale")
}

/// Every tensor of a configuration.
fn shapes(config: &ImageBindConfig) -> BTreeMap<String, Vec<usize>> {
    let mut all = BTreeMap::new();
    let (vision, audio, text) = (config.vision(), config.audio(), config.text());
    let mut add = |name: String, shape: &[usize]| {
        all.insert(name, shape.to_vec());
    };
    let norm = |add: &mut dyn FnMut(String, &[usize]), prefix: &str, width: usize| {
        add(format!("{prefix}.weight"), &[width]);
        add(format!("{prefix}.bias"), &[width]);
    };
    for (modality, size, proj, kernel) in [
        (
            "vision",
            vision,
            "rgbt_stem.proj.1.weight",
            &[3, TUBELET, VISION.kernel, VISION.kernel][..],
        ),
        (
            "audio",
            audio,
            "rgbt_stem.proj.weight",
            &[1, AUDIO.kernel, AUDIO.kernel],
        ),
    ] {
        let stem = format!("modality_preprocessors.{modality}");
        add(format!("{stem}.{proj}"), &[&[size.width], kernel].concat());
        add(format!("{stem}.cls_token"), &[1, 1, size.width]);
        let places = if modality == "vision" {
            VISION.count()
        } else {
            AUDIO.count()
        };
        add(
            format!("{stem}.pos_embedding_helper.pos_embed"),
            &[1, places + 1, size.width],
        );
        norm(
            &mut add,
            &format!("modality_heads.{modality}.0"),
            size.width,
        );
        add(
            format!("modality_heads.{modality}.2.weight"),
            &[config.out_embed_dim, size.width],
        );
    }
    norm(
        &mut add,
        "modality_preprocessors.audio.rgbt_stem.norm_layer",
        audio.width,
    );
    norm(
        &mut add,
        "modality_trunks.vision.pre_transformer_layer.0",
        vision.width,
    );
    let stem = "modality_preprocessors.text";
    add(
        format!("{stem}.token_embedding.weight"),
        &[config.vocab_size, text.width],
    );
    add(
        format!("{stem}.pos_embed"),
        &[1, config.context_length, text.width],
    );
    norm(&mut add, "modality_heads.text.proj.0", text.width);
    add(
        "modality_heads.text.proj.1.weight".to_owned(),
        &[config.out_embed_dim, text.width],
    );
    for modality in ["audio", "text"] {
        add(scale_name(modality), &[]);
    }
    for (modality, size) in [("vision", vision), ("audio", audio), ("text", text)] {
        let (width, wide) = (size.width, 4 * size.width);
        for index in 0..size.blocks {
            let name = |part: &str| format!("modality_trunks.{modality}.blocks.{index}.{part}");
            add(name("attn.in_proj_weight"), &[3 * width, width]);
            add(name("attn.in_proj_bias"), &[3 * width]);
            add(name("attn.out_proj.weight"), &[width, width]);
            add(name("attn.out_proj.bias"), &[width]);
            if modality == "audio" {
                add(name("attn.bias_k"), &[1, 1, width]);
                add(name("attn.bias_v"), &[1, 1, width]);
            }
            add(name("mlp.fc1.weight"), &[wide, width]);
            add(name("mlp.fc1.bias"), &[wide]);
            add(name("mlp.fc2.weight"), &[width, wide]);
            add(name("mlp.fc2.bias"), &[width]);
            norm(&mut add, &name("norm_1"), width);
            norm(&mut add, &name("norm_2"), width);
        }
    }
    all
}
