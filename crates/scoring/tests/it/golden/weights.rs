//! Weights: both versions of the field's SDK, and what the systems do around them.

use adit_primitives::Uid;
use adit_scoring::weights::v10::{self, ProcessLimits};
use adit_testkit::{GoldenSuite, Outcome, real};
use serde_json::{Value, json};

mod chain;
mod inference;
mod sdk10;
mod sync;

pub(super) fn register(suite: &mut GoldenSuite) {
    chain::register(suite);
    inference::register(suite);
    sdk10::register(suite);
    sync::register(suite);
}

/// Uids beside numbers as pairs; nothing where our types already refuse them: lists of different
/// lengths and uids outside 0 to 65,535.
fn pairs<T: Copy>(uids: &[i64], numbers: &[T]) -> Option<Vec<(Uid, T)>> {
    if uids.len() != numbers.len() {
        return None;
    }
    let pairs = uids.iter().zip(numbers);
    pairs
        .map(|(uid, number)| Some((Uid(u16::try_from(*uid).ok()?), *number)))
        .collect()
}

/// `{"uids": …, "weights": …}` by the rules of version 10, over neurons 0 to n − 1.
fn processed(weights: &[f64], limits: &ProcessLimits) -> adit_scoring::Result<Vec<(Uid, f64)>> {
    let weights: Vec<(Uid, f32)> = (0..=u16::MAX)
        .map(Uid)
        .zip(weights.iter().map(|weight| *weight as f32))
        .collect();
    v10::process(&weights, limits)
}

fn uids<T>(pairs: &[(Uid, T)]) -> Value {
    pairs.iter().map(|(uid, _)| json!(uid.0)).collect()
}

fn reals(numbers: impl IntoIterator<Item = f64>) -> Value {
    numbers.into_iter().map(real).collect()
}

/// Compares an answer, or finds an error where the original raised one.
fn settled(
    found: adit_scoring::Result<Value>,
    raises: bool,
    compare: impl FnOnce(&Value) -> Outcome,
) -> Outcome {
    match found {
        Ok(found) if raises => Outcome::Failed(format!("{found} where the original raises")),
        Ok(found) => compare(&found),
        Err(error) => Outcome::when(raises, error.to_string()),
    }
}
