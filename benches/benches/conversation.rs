//! Judging tags of conversations, beside one plain read of the same bytes.

use std::hint::black_box;

use adit_embedding::kernels;
use adit_scoring::conversation::{
    ConversationPolicy, TagComponent, TagReference, TagVector, TaggingTask, evaluate_all,
    ranked_weights, update_tag_averages,
};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const MINERS: usize = 256;
const TAGS: usize = 20;
const DIMENSION: usize = 1_536;
const TRUTH: usize = 13;
/// Tags that every miner shares with the ground truth.
const SHARED: usize = 4;

/// A component that can be drawn at random.
trait Number: TagComponent {
    fn from_unit(value: f64) -> Self;
}

impl Number for f64 {
    fn from_unit(value: f64) -> Self {
        value
    }
}

impl Number for f32 {
    fn from_unit(value: f64) -> Self {
        value as Self
    }
}

fn vector<T: Number>(rng: &mut ChaCha8Rng) -> Vec<T> {
    (0..DIMENSION)
        .map(|_| T::from_unit(rng.random_range(-1.0..1.0)))
        .collect()
}

/// Reads every byte once and does nothing else that takes time.
fn plain_read_f64(vectors: &[Vec<f64>]) -> u64 {
    let rows = vectors.iter();
    rows.map(|row| {
        row.iter()
            .fold(0_u64, |sum, value| sum.wrapping_add(value.to_bits()))
    })
    .fold(0, u64::wrapping_add)
}

/// As above; 32-bit sums, so that no lane is widened.
fn plain_read_f32(vectors: &[Vec<f32>]) -> u64 {
    let rows = vectors.iter();
    rows.map(|row| {
        let sum = row
            .iter()
            .fold(0_u32, |sum, value| sum.wrapping_add(value.to_bits()));
        u64::from(sum)
    })
    .fold(0, u64::wrapping_add)
}

fn judge<T: Number>(criterion: &mut Criterion, kind: &str, plain_read: impl Fn(&[Vec<T>]) -> u64) {
    let mut rng = ChaCha8Rng::seed_from_u64(26);
    let truth: Vec<Vec<T>> = (0..TRUTH).map(|_| vector(&mut rng)).collect();
    let vectors: Vec<Vec<T>> = (0..MINERS * TAGS).map(|_| vector(&mut rng)).collect();
    let names: Vec<String> = (0..MINERS * TAGS)
        .map(|place| match place % TAGS {
            shared if shared < SHARED => format!("topic {shared}"),
            _ => format!("tag number {place}"),
        })
        .collect();
    let tags: Vec<TagVector<'_, T>> = names
        .iter()
        .zip(&vectors)
        .map(|(tag, vector)| TagVector {
            tag,
            vector: Some(vector),
        })
        .collect();
    let truth_names: Vec<String> = (0..TRUTH).map(|place| format!("topic {place}")).collect();
    let truth_names: Vec<&str> = truth_names.iter().map(String::as_str).collect();
    let truth: Vec<&[T]> = truth.iter().map(Vec::as_slice).collect();

    let mut group = criterion.benchmark_group(format!(
        "evaluate 256 miners x 20 tags x 1536, {kind}, {}",
        kernels::instructions()
    ));
    group.throughput(Throughput::Bytes(
        (MINERS * TAGS * DIMENSION * size_of::<T>()) as u64,
    ));
    group.bench_function("plain read", |bencher| {
        bencher.iter(|| plain_read(black_box(&vectors)));
    });
    for policy in [
        ConversationPolicy::original(),
        ConversationPolicy::hardened(),
    ] {
        let reference = TagReference::new(&policy, &truth_names, &truth);
        let Ok(reference) = reference else { continue };
        // Scores of nothing would measure nothing.
        let task = TaggingTask::Conversation;
        let judged = evaluate_all(&policy, task, &reference, tags.chunks(TAGS));
        assert!(
            judged
                .iter()
                .all(|verdict| verdict.shared == SHARED && verdict.unique > 0)
        );
        group.bench_function(&policy.name, |bencher| {
            bencher.iter(|| evaluate_all(&policy, task, &reference, black_box(&tags).chunks(TAGS)));
        });
    }
    group.finish();
}

fn double_precision(criterion: &mut Criterion) {
    judge::<f64>(criterion, "f64", plain_read_f64);
}

fn single_precision(criterion: &mut Criterion) {
    judge::<f32>(criterion, "f32", plain_read_f32);
}

fn averages_and_weights(criterion: &mut Criterion) {
    let mut rng = ChaCha8Rng::seed_from_u64(26);
    let averages: Vec<f32> = (0..MINERS).map(|_| rng.random_range(0.0..0.6)).collect();
    let uids: Vec<usize> = (0..MINERS).collect();
    let rewards: Vec<f64> = (0..MINERS).map(|_| rng.random_range(0.0..0.6)).collect();
    let policy = ConversationPolicy::original();
    criterion.bench_function("averages of 256 uids", |bencher| {
        bencher
            .iter(|| update_tag_averages(&policy.averages, black_box(&averages), &uids, &rewards));
    });
    criterion.bench_function("ranked weights of 256 uids", |bencher| {
        bencher.iter(|| ranked_weights(&policy.weights, black_box(&rewards), Some(0), &mut rng));
    });
}

criterion_group!(
    conversation,
    double_precision,
    single_precision,
    averages_and_weights
);
criterion_main!(conversation);
