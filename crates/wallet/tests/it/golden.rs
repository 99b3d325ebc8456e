//! Every vector recorded from the Python wallets, or from `$ADIT_GOLDEN`, with a report.

use adit_testkit::{GoldenSuite, Outcome};
use serde_json::Value;

mod files;
mod keys;

#[test]
fn every_vector_of_the_python_wallets() {
    let mut suite = GoldenSuite::new("adit-wallet");
    suite.on_document("chain", "wallet", |document| {
        [keys::settle(document), files::settle(document)].concat()
    });
    suite.on_document("chain", "legacy_fernet", |document| {
        let cases = document.get("cases");
        each(cases, "legacy_fernet", "label", files::encrypted)
    });
    let report = suite.run(false).unwrap();
    assert!(report.is_green(), "some vectors fail or are not covered");
}

/// Settles each case of a list, named by its place and what it says of itself.
fn each(
    cases: Option<&Value>,
    function: &str,
    name: &str,
    settle: impl Fn(&Value) -> Outcome,
) -> Vec<(String, String, Outcome)> {
    let cases = cases.and_then(Value::as_array).unwrap();
    let settled = cases.iter().enumerate().map(|(place, case)| {
        let id = format!("{place} {}", text(case, name).unwrap_or_default());
        (function.to_owned(), id, settle(case))
    });
    settled.collect()
}

fn text<'case>(case: &'case Value, field: &str) -> Option<&'case str> {
    case.get(field).and_then(Value::as_str)
}

/// Bytes in hex, with or without `0x`.
fn bytes(text: &str) -> Vec<u8> {
    hex::decode(text.strip_prefix("0x").unwrap_or(text)).unwrap()
}

/// Equal, or the difference.
fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: T, recorded: T) -> Outcome {
    let so = found == recorded;
    Outcome::when(so, format!("{what}: {found:?}, recorded {recorded:?}"))
}

/// The first that did not pass.
fn all(outcomes: impl IntoIterator<Item = Outcome>) -> Outcome {
    let mut outcomes = outcomes.into_iter();
    outcomes
        .find(|outcome| *outcome != Outcome::Passed)
        .unwrap_or(Outcome::Passed)
}
