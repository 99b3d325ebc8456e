use std::collections::BTreeMap;

use adit_primitives::{Block, Rao, Uid};
use adit_testkit::load_json;
use adit_yuma::{
    EpochInput, EpochNeuron, EpochParameters, LiquidAlpha, epoch_traced, max_upscale,
    within_max_weight,
};
use serde::Deserialize;

#[derive(Deserialize)]
struct Golden {
    transcribed_scenarios: BTreeMap<String, Vec<Case>>,
    random: Vec<Case>,
    math: Vec<Math>,
}

#[derive(Deserialize)]
struct Case {
    label: String,
    cfg: Configuration,
    #[serde(rename = "in")]
    input: Input,
    out: Output,
}

#[derive(Deserialize)]
struct Configuration {
    kappa: u16,
    bonds_penalty: u16,
    bonds_moving_average: u64,
    yuma3: bool,
    liquid_alpha: bool,
    alpha_low: u16,
    alpha_high: u16,
    alpha_sigmoid_steepness: i16,
    activity_cutoff: u64,
    max_allowed_validators: u16,
    min_stake: u64,
    owner_uid: Option<u16>,
    rao_emission: u64,
}

type Cells<T> = Vec<Vec<(u16, T)>>;

#[derive(Deserialize)]
struct Input {
    stake: Vec<u64>,
    last_update: Vec<u64>,
    block_at_registration: Vec<u64>,
    current_block: u64,
    last_tempo: u64,
    validator_permit: Vec<bool>,
    weights: Cells<u16>,
    bonds: Cells<u16>,
    commit_blocks: Option<Vec<u64>>,
}

#[derive(Deserialize)]
struct Output {
    active: Vec<bool>,
    stake_weight_u16: Vec<u16>,
    new_validator_permit: Vec<bool>,
    consensus_u16: Vec<u16>,
    incentive_u16: Vec<u16>,
    dividends_u16: Vec<u16>,
    validator_trust_u16: Vec<u16>,
    server_emission: Vec<u64>,
    validator_emission: Vec<u64>,
    emission: Vec<u64>,
    bonds_u16: Cells<u16>,
    bits: Bits,
}

#[derive(Deserialize)]
struct Bits {
    stake: Vec<i64>,
    active_stake: Vec<i64>,
    weights_normalized: Cells<i64>,
    consensus: Vec<i64>,
    weights_clipped: Cells<i64>,
    validator_trust: Vec<i64>,
    ranks_before_normalize: Vec<i64>,
    incentive: Vec<i64>,
    weights_for_bonds: Cells<i64>,
    ema_bonds: Cells<i64>,
    dividends: Vec<i64>,
}

#[derive(Deserialize)]
#[serde(tag = "fn", rename_all = "snake_case")]
enum Math {
    #[serde(rename = "vec_u16_max_upscale_to_u16")]
    MaxUpscale {
        x: Vec<u16>,
        out: Vec<u16>,
    },
    CheckVecMaxLimited {
        x: Vec<u16>,
        limit: u16,
        out: bool,
    },
    #[serde(other)]
    Internal,
}

fn golden() -> Golden {
    load_json("golden/chain/yuma.json").unwrap()
}

fn rows(cells: &Cells<u16>, uid: usize) -> Vec<(Uid, u16)> {
    cells[uid]
        .iter()
        .map(|&(j, value)| (Uid(j), value))
        .collect()
}

fn uids<T: Copy>(cells: &Cells<T>) -> Vec<Vec<(Uid, T)>> {
    cells
        .iter()
        .map(|row| row.iter().map(|&(j, value)| (Uid(j), value)).collect())
        .collect()
}

fn rao(amounts: &[u64]) -> Vec<Rao> {
    amounts.iter().copied().map(Rao).collect()
}

