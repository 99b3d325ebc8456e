//! u16 weights for a subnet of 4,096 neurons by both versions of the field's SDK; the peer is
//! `peers/weights.py`.

use std::hint::black_box;

use adit_primitives::Uid;
use adit_scoring::{
    rank::top_k,
    weights::{WeightLimits, WeightRules},
};
use criterion::{Criterion, criterion_group, criterion_main};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const NEURONS: u16 = 4_096;

fn scores() -> Vec<(Uid, f64)> {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let uids = (0..NEURONS).map(Uid);
    uids.map(|uid| (uid, rng.random_range(0.0..1.0_f64).powi(4)))
        .collect()
}

fn rows(criterion: &mut Criterion) {
    let scores = scores();
    let neurons = usize::from(NEURONS);
    let free = WeightLimits {
        min_allowed: 1_024,
        ..WeightLimits::default()
    };
    // A thousandth each: some of the best are cut.
    let capped = WeightLimits {
        max_weight: 65,
        ..free
    };
    let mut group = criterion.benchmark_group("weights/4096");
    for (version, rules) in [("10", WeightRules::v10()), ("11", WeightRules::v11())] {
        for (name, limits) in [("free", free), ("capped", capped)] {
            group.bench_function(format!("sdk-{version} {name}"), |bench| {
                bench.iter(|| rules.quantise(black_box(&scores), limits, neurons));
            });
        }
    }
    group.bench_function("best 64", |bench| {
        bench.iter(|| top_k(black_box(&scores), 64));
    });
    group.finish();
}

criterion_group!(benches, rows);
criterion_main!(benches);
