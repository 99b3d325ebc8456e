//! The formats of checkpoints: what is read is what was saved, and what lies is refused.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use adit_models::{Device, Error, ImageBind, Precision, convert};
use proptest::prelude::*;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    archives::{archive, checkpoint, dictionary, pickled, tensor, text},
    tensors::Tensors,
};

const TINY: &str = "models/imagebind_tiny_dev.weights.safetensors";

fn tiny_tensors() -> BTreeMap<String, (Vec<usize>, Vec<f32>)> {
    let tensors = Tensors::open(&adit_testkit::fixture(TINY));
    let names = tensors.names("modality_");
    names
        .into_iter()
        .map(|name| (name.to_owned(), tensors.f32(name)))
        .collect()
}

/// A folder with the tiny ImageBind's configuration.
fn tiny_folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let config = adit_testkit::fixture("models/imagebind_tiny_dev.config.json");
    fs::copy(config, folder.path().join("config.json")).unwrap();
    folder
}

fn tiny_with(name: &str, bytes: &[u8]) -> TempDir {
    let folder = tiny_folder();
    fs::write(folder.path().join(name), bytes).unwrap();
    folder
}

/// What the tiny ImageBind makes of one sequence.
fn answer(model: &ImageBind) -> Vec<f32> {
    let mut sequence = [7; 77];
    sequence[20] = 999;
    model.vectors_of_sequences(&[sequence]).unwrap().concat()
}

fn load(path: &Path) -> ImageBind {
    ImageBind::load(path, Device::Cpu).unwrap()
}

fn refusal(path: &Path) -> Error {
    ImageBind::load(path, Device::Cpu).expect_err("a hostile checkpoint loads")
}

/// Converts bytes in a file of such a name, and gives what was refused.
fn conversion_refusal(name: &str, bytes: &[u8]) -> Error {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    let to = folder.path().join("to");
    let error = convert(&path, &to, Precision::F32).expect_err("a hostile checkpoint converts");
    // Nothing is left of the attempt.
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "{error}");
    error
}

#[test]
fn what_pytorch_saved_reads_as_pytorch_has_it() {
    let to = tempfile::tempdir().unwrap();
    let from = adit_testkit::fixture("models/torch_views.pth");
    let conversion = convert(&from, to.path(), Precision::F32).unwrap();
    let found = Tensors::open(&conversion.files[0]);
    let expected = Tensors::open(&adit_testkit::fixture("models/torch_views.safetensors"));
    let mut names = expected.names("");
    names.retain(|name| *name != "__metadata__");
    assert_eq!(
        found.names("linear.").len() + found.names("state_dict.").len(),
        names.len()
    );
    for name in names {
        if name == "state_dict.counts" {
            assert_eq!(found.i64(name), expected.i64(name));
        } else {
            assert_eq!(found.f32(name), expected.floats(name), "{name}");
        }
    }
}

#[test]
fn every_format_of_the_same_weights_gives_the_same_answers() {
    let original = tiny_with(
        "model.safetensors",
        &fs::read(adit_testkit::fixture(TINY)).unwrap(),
    );
    let expected = answer(&load(original.path()));
    let file = original.path().join("model.safetensors");
    assert_eq!(answer(&load(&file)), expected);

    let saved = tiny_with("tiny.pth", &checkpoint(&tiny_tensors()));
    assert_eq!(answer(&load(saved.path())), expected);
    assert_eq!(answer(&load(&saved.path().join("tiny.pth"))), expected);

    // As training wraps it.
    let wrapped = tiny_tensors().into_iter();
    let wrapped = wrapped.map(|(name, tensor)| (format!("state_dict.module.{name}"), tensor));
    let wrapped = tiny_with("pytorch_model.bin", &checkpoint(&wrapped.collect()));
    assert_eq!(answer(&load(wrapped.path())), expected);

    let shards = sharded();
    assert_eq!(answer(&load(shards.path())), expected);
}

