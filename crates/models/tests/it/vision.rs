//! CLIP's picture tower, the aesthetic head and TransNetV2 against PyTorch.

use std::{fs, path::Path};

use adit_embedding::{Embedding, Frame, FrameScaling, Space, VideoEmbedder, VideoFrames};
use adit_models::{
    AestheticHead, CentreCrop, ClipVision, Device, Error, Placement, Precision, TransNetV2, shots,
};
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::tensors::{Tensors, golden_files};

/// How near answers must be, by precision: least cosine of a row, largest difference.
const TOLERANCES: [(Precision, f64, f32); 3] = [
    (Precision::F32, 0.999_99, 1e-4),
    (Precision::Bf16, 0.999, f32::INFINITY),
    (Precision::F16, 0.999_9, f32::INFINITY),
];

/// Places compiled in that this machine has, with what is asked of them.
fn placements() -> Vec<(Placement, f64, f32)> {
    let mut devices = vec![Device::Cpu];
    if cfg!(feature = "cuda") && Path::new("/dev/nvidia0").exists() {
        devices.push(Device::Cuda(0));
    }
    let mut all = Vec::new();
    for device in devices {
        for (precision, cosine, difference) in TOLERANCES {
            let placement = Placement::from(device).with_precision(precision);
            all.push((placement, cosine, difference));
        }
    }
    all
}

fn compare(what: &str, found: &[f32], expected: &[f32], cosine: f64, difference: f32) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let product = |a: &[f32], b: &[f32]| -> f64 {
        let products = a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b));
        products.sum()
    };
    let lengths = (product(found, found) * product(expected, expected)).sqrt();
    let near = product(found, expected) / lengths;
    let differences = found.iter().zip(expected).map(|(a, b)| (a - b).abs());
    let worst = differences.fold(0.0, f32::max);
    assert!(
        near >= cosine && worst <= difference,
        "{what}: cosine {near}, largest difference {worst}"
    );
}

/// A file beside a golden configuration.
fn beside(config: &Path, ending: &str) -> std::path::PathBuf {
    let path = config.to_string_lossy().replace(".config.json", ending);
    path.into()
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// A folder as [`ClipVision::load`] wants it.
fn folder(config: &Path) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(config, folder.path().join("config.json")).unwrap();
    let weights = beside(config, ".weights.safetensors");
    fs::copy(weights, folder.path().join("model.safetensors")).unwrap();
    folder
}

fn tiny_config(name: &str) -> std::path::PathBuf {
    adit_testkit::fixture(&format!("models/{name}.config.json"))
}

fn tiny_clip() -> ClipVision {
    let folder = folder(&tiny_config("clip_vision_tiny_dev"));
    ClipVision::load(folder.path(), Device::Cpu).unwrap()
}

#[test]
fn every_golden_picture_tower_equals_pytorch() {
    for path in golden_files("clip_vision_tiny", ".config.json") {
        let input = json(&beside(&path, ".input.json"));
        let shape: Vec<usize> = serde_json::from_value(input["shape"].clone()).unwrap();
        let c = input["c"].as_f64().unwrap();
        let value = |index: usize| {
            let i = index as f64;
            (1.5 * (0.01 * i + c).sin() * (0.0007 * i * (1.0 + c)).cos()) as f32
        };
        let values: Vec<f32> = (0..shape.iter().product()).map(value).collect();
        let views: Vec<&[f32]> = values.chunks(values.len() / shape[0]).collect();
        let answers = Tensors::open(&beside(&path, ".io.safetensors"));
        let (_, expected) = answers.f32("image_embeds");
        let folder = folder(&path);
        for (placement, cosine, difference) in placements() {
            let model = ClipVision::load(folder.path(), placement).unwrap();
            let found = model.vectors_of_views(&views).unwrap();
            let rows = expected.chunks(expected.len() / shape[0]);
            for (found, expected) in found.iter().zip(rows) {
                let what = format!("{} on {placement}", path.display());
                compare(&what, found, expected, cosine, difference);
            }
            assert_eq!(found.len(), shape[0]);
        }
    }
}

#[derive(Deserialize)]
struct Pictures {
    pictures: Vec<PreparedPicture>,
}

#[derive(Deserialize)]
struct PreparedPicture {
    width: usize,
    height: usize,
    blocks: bool,
    sha256: String,
    sampled: Vec<f32>,
}

#[test]
fn pictures_are_prepared_to_the_byte_as_pillow_does() {
    let path = adit_testkit::fixture("models/clip_pictures.json");
    let pictures: Pictures = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    assert!(!pictures.pictures.is_empty());
    for picture in &pictures.pictures {
        let (width, height) = (picture.width, picture.height);
        let byte = |index: usize| {
            let noise = ((index as u64 * 2_654_435_761 % (1 << 32)) >> 24) as u8;
            let pixel = index / 3;
            match picture.blocks {
                true if ((pixel % width + pixel / width) / 7).is_multiple_of(2) => 0,
                true => noise / 128 * 255,
                false => noise,
            }
        };
        let rgb: Vec<u8> = (0..width * height * 3).map(byte).collect();
        let crop = CentreCrop::new(width, height, 224).unwrap();
        let found = crop.bytes(&rgb).unwrap();
        let digest: String = Sha256::digest(&found)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(digest, picture.sha256, "{width} × {height}");
        let values = crop.values(&rgb).unwrap();
        for (place, expected) in picture.sampled.iter().enumerate() {
            let found = values[place * 7_919 % values.len()];
            assert!((found - expected).abs() < 1e-5, "{width} × {height}");
        }
    }
}

