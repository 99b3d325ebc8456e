//! System `quasar` but for its text metrics.

mod answers;
mod lengths;
mod miners;

use adit_testkit::GoldenSuite;
use serde_json::Value;

pub(super) fn register(suite: &mut GoldenSuite) {
    lengths::register(suite);
    answers::register(suite);
    miners::register(suite);
}

fn text<'case>(input: &'case Value, name: &str) -> &'case str {
    input[name].as_str().unwrap_or_default()
}

/// A number, also one that JSON cannot write.
fn number(input: &Value, name: &str) -> Option<f64> {
    serde_json::from_value::<adit_testkit::Real>(input[name].clone())
        .ok()
        .map(|real| real.0)
}

/// As [`number`], but 0 where there is none.
fn number_or_zero(input: &Value, name: &str) -> f64 {
    number(input, name).unwrap_or(0.0)
}

/// A list of numbers.
fn numbers(value: &Value) -> Vec<f64> {
    let numbers: Vec<adit_testkit::Real> = serde_json::from_value(value.clone()).unwrap();
    numbers.into_iter().map(|real| real.0).collect()
}

/// A list of numbers in single precision.
fn singles(value: &Value) -> Vec<f32> {
    numbers(value)
        .into_iter()
        .map(|number| number as f32)
        .collect()
}