#[test]
fn a_converted_checkpoint_stays_in_its_space() {
    let folder = tempfile::tempdir().unwrap();
    let original = tiny_with("tiny.pth", &checkpoint(&tiny_tensors()));
    fs::create_dir(original.path().join("more")).unwrap();
    fs::write(original.path().join("more/config.json"), "{}").unwrap();
    let model = load(original.path());
    let space = adit_embedding::TextEmbedder::space(&model);
    let mut sizes = Vec::new();
    for (precision, least) in [
        (Precision::F32, 1.0 - 1e-6),
        (Precision::F16, 0.999_99),
        (Precision::Bf16, 0.999),
    ] {
        let to = folder.path().join(precision.to_string());
        let conversion = convert(original.path(), &to, precision).unwrap();
        assert!(to.join("config.json").is_file() && to.join("more/config.json").is_file());
        let converted = load(&to);
        assert_eq!(adit_embedding::TextEmbedder::space(&converted), space);
        let (found, expected) = (answer(&converted), answer(&model));
        let product = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        let lengths = product(&found, &found) * product(&expected, &expected);
        let cosine = f64::from(product(&found, &expected)) / f64::from(lengths).sqrt();
        assert!(cosine >= least, "{precision}: {cosine}");
        assert_eq!(
            conversion.bytes,
            fs::metadata(&conversion.files[0]).unwrap().len()
        );
        sizes.push(conversion.bytes);
        // It is not written over.
        let error = convert(original.path(), &to, precision).unwrap_err();
        assert!(matches!(error, Error::Write { .. }), "{error}");
    }
    assert!(
        sizes[1..].iter().all(|size| *size < sizes[0] * 51 / 100),
        "{sizes:?}"
    );
}

#[test]
fn metadata_and_other_tensors_come_along() {
    let header = json!({
        "__metadata__": { "format": "pt" },
        "ids": { "dtype": "I64", "shape": [1], "data_offsets": [0, 8] },
        "wide": { "dtype": "F64", "shape": [2], "data_offsets": [8, 24] },
    });
    let data = [
        &7_i64.to_le_bytes()[..],
        &0.1_f64.to_le_bytes(),
        &(-3_f64).to_le_bytes(),
    ]
    .concat();
    let folder = tempfile::tempdir().unwrap();
    let from = folder.path().join("model.safetensors");
    fs::write(&from, safetensors(&header, &data)).unwrap();
    let conversion = convert(&from, &folder.path().join("to"), Precision::F32).unwrap();
    let found = Tensors::open(&conversion.files[0]);
    assert_eq!(found.i64("ids").1, [7]);
    assert_eq!(found.f32("wide").1, [0.1, -3.0]);
    let metadata = found.header("__metadata__");
    assert_eq!(metadata["format"], "pt");
    assert_eq!(
        metadata["adit.converted_from_sha256"],
        conversion.source_digest.as_str()
    );
}

#[test]
fn what_a_format_cannot_hold_is_named() {
    let mut tensors = tiny_tensors();
    let name = "modality_heads.vision.2.weight";
    tensors.get_mut(name).unwrap().1[77] = 1e6;
    let saved = tiny_with("tiny.pth", &checkpoint(&tensors));
    assert!(ImageBind::load(saved.path(), Device::Cpu).is_ok());
    let placement = adit_models::Placement::from(Device::Cpu).with_precision(Precision::F16);
    let to = saved.path().join("to");
    for error in [
        ImageBind::load(saved.path(), placement).unwrap_err(),
        convert(saved.path(), &to, Precision::F16).unwrap_err(),
    ] {
        assert!(
            matches!(&error, Error::TensorNotFinite { name: found, index: 77 } if found == name),
            "{error}"
        );
    }
    assert!(!to.exists());
}

fn safetensors(header: &Value, data: &[u8]) -> Vec<u8> {
    let header = header.to_string();
    [
        &(header.len() as u64).to_le_bytes()[..],
        header.as_bytes(),
        data,
    ]
    .concat()
}

/// The tiny ImageBind in two files and their index.
fn sharded() -> TempDir {
    let folder = tiny_folder();
    let mut weight_map = BTreeMap::new();
    let tensors = tiny_tensors();
    for shard in 0..2 {
        let file = format!("model-{}-of-2.safetensors", shard + 1);
        let mut header = serde_json::Map::new();
        let mut data = Vec::new();
        for (name, (shape, values)) in tensors.iter().skip(shard).step_by(2) {
            let start = data.len();
            data.extend(values.iter().flat_map(|value| value.to_le_bytes()));
            let entry =
                json!({ "dtype": "F32", "shape": shape, "data_offsets": [start, data.len()] });
            header.insert(name.clone(), entry);
            weight_map.insert(name.clone(), file.clone());
        }
        fs::write(
            folder.path().join(file),
            safetensors(&Value::Object(header), &data),
        )
        .unwrap();
    }
    let index = json!({ "metadata": {}, "weight_map": weight_map });
    fs::write(index_of(&folder), index.to_string()).unwrap();
    folder
}

