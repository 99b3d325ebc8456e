use burn_tensor::{
    Int, Tensor, TensorData,
    activation::{gelu, softmax},
    backend::Backend,
};

use crate::bert::{Bert, Layer, Linear, Norm};

/// What a padding position adds to an attention score before the softmax.
const MASKED: f32 = -1e9;

impl<B: Backend> Bert<B> {
    /// The mean of the last layer over each sequence's tokens. Sequences have 1 to `positions` ids
    /// below the vocabulary's size.
    pub(crate) fn pooled_padded(&self, sequences: &[&[u32]]) -> Vec<Vec<f32>> {
        let batch = sequences.len();
        let longest = sequences
            .iter()
            .map(|ids| ids.len())
            .max()
            .unwrap_or_default();
        if longest == 0 {
            return vec![vec![0.0; self.hidden]; batch];
        }
        let device = self.words.device();
        let mut ids = vec![0_i32; batch * longest];
        let mut real = vec![0.0_f32; batch * longest];
        for (sequence, (ids, real)) in sequences.iter().zip(
            ids.chunks_exact_mut(longest)
                .zip(real.chunks_exact_mut(longest)),
        ) {
            for (id, (place, real)) in sequence.iter().zip(ids.iter_mut().zip(real)) {
                *place = *id as i32;
                *real = 1.0;
            }
        }
        let ids = Tensor::<B, 1, Int>::from_data(TensorData::new(ids, [batch * longest]), &device);
        let real = Tensor::<B, 2>::from_data(TensorData::new(real, [batch, longest]), &device);
        let mask = (real.clone() - 1.0)
            .mul_scalar(-MASKED)
            .reshape([batch, 1, 1, longest]);

        let words = self.words.clone().select(0, ids);
        let positions = self.positions.clone().narrow(0, 0, longest);
        let embedded = words.reshape([batch, longest, self.hidden]) + positions.unsqueeze::<3>();
        let mut states = self.normalise(embedded, &self.embedding_norm);
        for layer in &self.layers {
            states = self.block(layer, states, mask.clone());
        }
        let weights = real.clone() / real.sum_dim(1);
        let pooled = (states * weights.unsqueeze_dim::<3>(2))
            .sum_dim(1)
            .reshape([batch, self.hidden]);
        let values: Vec<f32> = pooled.into_data().iter::<f32>().collect();
        values
            .chunks_exact(self.hidden)
            .map(<[f32]>::to_vec)
            .collect()
    }

    fn block(&self, layer: &Layer<B>, states: Tensor<B, 3>, mask: Tensor<B, 4>) -> Tensor<B, 3> {
        let [batch, length, hidden] = states.dims();
        let size = hidden / self.heads;
        let projected = linear(states.clone(), &layer.attention_input);
        let part = |index: usize| {
            projected
                .clone()
                .narrow(2, index * hidden, hidden)
                .reshape([batch, length, self.heads, size])
                .swap_dims(1, 2)
        };
        let scores = part(0).matmul(part(1).swap_dims(2, 3)) / (size as f64).sqrt() + mask;
        let context = softmax(scores, 3)
            .matmul(part(2))
            .swap_dims(1, 2)
            .reshape([batch, length, hidden]);
        let attended = self.normalise(
            linear(context, &layer.attention_output) + states,
            &layer.attention_norm,
        );
        let fed = linear(
            gelu(linear(attended.clone(), &layer.feed_input)),
            &layer.feed_output,
        );
        self.normalise(fed + attended, &layer.feed_norm)
    }

    fn normalise(&self, states: Tensor<B, 3>, norm: &Norm<B>) -> Tensor<B, 3> {
        let centred = states.clone() - states.mean_dim(2);
        let variance = (centred.clone() * centred.clone()).mean_dim(2);
        centred / (variance + self.epsilon).sqrt() * norm.scale.clone().unsqueeze::<3>()
            + norm.shift.clone().unsqueeze::<3>()
    }
}

fn linear<B: Backend>(states: Tensor<B, 3>, layer: &Linear<B>) -> Tensor<B, 3> {
    states.matmul(layer.weight.clone().unsqueeze::<3>()) + layer.bias.clone().unsqueeze::<3>()
}
