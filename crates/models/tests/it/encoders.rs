//! Sentence encoders against sentence-transformers, on tiny instances of every family.

use std::{fs, path::Path, sync::LazyLock};

use adit_embedding::TextEmbedder;
use adit_models::{
    Device, Error, Placement, Precision, SentenceEncoder, SentenceOptions, SentencePooling,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use crate::{model, tensors::golden_files};

/// Largest difference in any component and least cosine, by precision.
const TOLERANCES: [(Precision, f32, f64); 2] = [
    (Precision::F32, 1e-4, 0.999_99),
    (Precision::Bf16, f32::INFINITY, 0.999),
];

const FAMILIES: [&str; 5] = ["bert", "distilbert", "mpnet", "roberta", "xlm_roberta"];

/// What sentence-transformers answers.
#[derive(Deserialize)]
struct Golden {
    longest: usize,
    texts: Vec<String>,
    token_ids: Vec<Vec<u32>>,
    mean: Answers,
    cls: Answers,
}

#[derive(Deserialize)]
struct Answers {
    /// The small files of its layout, by their paths.
    layout: Map<String, Value>,
    pooled: Vec<Vec<f32>>,
    unit: Vec<Vec<f32>>,
}

impl Golden {
    fn of(config: &Path) -> Self {
        let text = fs::read_to_string(beside(config, ".io.json")).unwrap();
        serde_json::from_str(&text).unwrap()
    }

    fn texts(&self) -> Vec<&str> {
        self.texts.iter().map(String::as_str).collect()
    }
}

fn beside(config: &Path, suffix: &str) -> String {
    config.to_string_lossy().replace(".config.json", suffix)
}

/// The largest difference in any component, and the cosine.
fn closeness(found: &[f32], expected: &[f32]) -> (f32, f64) {
    assert_eq!(found.len(), expected.len());
    let product = |a: &[f32], b: &[f32]| -> f64 {
        let pairs = a.iter().zip(b);
        pairs.map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
    };
    let differences = found.iter().zip(expected).map(|(a, b)| (a - b).abs());
    let lengths = (product(found, found) * product(expected, expected)).sqrt();
    (
        differences.fold(0.0, f32::max),
        product(found, expected) / lengths,
    )
}

/// A folder with a golden configuration, the weights and the tokenizer beside it.
fn folder(config: &Path) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let copy = |from: &Path, name: &str| fs::copy(from, folder.path().join(name)).unwrap();
    copy(config, "config.json");
    copy(
        beside(config, ".weights.safetensors").as_ref(),
        "model.safetensors",
    );
    copy(beside(config, ".tokenizer.json").as_ref(), "tokenizer.json");
    folder
}

fn tiny(family: &str) -> TempDir {
    let config = format!("models/{family}_tiny_dev.config.json");
    folder(&adit_testkit::fixture(&config))
}

fn write(folder: &Path, name: &str, value: &Value) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, value.to_string()).unwrap();
}

/// Devices compiled in that this machine has.
fn devices() -> Vec<Device> {
    let mut devices = vec![Device::Cpu];
    if cfg!(feature = "cuda") && Path::new("/dev/nvidia0").exists() {
        devices.push(Device::Cuda(0));
    }
    devices
}

fn goldens() -> Vec<std::path::PathBuf> {
    let named = |family| golden_files(&format!("{family}_tiny"), ".config.json");
    FAMILIES.into_iter().flat_map(named).collect()
}

