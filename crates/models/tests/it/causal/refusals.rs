//! What a language model refuses, and by which error.

use std::fs;

use adit_models::{CausalModel, Device, Error, GenerationOptions, Placement, TokenSampling};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{folder, rng, tiny};

const CONTEXT: usize = 4096;

fn tiny_folder() -> TempDir {
    folder(&adit_testkit::fixture("models/llama_tiny_dev.config.json"))
}

/// Loads with some fields of the configuration changed; `null` removes one.
fn with(changes: &Value) -> Result<CausalModel, Error> {
    let folder = tiny_folder();
    let path = folder.path().join("config.json");
    let mut config: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let fields = config.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            fields.remove(name);
        } else {
            fields.insert(name.clone(), value.clone());
        }
    }
    fs::write(&path, serde_json::to_vec(&config).unwrap()).unwrap();
    CausalModel::load(folder.path(), Device::Cpu)
}

#[test]
fn lies_in_the_configuration_are_named() {
    for (changes, named) in [
        (json!({"model_type": "mamba"}), "mamba"),
        (json!({"model_type": "mistral"}), "mistral"),
        (json!({"num_attention_heads": 0}), "num_attention_heads"),
        (json!({"num_attention_heads": 3}), "num_attention_heads"),
        (json!({"num_key_value_heads": 3}), "no multiple of 3"),
        (json!({"num_key_value_heads": 0}), "num_key_value_heads"),
        (json!({"head_dim": 15}), "head_dim"),
        (json!({"head_dim": 0}), "head_dim"),
        (
            json!({"head_dim": null, "num_attention_heads": 6}),
            "no multiple of 6",
        ),
        (json!({"hidden_size": 0}), "hidden_size"),
        (json!({"hidden_size": 1_u64 << 60}), "hidden_size"),
        (json!({"vocab_size": u64::MAX}), "vocab_size"),
        (json!({"intermediate_size": 0}), "intermediate_size"),
        (json!({"num_hidden_layers": 1 << 20}), "num_hidden_layers"),
        (
            json!({"max_position_embeddings": 0}),
            "max_position_embeddings",
        ),
        (json!({"rms_norm_eps": -1.0}), "rms_norm_eps"),
        (json!({"hidden_act": "gelu"}), "gelu"),
        (
            json!({"quantization_config": {"bits": 4}}),
            "quantization_config",
        ),
        (
            json!({"layer_types": ["full_attention", "sliding_attention"]}),
            "sliding_attention",
        ),
        (
            json!({"rope_parameters": {"rope_type": "longrope"}, "rope_theta": 1e4}),
            "longrope",
        ),
        (
            json!({"rope_parameters": {"rope_type": "dynamic", "rope_theta": 1e4}}),
            "dynamic",
        ),
        (
            json!({"rope_parameters": {"rope_type": "default"}}),
            "rope_theta",
        ),
        (
            json!({"rope_parameters": {"rope_theta": 0.0}}),
            "rope_theta",
        ),
        (
            json!({"rope_parameters": {"full_attention": {"rope_theta": 1e4}}}),
            "rope_theta",
        ),
        (json!({"vocab_size": null}), "vocab_size"),
    ] {
        match with(&changes) {
            Err(Error::Config { reason, .. }) => {
                assert!(reason.contains(named), "{changes}: {reason}");
            }
            other => panic!("{changes}: {other:?}"),
        }
    }
    let qwen = json!({"model_type": "qwen2", "use_sliding_window": true, "sliding_window": 0});
    assert!(matches!(with(&qwen), Err(Error::Config { .. })));
}

#[test]
fn a_configuration_of_other_weights_is_refused_before_they_are_read() {
    for (changes, refused) in [
        (json!({"hidden_size": 4096}), "TensorShape"),
        (json!({"vocab_size": 1 << 22}), "TensorShape"),
        (json!({"num_hidden_layers": 3}), "TensorsMissing"),
        (json!({"num_hidden_layers": 1}), "TensorsUnexpected"),
        (json!({"attention_bias": true}), "TensorsMissing"),
        (json!({"model_type": "qwen2"}), "TensorsMissing"),
        (json!({"model_type": "qwen3"}), "TensorsMissing"),
    ] {
        let error = format!("{:?}", with(&changes).unwrap_err());
        assert!(error.starts_with(refused), "{changes}: {error}");
    }
    // The head may be there although the words' embeddings stand in for it.
    with(&json!({"tie_word_embeddings": true})).unwrap();
}

