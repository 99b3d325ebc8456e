use std::fmt;

use burn_tensor::{FloatDType, Int, Tensor, TensorData, backend::Backend};

use super::patches::{AUDIO, Patches, VISION};
use crate::{
    ClipTokenizer,
    layers::{Block, Dense, LayerNorm},
};

/// What a later token adds to an attention score before the softmax.
const MASKED: f32 = -1e9;
/// Least length that is divided by, as in PyTorch's `normalize`.
const LEAST_LENGTH: f32 = 1e-12;

/// The three trunks, whichever backend they are on. Inputs are of the right size and finite; tokens lie
/// below the vocabulary's size.
pub(crate) trait Trunks: fmt::Debug + Send + Sync {
    /// Of views of 3 × 2 × 224 × 224 values.
    fn views(&self, views: &[&[f32]]) -> Vec<Vec<f32>>;
    /// Of spectrograms of 128 × 204 values.
    fn spectrograms(&self, spectrograms: &[&[f32]]) -> Vec<Vec<f32>>;
    /// Of sequences of 77 tokens. The answer is read at the largest token, the first of them if there
    /// are several: at the end of the text.
    fn sequences(&self, sequences: &[&[u32]]) -> Vec<Vec<f32>>;
}

/// The three trunks that share a space.
#[derive(Debug)]
pub(crate) struct Joint<B: Backend> {
    pub(crate) vision: Trunk<B>,
    pub(crate) audio: Trunk<B>,
    pub(crate) text: Trunk<B>,
    /// `vocabulary × width`.
    pub(crate) words: Tensor<B, 2>,
}

/// One modality, from its stem to its post-processor.
#[derive(Debug)]
pub(crate) struct Trunk<B: Backend> {
    pub(crate) patches: Option<Dense<B>>,
    pub(crate) patch_norm: Option<LayerNorm<B>>,
    /// The state before the patches, `1 × 1 × width`; the answer is read there.
    pub(crate) class: Option<Tensor<B, 3>>,
    /// `1 × length × width`.
    pub(crate) positions: Tensor<B, 3>,
    pub(crate) opening_norm: Option<LayerNorm<B>>,
    pub(crate) blocks: Vec<Block<B>>,
    pub(crate) head_norm: LayerNorm<B>,
    pub(crate) head: Dense<B>,
    /// Length of every answer.
    pub(crate) scale: f32,
}

impl<B: Backend> Trunks for Joint<B> {
    fn views(&self, views: &[&[f32]]) -> Vec<Vec<f32>> {
        self.vision.cut_and_run(&VISION, views)
    }

    fn spectrograms(&self, spectrograms: &[&[f32]]) -> Vec<Vec<f32>> {
        self.audio.cut_and_run(&AUDIO, spectrograms)
    }

    fn sequences(&self, sequences: &[&[u32]]) -> Vec<Vec<f32>> {
        let (batch, length) = (sequences.len(), ClipTokenizer::CONTEXT);
        let [_, width] = self.words.dims();
        let device = self.words.device();
        let ids: Vec<i32> = sequences
            .iter()
            .flat_map(|ids| ids.iter().map(|id| *id as i32))
            .collect();
        let ids = Tensor::<B, 1, Int>::from_data(TensorData::new(ids, [batch * length]), &device);
        let embedded = self
            .words
            .clone()
            .select(0, ids)
            .reshape([batch, length, width]);
        let later = |index: usize| {
            if index % length > index / length {
                MASKED
            } else {
                0.0
            }
        };
        let mask: Vec<f32> = (0..length * length).map(later).collect();
        let mask =
            Tensor::<B, 4>::from_data(TensorData::new(mask, [1, 1, length, length]), &device)
                .cast(dtype(&self.words));
        let states = self.text.run(embedded, Some(&mask));
        let ends: Vec<i32> = sequences
            .iter()
            .enumerate()
            .map(|(row, ids)| (row * length + end(ids)) as i32)
            .collect();
        let ends = Tensor::<B, 1, Int>::from_data(TensorData::new(ends, [batch]), &device);
        let read = states.reshape([batch * length, width]).select(0, ends);
        self.text.answer(read.reshape([batch, 1, width]))
    }
}

impl<B: Backend> Trunk<B> {
    fn cut_and_run(&self, patches: &Patches, inputs: &[&[f32]]) -> Vec<Vec<f32>> {
        let batch = inputs.len();
        let mut rows = Vec::with_capacity(batch * patches.count() * patches.size());
        for input in inputs {
            patches.cut(input, &mut rows);
        }
        let device = self.positions.device();
        let shape = [batch, patches.count(), patches.size()];
        let rows = Tensor::<B, 3>::from_data(TensorData::new(rows, shape), &device)
            .cast(dtype(&self.positions));
        let mut states = match &self.patches {
            Some(project) => project.apply(rows),
            None => rows,
        };
        if let Some(norm) = &self.patch_norm {
            states = norm.apply(states);
        }
        if let Some(class) = &self.class {
            states = Tensor::cat(vec![class.clone().repeat_dim(0, batch), states], 1);
        }
        let states = self.run(states, None);
        self.answer(states.narrow(1, 0, 1))
    }

    fn run(&self, embedded: Tensor<B, 3>, mask: Option<&Tensor<B, 4>>) -> Tensor<B, 3> {
        let mut states = embedded + self.positions.clone();
        if let Some(norm) = &self.opening_norm {
            states = norm.apply(states);
        }
        for block in &self.blocks {
            states = block.apply(states, mask);
        }
        states
    }

    /// Head and post-processor, over `batch × 1 × width`.
    fn answer(&self, states: Tensor<B, 3>) -> Vec<Vec<f32>> {
        let vectors = self.head.apply(self.head_norm.apply(states));
        let [_, _, dimension] = vectors.dims();
        let values: Vec<f32> = vectors.into_data().iter::<f32>().collect();
        let scaled = |vector: &[f32]| {
            let squares: f32 = vector.iter().map(|value| value * value).sum();
            let factor = self.scale / squares.sqrt().max(LEAST_LENGTH);
            vector.iter().map(|value| value * factor).collect()
        };
        values.chunks_exact(dimension.max(1)).map(scaled).collect()
    }
}

fn dtype<B: Backend, const D: usize>(tensor: &Tensor<B, D>) -> FloatDType {
    tensor.dtype().into()
}

/// The place of the largest token, the first of several.
fn end(ids: &[u32]) -> usize {
    let places = ids.iter().enumerate().rev();
    places
        .max_by_key(|(_, id)| **id)
        .map_or(0, |(place, _)| place)
}
