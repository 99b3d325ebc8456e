//! The row nearest to one query among 10⁶ × 1,024:
//! `cargo bench -p adit-benches --features nearest --bench nearest`. The other side is
//! `benches/peers/nearest.py` (faiss-cpu).
//!
//! `read` sums the bytes of the f32 rows once, on as many threads as a query uses: what memory allows.

use std::hint::black_box;

use adit_embedding::nearest::{CompactRows, Quantization, RowSlice, nearest};
use criterion::{Criterion, criterion_group, criterion_main};
use rand::{Rng as _, SeedableRng as _};

const DIMENSION: usize = 1_024;
const ROWS: usize = 1_000_000;

/// Unit vectors of random directions: no row is much nearer than the others, so that copies with
/// less precision have the most rows to look at again.
fn unit_vectors(count: usize, seed: u64) -> Vec<f32> {
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
    let mut values = Vec::with_capacity(count * DIMENSION);
    for _ in 0..count {
        let start = values.len();
        // A sum of four uniform numbers is near enough to a normal one for a direction.
        values.extend((0..DIMENSION).map(|_| {
            let quarters: [f32; 4] = random.random();
            quarters.iter().sum::<f32>() - 2.0
        }));
        if let Some(row) = values.get_mut(start..) {
            let length = row.iter().map(|value| value * value).sum::<f32>().sqrt();
            row.iter_mut().for_each(|value| *value /= length);
        }
    }
    values
}

fn read(rows: &[f32], threads: usize) -> u64 {
    std::thread::scope(|scope| {
        let sum = |part: &[f32]| {
            let bits = part.iter().map(|value| u64::from(value.to_bits()));
            bits.fold(0, u64::wrapping_add)
        };
        let parts = rows.chunks(rows.len().div_ceil(threads).max(1));
        let sums: Vec<_> = parts.map(|part| scope.spawn(move || sum(part))).collect();
        let sums = sums.into_iter().filter_map(|part| part.join().ok());
        sums.fold(0, u64::wrapping_add)
    })
}

fn run(criterion: &mut Criterion) -> anyhow::Result<()> {
    let rows = unit_vectors(ROWS, 1);
    let queries = unit_vectors(16, 2);
    let queries: Vec<&[f32]> = queries.chunks_exact(DIMENSION).collect();
    let halves: Vec<half::f16> = rows
        .iter()
        .map(|value| half::f16::from_f32(*value))
        .collect();
    let compact_f16 = CompactRows::new(&rows, DIMENSION, Quantization::F16)?;
    let compact_int8 = CompactRows::new(&rows, DIMENSION, Quantization::Int8)?;
    for query in &queries {
        let exact = nearest(query, RowSlice::F32(&rows), 1, 2)?;
        anyhow::ensure!(
            compact_f16.nearest(query, &rows, 1, 2)? == exact,
            "f16 misses"
        );
        anyhow::ensure!(
            compact_int8.nearest(query, &rows, 1, 2)? == exact,
            "int8 misses"
        );
    }
    for threads in [1, 2] {
        let mut group = criterion.benchmark_group(format!("nearest/{threads}-threads"));
        group.sample_size(10);
        let mut turn = queries.iter().copied().cycle();
        let mut next = move || turn.next().unwrap_or_default();
        group.bench_function("f32", |bench| {
            bench.iter(|| nearest(black_box(next()), RowSlice::F32(&rows), 1, threads));
        });
        group.bench_function("f16", |bench| {
            bench.iter(|| nearest(black_box(next()), RowSlice::F16(&halves), 1, threads));
        });
        group.bench_function("f16 rescored", |bench| {
            bench.iter(|| compact_f16.nearest(black_box(next()), &rows, 1, threads));
        });
        group.bench_function("int8 rescored", |bench| {
            bench.iter(|| compact_int8.nearest(black_box(next()), &rows, 1, threads));
        });
        group.bench_function("read", |bench| {
            bench.iter(|| read(black_box(&rows), threads))
        });
        group.finish();
    }
    Ok(())
}

#[expect(
    clippy::expect_used,
    reason = "a bench that cannot set up has nothing to measure"
)]
fn bench(criterion: &mut Criterion) {
    run(criterion).expect("every way finds the same row");
}

criterion_group!(benches, bench);
criterion_main!(benches);
