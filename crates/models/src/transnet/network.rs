use std::fmt;

use burn_tensor::{FloatDType, Tensor, TensorData, activation::relu, backend::Backend};

use super::{
    TransNetV2,
    size::{NEIGHBOURS, SIMILARITY},
    volume::{Stack, Volume},
};
use crate::layers::Dense;

/// Colours that a histogram tells apart: eight levels of each.
const COLOURS: usize = 512;
/// Least length that is divided by, as in PyTorch's `normalize`.
const LEAST_LENGTH: f64 = 1e-12;

/// The network, whichever backend it is on.
pub(crate) trait Judge: fmt::Debug + Send + Sync {
    /// Two logits for each frame of a window: single-frame and many-hot.
    fn window(&self, frames: &[u8]) -> Vec<[f32; 2]>;
}

#[derive(Debug)]
pub(super) struct Network<B: Backend> {
    pub(super) stacks: Vec<Stack<B>>,
    pub(super) projection: Dense<B>,
    pub(super) similarity: Dense<B>,
    pub(super) histograms: Dense<B>,
    pub(super) hidden: Dense<B>,
    pub(super) single_frame: Dense<B>,
    pub(super) many_hot: Dense<B>,
}

impl<B: Backend> Judge for Network<B> {
    fn window(&self, frames: &[u8]) -> Vec<[f32; 2]> {
        let count = frames.len() / TransNetV2::FRAME;
        let mut volume = Volume::of(frames, TransNetV2::HEIGHT, TransNetV2::WIDTH);
        let mut means = Vec::with_capacity(self.stacks.len());
        for stack in &self.stacks {
            volume = stack.apply(&volume);
            let channels = volume.channels;
            means.push(self.place(volume.means(), [1, count, channels]));
        }
        let compared = self.projection.apply(Tensor::cat(means, 2));
        let squares = (compared.clone() * compared.clone()).sum_dim(2);
        let similar = self.neighbours(compared / squares.sqrt().clamp_min(LEAST_LENGTH));
        let histograms = self.place(histograms(frames), [1, count, COLOURS]);
        let parts = vec![
            relu(self.histograms.apply(self.neighbours(histograms))),
            relu(self.similarity.apply(similar)),
            self.place(volume.values, [1, count, volume_width(&self.hidden)]),
        ];
        let hidden = relu(self.hidden.apply(Tensor::cat(parts, 2)));
        let logits = vec![
            self.single_frame.apply(hidden.clone()),
            self.many_hot.apply(hidden),
        ];
        let logits = Tensor::cat(logits, 2).into_data();
        let logits: Vec<f32> = logits.iter::<f32>().collect();
        logits.as_chunks().0.to_vec()
    }
}

/// Inputs of the hidden layer that are not comparisons.
fn volume_width<B: Backend>(hidden: &Dense<B>) -> usize {
    let [inputs, _] = hidden.weight.dims();
    inputs.saturating_sub(2 * SIMILARITY)
}

impl<B: Backend> Network<B> {
    fn place<const D: usize>(&self, values: Vec<f32>, shape: [usize; D]) -> Tensor<B, D> {
        let dtype: FloatDType = self.hidden.weight.dtype().into();
        let device = self.hidden.weight.device();
        Tensor::<B, D>::from_data(TensorData::new(values, shape), &device).cast(dtype)
    }

    /// How like each frame is to those around it, by the products of its row with theirs; 0 where there
    /// are none.
    fn neighbours(&self, rows: Tensor<B, 3>) -> Tensor<B, 3> {
        let [_, count, _] = rows.dims();
        let products = rows.clone().matmul(rows.swap_dims(1, 2)).into_data();
        let products: Vec<f32> = products.iter::<f32>().collect();
        let mut around = vec![0.0; count * NEIGHBOURS];
        let margin = NEIGHBOURS / 2;
        let rows = products.chunks_exact(count.max(1));
        for (frame, (row, around)) in rows.zip(around.chunks_exact_mut(NEIGHBOURS)).enumerate() {
            // Neighbour `place` is frame `frame + place - margin`.
            let places = around.iter_mut().skip(margin.saturating_sub(frame));
            let first = frame.saturating_sub(margin);
            for (place, product) in places.zip(row.iter().skip(first)) {
                *place = *product;
            }
        }
        self.place(around, [1, count, NEIGHBOURS])
    }
}

/// Each frame's histogram of colours, of length 1.
fn histograms(frames: &[u8]) -> Vec<f32> {
    let count = frames.len() / TransNetV2::FRAME;
    let mut all = vec![0.0; count * COLOURS];
    let histograms = all.chunks_exact_mut(COLOURS);
    for (frame, histogram) in frames.chunks_exact(TransNetV2::FRAME).zip(histograms) {
        for pixel in frame.as_chunks::<3>().0 {
            let [red, green, blue] = pixel.map(|level| usize::from(level >> 5));
            if let Some(bin) = histogram.get_mut((red << 6) + (green << 3) + blue) {
                *bin += 1.0;
            }
        }
        let squares: f32 = histogram.iter().map(|count| count * count).sum();
        let length = squares.sqrt();
        for count in histogram {
            *count /= length;
        }
    }
    all
}
