//! The epoch against the chain's own, in every layout, from the recorded vectors or those of
//! `$ADIT_GOLDEN`.

use adit_primitives::{Block, Rao, Uid};
use adit_testkit::{GoldenSuite, Outcome};
use adit_yuma::{
    EpochInput, EpochNeuron, EpochParameters, Layout, LiquidAlpha, epoch, epoch_traced,
    max_upscale, within_max_weight,
};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Case {
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
    /// Inside the crate: checked there.
    #[serde(other)]
    Internal,
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

fn read(case: &Case) -> (EpochInput, EpochParameters) {
    let (cfg, input) = (&case.cfg, &case.input);
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
    (epoch_input, parameters)
}

/// Names of the results that differ from the recorded ones.
fn differences(case: &Case) -> Result<Vec<String>, adit_yuma::Error> {
    let (input, parameters) = read(case);
    let (expected, bits) = (&case.out, &case.out.bits);
    let mut differing = Vec::new();
    for layout in [Layout::Sparse, Layout::Dense] {
        let (output, trace) = epoch_traced(&input, &parameters, layout)?;
        let compared = [
            ("stake", trace.stake == bits.stake),
            ("active stake", trace.active_stake == bits.active_stake),
            ("weights", trace.weights == uids(&bits.weights_normalized)),
            ("consensus", trace.consensus == bits.consensus),
            (
                "clipped",
                trace.clipped_weights == uids(&bits.weights_clipped),
            ),
            ("trust", trace.validator_trust == bits.validator_trust),
            ("ranks", trace.ranks == bits.ranks_before_normalize),
            ("incentive", trace.incentive == bits.incentive),
            (
                "bond weights",
                trace.bond_weights == uids(&bits.weights_for_bonds),
            ),
            ("bonds", trace.bonds == uids(&bits.ema_bonds)),
            ("dividends", trace.dividends == bits.dividends),
            ("active", output.active == expected.active),
            (
                "stake u16",
                output.stake_weight == expected.stake_weight_u16,
            ),
            (
                "permits",
                output.validator_permit == expected.new_validator_permit,
            ),
            ("consensus u16", output.consensus == expected.consensus_u16),
            ("incentive u16", output.incentive == expected.incentive_u16),
            ("dividends u16", output.dividends == expected.dividends_u16),
            (
                "trust u16",
                output.validator_trust == expected.validator_trust_u16,
            ),
            (
                "server rao",
                output.server_emission == rao(&expected.server_emission),
            ),
            (
                "validator rao",
                output.validator_emission == rao(&expected.validator_emission),
            ),
            ("rao", output.emission == rao(&expected.emission)),
            ("bonds u16", output.bonds == uids(&expected.bonds_u16)),
        ];
        let unequal = compared.iter().filter(|(_, is_equal)| !is_equal);
        differing.extend(unequal.map(|(name, _)| format!("{layout:?} {name}")));
        if epoch(&input, &parameters)? != output {
            differing.push(format!("{layout:?} is not the automatic layout"));
        }
    }
    Ok(differing)
}

fn answer_epoch(case: &Value) -> Outcome {
    let found = Case::deserialize(case)
        .map_err(|error| error.to_string())
        .and_then(|case| differences(&case).map_err(|error| error.to_string()));
    match found {
        Ok(differing) => Outcome::when(differing.is_empty(), differing.join(", ")),
        Err(error) => Outcome::Failed(error),
    }
}

fn answer_math(case: &Value) -> Option<Outcome> {
    let is_equal = match Math::deserialize(case) {
        Ok(Math::MaxUpscale { x, out }) => max_upscale(&x) == out,
        Ok(Math::CheckVecMaxLimited { x, limit, out }) => within_max_weight(&x, limit) == out,
        Ok(Math::Internal) => return None,
        Err(error) => return Some(Outcome::Failed(error.to_string())),
    };
    Some(Outcome::when(is_equal, "another answer"))
}

fn label(case: &Value) -> String {
    case["label"]
        .as_str()
        .unwrap_or("without a label")
        .to_owned()
}

fn answers(document: &Value) -> Vec<(String, String, Outcome)> {
    let list = |cases: &Value| cases.as_array().cloned().unwrap_or_default();
    let mut answers = Vec::new();
    for (scenario, epochs) in document["transcribed_scenarios"]
        .as_object()
        .into_iter()
        .flatten()
    {
        let function = format!("yuma.{scenario}");
        let epochs = list(epochs).into_iter();
        answers.extend(epochs.map(|case| (function.clone(), label(&case), answer_epoch(&case))));
    }
    for case in list(&document["random"]) {
        answers.push(("yuma.random".to_owned(), label(&case), answer_epoch(&case)));
    }
    for (index, case) in list(&document["math"]).into_iter().enumerate() {
        if let Some(outcome) = answer_math(&case) {
            let function = format!("yuma.{}", case["fn"].as_str().unwrap_or("math"));
            answers.push((function, index.to_string(), outcome));
        }
    }
    answers
}

#[test]
fn every_vector_of_the_chain() {
    let mut suite = GoldenSuite::new("adit-yuma");
    suite.on_document("chain", "yuma", answers);
    let report = suite.run(false).unwrap();
    assert!(report.is_green(), "some vectors fail or are not covered");
}
