//! The network on the CPU, over plain memory. Weights and nothing else are kept in the placement's
//! number format; everything is computed in f32.

mod attention;
mod kernels;
mod matrix;
mod pages;

use std::any::Any;

use burn_flex::{Flex, FlexDevice};
use burn_tensor::FloatDType;
use rayon::prelude::*;

use self::{
    attention::Attention,
    kernels::{gate, normalise, turn},
    matrix::Linear,
    pages::{PAGE, Pages},
};
use super::{
    config::CausalConfig,
    decoder::Decoder,
    tensors::{HEAD, LAST_NORM, WORDS, in_layer, shapes, unused},
};
use crate::{Precision, Result, checkpoint::Checkpoint, parameters::Parameters};

/// Tokens that run through the layers together: enough for products of full speed, few enough that
/// what flows between the layers stays small whatever the prompt.
const PASS: usize = 512;

/// A decoder over plain memory.
#[derive(Debug)]
pub(crate) struct HostDecoder {
    config: CausalConfig,
    words: Linear,
    layers: Vec<Layer>,
    norm: Vec<f32>,
    /// What gives the logits, unless the words' embeddings do.
    head: Option<Linear>,
}

#[derive(Debug)]
struct Layer {
    attention_norm: Vec<f32>,
    /// Queries, keys and values.
    attention_input: Linear,
    /// For the queries' heads and for the keys'.
    head_norms: Option<[Vec<f32>; 2]>,
    attention_output: Linear,
    feed_norm: Vec<f32>,
    /// What opens the gate, and what passes it.
    feed_input: Linear,
    feed_output: Linear,
    /// Positions that a token sees, itself included.
    window: Option<usize>,
}

/// Reads parameters into plain memory.
struct Reader<'a> {
    parameters: Parameters<'a, Flex>,
    precision: Precision,
}

impl HostDecoder {
    pub(crate) fn load(
        checkpoint: &mut Checkpoint,
        config: &CausalConfig,
        precision: Precision,
    ) -> Result<Self> {
        let (wanted, ignored) = (shapes(config), unused(config));
        let parameters =
            Parameters::new(checkpoint, wanted, ignored, &FlexDevice, FloatDType::F32)?;
        let mut reader = Reader {
            parameters,
            precision,
        };
        let layers = config.windows.iter().enumerate();
        Ok(Self {
            words: reader.linear(&[WORDS.to_owned()])?,
            layers: layers
                .map(|(layer, window)| reader.layer(layer, *window))
                .collect::<Result<_>>()?,
            norm: reader.vector(LAST_NORM)?,
            head: if config.tied {
                None
            } else {
                Some(reader.linear(&[HEAD.to_owned()])?)
            },
            config: config.clone(),
        })
    }

    /// Runs at most [`PASS`] tokens through the layers.
    fn pass(&self, pages: &mut [Pages], past: usize, ids: &[u32]) -> Vec<f32> {
        let config = &self.config;
        let (hidden, epsilon) = (config.hidden, config.epsilon);
        let mut states = vec![0.0; ids.len() * hidden];
        for (id, row) in ids.iter().zip(states.chunks_exact_mut(hidden)) {
            self.words.row(*id as usize, row);
        }
        let angles = config.rotary.angles(past, ids.len());
        for (layer, pages) in self.layers.iter().zip(pages) {
            let mut normed = states.clone();
            normalise(&mut normed, &layer.attention_norm, epsilon);
            let mut projected = layer.attention_input.product(normed);
            self.turn_heads(layer, &mut projected, &angles);
            pages.append(past, &projected, config.heads * config.head);
            let context = Attention {
                projected: &projected,
                pages,
                past,
                heads: config.heads,
                window: layer.window,
            }
            .apply();
            add(&mut states, &layer.attention_output.product(context));
            let mut normed = states.clone();
            normalise(&mut normed, &layer.feed_norm, epsilon);
            let wide = gate(layer.feed_input.product(normed), config.wide);
            add(&mut states, &layer.feed_output.product(wide));
        }
        states
    }

    /// Normalises the heads of queries and keys where the family does, and turns them to their
    /// positions.
    fn turn_heads(
        &self,
        layer: &Layer,
        projected: &mut [f32],
        (cosines, sines): &(Vec<f32>, Vec<f32>),
    ) {
        let config = &self.config;
        let (queries, keys) = (config.heads * config.head, config.groups * config.head);
        let pairs = config.head / 2;
        projected
            .par_chunks_mut(queries + 2 * keys)
            .zip(cosines.par_chunks(pairs).zip(sines.par_chunks(pairs)))
            .for_each(|(row, (cosines, sines))| {
                let (turned, _) = row.split_at_mut(queries + keys);
                if let Some([query, key]) = &layer.head_norms {
                    let (queries, keys) = turned.split_at_mut(queries);
                    normalise(queries, query, config.epsilon);
                    normalise(keys, key, config.epsilon);
                }
                turn(turned, cosines, sines);
            });
    }

