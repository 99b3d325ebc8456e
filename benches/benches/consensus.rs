//! Judging a whole round by consensus: quality, similarities, outliers, clusters, scores and emissions
//! of answers with ten sentences and embeddings of 768 components. `benches/peers/consensus.py` is the
//! other side; quality and sybils by themselves are in `inference.rs`.

use std::hint::black_box;

use adit_primitives::Uid;
use adit_scoring::inference::{
    Heatmap, InferencePolicy, Round, RoundAnswer, SimilarityMatrix, evaluate_round,
    local_outlier_factors,
    quality::{QualityAnswer, QualityPolicy, QualityPrompt, assess},
    sentences,
};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const ROUNDS: [usize; 3] = [7, 64, 256];
const SENTENCES: usize = 10;
const DIMENSION: usize = 768;

/// A unit vector near a direction all answers share, so that gates are passed and clusters form.
fn near(rng: &mut ChaCha8Rng, shared: &[f32], noise: f32) -> Vec<f32> {
    let parts: Vec<f32> = shared
        .iter()
        .map(|part| part + noise * rng.random_range(-1.0..1.0_f32))
        .collect();
    let length = parts.iter().map(|part| part * part).sum::<f32>().sqrt();
    parts.into_iter().map(|part| part / length).collect()
}

fn text(rng: &mut ChaCha8Rng) -> String {
    let mut sentence = || {
        let words: Vec<String> = (0..rng.random_range(8..=20))
            .map(|_| format!("word{}", rng.random_range(0..3_000)))
            .collect();
        format!("{}.", words.join(" "))
    };
    (0..SENTENCES)
        .map(|_| sentence())
        .collect::<Vec<_>>()
        .join(" ")
}

struct Given {
    prompt: Vec<f32>,
    components: Vec<Vec<f32>>,
    texts: Vec<String>,
    embeddings: Vec<Vec<f32>>,
    sentences: Vec<Vec<Vec<f32>>>,
}

fn given(count: usize) -> Given {
    let mut rng = ChaCha8Rng::seed_from_u64(78);
    let shared = near(&mut rng, &[0.0; DIMENSION], 1.0);
    let mut around = |noise| near(&mut rng, &shared, noise);
    Given {
        prompt: around(0.05),
        components: (0..3).map(|_| around(0.05)).collect(),
        embeddings: (0..count).map(|_| around(0.04)).collect(),
        sentences: (0..count)
            .map(|_| (0..SENTENCES).map(|_| around(0.05)).collect())
            .collect(),
        texts: (0..count).map(|_| text(&mut rng)).collect(),
    }
}

fn quality(given: &Given) -> Vec<f64> {
    let prompt = QualityPrompt {
        text: "Explain how rain forms",
        embedding: &given.prompt,
        components: &given.components,
    };
    let rows = given
        .texts
        .iter()
        .zip(&given.embeddings)
        .zip(&given.sentences);
    let answers: Vec<QualityAnswer<'_, f32, Vec<f32>>> = rows
        .map(|((text, embedding), sentences)| QualityAnswer {
            text,
            embedding,
            sentences,
        })
        .collect();
    let found = assess(&QualityPolicy::original(), &prompt, &answers).unwrap_or_default();
    found.iter().map(|answer| answer.quality).collect()
}

fn members(given: &Given, quality: &[f64], policy: &InferencePolicy) -> usize {
    let rows = given.texts.iter().zip(&given.embeddings).zip(quality);
    let answers: Vec<RoundAnswer<'_, f32>> = rows
        .enumerate()
        .map(|(place, ((text, embedding), quality))| RoundAnswer {
            text: Some(text),
            embedding,
            quality: *quality,
            response_time_ms: 1_000.0 + place as f64,
            entity: None,
        })
        .collect();
    let round = Round {
        prompt: &given.prompt,
        answers: &answers,
    };
    let found = evaluate_round(policy, &round).unwrap_or_default();
    found
        .consensus
        .map_or(0, |consensus| consensus.members.len())
}

fn rounds(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("consensus");
    for count in ROUNDS {
        let given = given(count);
        let judged = quality(&given);
        for (name, policy) in [
            ("original", InferencePolicy::original()),
            ("hardened", InferencePolicy::hardened()),
        ] {
            // A round that stopped at a gate would measure nothing.
            assert!(members(&given, &judged, &policy) > count / 2);
            group.bench_function(BenchmarkId::new(name, count), |bencher| {
                bencher.iter(|| members(black_box(&given), &judged, &policy));
            });
        }
        group.bench_function(BenchmarkId::new("with-quality", count), |bencher| {
            let policy = InferencePolicy::original();
            bencher.iter(|| {
                // The caller embeds these; finding them is part of the work.
                let found: usize = given.texts.iter().map(|text| sentences(text).len()).sum();
                let judged = quality(black_box(&given));
                (found, members(&given, &judged, &policy))
            });
        });
    }
    group.finish();
}

fn parts(criterion: &mut Criterion) {
    let given = given(256);
    let mut group = criterion.benchmark_group("consensus_parts");
    group.bench_function("cosines", |bencher| {
        bencher.iter(|| SimilarityMatrix::cosines(black_box(&given.embeddings)));
    });
    group.bench_function("outliers", |bencher| {
        bencher.iter(|| local_outlier_factors(black_box(&given.embeddings), 2));
    });
    let copies = vec![given.prompt.clone(); 256];
    group.bench_function("outliers-all-copies", |bencher| {
        bencher.iter(|| local_outlier_factors(black_box(&copies), 2));
    });
    let uids: Vec<Uid> = (0..256).map(Uid).collect();
    let heatmap =
        SimilarityMatrix::cosines(&given.embeddings).and_then(|matrix| Heatmap::of(&matrix, &uids));
    if let Ok(heatmap) = heatmap {
        group.bench_function("heatmap-png", |bencher| bencher.iter(|| heatmap.png()));
    }
    group.finish();
}

criterion_group!(benches, rounds, parts);
criterion_main!(benches);
