//! Files that are not what they should be: each ends in an error that names what is wrong.

use std::{fs, path::Path};

use adit_models::{Device, Error, MiniLm};
use serde_json::{Map, Value, json};
use tempfile::TempDir;

fn config() -> Value {
    json!({
        "model_type": "bert", "hidden_act": "gelu", "vocab_size": 30522,
        "max_position_embeddings": 512, "type_vocab_size": 2, "hidden_size": 384,
        "intermediate_size": 1536, "num_hidden_layers": 6, "num_attention_heads": 12,
        "layer_norm_eps": 1e-12,
    })
}

/// Names and shapes of the model's tensors.
fn tensors() -> Vec<(String, Vec<usize>)> {
    let mut all = vec![
        (
            "embeddings.word_embeddings.weight".to_owned(),
            vec![30522, 384],
        ),
        (
            "embeddings.position_embeddings.weight".to_owned(),
            vec![512, 384],
        ),
        (
            "embeddings.token_type_embeddings.weight".to_owned(),
            vec![2, 384],
        ),
        ("embeddings.LayerNorm.weight".to_owned(), vec![384]),
        ("embeddings.LayerNorm.bias".to_owned(), vec![384]),
    ];
    for layer in 0..6 {
        for (part, weight) in [
            ("attention.self.query", vec![384, 384]),
            ("attention.self.key", vec![384, 384]),
            ("attention.self.value", vec![384, 384]),
            ("attention.output.dense", vec![384, 384]),
            ("attention.output.LayerNorm", vec![384]),
            ("intermediate.dense", vec![1536, 384]),
            ("output.dense", vec![384, 1536]),
            ("output.LayerNorm", vec![384]),
        ] {
            let bias = vec![weight[0]];
            all.push((format!("encoder.layer.{layer}.{part}.weight"), weight));
            all.push((format!("encoder.layer.{layer}.{part}.bias"), bias));
        }
    }
    all
}

fn header(tensors: &[(String, Vec<usize>)]) -> (Vec<u8>, u64) {
    let mut entries = Map::new();
    let mut end = 0;
    for (name, shape) in tensors {
        let start = end;
        end += shape.iter().product::<usize>() as u64 * 4;
        let entry = json!({"dtype": "F32", "shape": shape, "data_offsets": [start, end]});
        entries.insert(name.clone(), entry);
    }
    (serde_json::to_vec(&entries).unwrap(), end)
}

fn framed(header: &[u8]) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes()[..], header].concat()
}

/// A folder with a sound configuration and the given checkpoint.
fn folder(checkpoint: &[u8]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("config.json"), config().to_string()).unwrap();
    fs::write(folder.path().join("model.safetensors"), checkpoint).unwrap();
    folder
}

fn refusal(folder: &Path) -> Error {
    MiniLm::load(folder, Device::Cpu).expect_err("a hostile folder loads")
}

/// What is said of a checkpoint with this header (and this much data after it).
fn header_refusal(header: &str, data: usize) -> String {
    let mut bytes = framed(header.as_bytes());
    bytes.resize(bytes.len() + data, 0);
    match refusal(folder(&bytes).path()) {
        Error::Header { reason, .. } => reason,
        other => panic!("{header} gave {other:?}"),
    }
}

#[test]
fn missing_files_name_the_script() {
    let empty = tempfile::tempdir().unwrap();
    let error = refusal(empty.path());
    assert!(matches!(&error, Error::Missing { path } if path.ends_with("config.json")));
    assert!(error.to_string().contains("scripts/fetch-models"));
    fs::write(empty.path().join("config.json"), config().to_string()).unwrap();
    let error = refusal(empty.path());
    assert!(matches!(&error, Error::Missing { path } if path.ends_with("model.safetensors")));
}

#[test]
fn another_configuration_is_named() {
    for (key, value) in [
        ("hidden_size", json!(768)),
        ("num_hidden_layers", json!(12)),
        ("hidden_act", json!("relu")),
        ("model_type", json!("roberta")),
        ("layer_norm_eps", json!(1e-5)),
    ] {
        let folder = folder(&[]);
        let mut config = config();
        config[key] = value;
        fs::write(folder.path().join("config.json"), config.to_string()).unwrap();
        let error = refusal(folder.path());
        assert!(
            matches!(&error, Error::Config { reason, .. } if reason.contains(key)),
            "{error}"
        );
    }
    for text in ["", "{", "[]", "{\"hidden_size\": -1}"] {
        let folder = folder(&[]);
        fs::write(folder.path().join("config.json"), text).unwrap();
        assert!(
            matches!(refusal(folder.path()), Error::Config { .. }),
            "{text}"
        );
    }
    let folder = folder(&[]);
    fs::write(folder.path().join("config.json"), vec![b' '; 2 << 20]).unwrap();
    assert!(matches!(refusal(folder.path()), Error::Oversized { size, .. } if size == 2 << 20));
}

