//! Layers that several networks are made of.

use burn_tensor::{
    DType, Tensor,
    activation::{gelu, sigmoid, softmax},
    backend::Backend,
};

/// `x · weight + bias`.
#[derive(Debug)]
pub(crate) struct Dense<B: Backend> {
    /// `inputs × outputs`: the transpose of what checkpoints hold.
    pub(crate) weight: Tensor<B, 2>,
    pub(crate) bias: Option<Tensor<B, 1>>,
}

/// Layer normalisation.
#[derive(Debug)]
pub(crate) struct LayerNorm<B: Backend> {
    pub(crate) scale: Tensor<B, 1>,
    pub(crate) shift: Tensor<B, 1>,
    /// Added to the variance before its root is taken.
    pub(crate) epsilon: f64,
}

/// What bends the states between the two products of a feed-forward layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Activation {
    /// `x Φ(x)`, with the exact normal distribution.
    Gelu,
    /// `x σ(1.702 x)`, OpenAI's for CLIP.
    QuickGelu,
}

/// A transformer block that normalises before each half.
#[derive(Debug)]
pub(crate) struct Block<B: Backend> {
    /// Queries, keys and values side by side.
    pub(crate) attention_input: Dense<B>,
    /// A key and a value that every sequence attends to besides its own.
    pub(crate) attention_bias: Option<[Tensor<B, 1>; 2]>,
    pub(crate) attention_output: Dense<B>,
    pub(crate) attention_norm: LayerNorm<B>,
    pub(crate) feed_input: Dense<B>,
    pub(crate) feed_output: Dense<B>,
    pub(crate) feed_norm: LayerNorm<B>,
    pub(crate) activation: Activation,
    pub(crate) heads: usize,
}

impl<B: Backend> Dense<B> {
    /// Of `batch × length × inputs`.
    pub(crate) fn apply(&self, states: Tensor<B, 3>) -> Tensor<B, 3> {
        let [batch, length, inputs] = states.dims();
        let [_, outputs] = self.weight.dims();
        let product = states
            .reshape([batch * length, inputs])
            .matmul(self.weight.clone());
        let sum = match &self.bias {
            Some(bias) => product + bias.clone().unsqueeze::<2>(),
            None => product,
        };
        sum.reshape([batch, length, outputs])
    }
}

impl<B: Backend> LayerNorm<B> {
    /// At 32 bits whatever the states' format, as in PyTorch: a half has too few digits for a mean.
    pub(crate) fn apply(&self, states: Tensor<B, 3>) -> Tensor<B, 3> {
        let dtype = states.dtype();
        let wide = |vector: &Tensor<B, 1>| vector.clone().cast(DType::F32).unsqueeze::<3>();
        let states = states.cast(DType::F32);
        let centred = states.clone() - states.mean_dim(2);
        let variance = (centred.clone() * centred.clone()).mean_dim(2);
        let normal = centred / (variance + self.epsilon).sqrt();
        (normal * wide(&self.scale) + wide(&self.shift)).cast(dtype)
    }
}

impl Activation {
    pub(crate) fn apply<B: Backend>(self, states: Tensor<B, 3>) -> Tensor<B, 3> {
        match self {
            Self::Gelu => gelu(states),
            Self::QuickGelu => states.clone() * sigmoid(states * 1.702),
        }
    }
}

impl<B: Backend> Block<B> {
    /// Of `batch × length × width`; `mask` is added to the scores of queries (rows) and keys.
    pub(crate) fn apply(&self, states: Tensor<B, 3>, mask: Option<&Tensor<B, 4>>) -> Tensor<B, 3> {
        let attended = states.clone() + self.attend(self.attention_norm.apply(states), mask);
        let wide = self
            .feed_input
            .apply(self.feed_norm.apply(attended.clone()));
        let wide = self.activation.apply(wide);
        attended + self.feed_output.apply(wide)
    }

    fn attend(&self, states: Tensor<B, 3>, mask: Option<&Tensor<B, 4>>) -> Tensor<B, 3> {
        let [batch, length, width] = states.dims();
        let size = width / self.heads;
        let projected = self.attention_input.apply(states);
        let part = |index: usize| projected.clone().narrow(2, index * width, width);
        let (mut keys, mut values) = (part(1), part(2));
        if let Some([key, value]) = &self.attention_bias {
            let more = |own: Tensor<B, 3>, more: &Tensor<B, 1>| {
                let more = more.clone().reshape([1, 1, width]).repeat_dim(0, batch);
                Tensor::cat(vec![own, more], 1)
            };
            keys = more(keys, key);
            values = more(values, value);
        }
        let split = |states: Tensor<B, 3>| {
            let [_, length, _] = states.dims();
            states
                .reshape([batch, length, self.heads, size])
                .swap_dims(1, 2)
        };
        let scores = split(part(0)).matmul(split(keys).swap_dims(2, 3)) / (size as f64).sqrt();
        let scores = match mask {
            Some(mask) => scores + mask.clone(),
            None => scores,
        };
        let context = softmax(scores, 3)
            .matmul(split(values))
            .swap_dims(1, 2)
            .reshape([batch, length, width]);
        self.attention_output.apply(context)
    }
}
