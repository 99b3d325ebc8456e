//! Frames per second of TransNetV2 and pictures per second of CLIP's tower on the CPU, at their
//! published sizes with random weights.
//!
//! `benches/peers/run-vision` makes the weights, runs this and PyTorch beside it.
//! `RAYON_NUM_THREADS` sets the threads.

use std::{hint::black_box, path::PathBuf, time::Duration};

use adit_embedding::Frame;
use adit_models::{ClipVision, Device, TransNetV2};
use anyhow::{Context, Result};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

/// Frames of a window, and those whose answers count.
const WINDOW: usize = 100;
const COUNTED: u64 = 50;
/// Pictures in a batch.
const PICTURES: usize = 8;

fn noise(bytes: usize) -> Vec<u8> {
    let byte = |index: u64| ((index * 2_654_435_761 % (1 << 32)) >> 24) as u8;
    (0..bytes as u64).map(byte).collect()
}

fn run(criterion: &mut Criterion) -> Result<()> {
    let folder: PathBuf = std::env::var_os("ADIT_VISION_WEIGHTS")
        .context("ADIT_VISION_WEIGHTS is not set; run benches/peers/run-vision")?
        .into();
    let mut group = criterion.benchmark_group("vision");
    group
        .sample_size(10)
        .measurement_time(Duration::from_secs(10));

    let model = TransNetV2::load(&folder.join("transnetv2.safetensors"), Device::Cpu)?;
    let window = noise(WINDOW * TransNetV2::FRAME);
    model.logits_of_windows(&[&window])?;
    group.throughput(Throughput::Elements(COUNTED));
    group.bench_function("transnetv2", |bencher| {
        bencher.iter(|| black_box(model.logits_of_windows(&[&window])));
    });

    let model = ClipVision::load(&folder.join("clip-vit-base-patch32"), Device::Cpu)?;
    let picture = Frame {
        width: 640,
        height: 360,
        rgb: noise(640 * 360 * 3),
    };
    let pictures = vec![picture; PICTURES];
    model.embed_pictures(&pictures)?;
    group.throughput(Throughput::Elements(PICTURES as u64));
    group.bench_function("clip-vit-base-patch32", |bencher| {
        bencher.iter(|| black_box(model.embed_pictures(&pictures)));
    });
    group.finish();
    Ok(())
}

fn vision(criterion: &mut Criterion) {
    if let Err(error) = run(criterion) {
        #[expect(
            clippy::panic,
            reason = "a bench that cannot run must not look measured"
        )]
        {
            panic!("{error:#}");
        }
    }
}

criterion_group!(benches, vision);
criterion_main!(benches);