#[test]
fn headers_that_lie_are_refused() {
    for length in [0_u64, 7, 9, 1 << 40, u64::MAX] {
        let error = refusal(folder(&length.to_le_bytes()).path());
        assert!(matches!(error, Error::Header { .. }), "{length}: {error}");
    }
    assert!(matches!(
        refusal(folder(b"short").path()),
        Error::Header { .. }
    ));
    let cases = [
        ("not json", 0, "JSON"),
        (
            r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#,
            4,
            "claims the bytes",
        ),
        (
            r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}"#,
            8,
            "claims the bytes",
        ),
        (
            r#"{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}"#,
            8,
            "another size",
        ),
        (
            r#"{"a":{"dtype":"F32","shape":[4294967296,4294967296,4],"data_offsets":[0,8]}}"#,
            8,
            "another size",
        ),
        (
            r#"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,8]}}"#,
            8,
            "malformed",
        ),
        (
            r#"{"a":{"dtype":"Q9","shape":[2],"data_offsets":[0,8]}}"#,
            8,
            "element type",
        ),
        (
            r#"{"a":{"shape":[2],"data_offsets":[0,8]}}"#,
            8,
            "malformed",
        ),
        (
            r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#,
            8,
            "end at byte 4",
        ),
        (
            r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#,
            8,
            "hole or overlap",
        ),
        (
            r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#,
            8,
            "hole or overlap",
        ),
    ];
    for (header, data, expected) in cases {
        let reason = header_refusal(header, data);
        assert!(reason.contains(expected), "{header} gave {reason}");
    }
}

#[test]
fn a_header_beyond_the_bound_is_not_read() {
    let mut bytes = framed(b"{}");
    bytes[..8].copy_from_slice(&(9_u64 << 20).to_le_bytes());
    bytes.resize(8 + (9 << 20), b' ');
    let error = refusal(folder(&bytes).path());
    assert!(
        matches!(&error, Error::Header { reason, .. } if reason.contains("at most")),
        "{error}"
    );
}

#[test]
fn wrong_tensors_are_named() {
    let name = "embeddings.LayerNorm.weight";
    let one = |shape: &[usize]| {
        let (header, end) = header(&[(name.to_owned(), shape.to_vec())]);
        let mut bytes = framed(&header);
        bytes.resize(bytes.len() + end as usize, 0);
        refusal(folder(&bytes).path())
    };
    match one(&[2, 192]) {
        Error::TensorShape {
            name: found,
            expected,
            found: shape,
        } => {
            assert_eq!(
                (found.as_str(), expected, shape),
                (name, vec![384], vec![2, 192])
            );
        }
        other => panic!("{other:?}"),
    }
    match one(&[384]) {
        Error::TensorsMissing { names, .. } => {
            assert_eq!(names.len(), tensors().len() - 1);
            assert!(names.is_sorted() && !names.iter().any(|missing| missing == name));
        }
        other => panic!("{other:?}"),
    }
    let whole =
        r#"{"embeddings.LayerNorm.weight":{"dtype":"I16","shape":[384],"data_offsets":[0,768]}}"#;
    let mut bytes = framed(whole.as_bytes());
    bytes.resize(bytes.len() + 768, 0);
    let error = refusal(folder(&bytes).path());
    assert!(
        matches!(&error, Error::TensorElement { found, .. } if found == "I16"),
        "{error}"
    );
}

/// The whole model as a sparse file of zeros, with more tensors and one changed value.
fn zeros(more: &[(String, Vec<usize>)], change: Option<(&str, usize, f32)>) -> TempDir {
    use std::io::{Seek, SeekFrom, Write};
    let mut all = tensors();
    all.extend_from_slice(more);
    let (header, end) = header(&all);
    let start = 8 + header.len() as u64;
    let folder = folder(&framed(&header));
    let path = folder.path().join("model.safetensors");
    let mut file = fs::OpenOptions::new().write(true).open(path).unwrap();
    file.set_len(start + end).unwrap();
    if let Some((name, index, value)) = change {
        let before: usize = all
            .iter()
            .take_while(|(other, _)| other != name)
            .map(|(_, shape)| shape.iter().product::<usize>())
            .sum();
        file.seek(SeekFrom::Start(start + (before + index) as u64 * 4))
            .unwrap();
        file.write_all(&value.to_le_bytes()).unwrap();
    }
    folder
}

#[test]
fn unexpected_tensors_are_named() {
    let folder = zeros(&[("classifier.weight".to_owned(), vec![2, 384])], None);
    match refusal(folder.path()) {
        Error::TensorsUnexpected { names, .. } => assert_eq!(names, ["classifier.weight"]),
        other => panic!("{other:?}"),
    }
}

#[test]
fn values_that_are_not_finite_are_named() {
    let name = "encoder.layer.3.output.dense.weight";
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let folder = zeros(&[], Some((name, 1234, value)));
        match refusal(folder.path()) {
            Error::TensorNotFinite { name: found, index } => {
                assert_eq!((found.as_str(), index), (name, 1234));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn sound_files_that_are_not_the_published_ones_are_refused() {
    let folder = zeros(&[], None);
    match refusal(folder.path()) {
        Error::Digest {
            path,
            expected,
            found,
        } => {
            assert!(path.ends_with("model.safetensors"));
            assert_eq!(expected.len(), 64);
            assert_ne!(expected, found);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_changed_tokenizer_is_refused() {
    let real = crate::model::folder();
    let folder = tempfile::tempdir().unwrap();
    for name in ["config.json", "model.safetensors", "tokenizer.json"] {
        fs::copy(real.join(name), folder.path().join(name))
            .expect("run scripts/fetch-models first");
    }
    let path = folder.path().join("tokenizer.json");
    let text = fs::read_to_string(&path)
        .unwrap()
        .replace("\"lowercase\":true", "\"lowercase\":false");
    fs::write(&path, text).unwrap();
    assert!(matches!(refusal(folder.path()), Error::Digest { path: at, .. } if at == path));
}
