use adit_primitives::Rao;
use adit_yuma::{
    BlockPools, EpochInput, EpochNeuron, EpochOutput, EpochParameters, Error, RootProportion,
    combine_mechanisms, epoch, split_emission,
};
use proptest::prelude::*;

#[test]
fn what_a_split_leaves_goes_to_mechanism_0() {
    assert_eq!(split_emission(Rao(10), 3, None), [Rao(4), Rao(3), Rao(3)]);
    // Mechanism 1 is not named, mechanism 2 is no more.
    let split = [0, 0, 65_535];
    assert_eq!(split_emission(Rao(10), 1, Some(&split[..1])), [Rao(10)]);
    assert_eq!(
        split_emission(Rao(10), 2, Some(&[30_000])),
        [Rao(10), Rao(0)]
    );
    assert_eq!(split_emission(Rao(10), 2, Some(&split)), [Rao(10), Rao(0)]);
    assert_eq!(split_emission(Rao(10), 0, None), []);
    let all = split_emission(Rao(u64::MAX), 2, Some(&[65_535, 65_535]));
    assert_eq!(all, [Rao(u64::MAX), Rao(u64::MAX)]);
}

fn shown(proportion: u16, rao: u64, holds: bool) -> EpochOutput {
    EpochOutput {
        active: vec![holds],
        validator_permit: vec![holds],
        stake_weight: vec![proportion],
        consensus: vec![proportion],
        incentive: vec![proportion],
        dividends: vec![proportion],
        validator_trust: vec![proportion],
        server_emission: vec![Rao(rao)],
        validator_emission: vec![Rao(rao)],
        emission: vec![Rao(rao)],
        bonds: vec![Vec::new()],
    }
}

#[test]
fn mechanisms_weigh_by_their_part_of_the_emission() {
    let parts = [(Rao(3), shown(10, 2, false)), (Rao(1), shown(7, 4, true))];
    let totals = combine_mechanisms(&parts).unwrap();
    // ⌊10 · 3/4⌋ + ⌊7 · 1/4⌋: each part is cut.
    assert_eq!(totals.consensus, [7 + 1]);
    assert_eq!(totals.dividends, totals.consensus);
    assert_eq!(totals.stake_weight, totals.consensus);
    assert_eq!(totals.validator_trust, totals.consensus);
    assert_eq!(
        (totals.active, totals.validator_permit),
        (vec![true], vec![true])
    );
    assert_eq!(totals.server_emission, [Rao(6)]);
    assert_eq!(totals.validator_emission, [Rao(6)]);
    assert_eq!(totals.emission, [Rao(1 + 1)]);
}

#[test]
fn without_emission_mechanism_0_alone_weighs() {
    let parts = [(Rao(0), shown(10, 0, true)), (Rao(0), shown(90, 0, true))];
    assert_eq!(combine_mechanisms(&parts).unwrap().consensus, [10]);
    assert_eq!(combine_mechanisms(&[]).unwrap().consensus, [0_u16; 0]);
}

#[test]
fn mechanisms_of_different_subnets_do_not_combine() {
    let parts = [
        (Rao(1), shown(1, 1, true)),
        (Rao(1), EpochOutput::default()),
    ];
    assert_eq!(
        combine_mechanisms(&parts),
        Err(Error::UnequalMechanisms {
            mechanism: 1,
            found: 0,
            neurons: 1
        })
    );
}

#[test]
fn a_block_is_divided_as_on_the_live_chain() {
    // 1 alpha, an owner's cut of 18 %, a TAO weight of 18 % and as much alpha as weighted TAO.
    let weight = (0.18 * u64::MAX as f64) as u64;
    let root = RootProportion::new(Rao(100_000_000_000), Rao(18_000_000_000), weight);
    assert!((root.to_f64() - 0.5).abs() < 1e-8, "{root:?}");
    let pools = BlockPools::of(Rao::from_tao(1), 11_796, root);
    assert_eq!(pools.owner, Rao(179_995_422));
    assert_eq!(pools.server, Rao(410_002_288));
    assert_eq!(pools.validator.0 + pools.root.0, 410_002_288);
    assert!(pools.validator.0.abs_diff(pools.root.0) < 10);

    let nobody = BlockPools::of(Rao(1_000), 0, RootProportion::default());
    assert_eq!((nobody.server, nobody.validator), (Rao(500), Rao(500)));
    assert_eq!((nobody.owner, nobody.root), (Rao(0), Rao(0)));
    let owner = BlockPools::of(Rao(1_000), u16::MAX, RootProportion::default());
    assert_eq!((owner.owner, owner.for_epoch()), (Rao(1_000), Rao(0)));
}

#[test]
fn epochs_of_two_mechanisms_pay_what_the_subnet_gets() {
    let neurons: Vec<EpochNeuron> = (0..3)
        .map(|uid| EpochNeuron {
            stake: Rao(1_000 * (uid + 1)),
            validator_permit: true,
            ..EpochNeuron::default()
        })
        .collect();
    let emission = Rao(1_000_001);
    let epochs: Vec<_> = split_emission(emission, 2, Some(&[13_107, 52_428]))
        .into_iter()
        .map(|part| {
            let input = EpochInput {
                emission: part,
                neurons: neurons.clone(),
                ..EpochInput::default()
            };
            (part, epoch(&input, &EpochParameters::default()).unwrap())
        })
        .collect();
    let totals = combine_mechanisms(&epochs).unwrap();
    let paid: u64 = totals.validator_emission.iter().map(|part| part.0).sum();
    assert!((emission.0 - 6..=emission.0).contains(&paid), "{paid}");
    assert!(totals.consensus.iter().all(|value| *value == 0));
}

proptest! {
    #[test]
    fn a_split_gives_all_and_no_more(emission: u64, count in 1_u8..8, cut in prop::collection::vec(0_u16..=65_535, 0..8)) {
        // Cut points divide 65,535, as the chain demands of a split.
        let mut points = cut;
        points.push(u16::MAX);
        points.sort_unstable();
        let split: Vec<u16> = points
            .iter()
            .scan(0, |last, point| Some(point - std::mem::replace(last, *point)))
            .collect();
        for split in [None, Some(&split[..])] {
            let parts = split_emission(Rao(emission), count, split);
            prop_assert_eq!(parts.len(), usize::from(count));
            let sum: u128 = parts.iter().map(|part| u128::from(part.0)).sum();
            prop_assert_eq!(sum, u128::from(emission));
        }
    }

    #[test]
    fn pools_lose_at_most_3_rao(alpha: u64, owner_cut: u16, root: u64, issuance: u64, weight: u64) {
        let root = RootProportion::new(Rao(root), Rao(issuance), weight);
        prop_assert!((0.0..=1.0).contains(&root.to_f64()));
        let pools = BlockPools::of(Rao(alpha), owner_cut, root);
        let parts = [pools.owner, pools.server, pools.validator, pools.root];
        let sum: u128 = parts.iter().map(|part| u128::from(part.0)).sum();
        prop_assert!(sum <= u128::from(alpha));
        prop_assert!(u128::from(alpha) - sum <= 3);
    }
}
