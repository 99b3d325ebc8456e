use burn_tensor::{FloatDType, Int, Tensor, TensorData, activation::softmax, backend::Backend};

use crate::{
    Result, SentencePooling,
    batches::{group_by_length, in_order},
    bert::{
        BertConfig, SentenceNetwork,
        names::{self, LayerNames},
        relative::bucket,
    },
    checkpoint::Checkpoint,
    layers::{Activation, Dense, LayerNorm},
    parameters::Parameters,
};

/// Tokens in one pass, padding included.
const PASS_TOKENS: usize = 1 << 16;
/// What a padding position adds to an attention score before the softmax; 16 bits hold it.
const MASKED: f32 = -30_000.0;

/// The network in burn's operations alone, for every backend and precision: sequences side by side,
/// padded to the longest.
#[derive(Debug)]
pub(crate) struct PaddedBert<B: Backend> {
    config: BertConfig,
    /// `vocabulary × hidden`.
    words: Tensor<B, 2>,
    /// `positions × hidden`; the embedding of token type 0 is added already.
    positions: Tensor<B, 2>,
    embedding_norm: LayerNorm<B>,
    layers: Vec<Layer<B>>,
    /// `buckets × heads`.
    relative: Option<Tensor<B, 2>>,
    dtype: FloatDType,
}

/// One transformer block, normalised after each half.
#[derive(Debug)]
struct Layer<B: Backend> {
    /// Queries, keys and values side by side.
    attention_input: Dense<B>,
    attention_output: Dense<B>,
    attention_norm: LayerNorm<B>,
    feed_input: Dense<B>,
    feed_output: Dense<B>,
    feed_norm: LayerNorm<B>,
}

impl<B: Backend> PaddedBert<B> {
    /// Reads all parameters; the checkpoint must hold exactly the configuration's tensors.
    pub(crate) fn load(
        checkpoint: &mut Checkpoint,
        config: &BertConfig,
        device: &B::Device,
        dtype: FloatDType,
    ) -> Result<Self> {
        let shapes = names::shapes(config);
        let mut reader = Parameters::new(checkpoint, shapes, names::unused, device, dtype)?;
        let words = reader.tensor(names::WORDS)?;
        let mut positions = reader.tensor::<2>(names::POSITIONS)?;
        if config.types.is_some() {
            positions = positions + reader.tensor::<2>(names::TYPES)?.narrow(0, 0, 1);
        }
        let relative = match config.buckets {
            Some(_) => Some(reader.tensor(names::RELATIVE)?),
            None => None,
        };
        let embedding_norm = reader.norm(names::EMBEDDING_NORM, config.epsilon)?;
        let layers = (0..config.layers)
            .map(|index| layer(&mut reader, config, index))
            .collect::<Result<_>>()?;
        Ok(Self {
            config: config.clone(),
            words,
            positions,
            embedding_norm,
            layers,
            relative,
            dtype,
        })
    }

    fn pass(&self, sequences: &[&[u32]], pooling: SentencePooling) -> Vec<Vec<f32>> {
        let lengths = sequences.iter().map(|ids| ids.len());
        let (batch, longest) = (sequences.len(), lengths.max().unwrap_or_default());
        let hidden = self.config.hidden;
        if longest == 0 {
            return vec![vec![0.0; hidden]; batch];
        }
        let (mut ids, mut places) = (Vec::new(), Vec::new());
        let (mut mask, mut shares) = (Vec::new(), Vec::new());
        for (index, sequence) in sequences.iter().enumerate() {
            let end = (index + 1) * longest;
            ids.extend(sequence.iter().map(|id| *id as i32));
            ids.resize(end, 0);
            places.extend(self.config.places(sequence).iter().map(|row| *row as i32));
            places.resize(end, 0);
            mask.resize(mask.len() + sequence.len(), 0.0);
            mask.resize(end, MASKED);
            shares.resize(shares.len() + sequence.len(), 1.0 / sequence.len() as f32);
            shares.resize(end, 0.0);
        }
        let device = self.words.device();
        let rows = |numbers: Vec<i32>| {
            Tensor::<B, 1, Int>::from_data(TensorData::new(numbers, [batch * longest]), &device)
        };
        let mask = TensorData::new(mask, [batch, 1, 1, longest]);
        let mut mask = Tensor::<B, 4>::from_data(mask, &device).cast(self.dtype);
        if let Some(table) = &self.relative {
            mask = mask + self.relative_biases(table, longest);
        }
        let embedded = self.words.clone().select(0, rows(ids))
            + self.positions.clone().select(0, rows(places));
        let mut states = self
            .embedding_norm
            .apply(embedded.reshape([batch, longest, hidden]));
        for layer in &self.layers {
            states = self.block(layer, states, mask.clone());
        }
        let pooled = match pooling {
            SentencePooling::Mean => {
                let shares = TensorData::new(shares, [batch, longest, 1]);
                let shares = Tensor::<B, 3>::from_data(shares, &device).cast(FloatDType::F32);
                (states.cast(FloatDType::F32) * shares).sum_dim(1)
            }
            SentencePooling::Cls => states.narrow(1, 0, 1),
        };
        let values: Vec<f32> = pooled.into_data().iter::<f32>().collect();
        values.chunks_exact(hidden).map(<[f32]>::to_vec).collect()
    }

