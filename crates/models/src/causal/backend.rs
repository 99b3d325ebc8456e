//! The network in burn's operations alone, for every backend; the CPU has its own in `host`.

mod attention;
mod loading;

use std::any::Any;

use burn_tensor::{FloatDType, Int, Tensor, TensorData, activation::silu, backend::Backend};

use self::attention::{Pages, attend};
use super::{config::CausalConfig, decoder::Decoder};
use crate::layers::Dense;

pub(crate) use loading::BackendParts;

/// Tokens that run through the layers together, and tokens of a page of keys and values.
const PASS: usize = 1024;
const PAGE: usize = 1024;

/// A decoder on a backend.
#[derive(Debug)]
struct BackendDecoder<B: Backend> {
    config: CausalConfig,
    device: B::Device,
    dtype: FloatDType,
    /// `vocabulary × hidden`.
    words: Tensor<B, 2>,
    layers: Vec<Layer<B>>,
    norm: Tensor<B, 1>,
    /// `hidden × vocabulary`, unless the words' embeddings stand in for it.
    head: Option<Tensor<B, 2>>,
}

#[derive(Debug)]
struct Layer<B: Backend> {
    attention_norm: Tensor<B, 1>,
    /// Queries, keys and values side by side.
    attention_input: Dense<B>,
    /// For the queries' heads and for the keys'.
    head_norms: Option<[Tensor<B, 1>; 2]>,
    attention_output: Dense<B>,
    feed_norm: Tensor<B, 1>,
    /// What opens the gate, and what passes it.
    feed_input: Dense<B>,
    feed_output: Dense<B>,
    window: Option<usize>,
}

/// Cosines and sines, `tokens × 1 × pairs`.
type Angles<B> = [Tensor<B, 3>; 2];

impl<B: Backend> BackendDecoder<B> {
    /// Runs at most [`PASS`] tokens through the layers: `tokens × hidden`.
    fn pass(&self, pages: &mut [Pages<B>], past: usize, ids: &[u32]) -> Tensor<B, 2> {
        let config = &self.config;
        let count = ids.len();
        let ids: Vec<i32> = ids.iter().map(|id| *id as i32).collect();
        let ids = Tensor::<B, 1, Int>::from_data(TensorData::new(ids, [count]), &self.device);
        let mut states = self.words.clone().select(0, ids).unsqueeze::<3>();
        let (cosines, sines) = config.rotary.angles(past, count);
        let angles = [cosines, sines].map(|values| {
            let shape = [count, 1, config.head / 2];
            Tensor::from_data(TensorData::new(values, shape), &self.device)
        });
        for (layer, pages) in self.layers.iter().zip(pages) {
            let normed = self.normalise(states.clone(), &layer.attention_norm);
            states = states + self.attend(layer, normed, &angles, pages, past);
            let normed = self.normalise(states.clone(), &layer.feed_norm);
            let both = layer.feed_input.apply(normed);
            let gates = both.clone().narrow(2, 0, config.wide);
            let wide = silu(gates) * both.narrow(2, config.wide, config.wide);
            states = states + layer.feed_output.apply(wide);
        }
        states.reshape([count, config.hidden])
    }

    fn attend(
        &self,
        layer: &Layer<B>,
        states: Tensor<B, 3>,
        angles: &Angles<B>,
        pages: &mut Pages<B>,
        past: usize,
    ) -> Tensor<B, 3> {
        let config = &self.config;
        let [_, count, _] = states.dims();
        let (heads, groups, head) = (config.heads, config.groups, config.head);
        let projected = layer.attention_input.apply(states);
        let part = |first: usize, heads: usize| {
            let part = projected.clone().narrow(2, first * head, heads * head);
            part.reshape([count, heads, head])
        };
        let (mut queries, mut keys) = (part(0, heads), part(heads, groups));
        if let Some([query, key]) = &layer.head_norms {
            queries = self.normalise(queries, query);
            keys = self.normalise(keys, key);
        }
        let values = part(heads + groups, groups).swap_dims(0, 1);
        let keys = self.turn(keys, angles).swap_dims(0, 1);
        pages.append(past, keys, values);
        // The queries that share keys stand one below the other.
        let rows = heads / groups * count;
        let queries = self
            .turn(queries, angles)
            .swap_dims(0, 1)
            .reshape([groups, rows, head]);
        let context = attend(queries, pages, past, count, layer.window)
            .reshape([heads, count, head])
            .swap_dims(0, 1)
            .reshape([1, count, heads * head]);
        layer.attention_output.apply(context.cast(self.dtype))
    }

    /// Divides by the root mean square, in f32, and scales the components.
    fn normalise(&self, states: Tensor<B, 3>, scale: &Tensor<B, 1>) -> Tensor<B, 3> {
        let states = states.cast(FloatDType::F32);
        let mean = (states.clone() * states.clone()).mean_dim(2);
        let normed = states / (mean + f64::from(self.config.epsilon)).sqrt();
        normed.cast(self.dtype) * scale.clone().unsqueeze::<3>()
    }

    /// Turns heads of `tokens × heads × size` to their positions, in f32.
    fn turn(&self, heads: Tensor<B, 3>, [cosines, sines]: &Angles<B>) -> Tensor<B, 3> {
        let pairs = self.config.head / 2;
        let heads = heads.cast(FloatDType::F32);
        let (left, right) = (
            heads.clone().narrow(2, 0, pairs),
            heads.narrow(2, pairs, pairs),
        );
        let turned = vec![
            left.clone() * cosines.clone() - right.clone() * sines.clone(),
            right * cosines.clone() + left * sines.clone(),
        ];
        Tensor::cat(turned, 2).cast(self.dtype)
    }
}

impl<B: Backend> Decoder for BackendDecoder<B> {
    fn cache(&self) -> Box<dyn Any + Send> {
        let pages: Vec<Pages<B>> = self.layers.iter().map(|_| Pages::new()).collect();
        Box::new(pages)
    }

    fn cache_bytes(&self, tokens: usize) -> u64 {
        let config = &self.config;
        let bytes = if self.dtype == FloatDType::F32 { 4 } else { 2 };
        let row = 2 * config.groups * config.head * bytes * self.layers.len();
        tokens.next_multiple_of(PAGE) as u64 * row as u64
    }

    fn extend(
        &self,
        cache: &mut (dyn Any + Send),
        past: usize,
        ids: &[u32],
        wanted: &[usize],
    ) -> Option<Vec<f32>> {
        let pages: &mut Vec<Pages<B>> = cache.downcast_mut()?;
        let mut logits = Vec::with_capacity(wanted.len() * self.config.vocabulary);
        for (pass, ids) in ids.chunks(PASS).enumerate() {
            let first = pass * PASS;
            let states = self.pass(pages, past + first, ids);
            let here = wanted.iter().filter_map(|row| row.checked_sub(first));
            let here: Vec<i32> = here
                .filter(|row| *row < ids.len())
                .map(|row| row as i32)
                .collect();
            if here.is_empty() {
                continue;
            }
            let count = here.len();
            let rows = Tensor::<B, 1, Int>::from_data(TensorData::new(here, [count]), &self.device);
            let states = states.select(0, rows).unsqueeze::<3>();
            let states = self.normalise(states, &self.norm);
            let head = match &self.head {
                Some(head) => head.clone(),
                None => self.words.clone().transpose(),
            };
            let found = states.reshape([count, self.config.hidden]).matmul(head);
            logits.extend(found.into_data().iter::<f32>());
        }
        Some(logits)
    }
}
