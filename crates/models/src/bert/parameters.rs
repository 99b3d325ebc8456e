use burn_tensor::{Tensor, TensorData, backend::Backend};

use crate::{
    Result,
    bert::BertConfig,
    checkpoint::{Checkpoint, Wanted},
};

/// Tensors that BERT checkpoints carry and sentence encoders do not use.
const UNUSED: [&str; 3] = [
    "embeddings.position_ids",
    "pooler.dense.weight",
    "pooler.dense.bias",
];

/// The parameters of a BERT encoder on a backend.
#[derive(Debug)]
pub(crate) struct Bert<B: Backend> {
    /// `vocabulary × hidden`.
    pub(crate) words: Tensor<B, 2>,
    /// `positions × hidden`; the embedding of token type 0 is added already.
    pub(crate) positions: Tensor<B, 2>,
    pub(crate) embedding_norm: Norm<B>,
    pub(crate) layers: Vec<Layer<B>>,
    pub(crate) hidden: usize,
    pub(crate) heads: usize,
    /// Added to the variance before its root is taken.
    pub(crate) epsilon: f64,
}

/// One transformer block, normalised after each half.
#[derive(Debug)]
pub(crate) struct Layer<B: Backend> {
    /// Queries, keys and values side by side: `hidden × 3 hidden`.
    pub(crate) attention_input: Linear<B>,
    pub(crate) attention_output: Linear<B>,
    pub(crate) attention_norm: Norm<B>,
    pub(crate) feed_input: Linear<B>,
    pub(crate) feed_output: Linear<B>,
    pub(crate) feed_norm: Norm<B>,
}

/// `x · weight + bias`.
#[derive(Debug)]
pub(crate) struct Linear<B: Backend> {
    /// `inputs × outputs`: the transpose of what checkpoints hold.
    pub(crate) weight: Tensor<B, 2>,
    pub(crate) bias: Tensor<B, 1>,
}

/// Layer normalisation's scale and shift.
#[derive(Debug)]
pub(crate) struct Norm<B: Backend> {
    pub(crate) scale: Tensor<B, 1>,
    pub(crate) shift: Tensor<B, 1>,
}

impl<B: Backend> Bert<B> {
    /// Reads all parameters; the checkpoint must hold exactly the configuration's tensors.
    pub(crate) fn load(
        checkpoint: &mut Checkpoint,
        config: &BertConfig,
        device: &B::Device,
    ) -> Result<Self> {
        checkpoint.expect(&wanted(config), |name| UNUSED.contains(&name))?;
        let hidden = config.hidden_size;
        let mut reader = Reader { checkpoint, device };
        let words = reader.matrix(
            "embeddings.word_embeddings.weight",
            config.vocab_size,
            hidden,
        )?;
        let positions = reader.matrix(
            "embeddings.position_embeddings.weight",
            config.max_position_embeddings,
            hidden,
        )?;
        let types = reader.matrix(
            "embeddings.token_type_embeddings.weight",
            config.type_vocab_size,
            hidden,
        )?;
        let embedding_norm = reader.norm("embeddings.LayerNorm", hidden)?;
        let layers = (0..config.num_hidden_layers)
            .map(|index| reader.layer(index, config))
            .collect::<Result<_>>()?;
        Ok(Self {
            words,
            positions: positions + types.narrow(0, 0, 1),
            embedding_norm,
            layers,
            hidden,
            heads: config.num_attention_heads,
            epsilon: config.layer_norm_eps,
        })
    }
}

struct Reader<'a, B: Backend> {
    checkpoint: &'a mut Checkpoint,
    device: &'a B::Device,
}