#[test]
fn every_golden_instance_equals_sentence_transformers() {
    for path in goldens() {
        let golden = Golden::of(&path);
        for (pooling, answers) in [
            (SentencePooling::Mean, &golden.mean),
            (SentencePooling::Cls, &golden.cls),
        ] {
            let placements = devices().into_iter().flat_map(|device| {
                TOLERANCES.map(|tolerance| {
                    let placement = Placement::from(device).with_precision(tolerance.0);
                    (placement, tolerance)
                })
            });
            for (placement, (_, most, least)) in placements {
                let options = SentenceOptions {
                    pooling: Some(pooling),
                    longest: Some(golden.longest),
                    normalise: Some(false),
                };
                let model =
                    SentenceEncoder::load_with(folder(&path).path(), placement, options).unwrap();
                for (text, expected) in golden.texts.iter().zip(&golden.token_ids) {
                    assert_eq!(&model.token_ids(text).unwrap(), expected, "{text:?}");
                }
                let vectors = model.vectors_of_texts(&golden.texts()).unwrap();
                let units = model.embed_texts(&golden.texts()).unwrap();
                let units = units.iter().map(|unit| unit.values().to_vec());
                assert_eq!(vectors.len(), answers.pooled.len());
                let found = vectors.into_iter().chain(units);
                let expected = answers.pooled.iter().chain(&answers.unit);
                for (index, (found, expected)) in found.zip(expected).enumerate() {
                    let (worst, cosine) = closeness(&found, expected);
                    assert!(
                        worst <= most && cosine >= least,
                        "{} by {pooling} on {placement}, {index}: cosine {cosine}, largest difference {worst}",
                        path.display()
                    );
                }
            }
        }
    }
}

#[test]
fn the_layout_of_sentence_transformers_is_followed() {
    for path in goldens() {
        let golden = Golden::of(&path);
        for answers in [&golden.mean, &golden.cls] {
            let folder = folder(&path);
            for (name, value) in &answers.layout {
                write(folder.path(), name, value);
            }
            let model = SentenceEncoder::load(folder.path(), Device::Cpu).unwrap();
            assert_eq!(model.longest(), golden.longest);
            let found = model.vectors_of_texts(&golden.texts()).unwrap();
            for (found, expected) in found.iter().zip(&answers.unit) {
                let (worst, _) = closeness(found, expected);
                assert!(worst <= 1e-4, "{}: {worst}", path.display());
            }
        }
    }
}

