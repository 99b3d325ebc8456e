use std::ops::Range;

use adit_primitives::{Block, Rao, Uid};
use adit_yuma::{
    EpochInput, EpochNeuron, EpochParameters, Layout, LiquidAlpha, epoch, epoch_float, epoch_traced,
};
use proptest::prelude::*;

fn row(n: usize) -> impl Strategy<Value = Vec<(Uid, u16)>> {
    let uids: Vec<u16> = (0..n as u16).collect();
    prop::sample::subsequence(uids, 0..=n)
        .prop_shuffle()
        .prop_flat_map(|uids| {
            let len = uids.len();
            (Just(uids), prop::collection::vec(any::<u16>(), len))
        })
        .prop_map(|(uids, values)| uids.into_iter().map(Uid).zip(values).collect())
}

fn neuron(n: usize) -> impl Strategy<Value = EpochNeuron> {
    (
        0_u64..1 << 55,
        0_u64..300,
        0_u64..300,
        any::<bool>(),
        prop::option::of(0_u64..300),
        row(n),
        row(n),
    )
        .prop_map(
            |(stake, last_update, registered_at, validator_permit, commit, weights, bonds)| {
                EpochNeuron {
                    stake: Rao(stake),
                    last_update: Block(last_update),
                    registered_at: Block(registered_at),
                    validator_permit,
                    earliest_commit: commit.map(Block),
                    weights,
                    bonds,
                }
            },
        )
}

prop_compose! {
    fn liquid()(low: u16, high: u16, steepness: i16) -> LiquidAlpha {
        LiquidAlpha { low, high, steepness }
    }
}

prop_compose! {
    fn parameters(n: u16)(
        kappa: u16,
        bonds_penalty: u16,
        bonds_moving_average in prop_oneof![9 => 0_u64..=1_000_000, 1 => any::<u64>()],
        yuma3: bool,
        liquid_alpha in prop::option::of(liquid()),
        activity_cutoff in 0_u64..200,
        max_validators in 0_u16..20,
        threshold in 0_u64..1 << 54,
        owner in prop::option::of(0..n),
    ) -> EpochParameters {
        EpochParameters {
            kappa,
            bonds_penalty,
            bonds_moving_average,
            yuma3,
            liquid_alpha,
            activity_cutoff,
            max_validators,
            stake_threshold: Rao(threshold),
            owner: owner.map(Uid),
        }
    }
}

fn case() -> impl Strategy<Value = (EpochInput, EpochParameters)> {
    sized(1..12)
}

/// Some of these are wider than a block of the dense layout.
fn wide() -> impl Strategy<Value = (EpochInput, EpochParameters)> {
    sized(28..80)
}

