use burn_flex::{Flex, FlexTensor};
use burn_tensor::{Tensor, TensorData, TensorPrimitive};

use crate::bert::{
    Bert, Layer, Norm,
    kernels::{Attention, LayerNorm, add_gelu, embed, mean_rows},
};

impl Bert<Flex> {
    /// The mean of the last layer over each sequence's tokens. Sequences have 1 to `positions` ids
    /// below the vocabulary's size. Single-threaded: callers run several at once.
    pub(crate) fn pooled_packed(&self, sequences: &[&[u32]]) -> Vec<Vec<f32>> {
        let lengths: Vec<usize> = sequences.iter().map(|ids| ids.len()).collect();
        let rows: usize = lengths.iter().sum();
        let mut states = vec![0.0; rows * self.hidden];
        embed(
            sequences,
            memory(&self.words).storage(),
            memory(&self.positions).storage(),
            self.hidden,
            &mut states,
        );
        self.normalise_rows(&self.embedding_norm, &mut states, None);
        let mut states = tensor(states, self.hidden);
        for layer in &self.layers {
            let attended = self.attend(layer, &states, &lengths);
            let mut attended = product(attended, &layer.attention_output.weight);
            self.normalise_rows(
                &layer.attention_norm,
                attended.storage_mut(),
                Some((
                    memory(&layer.attention_output.bias).storage(),
                    states.storage(),
                )),
            );
            let mut wide = product(attended.clone(), &layer.feed_input.weight);
            add_gelu(wide.storage_mut(), memory(&layer.feed_input.bias).storage());
            let mut fed = product(wide, &layer.feed_output.weight);
            self.normalise_rows(
                &layer.feed_norm,
                fed.storage_mut(),
                Some((
                    memory(&layer.feed_output.bias).storage(),
                    attended.storage(),
                )),
            );
            states = fed;
        }
        mean_rows(states.storage(), &lengths, self.hidden)
    }

    fn normalise_rows(&self, norm: &Norm<Flex>, rows: &mut [f32], added: Option<(&[f32], &[f32])>) {
        LayerNorm {
            scale: memory(&norm.scale).storage(),
            shift: memory(&norm.shift).storage(),
            epsilon: self.epsilon as f32,
        }
        .apply(rows, added);
    }

    /// Attention over each sequence on its own, before the output's projection.
    fn attend(&self, layer: &Layer<Flex>, states: &FlexTensor, lengths: &[usize]) -> FlexTensor {
        let projected = product(states.clone(), &layer.attention_input.weight);
        let mut context = vec![0.0; lengths.iter().sum::<usize>() * self.hidden];
        Attention {
            projected: projected.storage(),
            bias: memory(&layer.attention_input.bias).storage(),
            lengths,
            hidden: self.hidden,
            heads: self.heads,
        }
        .apply(&mut context);
        tensor(context, self.hidden)
    }
}

/// The memory of a parameter, shared.
fn memory<const D: usize>(tensor: &Tensor<Flex, D>) -> FlexTensor {
    tensor.clone().into_primitive().tensor()
}

fn tensor(values: Vec<f32>, columns: usize) -> FlexTensor {
    let rows = values.len() / columns;
    FlexTensor::from_data(TensorData::new(values, [rows, columns]))
}

fn product(left: FlexTensor, right: &Tensor<Flex, 2>) -> FlexTensor {
    Tensor::<Flex, 2>::from_primitive(TensorPrimitive::Float(left))
        .matmul(right.clone())
        .into_primitive()
        .tensor()
}