fn check(case: &Case) {
    let (cfg, input, label) = (&case.cfg, &case.input, &case.label);
    let neurons = (0..input.stake.len())
        .map(|uid| EpochNeuron {
            stake: Rao(input.stake[uid]),
            last_update: Block(input.last_update[uid]),
            registered_at: Block(input.block_at_registration[uid]),
            validator_permit: input.validator_permit[uid],
            earliest_commit: input
                .commit_blocks
                .as_ref()
                .map(|blocks| blocks[uid])
                .filter(|&block| block != u64::MAX)
                .map(Block),
            weights: rows(&input.weights, uid),
            bonds: rows(&input.bonds, uid),
        })
        .collect();
    let epoch_input = EpochInput {
        current_block: Block(input.current_block),
        last_epoch: Block(input.last_tempo),
        emission: Rao(cfg.rao_emission),
        neurons,
    };
    let parameters = EpochParameters {
        kappa: cfg.kappa,
        bonds_penalty: cfg.bonds_penalty,
        bonds_moving_average: cfg.bonds_moving_average,
        yuma3: cfg.yuma3,
        liquid_alpha: cfg.liquid_alpha.then_some(LiquidAlpha {
            low: cfg.alpha_low,
            high: cfg.alpha_high,
            steepness: cfg.alpha_sigmoid_steepness,
        }),
        activity_cutoff: cfg.activity_cutoff,
        max_validators: cfg.max_allowed_validators,
        stake_threshold: Rao(cfg.min_stake),
        owner: cfg.owner_uid.map(Uid),
    };
    let (output, trace) = epoch_traced(&epoch_input, &parameters).unwrap();
    let (expected, bits) = (&case.out, &case.out.bits);

    assert_eq!(trace.stake, bits.stake, "{label}: stake");
    assert_eq!(
        trace.active_stake, bits.active_stake,
        "{label}: active stake"
    );
    assert_eq!(
        trace.weights,
        uids(&bits.weights_normalized),
        "{label}: weights"
    );
    assert_eq!(trace.consensus, bits.consensus, "{label}: consensus");
    assert_eq!(
        trace.clipped_weights,
        uids(&bits.weights_clipped),
        "{label}: clipped"
    );
    assert_eq!(
        trace.validator_trust, bits.validator_trust,
        "{label}: trust"
    );
    assert_eq!(trace.ranks, bits.ranks_before_normalize, "{label}: ranks");
    assert_eq!(trace.incentive, bits.incentive, "{label}: incentive");
    assert_eq!(
        trace.bond_weights,
        uids(&bits.weights_for_bonds),
        "{label}: bond weights"
    );
    assert_eq!(trace.bonds, uids(&bits.ema_bonds), "{label}: bonds");
    assert_eq!(trace.dividends, bits.dividends, "{label}: dividends");

    assert_eq!(output.active, expected.active, "{label}");
    assert_eq!(output.stake_weight, expected.stake_weight_u16, "{label}");
    assert_eq!(
        output.validator_permit, expected.new_validator_permit,
        "{label}"
    );
    assert_eq!(output.consensus, expected.consensus_u16, "{label}");
    assert_eq!(output.incentive, expected.incentive_u16, "{label}");
    assert_eq!(output.dividends, expected.dividends_u16, "{label}");
    assert_eq!(
        output.validator_trust, expected.validator_trust_u16,
        "{label}"
    );
    assert_eq!(
        output.server_emission,
        rao(&expected.server_emission),
        "{label}"
    );
    assert_eq!(
        output.validator_emission,
        rao(&expected.validator_emission),
        "{label}"
    );
    assert_eq!(output.emission, rao(&expected.emission), "{label}");
    assert_eq!(output.bonds, uids(&expected.bonds_u16), "{label}");
}

#[test]
fn scenarios_of_the_chains_own_tests_are_exact() {
    let scenarios = golden().transcribed_scenarios;
    assert_eq!(scenarios.values().map(Vec::len).sum::<usize>(), 29);
    for case in scenarios.values().flatten() {
        check(case);
    }
}

#[test]
fn random_epochs_are_exact() {
    let cases = golden().random;
    assert_eq!(cases.len(), 117);
    for case in &cases {
        check(case);
    }
}

#[test]
fn submitted_weights_are_scaled_and_limited_as_on_the_chain() {
    let mut checked = 0;
    for case in golden().math {
        match case {
            Math::MaxUpscale { x, out } => assert_eq!(max_upscale(&x), out),
            Math::CheckVecMaxLimited { x, limit, out } => {
                assert_eq!(within_max_weight(&x, limit), out, "{x:?} {limit}");
            }
            Math::Internal => continue,
        }
        checked += 1;
    }
    assert_eq!(checked, 33);
}
