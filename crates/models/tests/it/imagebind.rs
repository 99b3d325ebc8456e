//! ImageBind against PyTorch, on tiny instances of the real architecture.

use std::{fs, path::Path, sync::LazyLock};

use adit_embedding::{
    AudioEmbedder, AudioSamples, Frame, FrameScaling, TextEmbedder, VideoEmbedder, VideoFrames,
};
use adit_models::{Device, Error, ImageBind, Placement, Precision};
use serde_json::Value;
use tempfile::TempDir;

use crate::tensors::{Tensors, golden_files};

/// How far ImageBind may be from PyTorch at 32 bits, by the precision it runs in: the least cosine, and
/// the largest difference in any component, as a share of the vector's length where that is above 1.
const TOLERANCES: [(Precision, f64, f32); 3] = [
    (Precision::F32, 0.999_99, 1e-4),
    (Precision::F16, 0.999_99, 2e-3),
    (Precision::Bf16, 0.999, 1.5e-2),
];

/// Devices compiled in that this machine has, in each precision.
fn placements() -> Vec<Placement> {
    let mut devices = vec![Device::Cpu];
    if cfg!(feature = "cuda") && Path::new("/dev/nvidia0").exists() {
        devices.push(Device::Cuda(0));
    }
    let in_each = |device: Device| {
        TOLERANCES.map(|(precision, _, _)| Placement::from(device).with_precision(precision))
    };
    devices.into_iter().flat_map(in_each).collect()
}

/// A folder as [`ImageBind::load`] wants it, of a golden configuration and the weights beside it.
fn folder(config: &Path) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let weights = config
        .to_string_lossy()
        .replace(".config.json", ".weights.safetensors");
    fs::copy(config, folder.path().join("config.json")).unwrap();
    fs::copy(weights, folder.path().join("model.safetensors")).unwrap();
    folder
}

fn tiny_folder() -> TempDir {
    folder(&adit_testkit::fixture(
        "models/imagebind_tiny_dev.config.json",
    ))
}

fn tiny() -> &'static ImageBind {
    static MODEL: LazyLock<ImageBind> =
        LazyLock::new(|| ImageBind::load(tiny_folder().path(), Device::Cpu).unwrap());
    &MODEL
}

/// The input of a name by the configuration's formula, and its shape.
fn input(config: &Value, name: &str) -> (Vec<usize>, Vec<f32>) {
    let [shape, c] = config["input_formula"][name].as_array().unwrap().as_slice() else {
        panic!("{name}: shape and constant");
    };
    let shape: Vec<usize> = serde_json::from_value(shape.clone()).unwrap();
    let c = c.as_f64().unwrap();
    let value = |index: usize| {
        let i = index as f64;
        (1.5 * (0.01 * i + c).sin() * (0.0007 * i * (1.0 + c)).cos()) as f32
    };
    let count = shape.iter().product();
    (shape, (0..count).map(value).collect())
}

/// The mean of every `count` vectors.
fn means(vectors: &[Vec<f32>], count: usize) -> Vec<f32> {
    let mean = |group: &[Vec<f32>]| -> Vec<f32> {
        (0..group[0].len())
            .map(|place| group.iter().map(|vector| vector[place]).sum::<f32>() / count as f32)
            .collect()
    };
    vectors.chunks(count).flat_map(mean).collect()
}

fn compare(what: &str, precision: Precision, found: &[f32], expected: &(Vec<usize>, Vec<f32>)) {
    let (_, least, most) = TOLERANCES
        .into_iter()
        .find(|(other, _, _)| *other == precision)
        .unwrap();
    let (shape, expected) = expected;
    assert_eq!(found.len(), expected.len(), "{what}");
    let rows = found.chunks(shape[1]).zip(expected.chunks(shape[1]));
    for (row, (found, expected)) in rows.enumerate() {
        let product = |a: &[f32], b: &[f32]| -> f64 {
            a.iter()
                .zip(b)
                .map(|(a, b)| f64::from(*a) * f64::from(*b))
                .sum()
        };
        let lengths = (product(found, found) * product(expected, expected)).sqrt();
        let cosine = product(found, expected) / lengths;
        let differences = found.iter().zip(expected).map(|(a, b)| (a - b).abs());
        let worst = differences.fold(0.0, f32::max);
        // At 32 bits the tolerance is absolute, whatever the length.
        let unit = match precision {
            Precision::F32 => 1.0,
            _ => (product(expected, expected).sqrt() as f32).max(1.0),
        };
        assert!(
            cosine >= least && worst <= most * unit,
            "{what} {row}: cosine {cosine}, largest difference {worst}"
        );
    }
}