#[test]
fn pictures_and_videos_share_a_space() {
    let model = tiny_clip();
    let frame = |seed: usize| Frame {
        width: 300,
        height: 200,
        rgb: (0..300 * 200 * 3)
            .map(|i| (i * (seed + 1) % 251) as u8)
            .collect(),
    };
    let pictures = model
        .embed_pictures(&[frame(0), frame(1), frame(0)])
        .unwrap();
    assert_eq!(pictures[0], pictures[2]);
    assert_ne!(pictures[0], pictures[1]);
    assert_eq!(pictures[0].space(), model.space());
    assert!(model.space().to_string().starts_with("clip-vision-"));

    let plan = model.frame_plan(2_500);
    assert_eq!(plan.times_ms, [0, 1_000, 2_000]);
    assert_eq!(plan.scaling, FrameScaling::ShortSide(224));
    assert_eq!(model.frame_plan(0).times_ms, [0]);
    assert_eq!(model.frame_plan(3_600_000).times_ms.len(), 64);
    assert_eq!(model.frame_plan(u64::MAX).times_ms.len(), 64);
    let clip = VideoFrames {
        frames: vec![frame(0), frame(0)],
        times_ms: vec![0, 1_000],
    };
    let mean = &model.embed_clips(&[clip]).unwrap()[0];
    assert!(adit_embedding::cosine(mean, &pictures[0]).unwrap() > 0.999_99);
}

#[test]
fn what_is_no_picture_is_refused() {
    let model = tiny_clip();
    let odd = Frame {
        width: 10,
        height: 10,
        rgb: vec![0; 299],
    };
    assert!(matches!(
        model.embed_pictures(&[odd]),
        Err(Error::Input { .. })
    ));
    assert!(model.vectors_of_views(&[&[0.0; 5]]).is_err());
    let infinite = vec![f32::INFINITY; 3 * 224 * 224];
    assert!(model.vectors_of_views(&[&infinite]).is_err());
    assert!(model.embed_clips(&[VideoFrames::default()]).is_err());
    assert!(model.embed_pictures(&[]).unwrap().is_empty());
}

#[test]
fn another_configuration_is_named() {
    let load = |field: &str, value: Value| {
        let folder = folder(&tiny_config("clip_vision_tiny_dev"));
        let path = folder.path().join("config.json");
        let mut config = json(&path);
        config[field] = value;
        fs::write(&path, config.to_string()).unwrap();
        ClipVision::load(folder.path(), Device::Cpu).unwrap_err()
    };
    for (field, value) in [
        ("hidden_act", "relu".into()),
        ("model_type", "siglip_vision_model".into()),
        ("num_attention_heads", 5.into()),
        ("num_hidden_layers", 0.into()),
        ("patch_size", 300.into()),
        ("image_size", u64::MAX.into()),
        ("num_channels", 1.into()),
        ("layer_norm_eps", (-1.0).into()),
    ] {
        let error = load(field, value);
        assert!(matches!(error, Error::Config { .. }), "{field}: {error}");
    }
    let error = load("hidden_size", 64.into());
    assert!(matches!(error, Error::TensorShape { .. }), "{error}");
    let error = load("num_hidden_layers", 3.into());
    assert!(matches!(error, Error::TensorsMissing { .. }), "{error}");
    let error = load("num_hidden_layers", 1.into());
    assert!(matches!(error, Error::TensorsUnexpected { .. }), "{error}");
}

#[test]
fn aesthetic_scores_equal_pytorch() {
    for path in golden_files("aesthetic_tiny", ".weights.safetensors") {
        let head = AestheticHead::load(&path).unwrap();
        let io = path.to_string_lossy().replace(".weights.", ".io.");
        let answers = Tensors::open(Path::new(&io));
        let (shape, embeddings) = answers.f32("embeddings");
        assert_eq!(shape[1], head.dimension());
        let space = Space::new("aesthetic", head.dimension()).unwrap();
        let (_, scores) = answers.f32("scores");
        for (row, expected) in embeddings.chunks(shape[1]).zip(&scores) {
            let picture = Embedding::new(space.clone(), row.to_vec()).unwrap();
            let found = head.score(&picture).unwrap();
            assert!((found - expected).abs() <= 1e-4, "{found}, not {expected}");
        }
        let other = Space::new("aesthetic", 3).unwrap();
        let other = Embedding::new(other, vec![1.0, 0.0, 0.0]).unwrap();
        assert!(matches!(head.score(&other), Err(Error::Input { .. })));
    }
    let other = tiny_config("clip_vision_tiny_dev");
    let error = AestheticHead::load(&beside(&other, ".weights.safetensors")).unwrap_err();
    assert!(matches!(error, Error::Config { .. }), "{error}");
}