    fn run(&self, pages: &mut [Pages], past: usize, ids: &[u32], wanted: &[usize]) -> Vec<f32> {
        let (hidden, head) = (
            self.config.hidden,
            self.head.as_ref().unwrap_or(&self.words),
        );
        let mut logits = Vec::with_capacity(wanted.len() * self.config.vocabulary);
        for (pass, ids) in ids.chunks(PASS).enumerate() {
            let first = pass * PASS;
            let states = self.pass(pages, past + first, ids);
            let here = wanted
                .iter()
                .filter_map(|row| row.checked_sub(first))
                .filter_map(|row| states.get(row * hidden..(row + 1) * hidden));
            let mut rows = here.collect::<Vec<_>>().concat();
            if !rows.is_empty() {
                normalise(&mut rows, &self.norm, self.config.epsilon);
                logits.append(&mut head.product(rows));
            }
        }
        logits
    }
}

impl Decoder for HostDecoder {
    fn cache(&self) -> Box<dyn Any + Send> {
        let empty = || Pages::new(self.config.groups, self.config.head);
        let pages: Vec<Pages> = self.layers.iter().map(|_| empty()).collect();
        Box::new(pages)
    }

    fn cache_bytes(&self, tokens: usize) -> u64 {
        let config = &self.config;
        let row = 2 * config.groups * config.head * size_of::<f32>() * self.layers.len();
        tokens.next_multiple_of(PAGE) as u64 * row as u64
    }

    fn extend(
        &self,
        cache: &mut (dyn Any + Send),
        past: usize,
        ids: &[u32],
        wanted: &[usize],
    ) -> Option<Vec<f32>> {
        let pages: &mut Vec<Pages> = cache.downcast_mut()?;
        // Inside the pool, where handing work to its threads costs least.
        Some(rayon::scope(|_| self.run(pages, past, ids, wanted)))
    }
}

impl Reader<'_> {
    fn vector(&mut self, name: &str) -> Result<Vec<f32>> {
        Ok(self.parameters.values(name)?.0)
    }

    /// Several layers of the same inputs, one below the other as one product, with their biases where
    /// there are any.
    fn linear(&mut self, weights: &[String]) -> Result<Linear> {
        let mut linear: Option<Linear> = None;
        for name in weights {
            let (values, shape) = self.parameters.values(name)?;
            let inputs = shape.last().copied().unwrap_or_default();
            linear
                .get_or_insert_with(|| Linear::new(inputs, self.precision))
                .push(values);
            let bias = name.replace(".weight", ".bias");
            if self.parameters.has(&bias) {
                let bias = self.vector(&bias)?;
                if let Some(linear) = &mut linear {
                    linear.bias.extend(bias);
                }
            }
        }
        Ok(linear
            .unwrap_or_else(|| Linear::new(0, self.precision))
            .placed())
    }

    fn layer(&mut self, layer: usize, window: Option<usize>) -> Result<Layer> {
        let name = |part: &str| in_layer(layer, part);
        let weights = |parts: &[&str]| -> Vec<String> {
            let weight = |part: &&str| in_layer(layer, &format!("{part}.weight"));
            parts.iter().map(weight).collect()
        };
        let query = name("self_attn.q_norm.weight");
        let head_norms = if self.parameters.has(&query) {
            let key = self.vector(&name("self_attn.k_norm.weight"))?;
            Some([self.vector(&query)?, key])
        } else {
            None
        };
        Ok(Layer {
            attention_norm: self.vector(&name("input_layernorm.weight"))?,
            attention_input: self.linear(&weights(&[
                "self_attn.q_proj",
                "self_attn.k_proj",
                "self_attn.v_proj",
            ]))?,
            head_norms,
            attention_output: self.linear(&weights(&["self_attn.o_proj"]))?,
            feed_norm: self.vector(&name("post_attention_layernorm.weight"))?,
            feed_input: self.linear(&weights(&["mlp.gate_proj", "mlp.up_proj"]))?,
            feed_output: self.linear(&weights(&["mlp.down_proj"]))?,
            window,
        })
    }
}

fn add(states: &mut [f32], more: &[f32]) {
    for (state, more) in states.iter_mut().zip(more) {
        *state += more;
    }
}
