use super::config::CausalConfig;
use crate::parameters::Shapes;

/// The names of a layer's tensors.
pub(crate) fn in_layer(layer: usize, part: &str) -> String {
    format!("model.layers.{layer}.{part}")
}

pub(crate) const WORDS: &str = "model.embed_tokens.weight";
pub(crate) const LAST_NORM: &str = "model.norm.weight";
pub(crate) const HEAD: &str = "lm_head.weight";

/// Whether a checkpoint may hold this tensor although the network does not use it: the angles' table
/// of old ones, and the head where the words' embeddings stand in for it.
pub(crate) fn unused(config: &CausalConfig) -> impl Fn(&str) -> bool {
    let tied = config.tied;
    move |name| name.ends_with(".rotary_emb.inv_freq") || (tied && name == HEAD)
}

/// Every tensor of a configuration.
pub(crate) fn shapes(config: &CausalConfig) -> Shapes {
    let mut all = Shapes::default();
    let (hidden, wide, head) = (config.hidden, config.wide, config.head);
    let (queries, keys) = (config.heads * head, config.groups * head);
    all.add(WORDS, &[config.vocabulary, hidden]);
    all.add(LAST_NORM, &[hidden]);
    if !config.tied {
        all.add(HEAD, &[config.vocabulary, hidden]);
    }
    for layer in 0..config.windows.len() {
        let name = |part: &str| in_layer(layer, part);
        for (part, outputs, inputs, bias) in [
            ("self_attn.q_proj", queries, hidden, config.input_bias),
            ("self_attn.k_proj", keys, hidden, config.input_bias),
            ("self_attn.v_proj", keys, hidden, config.input_bias),
            ("self_attn.o_proj", hidden, queries, config.output_bias),
            ("mlp.gate_proj", wide, hidden, config.feed_bias),
            ("mlp.up_proj", wide, hidden, config.feed_bias),
            ("mlp.down_proj", hidden, wide, config.feed_bias),
        ] {
            all.add(name(&format!("{part}.weight")), &[outputs, inputs]);
            if bias {
                all.add(name(&format!("{part}.bias")), &[outputs]);
            }
        }
        all.add(name("input_layernorm.weight"), &[hidden]);
        all.add(name("post_attention_layernorm.weight"), &[hidden]);
        if config.head_norms {
            all.add(name("self_attn.q_norm.weight"), &[head]);
            all.add(name("self_attn.k_norm.weight"), &[head]);
        }
    }
    all
}
