//! Writes ImageBind-huge with random weights (4.3 GB), loads it, and embeds one
//! picture, one sound and one text: what loading and a pass take, in time and memory.
//!
//! ```text
//! imagebind_huge_random write FILE     writes safetensors at f32
//! imagebind_huge_random run FILE [DEVICE] [PRECISION]
//! ```
#![expect(clippy::print_stdout, reason = "it is what the example is for")]

use std::{
    env,
    error::Error,
    fs::{self, File},
    io::{BufWriter, Write},
    path::Path,
    time::Instant,
};

use adit_models::{Device, ImageBind, Placement};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Map, json};

/// A mebibyte.
const MIB: f64 = 1_048_576.0;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["write", path] => write(Path::new(path)),
        ["run", path] => run(Path::new(path), Placement::from(Device::Cpu)),
        ["run", path, device] => run(Path::new(path), Placement::from(device.parse::<Device>()?)),
        ["run", path, device, precision] => {
            let placement = Placement::from(device.parse::<Device>()?);
            run(
                Path::new(path),
                placement.with_precision(precision.parse()?),
            )
        }
        _ => Err("imagebind_huge_random write FILE | run FILE [DEVICE] [PRECISION]".into()),
    }
}

/// Names and shapes of the published checkpoint's vision, audio and text.
fn tensors() -> Vec<(String, Vec<usize>)> {
    let mut all = Vec::new();
    let mut add = |name: String, shape: &[usize]| all.push((name, shape.to_vec()));
    for (modality, width, blocks) in [
        ("vision", 1_280, 32),
        ("text", 1_024, 24),
        ("audio", 768, 12),
    ] {
        let stem = format!("modality_preprocessors.{modality}");
        let head = format!("modality_heads.{modality}");
        let (norm, projection) = match modality {
            "text" => (format!("{head}.proj.0"), format!("{head}.proj.1")),
            _ => (format!("{head}.0"), format!("{head}.2")),
        };
        let mut pair = |prefix: &str| {
            add(format!("{prefix}.weight"), &[width]);
            add(format!("{prefix}.bias"), &[width]);
        };
        pair(&norm);
        match modality {
            "vision" => pair("modality_trunks.vision.pre_transformer_layer.0"),
            "audio" => pair(&format!("{stem}.rgbt_stem.norm_layer")),
            _ => {}
        }
        add(format!("{projection}.weight"), &[1_024, width]);
        match modality {
            "vision" => add(
                format!("{stem}.rgbt_stem.proj.1.weight"),
                &[width, 3, 2, 14, 14],
            ),
            "audio" => add(format!("{stem}.rgbt_stem.proj.weight"), &[width, 1, 16, 16]),
            _ => {
                add(format!("{stem}.token_embedding.weight"), &[49_408, width]);
                add(format!("{stem}.pos_embed"), &[1, 77, width]);
            }
        }
        if modality != "text" {
            let places = if modality == "vision" { 257 } else { 229 };
            add(format!("{stem}.cls_token"), &[1, 1, width]);
            add(
                format!("{stem}.pos_embedding_helper.pos_embed"),
                &[1, places, width],
            );
        }
        if modality != "vision" {
            add(
                format!("modality_postprocessors.{modality}.1.log_logit_scale"),
                &[],
            );
        }
        for block in 0..blocks {
            let name = |part: &str| format!("modality_trunks.{modality}.blocks.{block}.{part}");
            for (part, outputs, inputs) in [
                ("attn.in_proj_", 3 * width, width),
                ("attn.out_proj.", width, width),
                ("mlp.fc1.", 4 * width, width),
                ("mlp.fc2.", width, 4 * width),
            ] {
                add(name(&format!("{part}weight")), &[outputs, inputs]);
                add(name(&format!("{part}bias")), &[outputs]);
            }
            for part in ["norm_1", "norm_2"] {
                add(name(&format!("{part}.weight")), &[width]);
                add(name(&format!("{part}.bias")), &[width]);
            }
            if modality == "audio" {
                add(name("attn.bias_k"), &[1, 1, width]);
                add(name("attn.bias_v"), &[1, 1, width]);
            }
        }
    }
    all
}

fn write(path: &Path) -> Result<(), Box<dyn Error>> {
    let tensors = tensors();
    let mut header = Map::new();
    let mut end = 0;
    for (name, shape) in &tensors {
        let start = end;
        end += 4 * shape.iter().product::<usize>();
        let entry = json!({ "dtype": "F32", "shape": shape, "data_offsets": [start, end] });
        header.insert(name.clone(), entry);
    }
    let header = serde_json::to_vec(&header)?;
    let mut file = BufWriter::with_capacity(1 << 20, File::create(path)?);
    file.write_all(&(header.len() as u64).to_le_bytes())?;
    file.write_all(&header)?;
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    // One stretch of random numbers again and again, from different places: they need not be many.
    let stretch: Vec<f32> = (0..1_000_003)
        .map(|_| rng.random_range(-0.03..0.03))
        .collect();
    let mut next = 0;
    for (name, shape) in &tensors {
        let scale = if name.contains("norm") && name.ends_with("weight") {
            1.0
        } else {
            0.0
        };
        for _ in 0..shape.iter().product::<usize>() {
            let value = stretch.get(next).copied().unwrap_or_default() + scale;
            next = (next + 1) % stretch.len();
            file.write_all(&value.to_le_bytes())?;
        }
    }
    file.flush()?;
    println!("{} parameters, {} bytes", end / 4, 8 + header.len() + end);
    Ok(())
}

fn run(path: &Path, placement: Placement) -> Result<(), Box<dyn Error>> {
    let bytes = fs::metadata(path)?.len() as f64;
    let start = Instant::now();
    let model = ImageBind::load(path, placement)?;
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "loaded on {placement} in {seconds:.2} s, {:.0} MiB/s; peak {:.0} MiB",
        bytes / MIB / seconds,
        peak()?
    );
    let wave = |count: usize| {
        (0..count)
            .map(|n| (n as f32 * 0.01).sin())
            .collect::<Vec<f32>>()
    };
    let (view, sound) = (wave(ImageBind::VIEW), wave(128 * 204));
    let mut sequence = [0; 77];
    for (place, token) in sequence.iter_mut().zip([49_406, 320, 2_368, 49_407]) {
        *place = token;
    }
    for _ in 0..2 {
        told("picture", || model.vectors_of_views(&[&view]))?;
        told("sound", || model.vectors_of_spectrograms(&[&sound]))?;
        told("text", || model.vectors_of_sequences(&[sequence]))?;
    }
    told("8 pictures", || {
        model.vectors_of_views(&[view.as_slice(); 8])
    })?;
    println!("peak {:.0} MiB", peak()?);
    Ok(())
}

fn told(
    what: &str,
    embed: impl Fn() -> adit_models::Result<Vec<Vec<f32>>>,
) -> Result<(), Box<dyn Error>> {
    let start = Instant::now();
    let vectors = embed()?;
    let seconds = start.elapsed().as_secs_f64();
    let sound = vectors.iter().flatten().all(|value| value.is_finite());
    println!(
        "{what}: {seconds:.2} s, {} values, finite: {sound}",
        vectors.concat().len()
    );
    Ok(())
}

/// Largest memory of this process so far, in MiB; 0 where the system does not say.
fn peak() -> Result<f64, Box<dyn Error>> {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line
        .and_then(|line| line.split_whitespace().next())
        .unwrap_or("0");
    Ok(kib.parse::<f64>()? / 1024.0)
}
