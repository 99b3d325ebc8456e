use burn_tensor::{FloatDType, backend::Backend};

use super::{BackendDecoder, Layer};
use crate::{
    Result,
    causal::{
        config::CausalConfig,
        decoder::Decoder,
        tensors::{HEAD, LAST_NORM, WORDS, in_layer, shapes, unused},
    },
    checkpoint::Checkpoint,
    layers::Dense,
    parameters::Parameters,
    placement::Build,
};

/// What a decoder is built of.
pub(crate) struct BackendParts<'a> {
    pub(crate) checkpoint: &'a mut Checkpoint,
    pub(crate) config: &'a CausalConfig,
}

impl Build for BackendParts<'_> {
    type Network = dyn Decoder;

    fn build<B: Backend>(self, device: &B::Device, dtype: FloatDType) -> Result<Box<dyn Decoder>> {
        let config = self.config;
        let (wanted, ignored) = (shapes(config), unused(config));
        let mut reader = Parameters::<B>::new(self.checkpoint, wanted, ignored, device, dtype)?;
        let layers = config.windows.iter().enumerate();
        let decoder = BackendDecoder {
            words: reader.tensor(WORDS)?,
            layers: layers
                .map(|(index, window)| layer(&mut reader, index, *window))
                .collect::<Result<_>>()?,
            norm: reader.vector(LAST_NORM)?,
            head: if config.tied {
                None
            } else {
                Some(reader.dense(HEAD, None)?.weight)
            },
            config: config.clone(),
            device: device.clone(),
            dtype,
        };
        Ok(Box::new(decoder))
    }
}

fn layer<B: Backend>(
    reader: &mut Parameters<'_, B>,
    index: usize,
    window: Option<usize>,
) -> Result<Layer<B>> {
    let name = |part: &str| in_layer(index, part);
    let query = name("self_attn.q_norm.weight");
    let head_norms = if reader.has(&query) {
        let key = reader.vector(&name("self_attn.k_norm.weight"))?;
        Some([reader.vector(&query)?, key])
    } else {
        None
    };
    Ok(Layer {
        attention_norm: reader.vector(&name("input_layernorm.weight"))?,
        attention_input: dense(
            reader,
            index,
            &["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"],
        )?,
        head_norms,
        attention_output: dense(reader, index, &["self_attn.o_proj"])?,
        feed_norm: reader.vector(&name("post_attention_layernorm.weight"))?,
        feed_input: dense(reader, index, &["mlp.gate_proj", "mlp.up_proj"])?,
        feed_output: dense(reader, index, &["mlp.down_proj"])?,
        window,
    })
}

/// Layers of the same inputs side by side, with their biases where there are any.
fn dense<B: Backend>(
    reader: &mut Parameters<'_, B>,
    index: usize,
    parts: &[&str],
) -> Result<Dense<B>> {
    let all = |kind: &str| -> Vec<String> {
        let name = |part: &&str| in_layer(index, &format!("{part}.{kind}"));
        parts.iter().map(name).collect()
    };
    let (weights, mut biases) = (all("weight"), all("bias"));
    biases.retain(|bias| reader.has(bias));
    let weights: Vec<&str> = weights.iter().map(String::as_str).collect();
    let biases: Vec<&str> = biases.iter().map(String::as_str).collect();
    reader.dense_of(&weights, &biases)
}
