use std::fmt;

use burn_tensor::{FloatDType, Tensor, TensorData, backend::Backend};

use super::config::ClipVisionConfig;
use crate::{
    Result,
    checkpoint::Checkpoint,
    imagebind::patches::Patches,
    layers::{Activation, Block, Dense, LayerNorm},
    parameters::{Parameters, Shapes},
    placement::Build,
};

/// The tower, whichever backend it is on. Views are of the right size and finite.
pub(crate) trait Tower: fmt::Debug + Send + Sync {
    /// One vector per view.
    fn views(&self, views: &[&[f32]]) -> Vec<Vec<f32>>;
}

/// A vision transformer that normalises before each half of a block.
#[derive(Debug)]
struct VisionTower<B: Backend> {
    patches: Patches,
    projection: Dense<B>,
    /// The state before the patches, `1 × 1 × width`; the answer is read there.
    class: Tensor<B, 3>,
    /// `1 × length × width`.
    positions: Tensor<B, 3>,
    opening_norm: LayerNorm<B>,
    blocks: Vec<Block<B>>,
    closing_norm: LayerNorm<B>,
    head: Option<Dense<B>>,
}

impl<B: Backend> Tower for VisionTower<B> {
    fn views(&self, views: &[&[f32]]) -> Vec<Vec<f32>> {
        let batch = views.len();
        let shape = [batch, self.patches.count(), self.patches.size()];
        let mut rows = Vec::with_capacity(shape.iter().product());
        for view in views {
            self.patches.cut(view, &mut rows);
        }
        let device = self.positions.device();
        let dtype: FloatDType = self.positions.dtype().into();
        let rows = Tensor::<B, 3>::from_data(TensorData::new(rows, shape), &device).cast(dtype);
        let class = self.class.clone().repeat_dim(0, batch);
        let states = Tensor::cat(vec![class, self.projection.apply(rows)], 1);
        let mut states = self.opening_norm.apply(states + self.positions.clone());
        for block in &self.blocks {
            states = block.apply(states, None);
        }
        let mut answers = self.closing_norm.apply(states.narrow(1, 0, 1));
        if let Some(head) = &self.head {
            answers = head.apply(answers);
        }
        let [_, _, dimension] = answers.dims();
        let values: Vec<f32> = answers.into_data().iter::<f32>().collect();
        values
            .chunks_exact(dimension.max(1))
            .map(<[f32]>::to_vec)
            .collect()
    }
}

/// What the tower is built of.
pub(super) struct TowerParts<'a> {
    pub(super) checkpoint: &'a mut Checkpoint,
    pub(super) config: &'a ClipVisionConfig,
    pub(super) activation: Activation,
}

impl Build for TowerParts<'_> {
    type Network = dyn Tower;

    fn build<B: Backend>(self, device: &B::Device, dtype: FloatDType) -> Result<Box<dyn Tower>> {
        let config = self.config;
        let mut reader = Parameters::<B>::new(
            self.checkpoint,
            shapes(config),
            beside_the_tower,
            device,
            dtype,
        )?;
        let part = |name: &str| format!("vision_model.{name}");
        let epsilon = config.layer_norm_eps;
        let width = config.hidden_size;
        let class = reader.vector(&part("embeddings.class_embedding"))?;
        let positions = reader.tensor::<2>(&part("embeddings.position_embedding.weight"))?;
        Ok(Box::new(VisionTower {
            patches: patches(config),
            projection: reader.dense(&part("embeddings.patch_embedding.weight"), None)?,
            class: class.reshape([1, 1, width]),
            positions: positions.unsqueeze::<3>(),
            // So spelt in every checkpoint.
            opening_norm: reader.norm(&part("pre_layrnorm"), epsilon)?,
            blocks: (0..config.num_hidden_layers)
                .map(|index| block(&mut reader, config, self.activation, index))
                .collect::<Result<_>>()?,
            closing_norm: reader.norm(&part("post_layernorm"), epsilon)?,
            head: if config.projects() {
                Some(reader.dense("visual_projection.weight", None)?)
            } else {
                None
            },
        }))
    }
}

fn block<B: Backend>(
    reader: &mut Parameters<'_, B>,
    config: &ClipVisionConfig,
    activation: Activation,
    index: usize,
) -> Result<Block<B>> {
    let name = |part: &str| format!("vision_model.encoder.layers.{index}.{part}");
    let [weights, biases] = ["weight", "bias"]
        .map(|kind| ["q", "k", "v"].map(|part| name(&format!("self_attn.{part}_proj.{kind}"))));
    Ok(Block {
        attention_input: reader.dense_of(
            &weights.each_ref().map(String::as_str),
            &biases.each_ref().map(String::as_str),
        )?,
        attention_bias: None,
        attention_output: reader.linear(&name("self_attn.out_proj"))?,
        attention_norm: reader.norm(&name("layer_norm1"), config.layer_norm_eps)?,
        feed_input: reader.linear(&name("mlp.fc1"))?,
        feed_output: reader.linear(&name("mlp.fc2"))?,
        feed_norm: reader.norm(&name("layer_norm2"), config.layer_norm_eps)?,
        activation,
        heads: config.num_attention_heads,
    })
}

pub(super) fn patches(config: &ClipVisionConfig) -> Patches {
    Patches {
        planes: 3,
        rows: config.image_size,
        columns: config.image_size,
        kernel: config.patch_size,
        stride: config.patch_size,
    }
}

/// Whether a checkpoint may hold this tensor although the tower does not use it: the text tower and
/// what belongs to both, or the numbers of the positions, which follow from their count.
fn beside_the_tower(name: &str) -> bool {
    name.starts_with("text_model.")
        || [
            "logit_scale",
            "text_projection.weight",
            "vision_model.embeddings.position_ids",
        ]
        .contains(&name)
}

/// Every tensor of a configuration.
fn shapes(config: &ClipVisionConfig) -> Shapes {
    let mut all = Shapes::default();
    let (width, wide, side) = (
        config.hidden_size,
        config.intermediate_size,
        config.patch_size,
    );
    let part = |name: &str| format!("vision_model.{name}");
    all.add(part("embeddings.class_embedding"), &[width]);
    all.add(
        part("embeddings.patch_embedding.weight"),
        &[width, 3, side, side],
    );
    all.add(
        part("embeddings.position_embedding.weight"),
        &[patches(config).count() + 1, width],
    );
    all.norm(&part("pre_layrnorm"), width);
    all.norm(&part("post_layernorm"), width);
    for index in 0..config.num_hidden_layers {
        let name = |part: &str| format!("vision_model.encoder.layers.{index}.{part}");
        for part in ["q_proj", "k_proj", "v_proj", "out_proj"] {
            all.linear(&name(&format!("self_attn.{part}")), width, width);
        }
        all.norm(&name("layer_norm1"), width);
        all.norm(&name("layer_norm2"), width);
        all.linear(&name("mlp.fc1"), wide, width);
        all.linear(&name("mlp.fc2"), width, wide);
    }
    if config.projects() {
        all.add("visual_projection.weight", &[config.projection_dim, width]);
    }
    all
}
