//! Doubles beside the chain's numbers.

use adit_primitives::{Block, Rao, Uid};
use adit_yuma::{
    EpochInput, EpochNeuron, EpochParameters, Layout, LiquidAlpha, epoch_float, epoch_traced,
};
use proptest::prelude::*;

/// Less than 10⁻⁷ over 20,000 of these.
const WITHIN: f64 = 1e-6;

/// A subnet as they come: stakes over six orders of magnitude, weights that nobody adjusted to hit
/// a tie, a few epochs old.
fn subnets() -> impl Strategy<Value = (EpochInput, EpochParameters)> {
    (6_usize..48, 2_usize..12).prop_flat_map(|(uids, validators)| {
        let validators = validators.min(uids);
        let row = prop::collection::vec((1_u16.., prop::bool::weighted(0.8)), uids);
        let stakes = prop::collection::vec(9.0..15.0_f64, validators);
        let rows = prop::collection::vec((row.clone(), row), validators);
        (stakes, rows, parameters()).prop_map(move |(stakes, rows, parameters)| {
            let mut neurons = vec![
                EpochNeuron {
                    last_update: Block(90),
                    registered_at: Block(5),
                    ..EpochNeuron::default()
                };
                uids
            ];
            for (neuron, (stake, (weights, bonds))) in
                neurons.iter_mut().zip(stakes.into_iter().zip(rows))
            {
                neuron.stake = Rao(10_f64.powf(stake) as u64);
                neuron.validator_permit = true;
                neuron.weights = cells(weights);
                neuron.bonds = cells(bonds);
            }
            let input = EpochInput {
                current_block: Block(100),
                last_epoch: Block(50),
                emission: Rao(148_000_000_000),
                neurons,
            };
            (input, parameters)
        })
    })
}

fn cells(row: Vec<(u16, bool)>) -> Vec<(Uid, u16)> {
    let cells = (0..)
        .map(Uid)
        .zip(row)
        .filter(|(_, (_, is_there))| *is_there);
    cells.map(|(uid, (value, _))| (uid, value)).collect()
}

prop_compose! {
    fn parameters()(
        kappa in 20_000_u16..60_000,
        bonds_penalty in prop_oneof![Just(0), Just(u16::MAX), any::<u16>()],
        bonds_moving_average in 0_u64..=1_000_000,
        yuma3: bool,
        liquid in prop::option::of(-2_000_i16..2_000),
    ) -> EpochParameters {
        EpochParameters {
            kappa,
            bonds_penalty,
            bonds_moving_average,
            yuma3,
            liquid_alpha: liquid.map(|steepness| LiquidAlpha { steepness, ..LiquidAlpha::default() }),
            ..EpochParameters::default()
        }
    }
}

fn furthest(bits: &[i64], found: &[f64]) -> f64 {
    let exact = bits.iter().map(|bits| *bits as f64 / 2_f64.powi(32));
    exact
        .zip(found)
        .fold(0.0, |most, (exact, found)| most.max((exact - found).abs()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn doubles_are_within_the_stated_bound((input, parameters) in subnets()) {
        let (exact, trace) = epoch_traced(&input, &parameters, Layout::Dense).unwrap();
        let float = epoch_float(&input, &parameters).unwrap();
        let apart = [
            ("stake", furthest(&trace.stake, &float.stake)),
            ("active stake", furthest(&trace.active_stake, &float.active_stake)),
            ("consensus", furthest(&trace.consensus, &float.consensus)),
            ("trust", furthest(&trace.validator_trust, &float.validator_trust)),
            ("incentive", furthest(&trace.incentive, &float.incentive)),
            ("dividends", furthest(&trace.dividends, &float.dividends)),
        ];
        for (name, apart) in apart {
            prop_assert!(apart <= WITHIN, "{name}: {apart:e}");
        }
        let u16s = [
            (&exact.stake_weight, &float.output.stake_weight),
            (&exact.consensus, &float.output.consensus),
            (&exact.validator_trust, &float.output.validator_trust),
            (&exact.incentive, &float.output.incentive),
            (&exact.dividends, &float.output.dividends),
        ];
        for (exact, float) in u16s {
            let apart = exact.iter().zip(float).map(|(exact, float)| exact.abs_diff(*float));
            prop_assert!(apart.max() <= Some(1));
        }
        prop_assert_eq!(exact.validator_permit, float.output.validator_permit);
        let paid = |amounts: &[Rao]| amounts.iter().map(|amount| amount.0).sum::<u64>();
        prop_assert!(paid(&float.output.emission) <= input.emission.0 + 1);
    }
}
