//! Every recorded vector of this crate, or those of `$ADIT_GOLDEN`, with a report.

use adit_testkit::GoldenSuite;
use serde_json::Value;

mod commit_reveal;
mod scale;
mod schedule;

#[test]
fn every_vector_of_the_chain() {
    let mut suite = GoldenSuite::new("adit-chain");
    commit_reveal::register(&mut suite);
    scale::register(&mut suite);
    schedule::register(&mut suite);
    let report = suite.run(false).unwrap();
    assert!(report.is_green(), "some vectors fail or are not covered");
}

/// The items of a list; none where there is no list.
fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap().trim_start_matches("0x")).unwrap()
}

fn numbers(value: &Value) -> Vec<u16> {
    let numbers = items(value).iter();
    numbers
        .map(|item| u16::try_from(number(item)).unwrap())
        .collect()
}
