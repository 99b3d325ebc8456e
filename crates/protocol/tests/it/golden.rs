//! Every vector of what goes over the wire between neurons, or those of `$ADIT_GOLDEN`.

use std::{env, fs, path::PathBuf};

use adit_protocol::synapse::{PyValue, read_json};
use adit_testkit::{GoldenSuite, Outcome, fixture};

mod axon_http;
mod body_hash;
mod btauth;
mod dendrite_headers;
mod numbers;

#[test]
fn every_vector_of_the_wire() {
    let mut suite = GoldenSuite::new("adit-protocol");
    axon_http::register(&mut suite);
    body_hash::register(&mut suite);
    btauth::register(&mut suite);
    dendrite_headers::register(&mut suite);
    numbers::register(&mut suite);
    let report = suite.run(false).unwrap();
    assert!(report.is_green(), "some vectors fail or are not covered");
}

type Judged = Vec<(String, String, Outcome)>;
/// Says what became of a case.
type Judge = fn(&PyValue) -> Outcome;

/// Answers the lists of a document case by case.
///
/// The document is read anew by our own reader: body hashes depend on the order of keys and on
/// integers beyond 64 bits, neither of which the harness's JSON keeps.
fn on_lists<const N: usize>(
    suite: &mut GoldenSuite,
    stem: &'static str,
    lists: [(&'static str, Judge); N],
) {
    suite.on_document("chain", stem, move |_| {
        let document = document(stem);
        let mut judged = Judged::new();
        for (list, judge) in lists {
            for (index, case) in items(document.get(list)).iter().enumerate() {
                judged.push((
                    stem.to_owned(),
                    format!("{list} {index}"),
                    guarded(case, judge),
                ));
            }
        }
        judged
    });
}

fn document(stem: &str) -> PyValue {
    let root = env::var_os("ADIT_GOLDEN").map_or_else(|| fixture("golden"), PathBuf::from);
    let bytes = fs::read(root.join(format!("chain/{stem}.json"))).unwrap();
    read_json(&bytes).unwrap()
}

/// A case that panics has failed, as the harness has it for its own layout.
fn guarded(case: &PyValue, judge: Judge) -> Outcome {
    std::panic::catch_unwind(|| judge(case))
        .unwrap_or_else(|_| Outcome::Failed(format!("panicked on {case:?}")))
}

fn items(value: Option<&PyValue>) -> &[PyValue] {
    value.and_then(PyValue::items).unwrap_or_default()
}

fn entries(value: Option<&PyValue>) -> Vec<(&str, &PyValue)> {
    let Some(PyValue::Dict(entries)) = value else {
        return Vec::new();
    };
    entries
        .iter()
        .map(|(key, value)| (key.as_str().unwrap(), value))
        .collect()
}

fn text<'v>(value: &'v PyValue, key: &str) -> &'v str {
    value
        .get(key)
        .and_then(PyValue::as_str)
        .unwrap_or_else(|| panic!("no text {key}"))
}

/// Passed when both are the same.
fn same<T: PartialEq + std::fmt::Debug>(found: T, expected: T) -> Outcome {
    let why = format!("found {found:?}, expected {expected:?}");
    Outcome::when(found == expected, why)
}

/// The first outcome that is not passed.
fn all(outcomes: impl IntoIterator<Item = Outcome>) -> Outcome {
    let mut outcomes = outcomes.into_iter();
    outcomes
        .find(|outcome| *outcome != Outcome::Passed)
        .unwrap_or(Outcome::Passed)
}
