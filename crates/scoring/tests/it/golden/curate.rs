use adit_scoring::Result;
use adit_testkit::{GoldenCase, GoldenSuite, Outcome, Tolerance};
use serde_json::{Value, json};

mod answers;
mod clips;
mod duplicates;
mod motion;
mod sampling;
mod shards;
mod text_overlay;

pub(super) fn register(suite: &mut GoldenSuite) {
    clips::register(suite);
    answers::register(suite);
    motion::register(suite);
    text_overlay::register(suite);
    duplicates::register(suite);
    sampling::register(suite);
    shards::register(suite);
}

/// Ours answers what the original answered, or refuses where it raised an error.
fn settle(case: &GoldenCase, found: Result<Value>, tolerance: Tolerance) -> Outcome {
    match (found, case.expected.get("error")) {
        (Ok(found), None) => Outcome::compare_within(case, &json!({ "ok": found }), tolerance),
        (Err(_), Some(_)) => Outcome::Passed,
        (Ok(found), Some(_)) => Outcome::Failed(format!("answered {found}")),
        (Err(error), None) => Outcome::Failed(format!("refused: {error}")),
    }
}

/// As [`settle`], equal to the last digit.
fn exactly(case: &GoldenCase, found: Result<Value>) -> Outcome {
    settle(case, found, Tolerance::EXACT)
}

fn number(case: &GoldenCase, name: &str) -> f64 {
    case.input[name].as_f64().unwrap()
}

fn whole(case: &GoldenCase, name: &str) -> u64 {
    case.input[name].as_u64().unwrap()
}

fn flag(case: &GoldenCase, name: &str) -> bool {
    case.input[name].as_bool().unwrap()
}