fn index_of(folder: &TempDir) -> PathBuf {
    folder.path().join("model.safetensors.index.json")
}

#[test]
fn an_index_that_lies_is_refused() {
    let name = "modality_heads.audio.0.bias";
    let changed = |change: &dyn Fn(&mut Value)| {
        let folder = sharded();
        let mut index = serde_json::from_slice(&fs::read(index_of(&folder)).unwrap()).unwrap();
        change(&mut index);
        fs::write(index_of(&folder), index.to_string()).unwrap();
        refusal(folder.path())
    };
    for shard in [
        "../model-1-of-2.safetensors",
        "/etc/passwd",
        "a/b",
        "..",
        ".",
        "",
        "a\\b",
    ] {
        let error = changed(&|index| index["weight_map"][name] = shard.into());
        assert!(
            matches!(&error, Error::ShardIndex { reason, .. } if reason.contains("no name of a file")),
            "{shard}: {error}"
        );
    }
    let error = changed(&|index| {
        let other = index["weight_map"]["modality_heads.audio.0.weight"].clone();
        assert_ne!(index["weight_map"][name], other);
        index["weight_map"][name] = other;
    });
    assert!(
        matches!(&error, Error::ShardIndex { reason, .. } if reason.contains("which lies in") && reason.contains(name)),
        "{error}"
    );
    let error = changed(&|index| {
        index["weight_map"].as_object_mut().unwrap().remove(name);
    });
    assert!(
        matches!(&error, Error::ShardIndex { reason, .. } if reason.contains("does not list") && reason.contains(name)),
        "{error}"
    );
    let error =
        changed(&|index| index["weight_map"]["nowhere"] = "model-1-of-2.safetensors".into());
    assert!(
        matches!(&error, Error::ShardIndex { reason, .. } if reason.contains("lacks it")),
        "{error}"
    );
    let error = changed(&|index| index["weight_map"][name] = "model-3-of-2.safetensors".into());
    assert!(
        matches!(&error, Error::Missing { path } if path.ends_with("model-3-of-2.safetensors")),
        "{error}"
    );
    for index in [
        "",
        "[]",
        r#"{"weight_map": {}}"#,
        r#"{"weight_map": {"a": 1}}"#,
    ] {
        let error = changed(&|found| *found = serde_json::from_str(index).unwrap_or_default());
        assert!(
            matches!(error, Error::ShardIndex { .. }),
            "{index}: {error}"
        );
    }
}

/// What the real PyTorch makes of these, it would also run: here each is refused by name.
#[test]
fn pickles_that_ask_for_more_are_refused_by_name() {
    let nested: Vec<u8> = [&b"\x80\x02"[..], &b"]".repeat(100_000), b"."].concat();
    let deep: Vec<u8> = {
        let open: Vec<u8> = (0..100_000)
            .flat_map(|_| [&b"}"[..], &text("a")].concat())
            .collect();
        [&open[..], &b"}"[..], &b"s".repeat(100_000), b"."].concat()
    };
    let cases: [(&[u8], &str); 8] = [
        (
            b"\x80\x02cos\nsystem\nX\x02\x00\x00\x00id\x85R.",
            "os.system",
        ),
        (b"\x80\x02cposix\nsystem\n.", "posix.system"),
        (
            b"\x80\x04\x8c\x08builtins\x8c\x04eval\x93.",
            "builtins.eval",
        ),
        (
            b"\x80\x02ctorch.nn.modules.linear\nLinear\n)\x81.",
            "torch.nn.modules.linear.Linear",
        ),
        (b"(S'id'\nios\nsystem\n.", "instruction 0x53"),
        (b"\x80\x02}\x82\x01.", "instruction 0x82"),
        (
            b"\x80\x02ccollections\nOrderedDict\n)\x81.",
            "instruction 0x81",
        ),
        (
            b"\x80\x02ctorch\nFloatStorage\n)R.",
            "a storage made by a call",
        ),
    ];
    for (pickle, expected) in cases {
        let error = conversion_refusal("a.pth", &pickled(pickle));
        assert!(
            matches!(&error, Error::PickleRefused { what, .. } if what.starts_with(expected)),
            "{expected}: {error}"
        );
    }
    let itself = b"\x80\x02}q\x00X\x01\x00\x00\x00ah\x00s.";
    let unsound: [(&[u8], &str); 10] = [
        (b"", "claims 1 bytes"),
        (b"\x80\x02]", "claims 1 bytes"),
        (b"\x80\x02X\xff\xff\xff\xffab.", "claims 4294967295 bytes"),
        (
            b"\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\xffab.",
            "claims 18446744073709551615 bytes",
        ),
        (b"\x80\x02h\x07.", "recalls 7"),
        (b"\x80\x02R.", "empty stack"),
        (b"\x80\x02]}(a.", "below a mark"),
        (itself, "nests deeper"),
        (&nested, "no dictionary of tensors"),
        (&deep, "nests deeper"),
    ];
    for (pickle, expected) in unsound {
        let error = conversion_refusal("a.pth", &pickled(pickle));
        assert!(
            matches!(&error, Error::Pytorch { reason, .. } if reason.contains(expected)),
            "{expected}: {error}"
        );
    }
}