fn sized(neurons: Range<usize>) -> impl Strategy<Value = (EpochInput, EpochParameters)> {
    neurons.prop_flat_map(|n| {
        let input = (
            prop::collection::vec(neuron(n), n),
            0_u64..300,
            any::<u64>(),
        )
            .prop_map(|(neurons, last_epoch, emission)| EpochInput {
                current_block: Block(300),
                last_epoch: Block(last_epoch),
                emission: Rao(emission),
                neurons,
            });
        (input, parameters(n as u16))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn every_epoch_keeps_the_books((input, parameters) in case()) {
        let output = epoch(&input, &parameters).unwrap();
        let n = input.neurons.len();
        let total = |amounts: &[Rao]| amounts.iter().map(|a| u128::from(a.0)).sum::<u128>();
        prop_assert!(total(&output.emission) <= u128::from(input.emission.0));
        let parts = total(&output.server_emission) + total(&output.validator_emission);
        prop_assert!(parts <= u128::from(input.emission.0));
        let share = |values: &[u16]| values.iter().map(|&v| u32::from(v)).sum::<u32>();
        prop_assert!(share(&output.incentive) <= 65_535);
        prop_assert!(share(&output.dividends) <= 65_535);
        prop_assert!(share(&output.stake_weight) <= 65_535);
        let permits = output.validator_permit.iter().filter(|permit| **permit).count();
        let most = usize::from(parameters.max_validators) + usize::from(parameters.owner.is_some());
        prop_assert!(permits <= most.min(n));
        for uid in 0..n {
            // Legacy bonds pay on without stake; Yuma 3 pays nobody whose stake does not count.
            let earns = parameters.yuma3 && output.validator_emission[uid] > Rao(0);
            let owner = parameters.owner == Some(Uid(uid as u16));
            let counted = input.neurons[uid].stake >= parameters.stake_threshold || owner;
            prop_assert!(!earns || counted);
            prop_assert!(output.validator_permit[uid] || output.bonds[uid].is_empty());
            let in_time = input.neurons[uid].last_update.0 + parameters.activity_cutoff >= 300;
            prop_assert_eq!(output.active[uid], in_time);
        }
    }

    #[test]
    fn layouts_agree_on_every_bit((input, parameters) in prop_oneof![case(), wide()]) {
        let sparse = epoch_traced(&input, &parameters, Layout::Sparse).unwrap();
        let dense = epoch_traced(&input, &parameters, Layout::Dense).unwrap();
        prop_assert_eq!(dense, sparse);
    }

    #[test]
    fn what_nobody_with_a_permit_says_changes_nothing((mut input, parameters) in case()) {
        let before = epoch(&input, &parameters).unwrap();
        for (uid, neuron) in input.neurons.iter_mut().enumerate() {
            if !neuron.validator_permit && parameters.owner != Some(Uid(uid as u16)) {
                neuron.weights.clear();
            }
        }
        prop_assert_eq!(epoch(&input, &parameters).unwrap(), before);
    }

    #[test]
    fn what_is_not_paid_is_rounding((input, parameters) in prop_oneof![case(), wide()]) {
        let output = epoch(&input, &parameters).unwrap();
        let total = |amounts: &[Rao]| amounts.iter().map(|a| u128::from(a.0)).sum::<u128>();
        let emission = u128::from(input.emission.0);
        let owner = parameters.owner.map(|owner| usize::from(owner.0));
        let counts = |uid: usize, neuron: &EpochNeuron| {
            let enough = neuron.stake >= parameters.stake_threshold || owner == Some(uid);
            // A share below 2^-32 is cut to nothing.
            enough && neuron.stake.0 > 1 << 26
        };
        let mut neurons = input.neurons.iter().enumerate();
        if neurons.any(|(uid, neuron)| counts(uid, neuron)) {
            // Each share, and each normalisation before it, is cut by at most 2^-32 of the whole.
            let cuts = 4 * input.neurons.len() as u128;
            let lost = cuts * ((emission >> 32) + 1);
            prop_assert!(total(&output.emission) + lost >= emission);
        }
    }

    #[test]
    fn other_uids_earn_the_same_in_another_order(
        (input, parameters, order) in prop_oneof![case(), wide()].prop_flat_map(|(input, parameters)| {
            let order: Vec<usize> = (0..input.neurons.len()).collect();
            (Just(input), Just(parameters), Just(order).prop_shuffle())
        })
    ) {
        // Among equal stakes uids decide who gets a permit, and in rows that are not in uid order
        // the order decides what liquid alpha sees.
        let mut input = input;
        for (index, neuron) in input.neurons.iter_mut().enumerate() {
            neuron.stake = Rao(((neuron.stake.0 >> 37) << 7 | index as u64) << 30);
        }
        let parameters = EpochParameters { liquid_alpha: None, ..parameters };
        let before = epoch(&input, &parameters).unwrap();
        let after = epoch(&reordered(&input, &order), &EpochParameters {
            owner: parameters.owner.map(|owner| moved(owner, &order)),
            ..parameters
        }).unwrap();
        for (new, &old) in order.iter().enumerate() {
            prop_assert_eq!(after.active[new], before.active[old]);
            prop_assert_eq!(after.stake_weight[new], before.stake_weight[old]);
            prop_assert_eq!(after.validator_permit[new], before.validator_permit[old]);
            prop_assert_eq!(after.consensus[new], before.consensus[old]);
            prop_assert_eq!(after.incentive[new], before.incentive[old]);
            prop_assert_eq!(after.dividends[new], before.dividends[old]);
            prop_assert_eq!(after.validator_trust[new], before.validator_trust[old]);
            prop_assert_eq!(after.server_emission[new], before.server_emission[old]);
            prop_assert_eq!(after.validator_emission[new], before.validator_emission[old]);
            prop_assert_eq!(after.emission[new], before.emission[old]);
        }
    }

    #[test]
    fn hostile_input_is_refused_or_answered(
        (mut input, parameters) in case(),
        last_epoch: u64,
        current: u64,
        neurons in prop::collection::vec(hostile(), 0..6),
    ) {
        input.neurons.extend(neurons);
        (input.last_epoch, input.current_block) = (Block(last_epoch), Block(current));
        let sparse = epoch_traced(&input, &parameters, Layout::Sparse);
        let float = epoch_float(&input, &parameters);
        prop_assert_eq!(float.is_ok(), sparse.is_ok());
        prop_assert_eq!(epoch_traced(&input, &parameters, Layout::Dense), sparse);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    #[test]
    fn subnets_worth_several_threads_are_no_different((input, parameters) in sized(140..180)) {
        let sparse = epoch_traced(&input, &parameters, Layout::Sparse).unwrap();
        let dense = epoch_traced(&input, &parameters, Layout::Dense).unwrap();
        prop_assert_eq!(dense, sparse);
    }

    /// Sums of doubles depend on their order, which must not depend on the threads.
    #[cfg(feature = "parallel")]
    #[test]
    fn threads_change_no_double((input, parameters) in sized(140..180)) {
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| epoch_float(&input, &parameters)).unwrap()
        };
        prop_assert_eq!(on(1), on(3));
    }
}

/// Any numbers at all; uids that may not be there, or twice.
fn hostile() -> impl Strategy<Value = EpochNeuron> {
    let row = || prop::collection::vec((0_u16..14, any::<u16>()), 0..3);
    let row = move || {
        row().prop_map(|row| {
            row.into_iter()
                .map(|(uid, value)| (Uid(uid), value))
                .collect()
        })
    };
    let blocks = (any::<u64>(), any::<u64>(), prop::option::of(any::<u64>()));
    (any::<u64>(), 0_u32..64, blocks, any::<bool>(), row(), row()).prop_map(
        |(stake, less, (last_update, registered_at, commit), validator_permit, weights, bonds)| {
            EpochNeuron {
                stake: Rao(stake >> less),
                last_update: Block(last_update),
                registered_at: Block(registered_at),
                validator_permit,
                earliest_commit: commit.map(Block),
                weights,
                bonds,
            }
        },
    )
}

fn moved(uid: Uid, order: &[usize]) -> Uid {
    let place = order.iter().position(|old| *old == usize::from(uid.0));
    Uid(place.unwrap() as u16)
}

fn reordered(input: &EpochInput, order: &[usize]) -> EpochInput {
    let row = |row: &[(Uid, u16)]| {
        row.iter()
            .map(|&(uid, value)| (moved(uid, order), value))
            .collect()
    };
    let neurons = order.iter().map(|&old| {
        let neuron = &input.neurons[old];
        EpochNeuron {
            weights: row(&neuron.weights),
            bonds: row(&neuron.bonds),
            ..neuron.clone()
        }
    });
    EpochInput {
        neurons: neurons.collect(),
        ..input.clone()
    }
}
