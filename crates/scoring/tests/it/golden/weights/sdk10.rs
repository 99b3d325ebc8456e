use adit_primitives::Uid;
use adit_scoring::weights::v10::{self, ProcessLimits};
use adit_testkit::{GoldenCase, GoldenFile, GoldenSuite, Outcome, Real, Tolerance};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{pairs, processed, reals, settled, uids};

pub(super) fn register(suite: &mut GoldenSuite) {
    for (system, prefix) in [("conversation", ""), ("quasar", "bittensor.weights.")] {
        let name = |function: &str| format!("{prefix}{function}");
        suite.on(system, &name("convert_weights_and_uids_for_emit"), emit);
        suite.on(system, &name("process_weights_for_netuid"), process);
    }
    suite.on("conversation", "normalize_max_weight", |file, case| {
        let input: Clip = case.input_as().unwrap();
        let weights: Vec<f32> = input.x.iter().map(|weight| weight.0 as f32).collect();
        let found = v10::clip_to_max_weight(&weights, input.limit.0);
        compared(
            file,
            case,
            found.map(|shares| reals(shares.into_iter().map(f64::from))),
        )
    });
    suite.on(
        "quasar",
        "bittensor.weights.normalize_max_weight",
        |file, case| {
            let input: Clip = case.input_as().unwrap();
            let weights: Vec<f64> = input.x.iter().map(|weight| weight.0).collect();
            let found = v10::clip_to_max_weight_f64(&weights, input.limit.0);
            compared(file, case, found.map(reals))
        },
    );
    suite.on(
        "omega",
        "weights.process_weights+convert_for_emit",
        |file, case| {
            let found = input(case).processed().and_then(|shares| {
                let emitted = v10::emit(&shares)?;
                Ok(json!({
                    "uids": uids(&shares),
                    "weights": reals(shares.iter().map(|(_, share)| *share)),
                    "emit_uids": uids(&emitted),
                    "emit_u16": emitted.iter().map(|(_, value)| *value).collect::<Vec<_>>(),
                }))
            });
            compared(file, case, found)
        },
    );
}

#[derive(Deserialize)]
struct Clip {
    x: Vec<Real>,
    limit: Real,
}

#[derive(Deserialize)]
struct Emit {
    uids: Vec<i64>,
    weights: Vec<Real>,
}

#[derive(Deserialize)]
struct Process {
    weights: Vec<Real>,
    #[serde(alias = "num_neurons")]
    n: usize,
    #[serde(alias = "min_allowed_weights")]
    min_allowed: usize,
    #[serde(alias = "max_weight_limit")]
    max_limit: Real,
    #[serde(default)]
    exclude_quantile: u16,
}

impl Process {
    fn processed(&self) -> adit_scoring::Result<Vec<(Uid, f64)>> {
        let weights: Vec<f64> = self.weights.iter().map(|weight| weight.0).collect();
        let limits = ProcessLimits {
            neurons: self.n,
            min_allowed: self.min_allowed,
            max_share: self.max_limit.0,
            exclude_quantile: self.exclude_quantile,
        };
        processed(&weights, &limits)
    }
}

fn input(case: &GoldenCase) -> Process {
    case.input_as().unwrap()
}

fn emit(file: &GoldenFile, case: &GoldenCase) -> Outcome {
    let input: Emit = case.input_as().unwrap();
    let weights: Vec<f64> = input.weights.iter().map(|weight| weight.0).collect();
    let Some(pairs) = pairs(&input.uids, &weights) else {
        return Outcome::when(case.raises().is_some(), "our types refuse it");
    };
    let found = v10::emit(&pairs).map(|emitted| {
        let values: Vec<u16> = emitted.iter().map(|(_, value)| *value).collect();
        json!([uids(&emitted), values])
    });
    compared(file, case, found)
}

fn process(file: &GoldenFile, case: &GoldenCase) -> Outcome {
    let found = input(case).processed().map(|shares| {
        json!({
            "uids": uids(&shares),
            "weights": reals(shares.iter().map(|(_, share)| *share)),
        })
    });
    compared(file, case, found)
}

fn compared(file: &GoldenFile, case: &GoldenCase, found: adit_scoring::Result<Value>) -> Outcome {
    settled(found, case.raises().is_some(), |found| {
        Outcome::compare_within(case, found, Tolerance::of(file, case))
    })
}