/// Dictionaries that hold the one before many times over: few bytes, more values than could be listed.
#[test]
fn repetition_is_bounded() {
    let mut pickle = b"\x80\x02}q\x00".to_vec();
    for level in 0..6_u8 {
        pickle.extend(b"}q");
        pickle.push(level + 1);
        for key in 0..40_u8 {
            pickle.extend(text(&format!("k{key}")));
            pickle.extend([b'h', level, b's']);
        }
    }
    pickle.push(b'.');
    let error = conversion_refusal("a.pth", &pickled(&pickle));
    assert!(
        matches!(&error, Error::Pytorch { reason, .. } if reason.contains("more than 65536 values")),
        "{error}"
    );
}

#[test]
fn tensors_beyond_their_storage_are_refused() {
    let floats = ("FloatStorage", "0", 4);
    let cases = [
        (tensor(floats, 0, &[5], &[1]), "claims the shape"),
        (tensor(floats, 1, &[4], &[1]), "claims the shape"),
        (tensor(floats, 0, &[2, 2], &[3, 1]), "claims the shape"),
        (tensor(floats, 0, &[1 << 40], &[0]), "claims the shape"),
        (
            tensor(floats, 0, &[1 << 32, 1 << 32], &[1 << 32, 1]),
            "claims the shape",
        ),
        (
            tensor(floats, u64::MAX >> 1, &[2], &[1]),
            "claims the shape",
        ),
        (tensor(floats, 9, &[0], &[1]), "beyond its storage"),
        (tensor(floats, u64::MAX, &[1], &[1]), "before its storage"),
        (tensor(floats, 0, &[u64::MAX], &[1]), "no size"),
        (tensor(floats, 0, &[2], &[1, 1]), "1 sides and 2 strides"),
        (
            tensor(("FloatStorage", "0", 5), 0, &[4], &[1]),
            "claims a storage",
        ),
        (
            tensor(("DoubleStorage", "0", 4), 0, &[4], &[1]),
            "claims a storage",
        ),
        (
            tensor(("FloatStorage", "0", u64::MAX >> 1), 0, &[4], &[1]),
            "claims a storage",
        ),
        (tensor(("FloatStorage", "1", 4), 0, &[4], &[1]), "it lacks"),
        (
            tensor(("FloatStorage", "../data.pkl", 4), 0, &[4], &[1]),
            "it lacks",
        ),
    ];
    for (value, expected) in cases {
        let error = conversion_refusal("a.pth", &pickled(&dictionary(&[("a", value)])));
        assert!(
            matches!(&error, Error::Pytorch { reason, .. } if reason.contains(expected)),
            "{expected}: {error}"
        );
    }
    let many: Vec<(String, Vec<u8>)> = (0..1_000)
        .map(|index| {
            (
                index.to_string(),
                tensor(("FloatStorage", "0", 40_000), 0, &[40_000], &[1]),
            )
        })
        .collect();
    let many: Vec<(&str, Vec<u8>)> = many
        .iter()
        .map(|(name, value)| (name.as_str(), value.clone()))
        .collect();
    let bytes = archive(&[
        ("a/data.pkl", &dictionary(&many)),
        ("a/data/0", &[0; 160_000]),
    ]);
    let error = conversion_refusal("a.pth", &bytes);
    assert!(
        error.to_string().contains("4 times the file's bytes"),
        "{error}"
    );
}

