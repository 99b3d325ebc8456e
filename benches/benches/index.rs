//! Exact index queries at 10⁵ × 384: `cargo bench -p adit-benches --features storage --bench index`.
//!
//! `read` sums the same bytes once, on as many threads as a query uses: what memory allows.

use std::{hint::black_box, path::Path};

use adit_embedding::{Embedding, Space};
use adit_storage::{ElementType, ExactIndex, VectorIndex};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const ROWS: usize = 100_000;
const DIMENSION: usize = 384;
const NEAREST: usize = 10;

/// A generator without a dependency (splitmix64), mapped to −1..1.
fn vectors(space: &Space, count: usize, mut state: u64) -> anyhow::Result<Vec<Embedding>> {
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed >> 40) as f32 / (1_u64 << 23) as f32) - 1.0
    };
    let mut vector = || {
        Embedding::new(
            space.clone(),
            (0..space.dimension()).map(|_| next()).collect(),
        )
    };
    (0..count).map(|_| Ok(vector()?)).collect()
}

fn built(path: &Path, held: &[Embedding], element: ElementType) -> anyhow::Result<ExactIndex> {
    let space = held
        .first()
        .map(|vector| vector.space().clone())
        .ok_or_else(|| anyhow::anyhow!("no vectors"))?;
    let mut index = ExactIndex::open(path, space, element)?;
    for (number, chunk) in held.chunks(10_000).enumerate() {
        let ids: Vec<String> = (0..chunk.len())
            .map(|place| format!("{number}-{place}"))
            .collect();
        let batch: Vec<(&str, &Embedding)> = ids.iter().map(String::as_str).zip(chunk).collect();
        index.extend(&batch)?;
    }
    Ok(index)
}

/// Sums the words of both halves at once.
fn read(words: &[u64]) -> u64 {
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        let sum = |part: &[u64]| part.iter().fold(0_u64, |sum, word| sum.wrapping_add(*word));
        let parts = words.chunks(words.len().div_ceil(threads).max(1));
        let sums: Vec<_> = parts.map(|part| scope.spawn(move || sum(part))).collect();
        sums.into_iter()
            .filter_map(|part| part.join().ok())
            .fold(0, u64::wrapping_add)
    })
}

fn run(criterion: &mut Criterion) -> anyhow::Result<()> {
    let space = Space::new("bench-v1", DIMENSION)?;
    let held = vectors(&space, ROWS, 1)?;
    let queries = vectors(&space, 64, 2)?;
    let queries: Vec<&Embedding> = queries.iter().collect();
    let folder = tempfile::tempdir()?;
    for (name, element, width) in [("f32", ElementType::F32, 4), ("f16", ElementType::F16, 2)] {
        let index = built(&folder.path().join(name), &held, element)?;
        let words = vec![1_u64; ROWS * DIMENSION * width / 8];
        let mut group = criterion.benchmark_group(format!("index/{name}"));
        group.sample_size(20);
        group.throughput(Throughput::Elements(1));
        group.bench_function("single", |bench| {
            let mut turn = queries.iter().cycle();
            bench.iter(|| {
                turn.next()
                    .map(|query| index.nearest(black_box(query), NEAREST))
            });
        });
        group.bench_function("read", |bench| bench.iter(|| read(black_box(&words))));
        group.throughput(Throughput::Elements(queries.len() as u64));
        group.bench_function("batch-64", |bench| {
            bench.iter(|| index.nearest_batch(black_box(&queries), NEAREST));
        });
        group.finish();
    }
    Ok(())
}

#[expect(
    clippy::expect_used,
    reason = "a bench that cannot set up has nothing to measure"
)]
fn index(criterion: &mut Criterion) {
    run(criterion).expect("the index answers");
}

criterion_group!(benches, index);
criterion_main!(benches);
