//! One epoch of a subnet whose validators all weigh everybody, in each layout and in doubles, on one
//! thread and two; and the two layouts where they weigh fewer. The peer is `peers/yuma.py`.

use std::hint::black_box;

use adit_primitives::{Block, Rao, Uid};
use adit_yuma::{
    EpochInput, EpochNeuron, EpochParameters, Layout, LiquidAlpha, epoch, epoch_float, epoch_with,
};
use criterion::{Criterion, criterion_group, criterion_main};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::ThreadPoolBuilder;

/// The first `validators` of `uids` neurons each weigh a share `density` of the others, with some
/// noise about what the miner is worth, and hold the bonds of an epoch before.
fn subnet(uids: u16, validators: u16, density: f64, parameters: &EpochParameters) -> EpochInput {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let worth: Vec<f64> = (0..uids)
        .map(|_| rng.random_range(0.0..1.0_f64).powi(4))
        .collect();
    let neurons = (0..uids).map(|uid| {
        let judges = uid < validators;
        let targets: Vec<u16> = (0..uids)
            .filter(|target| judges && *target != uid && rng.random_bool(density))
            .collect();
        let weights = targets
            .into_iter()
            .map(|target| {
                let noise = rng.random_range(0.5..1.5);
                (
                    Uid(target),
                    (worth[usize::from(target)] * noise * 40_000.0) as u16,
                )
            })
            .collect();
        EpochNeuron {
            stake: Rao(if judges {
                1_000_000_000_000_000 / (u64::from(uid) + 3)
            } else {
                0
            }),
            last_update: Block(900),
            registered_at: Block(10),
            validator_permit: judges,
            earliest_commit: None,
            weights,
            bonds: Vec::new(),
        }
    });
    let mut input = EpochInput {
        current_block: Block(1_000),
        last_epoch: Block(640),
        emission: Rao(148_000_000_000),
        neurons: neurons.collect(),
    };
    let before = epoch(&input, parameters).unwrap_or_default();
    for (neuron, bonds) in input.neurons.iter_mut().zip(before.bonds) {
        neuron.bonds = bonds;
    }
    input
}

fn epochs(criterion: &mut Criterion) {
    for (uids, validators) in [(256, 64), (256, 256), (4_096, 64), (4_096, 256)] {
        let legacy = EpochParameters {
            max_validators: validators,
            ..EpochParameters::default()
        };
        let yuma3 = EpochParameters {
            yuma3: true,
            ..legacy
        };
        let liquid = EpochParameters {
            liquid_alpha: Some(LiquidAlpha::default()),
            ..yuma3
        };
        let mut group = criterion.benchmark_group(format!("yuma/{uids}x{validators}"));
        group.sample_size(20);
        for (name, parameters) in [("yuma 2", legacy), ("yuma 3", yuma3), ("liquid", liquid)] {
            let input = subnet(uids, validators, 1.0, &parameters);
            for threads in [1, 2] {
                let Ok(pool) = ThreadPoolBuilder::new().num_threads(threads).build() else {
                    continue;
                };
                for layout in [Layout::Sparse, Layout::Dense] {
                    if layout == Layout::Sparse && threads > 1 {
                        continue;
                    }
                    group.bench_function(format!("{name} {layout:?} {threads}"), |bench| {
                        pool.install(|| {
                            bench.iter(|| epoch_with(black_box(&input), &parameters, layout));
                        });
                    });
                }
                group.bench_function(format!("{name} Float {threads}"), |bench| {
                    pool.install(|| bench.iter(|| epoch_float(black_box(&input), &parameters)));
                });
            }
        }
        group.finish();
    }
}

fn densities(criterion: &mut Criterion) {
    let parameters = EpochParameters::default();
    let Ok(pool) = ThreadPoolBuilder::new().num_threads(1).build() else {
        return;
    };
    let mut group = criterion.benchmark_group("yuma/4096x64 by density");
    group.sample_size(20);
    for percent in [2, 5, 10, 25, 50] {
        let input = subnet(4_096, 64, f64::from(percent) / 100.0, &parameters);
        for layout in [Layout::Sparse, Layout::Dense] {
            group.bench_function(format!("{percent} % {layout:?}"), |bench| {
                pool.install(|| {
                    bench.iter(|| epoch_with(black_box(&input), &parameters, layout));
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, epochs, densities);
criterion_main!(benches);
