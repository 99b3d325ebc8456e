use burn_flex::{Flex, FlexDevice};
use burn_tensor::FloatDType;
use rayon::prelude::*;

use crate::{
    Result, SentencePooling,
    batches::{group_by_length, in_order},
    bert::{
        BertConfig, SentenceNetwork,
        kernels::{Attention, NormRows, Panels, Relative, add_gelu, embed, first_rows, mean_rows},
        names::{self, LayerNames},
        relative::by_distance,
    },
    checkpoint::Checkpoint,
    parameters::Parameters,
};

/// Tokens in one pass: more of them no longer fit its nearer caches.
const PASS_TOKENS: usize = 128;
/// Fewest tokens worth a pass of their own.
const LEAST_PASS_TOKENS: usize = 64;

/// The CPU's network, in f32: sequences one after the other without padding, weights laid out for its
/// products, and what stands between two products fused.
#[derive(Debug)]
pub(crate) struct PackedBert {
    config: BertConfig,
    /// `vocabulary × hidden`.
    words: Vec<f32>,
    /// `positions × hidden`; the embedding of token type 0 is added already.
    positions: Vec<f32>,
    embedding_norm: Norm,
    layers: Vec<Layer>,
    /// As [`Relative::biases`].
    relative: Option<Vec<f32>>,
}

/// One transformer block, normalised after each half.
#[derive(Debug)]
struct Layer {
    /// Queries, keys and values side by side.
    attention_input: Projection,
    attention_output: Projection,
    attention_norm: Norm,
    feed_input: Projection,
    feed_output: Projection,
    feed_norm: Norm,
}

#[derive(Debug)]
struct Projection {
    weight: Panels,
    bias: Vec<f32>,
}

#[derive(Debug)]
struct Norm {
    scale: Vec<f32>,
    shift: Vec<f32>,
}

impl PackedBert {
    /// Reads all parameters; the checkpoint must hold exactly the configuration's tensors.
    pub(crate) fn load(checkpoint: &mut Checkpoint, config: &BertConfig) -> Result<Self> {
        let mut reader = Reader(Parameters::new(
            checkpoint,
            names::shapes(config),
            names::unused,
            &FlexDevice,
            FloatDType::F32,
        )?);
        let words = reader.values(names::WORDS)?;
        let mut positions = reader.values(names::POSITIONS)?;
        if config.types.is_some() {
            let types = reader.values(names::TYPES)?;
            for row in positions.chunks_exact_mut(config.hidden) {
                for (value, first) in row.iter_mut().zip(&types) {
                    *value += first;
                }
            }
        }
        let relative = match config.buckets {
            Some(_) => {
                let table = reader.values(names::RELATIVE)?;
                Some(by_distance(&table, config.heads, config.longest()))
            }
            None => None,
        };
        let embedding_norm = reader.norm(names::EMBEDDING_NORM)?;
        let layers = (0..config.layers)
            .map(|index| reader.layer(config, index))
            .collect::<Result<_>>()?;
        Ok(Self {
            config: config.clone(),
            words,
            positions,
            embedding_norm,
            layers,
            relative,
        })
    }

    /// The pooled states of sequences, on this thread.
    fn pass(&self, sequences: &[&[u32]], pooling: SentencePooling) -> Vec<Vec<f32>> {
        let lengths: Vec<usize> = sequences.iter().map(|ids| ids.len()).collect();
        let places: Vec<Vec<usize>> = sequences
            .iter()
            .map(|ids| self.config.places(ids))
            .collect();
        let hidden = self.config.hidden;
        let mut states = embed(sequences, &places, &self.words, &self.positions, hidden);
        self.normalise(&self.embedding_norm, &mut states, None);
        for layer in &self.layers {
            let context = self.attend(layer, &states, &lengths);
            let mut attended = layer.attention_output.weight.product(&context);
            let added = Some((layer.attention_output.bias.as_slice(), states.as_slice()));
            self.normalise(&layer.attention_norm, &mut attended, added);
            let mut wide = layer.feed_input.weight.product(&attended);
            add_gelu(&mut wide, &layer.feed_input.bias);
            states = layer.feed_output.weight.product(&wide);
            let added = Some((layer.feed_output.bias.as_slice(), attended.as_slice()));
            self.normalise(&layer.feed_norm, &mut states, added);
        }
        match pooling {
            SentencePooling::Mean => mean_rows(&states, &lengths, hidden),
            SentencePooling::Cls => first_rows(&states, &lengths, hidden),
        }
    }

