//! A real axon and a real dendrite on the wire: recorded requests are replayed byte by byte to our
//! server, and recorded answers to our client, at the recorded time.

use adit_primitives::ManualClock;
use adit_protocol::synapse::PyValue;
use adit_testkit::{GoldenSuite, Outcome};

use super::{Judged, document, items, text};
use crate::recorder;

mod calls;
mod minimal;
mod raw;

/// A nonce ahead of the clock.
const AHEAD: &str = "nonce-from-the-future";
/// A nonce that the hotkey used before, under another uuid.
const ONCE: &str = "nonce-serves-a-hotkey-once";
/// A caller whose version has nonces that do not follow the clock.
const UNTIMED: &str = "nonces-follow-the-clock";
/// An answer's header names in another case than the lower one.
const CASELESS: &str = "header-names-without-case";
/// What an answer says of its two ends.
const AS_ASKED: &str = "answer-keeps-what-was-asked";
/// An answer of which a part does not make sense.
const WHOLE: &str = "half-read-answer-changes-nothing";

pub(super) fn register(suite: &mut GoldenSuite) {
    suite.on_document("chain", "axon_http", |_| {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(all_of(&document("axon_http")))
    });
}

async fn all_of(document: &PyValue) -> Judged {
    let own = text(document, "axon_hotkey");
    let clock = ManualClock::default();
    let (address, task) = recorder::serve(recorder::axon(recorder::key_of(own), &clock)).await;
    let mut judged = Judged::new();
    let mut judge = |id: String, outcome: Outcome| judged.push(("axon_http".into(), id, outcome));
    let mut state = raw::Accepted::default();
    for (index, case) in items(document.get("raw_cases")).iter().enumerate() {
        let outcome = raw::judge(case, address, &clock, &mut state).await;
        judge(format!("raw {index} {}", text(case, "case")), outcome);
    }
    for (index, case) in items(document.get("dendrite_cases")).iter().enumerate() {
        let outcome = calls::judge(document, case, address, &clock).await;
        judge(format!("call {index} {}", text(case, "case")), outcome);
    }
    let minimal = items(document.get("client_against_minimal_server"));
    for (index, case) in minimal.iter().enumerate() {
        let outcome = minimal::judge(document, case).await;
        judge(format!("minimal {index} {}", text(case, "case")), outcome);
    }
    task.abort();
    judged
}

/// A message without what changes from run to run: random ids, and seconds measured.
fn kind_of(message: &str) -> String {
    if let Some((words, _)) = message.split_once('#') {
        return words.to_owned();
    }
    if message.contains("acceptable delta") {
        return message.replace(|c: char| c.is_ascii_digit() || c == '.', "");
    }
    // What a parser complains of is its own.
    for words in [
        "Failed to parse response",
        "Service disconnected",
        "Payload error",
        "Not Verified with error: Invalid SS58 address",
        "Not Verified with error: Invalid hex string",
    ] {
        if message.starts_with(words) {
            return words.to_owned();
        }
    }
    message.to_owned()
}

/// The recorder's clock when it answered, in nanoseconds since the Unix epoch: exact where the
/// answer carries the axon's own nonce, else the middle of the second that its date names.
fn recorded_now(lines: &[(String, String)]) -> u64 {
    let header = |name: &str| {
        let found = lines
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, text)| text.as_str())
    };
    if let Some(nonce) = header("bt_header_axon_nonce") {
        return nonce.parse().unwrap();
    }
    let date = header("date").unwrap();
    // Sat, 21 Nov 2026 10:35:11 GMT
    let parts: Vec<&str> = date.split([' ', ':']).collect();
    let number = |index: usize| parts[index].parse::<u64>().unwrap();
    let months = "JanFebMarAprMayJunJulAugSepOctNovDec";
    let month = months.find(parts[2]).unwrap() as u64 / 3 + 1;
    let days = days_before(number(3), month) + number(1) - 1;
    let seconds = ((days * 24 + number(4)) * 60 + number(5)) * 60 + number(6);
    seconds * 1_000_000_000 + 500_000_000
}

/// Days from 1970 to the first of a month.
fn days_before(year: u64, month: u64) -> u64 {
    // True of every year until 2100.
    let leap = |year: u64| year.is_multiple_of(4);
    let years: u64 = (1970..year).map(|year| 365 + u64::from(leap(year))).sum();
    let lengths = [
        31,
        28 + u64::from(leap(year)),
        31,
        30,
        31,
        30,
        31,
        31,
        30,
        31,
        30,
        31,
    ];
    years + lengths.iter().take(month as usize - 1).sum::<u64>()
}

/// Recorded header lines as pairs, without the first line.
fn recorded_headers(case: &PyValue, key: &str) -> Vec<(String, String)> {
    let lines = items(case.get(key)).iter().skip(1);
    lines
        .map(|line| recorder::pair(line.as_str().unwrap()))
        .collect()
}

/// The recorded request, as bytes.
fn recorded_request(case: &PyValue) -> Vec<u8> {
    let lines = items(case.get("request_lines")).iter();
    let lines: Vec<&str> = lines.map(|line| line.as_str().unwrap()).collect();
    format!(
        "{}\r\n\r\n{}",
        lines.join("\r\n"),
        text(case, "request_body")
    )
    .into_bytes()
}

/// Differences between two synapses' declared fields, name and timeout.
fn different_fields(found: &PyValue, expected: &PyValue, name: &str) -> Option<String> {
    let schema = recorder::schema(name);
    let own = schema.fields().iter().map(|field| field.name.as_str());
    own.chain(["name", "timeout"]).find_map(|field| {
        let (found, expected) = (found.get(field), expected.get(field));
        (found != expected).then(|| format!("{field}: found {found:?}, expected {expected:?}"))
    })
}