#[test]
fn archives_that_lie_are_refused() {
    let sound = pickled(&dictionary(&[(
        "a",
        tensor(("FloatStorage", "0", 4), 0, &[4], &[1]),
    )]));
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("sound.pth"), &sound).unwrap();
    convert(
        &folder.path().join("sound.pth"),
        &folder.path().join("to"),
        Precision::F32,
    )
    .unwrap();

    let directory = sound
        .windows(4)
        .position(|four| four == b"PK\x01\x02")
        .unwrap();
    let end = sound.len() - 22;
    let with = |at: usize, bytes: &[u8]| {
        let mut changed = sound.clone();
        changed[at..at + bytes.len()].copy_from_slice(bytes);
        changed
    };
    let cases = [
        (with(directory + 10, &8_u16.to_le_bytes()), "compressed"),
        (with(directory + 8, &1_u16.to_le_bytes()), "encrypted"),
        (
            with(directory + 24, &(1_u32 << 31).to_le_bytes()),
            "two sizes",
        ),
        (
            with(
                directory + 20,
                &[0xfe, 0xff, 0xff, 0xff, 0xfe, 0xff, 0xff, 0xff],
            ),
            "bytes, at most",
        ),
        (with(directory + 42, &u32::MAX.to_le_bytes()), "is cut"),
        (
            with(directory + 42, &1_u32.to_le_bytes()),
            "no file of it starts",
        ),
        (with(directory, b"PK\x01\x03"), "another signature"),
        (with(end + 10, &9_u16.to_le_bytes()), "is cut"),
        (with(end + 12, &(1_u32 << 30).to_le_bytes()), "at most"),
        (
            with(end + 16, &(1_u32 << 30).to_le_bytes()),
            "claims the bytes",
        ),
        (sound[..sound.len() - 1].to_vec(), "no zip directory"),
        (sound[..100].to_vec(), "no zip directory"),
        (archive(&[("a/version", b"3\n")]), "one data.pkl"),
        (
            archive(&[("a/data.pkl", b"."), ("b/data.pkl", b".")]),
            "one data.pkl",
        ),
        (
            archive(&[("a/data.pkl", b"."), ("a/data.pkl", b".")]),
            "twice",
        ),
        (
            archive(&[("a/data.pkl", b"}."), ("a/byteorder", b"big")]),
            "little-endian",
        ),
        (b"not a zip at all".to_vec(), "no zip archive"),
        (
            b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\x02M\xe9\x03.".to_vec(),
            "legacy format",
        ),
    ];
    for (bytes, expected) in cases {
        let error = conversion_refusal("a.pth", &bytes);
        assert!(
            matches!(&error, Error::Pytorch { reason, .. } if reason.contains(expected)),
            "{expected}: {error}"
        );
    }
    // Whatever the name says: the legacy format is recognised.
    let error = conversion_refusal(
        "model.safetensors",
        b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.",
    );
    assert!(error.to_string().contains("legacy format"), "{error}");
}

#[test]
fn a_folder_of_several_checkpoints_is_ambiguous() {
    let folder = tiny_folder();
    let bytes = checkpoint(&tiny_tensors());
    fs::write(folder.path().join("a.pth"), &bytes).unwrap();
    fs::write(folder.path().join("b.pth"), &bytes).unwrap();
    assert!(matches!(refusal(folder.path()), Error::Read { .. }));
    fs::remove_file(folder.path().join("a.pth")).unwrap();
    load(folder.path());
    fs::remove_file(folder.path().join("b.pth")).unwrap();
    let error = refusal(folder.path());
    assert!(matches!(&error, Error::Missing { path } if path.ends_with("model.safetensors")));
}

proptest! {
    /// Whatever bytes an archive is changed by: an answer or an error, in bounded time and memory.
    #[test]
    fn changed_archives_never_panic(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)) {
        let entries = [
            ("a", tensor(("FloatStorage", "0", 4), 1, &[3], &[1])),
            ("b", tensor(("FloatStorage", "0", 4), 0, &[2, 2], &[1, 2])),
        ];
        let mut bytes = pickled(&dictionary(&entries));
        for (place, value) in changes {
            let place = place.index(bytes.len());
            bytes[place] = value;
        }
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.pth"), &bytes).unwrap();
        let _ = convert(&folder.path().join("a.pth"), &folder.path().join("to"), Precision::Bf16);
    }

    #[test]
    fn any_pickle_is_read_or_refused(pickle in prop::collection::vec(any::<u8>(), 0..200)) {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.pth"), pickled(&pickle)).unwrap();
        let _ = convert(&folder.path().join("a.pth"), &folder.path().join("to"), Precision::Bf16);
    }
}