/// Frames of noise, as the golden configurations describe them.
fn noise(frames: usize, c: u64) -> Vec<u8> {
    let byte = |index: u64| (((index + c) * 2_654_435_761 % (1 << 32)) >> 24) as u8;
    (0..(frames * TransNetV2::FRAME) as u64).map(byte).collect()
}

fn tiny_transnet() -> TransNetV2 {
    let config = tiny_config("transnetv2_tiny_one");
    TransNetV2::load(&beside(&config, ".weights.safetensors"), Device::Cpu).unwrap()
}

#[test]
fn every_golden_judge_of_shots_equals_pytorch() {
    for path in golden_files("transnetv2_tiny", ".config.json") {
        let config = json(&path);
        let answers = Tensors::open(&beside(&path, ".io.safetensors"));
        let (shape, single) = answers.f32("single_frame_logits");
        let (_, many) = answers.f32("many_hot_logits");
        let frames = noise(shape[0] * shape[1], config["c"].as_u64().unwrap());
        let windows: Vec<&[u8]> = frames.chunks(shape[1] * TransNetV2::FRAME).collect();
        for (placement, cosine, difference) in placements() {
            let weights = beside(&path, ".weights.safetensors");
            let model = TransNetV2::load(&weights, placement).unwrap();
            let found = model.logits_of_windows(&windows).unwrap().concat();
            for (head, expected) in [&single, &many].into_iter().enumerate() {
                let found: Vec<f32> = found.iter().map(|logits| logits[head]).collect();
                let what = format!("{} on {placement}, head {head}", path.display());
                compare(&what, &found, expected, cosine, difference);
            }
        }
    }
}

#[test]
fn every_frame_is_judged_from_the_middle_of_a_window() {
    let model = tiny_transnet();
    for count in [1, 26, 50, 51, 101] {
        let frames = noise(count, count as u64);
        let found = model.transitions(&frames).unwrap();
        assert_eq!(found.len(), count);
        // What the original's padding makes of it, written down without a stream.
        let frame = |index: usize| {
            let index = index.saturating_sub(25).min(count - 1);
            &frames[index * TransNetV2::FRAME..(index + 1) * TransNetV2::FRAME]
        };
        for start in (0..count).step_by(50) {
            let window: Vec<&[u8]> = (start..start + 100).map(frame).collect();
            let logits = &model.logits_of_windows(&[&window.concat()]).unwrap()[0];
            for (found, logits) in found[start..].iter().zip(&logits[25..75]) {
                let single = 1.0 / (1.0 + (-logits[0]).exp());
                let many = 1.0 / (1.0 + (-logits[1]).exp());
                assert!((found.single_frame - single).abs() < 1e-6);
                assert!((found.many_hot - many).abs() < 1e-6);
            }
        }
        // A stream gives the same.
        let mut scan = model.scan();
        let mut streamed = Vec::new();
        for part in frames.chunks(7 * TransNetV2::FRAME) {
            streamed.append(&mut scan.push(part).unwrap());
        }
        streamed.append(&mut scan.finish().unwrap());
        assert_eq!(streamed, found);
    }
}

#[test]
fn what_is_no_film_is_refused() {
    let model = tiny_transnet();
    assert!(model.transitions(&[]).unwrap().is_empty());
    assert!(model.scan().finish().unwrap().is_empty());
    let error = model.transitions(&[0; TransNetV2::FRAME + 1]).unwrap_err();
    assert!(matches!(error, Error::Input { .. }), "{error}");
    assert!(model.logits_of_windows(&[&[]]).is_err());
    let endless = vec![0; 1_001 * TransNetV2::FRAME];
    assert!(model.logits_of_windows(&[&endless]).is_err());
    let other = beside(&tiny_config("clip_vision_tiny_dev"), ".weights.safetensors");
    let error = TransNetV2::load(&other, Device::Cpu).unwrap_err();
    assert!(matches!(error, Error::Config { .. }), "{error}");
}

#[test]
fn shots_are_read_as_the_original_does() {
    // Answers of the original's predictions_to_scenes, whose ends are inclusive.
    for (bits, expected) in [
        ("", &[][..]),
        ("0", &[(0, 1)]),
        ("1", &[(0, 1)]),
        ("000", &[(0, 3)]),
        ("111", &[(0, 3)]),
        ("00100", &[(0, 3), (3, 5)]),
        ("001", &[(0, 3)]),
        ("100", &[(1, 3)]),
        ("0110010", &[(0, 2), (3, 6), (6, 7)]),
    ] {
        let probabilities: Vec<f32> = bits.bytes().map(|bit| f32::from(bit - b'0')).collect();
        assert_eq!(bounds(&probabilities), expected, "{bits}");
    }
    assert_eq!(bounds(&[f32::NAN, 0.5]), [(0, 2)]);
}

fn bounds(probabilities: &[f32]) -> Vec<(usize, usize)> {
    let shots = shots(probabilities, 0.5);
    shots.iter().map(|shot| (shot.start, shot.end)).collect()
}