    /// `1 × heads × longest × longest`: queries by keys.
    fn relative_biases(&self, table: &Tensor<B, 2>, longest: usize) -> Tensor<B, 4> {
        let [buckets, heads] = table.dims();
        let places: Vec<i32> = (0..longest as isize)
            .flat_map(|query| {
                (0..longest as isize).map(move |key| bucket(key - query, buckets) as i32)
            })
            .collect();
        let places = TensorData::new(places, [longest * longest]);
        table
            .clone()
            .select(0, Tensor::<B, 1, Int>::from_data(places, &table.device()))
            .swap_dims(0, 1)
            .reshape([1, heads, longest, longest])
    }

    fn block(&self, layer: &Layer<B>, states: Tensor<B, 3>, mask: Tensor<B, 4>) -> Tensor<B, 3> {
        let [batch, length, hidden] = states.dims();
        let (heads, size) = (self.config.heads, hidden / self.config.heads);
        let projected = layer.attention_input.apply(states.clone());
        let part = |index: usize| {
            projected
                .clone()
                .narrow(2, index * hidden, hidden)
                .reshape([batch, length, heads, size])
                .swap_dims(1, 2)
        };
        let scores = part(0).matmul(part(1).swap_dims(2, 3)) / (size as f64).sqrt() + mask;
        let context = softmax(scores, 3)
            .matmul(part(2))
            .swap_dims(1, 2)
            .reshape([batch, length, hidden]);
        let attended = layer.attention_output.apply(context) + states;
        let attended = layer.attention_norm.apply(attended);
        let wide = Activation::Gelu.apply(layer.feed_input.apply(attended.clone()));
        layer
            .feed_norm
            .apply(layer.feed_output.apply(wide) + attended)
    }
}

impl<B: Backend> SentenceNetwork for PaddedBert<B> {
    fn pooled(&self, sequences: &[&[u32]], pooling: SentencePooling) -> Vec<Vec<f32>> {
        let lengths: Vec<usize> = sequences.iter().map(|ids| ids.len()).collect();
        let groups = group_by_length(&lengths, PASS_TOKENS);
        let pass = |group: &Vec<usize>| {
            let sequences: Vec<&[u32]> = group
                .iter()
                .filter_map(|index| sequences.get(*index).copied())
                .collect();
            self.pass(&sequences, pooling)
        };
        let passes = groups.iter().map(pass).collect();
        in_order(&groups, passes)
    }
}

fn layer<B: Backend>(
    reader: &mut Parameters<'_, B>,
    config: &BertConfig,
    index: usize,
) -> Result<Layer<B>> {
    let names = LayerNames::new(config.family, index);
    let weights = names
        .attention_input
        .each_ref()
        .map(|prefix| format!("{prefix}.weight"));
    let biases = names
        .attention_input
        .each_ref()
        .map(|prefix| format!("{prefix}.bias"));
    Ok(Layer {
        attention_input: reader.dense_of(
            &weights.each_ref().map(String::as_str),
            &biases.each_ref().map(String::as_str),
        )?,
        attention_output: reader.linear(&names.attention_output)?,
        attention_norm: reader.norm(&names.attention_norm, config.epsilon)?,
        feed_input: reader.linear(&names.feed_input)?,
        feed_output: reader.linear(&names.feed_output)?,
        feed_norm: reader.norm(&names.feed_norm, config.epsilon)?,
    })
}