#[test]
fn older_and_nested_layouts_are_followed() {
    let folder = tiny("bert");
    let nested = folder.path().join("0_Transformer");
    fs::create_dir(&nested).unwrap();
    for name in ["config.json", "model.safetensors", "tokenizer.json"] {
        fs::rename(folder.path().join(name), nested.join(name)).unwrap();
    }
    write(
        folder.path(),
        "modules.json",
        &json!([
            {"idx": 0, "name": "0", "path": "0_Transformer", "type": "sentence_transformers.models.Transformer"},
            {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
        ]),
    );
    write(
        folder.path(),
        "1_Pooling/config.json",
        &json!({
            "word_embedding_dimension": 32, "pooling_mode_cls_token": true,
            "pooling_mode_mean_tokens": false, "pooling_mode_max_tokens": false,
        }),
    );
    write(
        &nested,
        "sentence_bert_config.json",
        &json!({"max_seq_length": 150, "do_lower_case": true}),
    );
    let model = SentenceEncoder::load(folder.path(), Device::Cpu).unwrap();
    assert_eq!(model.pooling(), SentencePooling::Cls);
    let golden = Golden::of(&adit_testkit::fixture("models/bert_tiny_dev.config.json"));
    // No module Normalize: the vectors keep their lengths. Lower-cased, a special token is a word.
    let found = model.vectors_of_texts(&golden.texts()).unwrap();
    let all = golden.texts.iter().zip(&found).zip(&golden.cls.pooled);
    for ((text, found), expected) in all {
        let same = closeness(found, expected).0 <= 1e-4;
        assert_eq!(same, !text.contains("[CLS]"), "{text:?}");
    }
}

#[test]
fn spaces_tell_apart_what_prepares_texts_differently() {
    let folder = tiny("mpnet");
    let space = |options| {
        let model = SentenceEncoder::load_with(folder.path(), Device::Cpu, options).unwrap();
        model.space().to_string()
    };
    let plain = space(SentenceOptions::default());
    assert!(
        plain.starts_with("mpnet-") && plain.ends_with("-mean-150/32"),
        "{plain}"
    );
    let cls = space(SentenceOptions {
        pooling: Some(SentencePooling::Cls),
        longest: Some(64),
        normalise: Some(false),
    });
    assert!(cls.ends_with("-cls-64/32"), "{cls}");
    assert_eq!(plain.split('-').nth(1), cls.split('-').nth(1));
}

#[test]
fn the_published_minilm_has_its_own_space_whoever_loads_it() {
    let options = SentenceOptions {
        longest: Some(256),
        ..SentenceOptions::default()
    };
    let general = SentenceEncoder::load_with(&model::folder(), Device::Cpu, options)
        .expect("run scripts/fetch-models first");
    let texts = ["a drone over snow", ""];
    assert_eq!(
        general.embed_texts(&texts).unwrap(),
        model::minilm().embed_texts(&texts).unwrap()
    );
    let options = SentenceOptions {
        longest: Some(128),
        ..SentenceOptions::default()
    };
    let shorter = SentenceEncoder::load_with(&model::folder(), Device::Cpu, options).unwrap();
    assert_ne!(shorter.space(), general.space());
}

#[test]
fn any_text_has_a_vector() {
    static MODELS: LazyLock<Vec<SentenceEncoder>> = LazyLock::new(|| {
        let load = |family| SentenceEncoder::load(tiny(family).path(), Device::Cpu).unwrap();
        FAMILIES.map(load).into()
    });
    let long = [
        "prose and more prose. ".repeat(50_000),
        "x".repeat(1 << 20),
        "ü".repeat(1 << 19),
        " ".repeat(1 << 20),
        "<pad>".repeat(200_000),
        "\u{0}\u{fffd}\u{200d}".repeat(100_000),
    ];
    for model in MODELS.iter() {
        for text in &long {
            assert!(text.len() >= 1 << 19);
            let ids = model.token_ids(text).unwrap();
            assert!((1..=model.longest()).contains(&ids.len()));
            let values = model.embed_texts(&[text]).unwrap()[0].values().to_vec();
            assert!(values.iter().all(|value| value.is_finite()));
        }
        assert!(model.embed_texts(&[]).unwrap().is_empty());
    }
}

/// Why a tiny instance is refused after its configuration was changed.
fn refusal_with(family: &str, changes: Value) -> Error {
    let folder = tiny(family);
    let path = folder.path().join("config.json");
    let mut config: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    for (key, value) in changes.as_object().unwrap() {
        config[key] = value.clone();
    }
    fs::write(&path, config.to_string()).unwrap();
    SentenceEncoder::load(folder.path(), Device::Cpu).unwrap_err()
}

#[test]
fn configurations_that_lie_are_named() {
    for (family, key, value) in [
        ("bert", "model_type", json!("nomic_bert")),
        ("bert", "model_type", json!("llama")),
        ("bert", "hidden_act", json!("gelu_new")),
        ("bert", "position_embedding_type", json!("relative_key")),
        ("bert", "is_decoder", json!(true)),
        ("bert", "num_attention_heads", json!(5)),
        ("bert", "num_attention_heads", json!(0)),
        ("bert", "num_hidden_layers", json!(0)),
        ("bert", "hidden_size", json!(u64::MAX)),
        ("bert", "vocab_size", json!(1_u64 << 40)),
        ("bert", "type_vocab_size", json!(0)),
        ("bert", "layer_norm_eps", json!(-1.0)),
        ("distilbert", "activation", json!("relu")),
        ("mpnet", "relative_attention_num_buckets", json!(6)),
        ("mpnet", "max_position_embeddings", json!(2)),
        ("roberta", "max_position_embeddings", json!(1)),
    ] {
        let error = refusal_with(family, json!({ key: value }));
        // Two families spell their fields differently from what BERT's are called.
        let named = key.replace("activation", "hidden_act");
        assert!(
            matches!(&error, Error::Config { reason, .. } if reason.contains(&named)),
            "{family} {key}: {error}"
        );
    }
    let error = refusal_with("bert", json!({"model_type": "nomic_bert"}));
    assert!(error.to_string().contains("nomic_bert"), "{error}");
    // Sound by itself, and not what the checkpoint holds.
    let error = refusal_with("bert", json!({"intermediate_size": 64}));
    assert!(matches!(error, Error::TensorShape { .. }), "{error}");
    let error = refusal_with("mpnet", json!({"num_hidden_layers": 3}));
    assert!(matches!(error, Error::TensorsMissing { .. }), "{error}");
    let error = refusal_with("xlm_roberta", json!({"num_hidden_layers": 1}));
    assert!(matches!(error, Error::TensorsUnexpected { .. }), "{error}");
    let error = refusal_with("bert", json!({"model_type": "mpnet"}));
    assert!(matches!(error, Error::TensorsMissing { .. }), "{error}");
}

#[test]
fn layouts_that_lie_are_named() {
    let refusal = |name: &str, value: Value| {
        let folder = tiny("bert");
        write(folder.path(), name, &value);
        SentenceEncoder::load(folder.path(), Device::Cpu).unwrap_err()
    };
    let module = |path: &str, kind: &str| json!({"path": path, "type": format!("any.{kind}")});
    for (modules, expected) in [
        (json!([module("", "Transformer")]), "Pooling"),
        (json!([module("../..", "Transformer")]), "../.."),
        (json!([module("/etc", "Transformer")]), "/etc"),
        (
            json!([module("", "Transformer"), module("1", "LSTM")]),
            "LSTM",
        ),
        (json!([module("", "CLIPModel")]), "CLIPModel"),
        (json!([]), "Pooling"),
        (json!({}), "sequence"),
    ] {
        let error = refusal("modules.json", modules);
        assert!(
            matches!(&error, Error::Config { reason, .. } if reason.contains(expected)),
            "{error}"
        );
    }
    for pooling in [
        json!({"pooling_mode": "max"}),
        json!({"pooling_mode": ["mean", "cls"]}),
        json!({"pooling_mode_mean_tokens": true, "pooling_mode_cls_token": true}),
        json!({}),
    ] {
        let folder = tiny("bert");
        let modules = json!([module("", "Transformer"), module("1_Pooling", "Pooling")]);
        write(folder.path(), "modules.json", &modules);
        let error = SentenceEncoder::load(folder.path(), Device::Cpu).unwrap_err();
        assert!(matches!(error, Error::Missing { .. }), "{error}");
        write(folder.path(), "1_Pooling/config.json", &pooling);
        let error = SentenceEncoder::load(folder.path(), Device::Cpu).unwrap_err();
        assert!(
            matches!(&error, Error::Config { path, .. } if path.ends_with("1_Pooling/config.json")),
            "{error}"
        );
    }
    // 160 positions.
    for longest in [0, 161, usize::MAX] {
        let error = refusal(
            "sentence_bert_config.json",
            json!({"max_seq_length": longest}),
        );
        assert!(matches!(error, Error::Config { .. }), "{error}");
        let options = SentenceOptions {
            longest: Some(longest),
            ..SentenceOptions::default()
        };
        let folder = tiny("bert");
        let error = SentenceEncoder::load_with(folder.path(), Device::Cpu, options).unwrap_err();
        assert!(matches!(error, Error::Input { .. }), "{error}");
    }
    // A tokenizer's word for it is a bound only.
    let folder = tiny("bert");
    write(
        folder.path(),
        "tokenizer_config.json",
        &json!({"model_max_length": 1e30}),
    );
    let model = SentenceEncoder::load(folder.path(), Device::Cpu).unwrap();
    assert_eq!(model.longest(), 160);
}

#[test]
fn tokenizers_that_do_not_fit_are_refused() {
    // 320 tokens for a network of 180.
    let folder = tiny("bert");
    let other = adit_testkit::fixture("models/roberta_tiny_dev.tokenizer.json");
    fs::copy(other, folder.path().join("tokenizer.json")).unwrap();
    let refusal =
        |options| SentenceEncoder::load_with(folder.path(), Device::Cpu, options).unwrap_err();
    assert!(matches!(
        refusal(SentenceOptions::default()),
        Error::Tokenizer { .. }
    ));
    fs::write(folder.path().join("tokenizer.json"), "{}").unwrap();
    assert!(matches!(
        refusal(SentenceOptions::default()),
        Error::Tokenizer { .. }
    ));
    fs::remove_file(folder.path().join("tokenizer.json")).unwrap();
    assert!(matches!(
        refusal(SentenceOptions::default()),
        Error::Missing { .. }
    ));
    // A number beyond the network's, though there are few tokens.
    let folder = tiny("bert");
    let path = folder.path().join("tokenizer.json");
    let mut tokenizer: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let words = tokenizer["model"]["vocab"].as_object_mut().unwrap();
    let piece = words
        .keys()
        .find(|word| word.starts_with("##"))
        .unwrap()
        .clone();
    words.remove(&piece);
    words.insert("beyond".to_owned(), json!(4_000_000));
    fs::write(&path, tokenizer.to_string()).unwrap();
    let error = SentenceEncoder::load(folder.path(), Device::Cpu).unwrap_err();
    assert!(matches!(error, Error::Tokenizer { .. }), "{error}");
    // A special token beyond the network's.
    let folder = tiny("bert");
    let path = folder.path().join("tokenizer.json");
    let text = fs::read_to_string(&path).unwrap();
    let mut tokenizer: Value = serde_json::from_str(&text).unwrap();
    tokenizer["post_processor"]["special_tokens"]["[SEP]"]["ids"] = json!([180]);
    fs::write(&path, tokenizer.to_string()).unwrap();
    let error = SentenceEncoder::load(folder.path(), Device::Cpu).unwrap_err();
    assert!(
        matches!(error, Error::TokenUnknown { token: 180 }),
        "{error}"
    );
    tokenizer["post_processor"] = Value::Null;
    fs::write(&path, tokenizer.to_string()).unwrap();
    let error = SentenceEncoder::load(folder.path(), Device::Cpu).unwrap_err();
    assert!(matches!(error, Error::Tokenizer { .. }), "{error}");
    // No place for a text between the special tokens.
    for longest in [1, 2] {
        let options = SentenceOptions {
            longest: Some(longest),
            ..SentenceOptions::default()
        };
        let folder = tiny("bert");
        let error = SentenceEncoder::load_with(folder.path(), Device::Cpu, options).unwrap_err();
        assert!(matches!(error, Error::Tokenizer { .. }), "{error}");
    }
}

#[test]
fn weights_that_are_not_finite_are_named() {
    let name = "encoder.relative_attention_bias.weight";
    for precision in [Precision::F32, Precision::Bf16] {
        let folder = tiny("mpnet");
        let path = folder.path().join("model.safetensors");
        let mut bytes = fs::read(&path).unwrap();
        let (length, rest) = bytes.split_first_chunk::<8>().unwrap();
        let length = u64::from_le_bytes(*length) as usize;
        let header: Value = serde_json::from_slice(&rest[..length]).unwrap();
        let start = header[name]["data_offsets"][0].as_u64().unwrap() as usize;
        let place = 8 + length + start + 4 * 7;
        bytes[place..place + 4].copy_from_slice(&f32::NAN.to_le_bytes());
        fs::write(&path, bytes).unwrap();
        let placement = Placement::from(Device::Cpu).with_precision(precision);
        let error = SentenceEncoder::load(folder.path(), placement).unwrap_err();
        assert!(
            matches!(&error, Error::TensorNotFinite { name: found, index: 7 } if found == name),
            "{error}"
        );
    }
}