    fn normalise(&self, norm: &Norm, rows: &mut [f32], added: Option<(&[f32], &[f32])>) {
        NormRows {
            scale: &norm.scale,
            shift: &norm.shift,
            epsilon: self.config.epsilon as f32,
        }
        .apply(rows, added);
    }

    /// Attention over each sequence on its own, before the output's projection.
    fn attend(&self, layer: &Layer, states: &[f32], lengths: &[usize]) -> Vec<f32> {
        let projected = layer.attention_input.weight.product(states);
        let mut context = vec![0.0; states.len()];
        Attention {
            projected: &projected,
            bias: &layer.attention_input.bias,
            lengths,
            hidden: self.config.hidden,
            heads: self.config.heads,
            relative: self.relative.as_ref().map(|biases| Relative {
                biases,
                longest: self.config.longest(),
            }),
        }
        .apply(&mut context);
        context
    }
}

impl SentenceNetwork for PackedBert {
    fn pooled(&self, sequences: &[&[u32]], pooling: SentencePooling) -> Vec<Vec<f32>> {
        let lengths: Vec<usize> = sequences.iter().map(|ids| ids.len()).collect();
        // Each thread makes passes of its own, so all of them should get one.
        let share = lengths
            .iter()
            .sum::<usize>()
            .div_ceil(rayon::current_num_threads());
        let groups = group_by_length(&lengths, share.clamp(LEAST_PASS_TOKENS, PASS_TOKENS));
        let passes = groups
            .par_iter()
            .map(|group| {
                let sequences: Vec<&[u32]> = group
                    .iter()
                    .filter_map(|index| sequences.get(*index).copied())
                    .collect();
                self.pass(&sequences, pooling)
            })
            .collect();
        in_order(&groups, passes)
    }
}

/// Parameters as plain memory.
struct Reader<'a>(Parameters<'a, Flex>);

impl Reader<'_> {
    fn values(&mut self, name: &str) -> Result<Vec<f32>> {
        Ok(self.0.values(name)?.0)
    }

    fn norm(&mut self, prefix: &str) -> Result<Norm> {
        Ok(Norm {
            scale: self.values(&format!("{prefix}.weight"))?,
            shift: self.values(&format!("{prefix}.bias"))?,
        })
    }

    /// Layers of the same inputs, side by side as one product.
    fn projection(&mut self, prefixes: &[String], inputs: usize) -> Result<Projection> {
        let (mut weights, mut bias) = (Vec::new(), Vec::new());
        for prefix in prefixes {
            weights.extend(self.values(&format!("{prefix}.weight"))?);
            bias.extend(self.values(&format!("{prefix}.bias"))?);
        }
        Ok(Projection {
            weight: Panels::new(&weights, inputs),
            bias,
        })
    }

    fn layer(&mut self, config: &BertConfig, index: usize) -> Result<Layer> {
        let names = LayerNames::new(config.family, index);
        let (hidden, wide) = (config.hidden, config.wide);
        Ok(Layer {
            attention_input: self.projection(&names.attention_input, hidden)?,
            attention_output: self.projection(&[names.attention_output], hidden)?,
            attention_norm: self.norm(&names.attention_norm)?,
            feed_input: self.projection(&[names.feed_input], hidden)?,
            feed_output: self.projection(&[names.feed_output], wide)?,
            feed_norm: self.norm(&names.feed_norm)?,
        })
    }
}