impl<B: Backend> Reader<'_, B> {
    fn values(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
        self.checkpoint.tensor(&want(name.to_owned(), shape))
    }

    fn matrix(&mut self, name: &str, rows: usize, columns: usize) -> Result<Tensor<B, 2>> {
        let values = self.values(name, &[rows, columns])?;
        Ok(self.place(values, [rows, columns]))
    }

    fn vector(&mut self, name: &str, length: usize) -> Result<Tensor<B, 1>> {
        let values = self.values(name, &[length])?;
        Ok(self.place(values, [length]))
    }

    fn place<const D: usize>(&self, values: Vec<f32>, shape: [usize; D]) -> Tensor<B, D> {
        Tensor::from_data(TensorData::new(values, shape), self.device)
    }

    fn norm(&mut self, prefix: &str, length: usize) -> Result<Norm<B>> {
        Ok(Norm {
            scale: self.vector(&format!("{prefix}.weight"), length)?,
            shift: self.vector(&format!("{prefix}.bias"), length)?,
        })
    }

    /// The layers of the given prefixes side by side, as one product.
    fn linear(&mut self, prefixes: &[String], inputs: usize, outputs: usize) -> Result<Linear<B>> {
        let mut weights = Vec::with_capacity(prefixes.len() * inputs * outputs);
        let mut biases = Vec::with_capacity(prefixes.len() * outputs);
        for prefix in prefixes {
            weights.extend(self.values(&format!("{prefix}.weight"), &[outputs, inputs])?);
            biases.extend(self.values(&format!("{prefix}.bias"), &[outputs])?);
        }
        let all = prefixes.len() * outputs;
        // Row by row in memory: products over a transposed view are slower on the CPU.
        let mut transposed = vec![0.0; weights.len()];
        for (output, row) in weights.chunks_exact(inputs).enumerate() {
            for (value, place) in row
                .iter()
                .zip(transposed.iter_mut().skip(output).step_by(all))
            {
                *place = *value;
            }
        }
        Ok(Linear {
            weight: self.place(transposed, [inputs, all]),
            bias: self.place(biases, [all]),
        })
    }

    fn layer(&mut self, index: usize, config: &BertConfig) -> Result<Layer<B>> {
        let (hidden, wide) = (config.hidden_size, config.intermediate_size);
        let prefix = |part: &str| format!("encoder.layer.{index}.{part}");
        let inputs =
            ["query", "key", "value"].map(|part| prefix(&format!("attention.self.{part}")));
        Ok(Layer {
            attention_input: self.linear(&inputs, hidden, hidden)?,
            attention_output: self.linear(&[prefix("attention.output.dense")], hidden, hidden)?,
            attention_norm: self.norm(&prefix("attention.output.LayerNorm"), hidden)?,
            feed_input: self.linear(&[prefix("intermediate.dense")], hidden, wide)?,
            feed_output: self.linear(&[prefix("output.dense")], wide, hidden)?,
            feed_norm: self.norm(&prefix("output.LayerNorm"), hidden)?,
        })
    }
}

fn want(name: String, shape: &[usize]) -> Wanted {
    Wanted {
        name,
        shape: shape.to_vec(),
    }
}

/// Every tensor of a configuration.
fn wanted(config: &BertConfig) -> Vec<Wanted> {
    let (hidden, wide) = (config.hidden_size, config.intermediate_size);
    let table = |name: &str, rows| want(format!("embeddings.{name}.weight"), &[rows, hidden]);
    let mut all = vec![
        table("word_embeddings", config.vocab_size),
        table("position_embeddings", config.max_position_embeddings),
        table("token_type_embeddings", config.type_vocab_size),
    ];
    let pair = |all: &mut Vec<Wanted>, prefix: String, weight: &[usize], bias: usize| {
        all.push(want(format!("{prefix}.weight"), weight));
        all.push(want(format!("{prefix}.bias"), &[bias]));
    };
    pair(
        &mut all,
        "embeddings.LayerNorm".to_owned(),
        &[hidden],
        hidden,
    );
    for layer in 0..config.num_hidden_layers {
        for (part, weight, bias) in [
            ("attention.self.query", &[hidden, hidden][..], hidden),
            ("attention.self.key", &[hidden, hidden], hidden),
            ("attention.self.value", &[hidden, hidden], hidden),
            ("attention.output.dense", &[hidden, hidden], hidden),
            ("attention.output.LayerNorm", &[hidden], hidden),
            ("intermediate.dense", &[wide, hidden], wide),
            ("output.dense", &[hidden, wide], hidden),
            ("output.LayerNorm", &[hidden], hidden),
        ] {
            pair(
                &mut all,
                format!("encoder.layer.{layer}.{part}"),
                weight,
                bias,
            );
        }
    }
    all
}
