//! Judging of video answers: the hardened policy over a batch, and the original's whole reward.

use std::hint::black_box;

use adit_embedding::kernels;
use adit_scoring::video::{
    AnswerEvidence, ClipEvidence, PairCosine, SoundComparison, Verification, VideoPolicy, judge,
    measure_description,
    original::{
        ChunkCounts, OriginalAnswer, OriginalClip, OriginalRules, SpotCheckVectors, reward,
    },
};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const ANSWERS: usize = 256;
const CLIPS: u32 = 8;
const DIMENSION: usize = 1_024;

fn evidence(rng: &mut ChaCha8Rng) -> AnswerEvidence {
    let clip = |place: u32| ClipEvidence {
        place,
        clip_id: format!("clip-{place}"),
        source: format!("https://origin.example/{place}.mp4"),
        start_ms: 1_000,
        end_ms: 9_000,
        source_duration_ms: Some(60_000),
        description: measure_description(
            "A rabbit wakes in a green meadow and stretches",
            "rabbit",
        ),
        defect: None,
        verification: if place < 2 {
            Verification::Compared {
                video: 0.99,
                sound: SoundComparison::Compared { cosine: 0.98 },
            }
        } else {
            Verification::NotSampled
        },
        global_novelty: Some(rng.random_range(0.1..1.0)),
        nearest_in_task: Some(rng.random_range(0.0..0.9)),
        query_relevance: Some(rng.random_range(0.0..0.8)),
        text_similarity: Some(1.0),
        joint: None,
    };
    let clips = (0..CLIPS).map(clip).collect();
    let pairs = (0..CLIPS).flat_map(|first| (first + 1..CLIPS).map(move |second| (first, second)));
    AnswerEvidence {
        clips_wanted: CLIPS,
        answered_within_deadline: true,
        clips,
        within_answer: pairs
            .map(|(first, second)| PairCosine {
                first,
                second,
                cosine: 0.3,
            })
            .collect(),
    }
}

fn vector(rng: &mut ChaCha8Rng) -> Vec<f32> {
    (0..DIMENSION)
        .map(|_| rng.random_range(-1.0..1.0))
        .collect()
}

fn original_answer(rng: &mut ChaCha8Rng) -> OriginalAnswer {
    let mut clip = |index: u32| OriginalClip {
        video_id: Some(format!("clip{index:07}")),
        start_s: 0,
        end_s: 60,
        video: vector(rng),
        audio: vector(rng),
        description: vector(rng),
        unique_tokens: 150 + index,
        text_similarity: 0.3,
        stuffed: false,
        stuffed_confidence: 0.9,
        chunks: ChunkCounts {
            really_bad: 0,
            low_quality: 1,
            total: 4,
        },
        global_novelty: Some(0.7),
    };
    let clips: Vec<OriginalClip> = (0..CLIPS).map(&mut clip).collect();
    OriginalAnswer {
        clips_wanted: CLIPS as usize,
        spot_check: SpotCheckVectors::Full {
            clip: 0,
            video: clips[0].video.clone(),
            audio: clips[0].audio.clone(),
            description: clips[0].description.clone(),
        },
        clips,
        query: vector(rng),
        novelty_answered: true,
    }
}

fn score_batch(criterion: &mut Criterion) {
    let mut rng = ChaCha8Rng::seed_from_u64(24);
    let batch: Vec<AnswerEvidence> = (0..ANSWERS).map(|_| evidence(&mut rng)).collect();
    let policy = VideoPolicy::hardened();
    let mut group = criterion.benchmark_group("score_batch");
    group.throughput(Throughput::Elements(ANSWERS as u64));
    group.bench_function("hardened, 256 answers of 8 clips", |bencher| {
        bencher.iter(|| -> f64 {
            let scores = batch
                .iter()
                .map(|answer| judge(&policy, black_box(answer)).score.get());
            scores.sum()
        });
    });
    group.finish();
}

fn original_reward(criterion: &mut Criterion) {
    let mut rng = ChaCha8Rng::seed_from_u64(24);
    let answer = original_answer(&mut rng);
    let rules = OriginalRules::default();
    // A reward that ended early would measure nothing.
    assert!(reward(&rules, &answer).is_ok_and(|found| found.upload.is_some()));
    criterion.bench_function("original reward, 8 clips of 3 vectors of 1024", |bencher| {
        bencher.iter(|| reward(&rules, black_box(&answer)));
    });
}

fn inner_products(criterion: &mut Criterion) {
    let mut rng = ChaCha8Rng::seed_from_u64(24);
    let (left, right) = (vector(&mut rng), vector(&mut rng));
    let halves: Vec<half::f16> = right
        .iter()
        .map(|value| half::f16::from_f32(*value))
        .collect();
    let mut group = criterion.benchmark_group(format!("dot, 1024, {}", kernels::instructions()));
    group.throughput(Throughput::Elements(DIMENSION as u64));
    group.bench_function("f32", |bencher| {
        bencher.iter(|| kernels::dot(black_box(&left), black_box(&right)));
    });
    group.bench_function("f16", |bencher| {
        bencher.iter(|| kernels::dot_f16(black_box(&left), black_box(&halves)));
    });
    group.finish();
}

criterion_group!(scoring, score_batch, original_reward, inner_products);
criterion_main!(scoring);
