//! Steps of an epoch that no recorded vector decides, each in both layouts.

use adit_primitives::{Block, Rao, Uid};
use adit_yuma::{
    EpochInput, EpochNeuron, EpochOutput, EpochParameters, Layout, LiquidAlpha, epoch_with,
};

/// Validator 0 weighs miners 2 and 3 evenly, validator 1 miner 2 alone.
fn subnet() -> EpochInput {
    let validator = |stake, weights: Vec<(Uid, u16)>| EpochNeuron {
        stake: Rao(stake),
        last_update: Block(90),
        registered_at: Block(1),
        validator_permit: true,
        weights,
        ..EpochNeuron::default()
    };
    let miner = EpochNeuron {
        last_update: Block(90),
        registered_at: Block(2),
        ..EpochNeuron::default()
    };
    EpochInput {
        current_block: Block(100),
        last_epoch: Block(50),
        emission: Rao(1_000_000),
        neurons: vec![
            validator(600, vec![(Uid(2), 100), (Uid(3), 100)]),
            validator(400, vec![(Uid(2), 7)]),
            miner.clone(),
            miner,
        ],
    }
}

fn run(input: &EpochInput, parameters: &EpochParameters) -> EpochOutput {
    let sparse = epoch_with(input, parameters, Layout::Sparse).unwrap();
    assert_eq!(
        epoch_with(input, parameters, Layout::Dense).unwrap(),
        sparse
    );
    sparse
}

#[test]
fn bonds_in_who_registered_at_the_last_epoch_or_later_are_dropped() {
    let mut input = subnet();
    // Validator 1 holds all of miner 3, of whom it says nothing any more.
    input.neurons[1].bonds = vec![(Uid(3), 60_000)];
    let parameters = EpochParameters::default();
    let held = |registered: u64| {
        let mut input = input.clone();
        input.neurons[3].registered_at = Block(registered);
        run(&input, &parameters).bonds[1]
            .iter()
            .any(|(miner, _)| *miner == Uid(3))
    };
    assert!(held(49), "registered in the block before the epoch");
    assert!(!held(50), "registered in its block");
    assert!(!held(51));
}

#[test]
fn bonds_end_with_the_permit_and_pay_once_more() {
    let mut input = subnet();
    input.neurons[0].bonds = vec![(Uid(2), 1_000), (Uid(3), 1_000)];
    input.neurons[1].bonds = vec![(Uid(2), 1_000), (Uid(3), 1_000)];
    let one = EpochParameters {
        max_validators: 1,
        ..EpochParameters::default()
    };
    let output = run(&input, &one);
    assert_eq!(output.validator_permit, [true, false, false, false]);
    assert!(output.bonds[1].is_empty() && !output.bonds[0].is_empty());
    assert!(
        output.validator_emission[1] > Rao(0),
        "its old permit counts in this epoch"
    );

    // Bonds that someone without a permit still holds count in the shares of a miner.
    input.neurons[1].validator_permit = false;
    let output = run(&input, &one);
    assert!(output.validator_emission[1] > Rao(0));
    assert!(output.bonds[1].is_empty());
}

#[test]
fn without_permits_to_give_nobody_but_the_owner_has_one() {
    let input = subnet();
    let none = EpochParameters {
        max_validators: 0,
        ..EpochParameters::default()
    };
    assert_eq!(run(&input, &none).validator_permit, [false; 4]);
    let owned = EpochParameters {
        owner: Some(Uid(3)),
        ..none
    };
    assert_eq!(
        run(&input, &owned).validator_permit,
        [false, false, false, true]
    );
}

#[test]
fn of_equal_stakes_the_higher_uid_keeps_the_permit() {
    let mut input = subnet();
    for neuron in &mut input.neurons {
        neuron.stake = Rao(5);
    }
    let parameters = EpochParameters {
        max_validators: 2,
        ..EpochParameters::default()
    };
    assert_eq!(
        run(&input, &parameters).validator_permit,
        [false, false, true, true]
    );
}