#[test]
fn files_that_are_no_model_are_refused() {
    let folder = tiny_folder();
    let weights = folder.path().join("model.safetensors");
    let mut bytes = fs::read(&weights).unwrap();
    let last = bytes.len() - 4;
    bytes[last..].copy_from_slice(&f32::NAN.to_le_bytes());
    fs::write(&weights, &bytes).unwrap();
    let load = || CausalModel::load(folder.path(), Device::Cpu);
    assert!(matches!(load(), Err(Error::TensorNotFinite { .. })));
    fs::remove_file(&weights).unwrap();
    assert!(matches!(load(), Err(Error::Missing { .. })));
    let folder = tiny_folder();
    let generation = folder.path().join("generation_config.json");
    fs::write(&generation, r#"{"eos_token_id": -1}"#).unwrap();
    let load = || CausalModel::load(folder.path(), Device::Cpu);
    assert!(matches!(load(), Err(Error::Config { path, .. }) if path == generation));
}

#[test]
fn texts_that_do_not_fit_leave_the_session_as_it_was() {
    let model = tiny("llama_tiny_dev");
    assert_eq!((model.vocabulary(), model.context()), (512, CONTEXT));
    let mut session = model.session();
    let empty = model.prefill(&mut session, &[]);
    assert!(matches!(empty, Err(Error::Input { .. })));
    let beyond = model.prefill(&mut session, &[1, 512]);
    assert!(matches!(beyond, Err(Error::TokenUnknown { token: 512 })));
    let long = model.prefill(&mut session, &vec![1; CONTEXT + 1]);
    let full = |error| {
        matches!(
            error,
            Error::ContextFull {
                tokens: 4097,
                limit: CONTEXT
            }
        )
    };
    assert!(long.is_err_and(full));
    assert!(session.is_empty());
    model.prefill(&mut session, &[1; 5]).unwrap();
    let long = model.prefill(&mut session, &vec![1; CONTEXT - 4]);
    assert!(long.is_err_and(full));
    assert_eq!(session.len(), 5);
    let found = model.step(&mut session, 9).unwrap();
    let expected = model.logits(&[1, 1, 1, 1, 1, 9], &[5]).unwrap();
    assert!(super::worst(&found, &expected[0]) < 1e-4);
}

#[test]
fn a_session_of_another_model_is_refused() {
    let (one, other) = (tiny("llama_tiny_dev"), tiny("llama_tiny_dev"));
    let refused = other.step(&mut one.session(), 1);
    assert!(matches!(refused, Err(Error::Input { reason }) if reason.contains("another model")));
}

#[test]
fn places_and_steps_beyond_a_text_are_refused() {
    let model = tiny("llama_tiny_dev");
    for places in [&[3][..], &[1, 1], &[2, 0]] {
        let refused = model.logits(&[1, 2, 3], places);
        assert!(matches!(refused, Err(Error::Input { .. })), "{places:?}");
    }
    assert!(matches!(
        model.logits_at_step(&[1], 0),
        Err(Error::Input { .. })
    ));
    let far = model.logits_at_step(&[1], CONTEXT + 1);
    assert!(matches!(far, Err(Error::ContextFull { .. })));
    assert_eq!(model.logits(&[1, 2], &[]).unwrap(), Vec::<Vec<f32>>::new());
}

#[test]
fn options_out_of_range_are_refused() {
    let model = tiny("llama_tiny_dev");
    let sampling = |temperature, top_k, top_p| TokenSampling {
        temperature,
        top_k,
        top_p,
    };
    for sampling in [
        sampling(-1.0, None, None),
        sampling(f32::NAN, None, None),
        sampling(f32::INFINITY, None, None),
        sampling(1.0, Some(0), None),
        sampling(1.0, None, Some(0.0)),
        sampling(1.0, None, Some(1.1)),
        sampling(1.0, None, Some(f32::NAN)),
    ] {
        let options = GenerationOptions {
            sampling,
            ..GenerationOptions::default()
        };
        let refused = model.generate(&[1], &options, &mut rng());
        assert!(matches!(refused, Err(Error::Input { .. })), "{sampling:?}");
    }
    let none = GenerationOptions {
        most_tokens: 0,
        ..GenerationOptions::default()
    };
    assert!(matches!(
        model.generate(&[1], &none, &mut rng()),
        Err(Error::Input { .. })
    ));
    for logits in [&[][..], &[1.0, f32::NAN], &[f32::INFINITY]] {
        let refused = TokenSampling::GREEDY.choose(logits, &mut rng());
        assert!(matches!(refused, Err(Error::Input { .. })), "{logits:?}");
    }
}

#[test]
fn a_device_that_is_not_there_is_refused() {
    let folder = tiny_folder();
    let refused = CausalModel::load(folder.path(), Placement::from(Device::Cuda(99)));
    assert!(matches!(refused, Err(Error::DeviceUnavailable { .. })));
}
