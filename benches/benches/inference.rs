//! Judging a round of language models' answers: quality signals and sybil detection, 256 answers of
//! ten sentences with embeddings of 768 components. `benches/peers/inference.py` is the other side.

use std::hint::black_box;

use adit_scoring::inference::{
    SimilarityMatrix,
    quality::{QualityAnswer, QualityPolicy, QualityPrompt, assess},
    sentences,
    sybil::{SybilAnswer, SybilPolicy, detect_sybils},
};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const ROUNDS: [usize; 3] = [7, 64, 256];
const SENTENCES: usize = 10;
const DIMENSION: usize = 768;
const VOCABULARY: usize = 3_000;

/// An answer and its embeddings.
struct Answer {
    text: String,
    embedding: Vec<f32>,
    sentences: Vec<Vec<f32>>,
}

/// A unit vector near a direction all answers share, so that gates are passed and clusters form.
fn near(rng: &mut ChaCha8Rng, shared: &[f32], noise: f32) -> Vec<f32> {
    let parts = shared
        .iter()
        .map(|part| part + noise * rng.random_range(-1.0..1.0_f32));
    let parts: Vec<f32> = parts.collect();
    let length = parts.iter().map(|part| part * part).sum::<f32>().sqrt();
    parts.into_iter().map(|part| part / length).collect()
}

fn answer(rng: &mut ChaCha8Rng, shared: &[f32]) -> Answer {
    let sentence = |rng: &mut ChaCha8Rng| {
        let words: Vec<String> = (0..rng.random_range(8..=20))
            .map(|_| format!("word{}", rng.random_range(0..VOCABULARY)))
            .collect();
        format!("{}.", words.join(" "))
    };
    let text = (0..SENTENCES)
        .map(|_| sentence(rng))
        .collect::<Vec<_>>()
        .join(" ");
    let embedding = near(rng, shared, 0.04);
    let sentences = sentences(&text)
        .iter()
        .map(|_| near(rng, shared, 0.05))
        .collect();
    Answer {
        text,
        embedding,
        sentences,
    }
}

fn round(count: usize) -> (Vec<f32>, Vec<Vec<f32>>, Vec<Answer>) {
    let mut rng = ChaCha8Rng::seed_from_u64(78);
    let shared = near(&mut rng, &[0.0; DIMENSION], 1.0);
    let prompt = near(&mut rng, &shared, 0.05);
    let components = (0..3).map(|_| near(&mut rng, &shared, 0.05)).collect();
    let answers = (0..count).map(|_| answer(&mut rng, &shared)).collect();
    (prompt, components, answers)
}

fn quality_signals(criterion: &mut Criterion) {
    let policy = QualityPolicy::original();
    let mut group = criterion.benchmark_group("quality_signals");
    for count in ROUNDS {
        let (prompt, components, answers) = round(count);
        let prompt = QualityPrompt {
            text: "Explain how rain forms",
            embedding: &prompt,
            components: &components,
        };
        let answers: Vec<QualityAnswer<'_, f32, Vec<f32>>> = answers
            .iter()
            .map(|answer| QualityAnswer {
                text: &answer.text,
                embedding: &answer.embedding,
                sentences: &answer.sentences,
            })
            .collect();
        // An answer that stopped at a gate would measure nothing.
        let found = assess(&policy, &prompt, &answers).unwrap_or_default();
        assert!(found.len() == count && found.iter().all(|answer| answer.steps.is_some()));
        group.throughput(Throughput::Elements(count as u64));
        group.bench_function(BenchmarkId::from_parameter(count), |bencher| {
            bencher.iter(|| {
                // The caller embeds these; finding them is part of the work.
                let found = answers.iter().map(|answer| sentences(answer.text).len());
                let found: usize = found.sum();
                (found, assess(&policy, &prompt, black_box(&answers)))
            });
        });
    }
    group.finish();
}

fn sybil_detection(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("sybil_detection");
    group.sample_size(20);
    for (name, policy) in [
        ("original", SybilPolicy::original()),
        ("hardened", SybilPolicy::hardened()),
    ] {
        for count in ROUNDS {
            let (_, _, answers) = round(count);
            let whole: Vec<&[f32]> = answers.iter().map(|answer| &*answer.embedding).collect();
            let given: Vec<SybilAnswer<'_, Vec<f32>>> = answers
                .iter()
                .map(|answer| SybilAnswer {
                    text: &answer.text,
                    sentences: &answer.sentences,
                })
                .collect();
            group.throughput(Throughput::Elements(count as u64));
            group.bench_function(BenchmarkId::new(name, count), |bencher| {
                bencher.iter(|| {
                    let similarities = SimilarityMatrix::cosines(black_box(&whole))?;
                    detect_sybils(&policy, black_box(&given), &similarities)
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, quality_signals, sybil_detection);
criterion_main!(benches);