#[test]
fn liquid_alpha_is_for_yuma_3_alone() {
    let mut input = subnet();
    input.neurons[1].bonds = vec![(Uid(2), 30_000)];
    let legacy = EpochParameters::default();
    let liquid = EpochParameters {
        liquid_alpha: Some(LiquidAlpha::default()),
        ..legacy
    };
    assert_eq!(run(&input, &liquid), run(&input, &legacy));
    let [plain, liquid] = [legacy, liquid].map(|parameters| {
        run(
            &input,
            &EpochParameters {
                yuma3: true,
                ..parameters
            },
        )
    });
    assert_ne!(plain.bonds, liquid.bonds);
}

#[test]
fn liquid_alpha_with_its_bounds_swapped_follows_at_the_lower_field() {
    let input = subnet();
    let speed = |low, high| {
        let parameters = EpochParameters {
            yuma3: true,
            liquid_alpha: Some(LiquidAlpha {
                low,
                high,
                ..LiquidAlpha::default()
            }),
            ..EpochParameters::default()
        };
        run(&input, &parameters).bonds[0].clone()
    };
    assert_eq!(speed(50_000, 10_000), speed(50_000, 50_000));
}

#[test]
fn a_moving_average_past_a_million_sells_what_is_weighed() {
    let mut input = subnet();
    input.neurons[0].bonds = vec![(Uid(2), 30_000), (Uid(3), 30_000)];
    input.neurons[1].bonds = vec![(Uid(2), 30_000)];
    for yuma3 in [false, true] {
        for bonds_moving_average in [1_000_001, 2_000_000, u64::MAX] {
            let parameters = EpochParameters {
                yuma3,
                bonds_moving_average,
                ..EpochParameters::default()
            };
            let output = run(&input, &parameters);
            let paid: u64 = output.emission.iter().map(|part| part.0).sum();
            assert!(paid <= input.emission.0, "{bonds_moving_average}");
        }
    }
}

#[test]
fn weights_set_or_committed_in_the_block_of_a_registration() {
    let parameters = EpochParameters::default();
    let incentive = |set: u64, commit: Option<u64>| {
        let mut input = subnet();
        input.neurons[2].registered_at = Block(60);
        for validator in &mut input.neurons[..2] {
            validator.last_update = Block(set);
            validator.earliest_commit = commit.map(Block);
        }
        run(&input, &parameters).incentive[2]
    };
    assert!(incentive(61, None) > 0);
    assert_eq!(incentive(60, None), 0, "set in its block");
    assert!(incentive(90, Some(60)) > 0, "committed in its block");
    assert_eq!(incentive(90, Some(59)), 0, "committed before");
}

#[test]
fn activity_ends_after_the_cutoffs_last_block() {
    let parameters = EpochParameters {
        activity_cutoff: 10,
        ..EpochParameters::default()
    };
    assert_eq!(run(&subnet(), &parameters).active, [true; 4]);
    let parameters = EpochParameters {
        activity_cutoff: 9,
        ..parameters
    };
    let output = run(&subnet(), &parameters);
    assert_eq!(output.active, [false; 4]);
    // Nobody's stake speaks, so stake alone is paid.
    assert_eq!(output.validator_emission[..2], [Rao(599_999), Rao(399_999)]);
}

#[test]
fn only_the_owner_may_weigh_itself() {
    let mut input = subnet();
    input.neurons[0].weights.push((Uid(0), u16::MAX));
    let earned = |owner: Option<u16>| {
        let parameters = EpochParameters {
            owner: owner.map(Uid),
            ..EpochParameters::default()
        };
        run(&input, &parameters).incentive[0]
    };
    assert_eq!(earned(None), 0);
    assert_eq!(earned(Some(1)), 0);
    assert!(earned(Some(0)) > 0);
}