#[test]
fn every_golden_instance_equals_pytorch() {
    for path in golden_files("imagebind_tiny", ".config.json") {
        let config: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let answers = path
            .to_string_lossy()
            .replace(".config.json", ".io.safetensors");
        let answers = Tensors::open(Path::new(&answers));
        for placement in placements() {
            let precision = placement.precision;
            let model = ImageBind::load(folder(&path).path(), placement).unwrap();
            let what = |name: &str| format!("{} on {placement}, {name}", path.display());

            let (_, tokens) = answers.i64("text_tokens");
            let sequences: Vec<[u32; 77]> = tokens
                .as_chunks::<77>()
                .0
                .iter()
                .map(|row| row.map(|token| u32::try_from(token).unwrap()))
                .collect();
            let found = model.vectors_of_sequences(&sequences).unwrap().concat();
            compare(
                &what("text"),
                precision,
                &found,
                &answers.f32("text_embedding"),
            );

            // A picture is shown twice, colour by colour.
            let (_, image) = input(&config, "image");
            let plane = 224 * 224;
            let twice: Vec<f32> = image
                .chunks(plane)
                .flat_map(|plane| [plane, plane].concat())
                .collect();
            let views: Vec<&[f32]> = twice.chunks(ImageBind::VIEW).collect();
            let found = model.vectors_of_views(&views).unwrap().concat();
            compare(
                &what("image"),
                precision,
                &found,
                &answers.f32("image_embedding"),
            );

            let (shape, video) = input(&config, "video");
            let views: Vec<&[f32]> = video.chunks(ImageBind::VIEW).collect();
            let found = means(&model.vectors_of_views(&views).unwrap(), shape[1]);
            compare(
                &what("video"),
                precision,
                &found,
                &answers.f32("video_embedding"),
            );

            let (shape, sound) = input(&config, "audio_mel");
            let clips: Vec<&[f32]> = sound.chunks(128 * 204).collect();
            let found = means(&model.vectors_of_spectrograms(&clips).unwrap(), shape[1]);
            compare(
                &what("audio"),
                precision,
                &found,
                &answers.f32("audio_embedding"),
            );
        }
    }
}

#[test]
fn all_three_modalities_share_one_space() {
    let model = tiny();
    let space = TextEmbedder::space(model);
    assert!(space.to_string().starts_with("imagebind-"), "{space}");
    let sound = AudioSamples {
        sample_rate: 16_000,
        samples: (0..48_000).map(|n| (n as f32 * 0.1).sin()).collect(),
    };
    let sounds = model.embed_sounds(&[sound.clone(), sound]).unwrap();
    let plan = model.frame_plan(3_500);
    assert_eq!(plan.scaling, FrameScaling::ShortSide(224));
    assert!(plan.times_ms.is_sorted() && plan.times_ms.last() == Some(&3_499));
    let frame = |time: &u64| Frame {
        width: 260,
        height: 224,
        rgb: (0..260 * 224 * 3)
            .map(|index| (index * (time + 1) % 251) as u8)
            .collect(),
    };
    let clip = VideoFrames {
        frames: plan.times_ms.iter().map(frame).collect(),
        times_ms: plan.times_ms.clone(),
    };
    let videos = model.embed_clips(&[clip]).unwrap();
    assert_eq!((sounds.len(), videos.len()), (2, 1));
    assert_eq!(sounds[0], sounds[1]);
    for embedding in sounds.iter().chain(&videos) {
        assert_eq!(embedding.space(), space);
    }
}

#[test]
fn unsound_inputs_are_refused() {
    let model = tiny();
    assert!(model.vectors_of_views(&[&[0.0; 5]]).is_err());
    assert!(
        model
            .vectors_of_spectrograms(&[&[f32::NAN; 128 * 204]])
            .is_err()
    );
    // The tiny instance has 1,000 tokens; real texts need 49,408.
    let error = model.vectors_of_sequences(&[[1_000; 77]]).unwrap_err();
    assert!(matches!(error, Error::TokenUnknown { token: 1_000 }));
    assert!(model.embed_texts(&["a cat"]).is_err());
    let silent = AudioSamples::default();
    assert!(model.embed_sounds(&[silent]).is_err());
    let short = AudioSamples {
        sample_rate: 16_000,
        samples: vec![0.0; 300],
    };
    assert!(model.embed_sounds(&[short]).is_err());
    assert!(model.embed_clips(&[VideoFrames::default()]).is_err());
    assert!(model.embed_sounds(&[]).unwrap().is_empty());
    assert!(model.embed_texts(&[]).unwrap().is_empty());
    assert!(model.vectors_of_views(&[]).unwrap().is_empty());
}

/// Loads the tiny instance after one field of its configuration was changed.
fn refusal_with(field: &str, value: usize) -> Error {
    let folder = tiny_folder();
    let path = folder.path().join("config.json");
    let mut config: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    config[field] = value.into();
    fs::write(&path, config.to_string()).unwrap();
    ImageBind::load(folder.path(), Device::Cpu).unwrap_err()
}

#[test]
fn another_configuration_is_named() {
    for (field, value) in [
        ("context_length", 64),
        ("video_frames", 3),
        ("vision_num_heads", 5),
        ("text_num_blocks", 0),
        ("audio_embed_dim", usize::MAX),
    ] {
        let error = refusal_with(field, value);
        assert!(matches!(error, Error::Config { .. }), "{error}");
    }
    let error = refusal_with("vision_embed_dim", 128);
    assert!(matches!(error, Error::TensorShape { .. }), "{error}");
    let error = refusal_with("audio_num_blocks", 3);
    assert!(
        matches!(&error, Error::TensorsMissing { names, .. } if names.iter().all(|name| name.contains("audio.blocks.2"))),
        "{error}"
    );
    let error = refusal_with("text_num_blocks", 1);
    assert!(
        matches!(&error, Error::TensorsUnexpected { names, .. } if names.iter().all(|name| name.contains("text.blocks.1"))),
        "{error}"
    );
}

#[test]
fn a_cut_file_is_refused() {
    let folder = tiny_folder();
    let path = folder.path().join("model.safetensors");
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() - 4]).unwrap();
    let error = ImageBind::load(folder.path(), Device::Cpu).unwrap_err();
    assert!(matches!(error, Error::Header { .. }), "{error}");
}
