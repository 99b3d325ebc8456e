//! Long texts: memory by tokens alone, and the same answer however a text comes.

use std::{fs, path::Path, time::Instant};

use adit_models::{CausalModel, Device};
use tempfile::TempDir;

use super::{tiny, worst};

fn text(length: usize, vocabulary: usize) -> Vec<u32> {
    (0..length)
        .map(|index| ((index * 7919 + index / 13) % vocabulary) as u32)
        .collect()
}

#[test]
fn pieces_of_any_size_give_what_the_whole_gives() {
    for name in ["qwen3_tiny_dev", "qwen2_tiny_window", "qwen2_tiny_yarn"] {
        let model = tiny(name);
        let length = model.context().min(3000);
        let text = text(length, model.vocabulary());
        let whole = model.logits(&text, &[length - 1]).unwrap();
        let mut session = model.session();
        let mut rest = text.as_slice();
        let mut last = Vec::new();
        // Across passes and pages, at their edges and beside them.
        for size in [1, 255, 256, 511, 513, 2, 600].into_iter().cycle() {
            let (piece, later) = rest.split_at(size.min(rest.len()));
            last = model.prefill(&mut session, piece).unwrap();
            rest = later;
            if rest.is_empty() {
                break;
            }
        }
        assert_eq!(session.len(), length);
        let worst = worst(&last, &whole[0]);
        assert!(worst < 1e-4, "{name}: {worst}");
    }
}

#[test]
fn a_text_can_go_on_from_an_earlier_place() {
    let model = tiny("qwen2_tiny_window");
    let text = text(700, model.vocabulary());
    let mut session = model.session();
    model.prefill(&mut session, &text).unwrap();
    session.truncate(300);
    assert_eq!(session.len(), 300);
    session.truncate(500);
    let found = model.prefill(&mut session, &[3, 4, 5]).unwrap();
    let other = [&text[..300], &[3, 4, 5]].concat();
    let expected = model.logits(&other, &[302]).unwrap();
    assert!(worst(&found, &expected[0]) < 1e-4);
}

#[test]
fn memory_is_declared_up_front_and_linear() {
    let model = tiny("qwen3_tiny_dev");
    // Two layers of keys and values, two heads of 16 components, four bytes each.
    assert_eq!(model.cache_bytes(256), 2 * 2 * 2 * 16 * 4 * 256);
    assert_eq!(model.cache_bytes(131_072), 512 * model.cache_bytes(256));
    assert_eq!(model.cache_bytes(1), model.cache_bytes(256));
    assert_eq!(model.cache_bytes(0), 0);
}

/// A model with a context of 128k tokens and hardly any width, by a formula.
fn narrow() -> TempDir {
    const CONFIG: &str = r#"{"model_type": "qwen3", "vocab_size": 64, "hidden_size": 16,
        "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2,
        "num_key_value_heads": 1, "head_dim": 8, "max_position_embeddings": 131072,
        "rope_theta": 1000000.0, "tie_word_embeddings": true}"#;
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("config.json"), CONFIG).unwrap();
    let mut tensors = vec![
        ("model.embed_tokens.weight".to_owned(), vec![64, 16]),
        ("model.norm.weight".to_owned(), vec![16]),
    ];
    for layer in 0..2 {
        for (part, shape) in [
            ("self_attn.q_proj", vec![16, 16]),
            ("self_attn.k_proj", vec![8, 16]),
            ("self_attn.v_proj", vec![8, 16]),
            ("self_attn.o_proj", vec![16, 16]),
            ("self_attn.q_norm", vec![8]),
            ("self_attn.k_norm", vec![8]),
            ("mlp.gate_proj", vec![32, 16]),
            ("mlp.up_proj", vec![32, 16]),
            ("mlp.down_proj", vec![16, 32]),
            ("input_layernorm", vec![16]),
            ("post_attention_layernorm", vec![16]),
        ] {
            tensors.push((format!("model.layers.{layer}.{part}.weight"), shape));
        }
    }
    let (mut header, mut data) = (serde_json::Map::new(), Vec::new());
    for (name, shape) in tensors {
        let start = data.len();
        let count: usize = shape.iter().product();
        for index in 0..count {
            let value = ((start + index * 37) as f32 * 0.61).sin() * 0.5;
            data.extend((value + if shape.len() == 1 { 1.0 } else { 0.0 }).to_le_bytes());
        }
        let entry = serde_json::json!({
            "dtype": "F32", "shape": shape, "data_offsets": [start, data.len()],
        });
        header.insert(name, entry);
    }
    let header = serde_json::to_vec(&header).unwrap();
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header);
    file.extend(data);
    fs::write(folder.path().join("model.safetensors"), file).unwrap();
    folder
}

/// The most memory that this process has had, in bytes.
fn peak() -> u64 {
    let status = fs::read_to_string(Path::new("/proc/self/status")).unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .unwrap();
    let kilobytes = line.split_whitespace().nth(1).unwrap();
    kilobytes.parse::<u64>().unwrap() << 10
}

/// `ADIT_LONG=1 cargo test --release -p adit-models --test it 128k -- --nocapture`: minutes.
#[test]
fn a_text_of_128k_tokens_fits() {
    if std::env::var_os("ADIT_LONG").is_none() {
        return;
    }
    const TOKENS: usize = 131_072;
    let folder = narrow();
    let model = CausalModel::load(folder.path(), Device::Cpu).unwrap();
    let (before, start) = (peak(), Instant::now());
    let mut session = model.session();
    let logits = model
        .prefill(&mut session, &text(TOKENS - 1, model.vocabulary()))
        .unwrap();
    let (took, step) = (start.elapsed(), Instant::now());
    model.step(&mut session, 7).unwrap();
    let (more, declared) = (peak() - before, model.cache_bytes(TOKENS));
    eprintln!(
        "{} tokens in {:.1} s, the last in {:.1} ms; {} MiB more at the peak, {} MiB declared for the cache",
        session.len(),
        took.as_secs_f64(),
        step.elapsed().as_secs_f64() * 1e3,
        more >> 20,
        declared >> 20
    );
    assert!(logits.iter().all(|logit| logit.is_finite()));
    assert!(model.step(&mut session, 7).is_err(), "the context is full");
    // What flows between the layers, and the text itself.
    assert!(more < declared + (64 << 20), "{more} bytes");
}
