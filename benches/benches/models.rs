//! Sentences per second of MiniLM on the CPU, at 16, 128 and 256 tokens; and of 64 tasks that each ask
//! for one sentence again and again, alone and by a [`BatchedText`].
//!
//! `cargo bench -p adit-benches --features models --bench models`, after `scripts/fetch-models`.
//! `RAYON_NUM_THREADS` sets the threads. `benches/peers/run-minilm` runs PyTorch
//! beside it.

use std::{hint::black_box, path::PathBuf, sync::Arc, time::Duration};

use adit_embedding::TextEmbedder;
use adit_models::{BatchedText, BatcherConfig, Device, MiniLm};
use anyhow::{Context, Result, ensure};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use tokio::{runtime::Runtime, task::JoinSet};

/// Tokens of a sentence, the two special ones included, and sentences of a batch.
const SHAPES: [(usize, usize); 3] = [(16, 32), (128, 32), (256, 16)];

/// Tasks that ask at the same time, for sentences of so many tokens.
const CALLERS: usize = 64;
const CALLERS_TOKENS: usize = 16;

/// One token each.
const WORDS: [&str; 8] = [
    "a", "drone", "flies", "over", "the", "snow", "at", "sunrise",
];

fn load() -> Result<MiniLm> {
    let home = std::env::var_os("ADIT_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::home_dir().map(|home| home.join(".cache/adit")))
        .context("neither ADIT_HOME nor a home folder")?;
    Ok(MiniLm::load(
        &home.join("models").join(MiniLm::FOLDER),
        Device::Cpu,
    )?)
}

fn sentence(model: &MiniLm, tokens: usize, start: usize) -> Result<String> {
    let words: Vec<&str> = WORDS
        .iter()
        .cycle()
        .skip(start)
        .take(tokens - 2)
        .copied()
        .collect();
    let text = words.join(" ");
    ensure!(
        model.token_ids(&text)?.len() == tokens,
        "{text:?} has not {tokens} tokens"
    );
    Ok(text)
}

fn run(criterion: &mut Criterion) -> Result<()> {
    let model = load()?;
    let mut group = criterion.benchmark_group("minilm");
    group
        .sample_size(10)
        .measurement_time(Duration::from_secs(5));
    for (tokens, batch) in SHAPES {
        let texts = (0..batch)
            .map(|start| sentence(&model, tokens, start))
            .collect::<Result<Vec<_>>>()?;
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        group.throughput(Throughput::Elements(batch as u64));
        group.bench_with_input(
            BenchmarkId::new("tokens", tokens),
            &texts,
            |bencher, texts| {
                bencher.iter(|| black_box(model.embed_texts(texts)));
            },
        );
    }
    group.finish();
    Ok(())
}

/// One sentence from each of the callers, all at the same time.
fn run_callers(criterion: &mut Criterion) -> Result<()> {
    let runtime = Runtime::new()?;
    let model = Arc::new(load()?);
    let texts = (0..CALLERS)
        .map(|start| sentence(&model, CALLERS_TOKENS, start))
        .collect::<Result<Vec<_>>>()?;
    let mut group = criterion.benchmark_group("minilm_callers");
    group
        .sample_size(10)
        .measurement_time(Duration::from_secs(5))
        .throughput(Throughput::Elements(CALLERS as u64));
    group.bench_function("alone", |bencher| {
        bencher.to_async(&runtime).iter(|| async {
            let mut callers = JoinSet::new();
            for text in texts.clone() {
                let model = Arc::clone(&model);
                callers.spawn_blocking(move || model.embed_texts(&[text.as_str()]));
            }
            black_box(callers.join_all().await)
        });
    });
    let batched = {
        let _inside = runtime.enter();
        let model = Arc::clone(&model) as Arc<dyn TextEmbedder>;
        Arc::new(BatchedText::start(model, BatcherConfig::named("bench"))?)
    };
    group.bench_function("batched", |bencher| {
        bencher.to_async(&runtime).iter(|| async {
            let mut callers = JoinSet::new();
            for text in texts.clone() {
                let batched = Arc::clone(&batched);
                callers.spawn(async move { batched.embed(vec![text]).await });
            }
            black_box(callers.join_all().await)
        });
    });
    group.finish();
    Ok(())
}

fn minilm(criterion: &mut Criterion) {
    if let Err(error) = run(criterion).and_then(|()| run_callers(criterion)) {
        #[expect(
            clippy::panic,
            reason = "a bench that cannot run must not look measured"
        )]
        {
            panic!("{error:#}");
        }
    }
}

criterion_group!(benches, minilm);
criterion_main!(benches);
