//! Judging long contexts: logits of one step, a round's leader, rewards, incentives, diversity.

use std::hint::black_box;

use adit_primitives::Uid;
use adit_scoring::long_context::{
    diversity::{DiversityRules, DiversityTracker},
    incentive::incentive_distribution,
    leader::{LeadMargin, LeaderCandidate, select_leader},
    logits::{
        CapturedStep, GenerationRules, LogitBounds, kl_divergence, verify, verify_generation,
    },
    reward::{ReportedMetric, ReportedMetrics, RewardTask, WeightedRewardRules, weighted_reward},
};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const VOCABULARY: usize = 151_936;

fn logits(criterion: &mut Criterion) {
    let mut rng = ChaCha8Rng::seed_from_u64(24);
    let reference: Vec<f32> = (0..VOCABULARY)
        .map(|_| rng.random_range(-12.0..12.0))
        .collect();
    let miner: Vec<f32> = reference
        .iter()
        .map(|logit| logit + rng.random_range(-0.01..0.01))
        .collect();
    let mut group = criterion.benchmark_group("logits, 151936");
    group.throughput(Throughput::Bytes(8 * VOCABULARY as u64));
    let bounds = LogitBounds::default();
    assert!(verify(&bounds, &miner, &reference).verified());
    group.bench_function("verify", |bencher| {
        bencher.iter(|| verify(&bounds, black_box(&miner), black_box(&reference)));
    });
    group.bench_function("plain read of the same bytes", |bencher| {
        bencher.iter(|| {
            let sum = |side: &[f32]| -> u32 { side.iter().fold(0, |sum, x| sum ^ x.to_bits()) };
            sum(black_box(&miner)) ^ sum(black_box(&reference))
        });
    });
    group.bench_function("kl_divergence", |bencher| {
        bencher.iter(|| kl_divergence(black_box(&miner), black_box(&reference), 1.0));
    });
    group.bench_function("verify_generation, 1 step", |bencher| {
        let rules = GenerationRules {
            steps_least: 1,
            ..GenerationRules::default()
        };
        bencher.iter(|| {
            let step = CapturedStep {
                miner: &miner,
                reference: &reference,
                token: 0,
            };
            verify_generation(&rules, 1, 1, [black_box(step)])
        });
    });
    group.finish();
}

fn miners(criterion: &mut Criterion) {
    let mut rng = ChaCha8Rng::seed_from_u64(24);
    let candidates: Vec<LeaderCandidate> = (0..256)
        .map(|block| LeaderCandidate {
            seconds_per_token: rng.random_range(0.001..0.1),
            verified: true,
            block,
        })
        .collect();
    criterion.bench_function("select_leader, 256", |bencher| {
        bencher.iter(|| select_leader(black_box(&candidates), LeadMargin::Seconds(0.01)));
    });
    let scores: Vec<f64> = (0..256).map(|_| rng.random()).collect();
    let history: Vec<Vec<f64>> = (0..256)
        .map(|_| (0..10).map(|_| rng.random()).collect())
        .collect();
    criterion.bench_function("incentive_distribution, 256 x 10", |bencher| {
        bencher.iter(|| {
            let history = history.iter().map(Vec::as_slice).enumerate();
            incentive_distribution(black_box(&scores), history, 0.3)
        });
    });
    let rules = WeightedRewardRules::default();
    let metrics = ReportedMetrics {
        memory_retention: ReportedMetric::Value(0.9),
        coherence: ReportedMetric::Value(0.7),
        ..ReportedMetrics::default()
    };
    criterion.bench_function("weighted_reward", |bencher| {
        let task = RewardTask::default();
        bencher.iter(|| weighted_reward(&rules, black_box(&task), Some(black_box(&metrics))));
    });
}

fn diversity(criterion: &mut Criterion) {
    let mut rng = ChaCha8Rng::seed_from_u64(24);
    let mut text = || -> String {
        (0..60)
            .map(|_| format!("word{} ", rng.random_range(0..400)))
            .collect()
    };
    let mut tracker =
        DiversityTracker::new(DiversityRules::default()).unwrap_or_else(|_| std::process::abort());
    for step in 0..1_000_u16 {
        let _ = tracker.track(Uid(step % 16), &text(), Some("quasar"), 0.5);
    }
    let answer = text();
    criterion.bench_function("diversity track, 60 words, warm", |bencher| {
        bencher.iter_batched_ref(
            || tracker.clone(),
            |tracker| tracker.track(Uid(3), black_box(&answer), None, 0.5),
            BatchSize::LargeInput,
        );
    });
}

criterion_group!(benches, logits, miners, diversity);
criterion_main!(benches);
