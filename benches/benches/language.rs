//! Tokens per second of a language model on the CPU: a prompt of 512 tokens, and tokens one by one
//! after it.
//!
//! `benches/peers/run-language` makes a model of random weights in the shape of Qwen2.5-0.5B and runs
//! this and PyTorch. Alone: `ADIT_LANGUAGE_MODEL=FOLDER cargo bench -p adit-benches --features models
//! --bench language`. `RAYON_NUM_THREADS` sets the threads.

use std::{hint::black_box, path::PathBuf, time::Duration};

use adit_models::{CausalModel, Device, Placement, Precision};
use anyhow::{Context, Result};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

const PROMPT: usize = 512;
const STEPS: usize = 16;

fn run(criterion: &mut Criterion) -> Result<()> {
    let folder = std::env::var_os("ADIT_LANGUAGE_MODEL")
        .map(PathBuf::from)
        .context("ADIT_LANGUAGE_MODEL names no folder; benches/peers/run-language makes one")?;
    let mut group = criterion.benchmark_group("language");
    group
        .sample_size(10)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(10));
    for precision in [Precision::F32, Precision::Bf16] {
        let placement = Placement::from(Device::Cpu).with_precision(precision);
        let model = CausalModel::load(&folder, placement)?;
        let prompt: Vec<u32> = (0..PROMPT as u32)
            .map(|index| index * 7919 % 50_000)
            .collect();
        group.throughput(Throughput::Elements(PROMPT as u64));
        group.bench_function(BenchmarkId::new("prompt", precision), |bencher| {
            bencher.iter(|| black_box(model.prefill(&mut model.session(), &prompt)));
        });
        let mut session = model.session();
        model.prefill(&mut session, &prompt)?;
        group.throughput(Throughput::Elements(STEPS as u64));
        group.bench_function(BenchmarkId::new("steps", precision), |bencher| {
            bencher.iter(|| -> adit_models::Result<()> {
                session.truncate(PROMPT);
                for token in 0..STEPS as u32 {
                    black_box(model.step(&mut session, token)).map(drop)?;
                }
                Ok(())
            });
        });
    }
    group.finish();
    Ok(())
}

fn language(criterion: &mut Criterion) {
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

criterion_group!(benches, language);
criterion_main!(benches);
