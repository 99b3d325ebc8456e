//! Conformance requests against our axon.

use std::{collections::HashSet, net::SocketAddr};

use adit_primitives::ManualClock;
use adit_protocol::synapse::{FIRST_TIMED_VERSION, PyValue, read_json};
use adit_testkit::Outcome;

use super::{
    super::text, AHEAD, ONCE, UNTIMED, different_fields, kind_of, recorded_headers, recorded_now,
    recorded_request,
};
use crate::recorder::{self, RawAnswer};

/// Hotkeys and nonces of requests that the recorded axon took.
pub(super) type Accepted = HashSet<(String, String)>;

pub(super) async fn judge(
    case: &PyValue,
    address: SocketAddr,
    clock: &ManualClock,
    accepted: &mut Accepted,
) -> Outcome {
    let now = recorded_now(&recorded_headers(case, "response_lines"));
    clock.set_nanos(now);
    let answer = recorder::raw(address, &recorded_request(case)).await;
    let sent = recorded_headers(case, "request_lines");
    let expected = case.get("status").and_then(PyValue::as_i64).unwrap();
    let rule = rule_for(&sent, now, accepted);
    if expected == 200 {
        accepted.insert(used(&sent));
    }
    match compare(case, &answer, expected) {
        None => Outcome::Passed,
        Some(_) if expected == 200 && answer.status == 401 && rule.is_some() => {
            Outcome::Deviates(rule.unwrap())
        }
        Some(why) => Outcome::Failed(why),
    }
}

fn header<'h>(sent: &'h [(String, String)], name: &str) -> Option<&'h str> {
    let found = sent
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(name));
    found.map(|(_, text)| text.as_str())
}

fn used(sent: &[(String, String)]) -> (String, String) {
    let text = |name| header(sent, name).unwrap_or_default().to_owned();
    (
        text("bt_header_dendrite_hotkey"),
        text("bt_header_dendrite_nonce"),
    )
}

/// The rule under which ours refuses what Python takes, by the request and what came before.
fn rule_for(sent: &[(String, String)], now: u64, accepted: &Accepted) -> Option<&'static str> {
    let nonce: u64 = header(sent, "bt_header_dendrite_nonce")?.parse().ok()?;
    let version = header(sent, "bt_header_dendrite_version");
    let version = version.and_then(|version| version.parse::<i64>().ok());
    if nonce > now + 4_000_000_000 {
        Some(AHEAD)
    } else if accepted.contains(&used(sent)) {
        Some(ONCE)
    } else if version.is_none_or(|version| version < FIRST_TIMED_VERSION)
        && nonce < now - 4_000_000_000
    {
        Some(UNTIMED)
    } else {
        None
    }
}

/// The first difference in status, kind of message, fields and the headers' names.
fn compare(case: &PyValue, answer: &RawAnswer, expected: i64) -> Option<String> {
    if answer.status != expected {
        let body = String::from_utf8_lossy(&answer.body);
        return Some(format!(
            "status {}, expected {expected}: {body}",
            answer.status
        ));
    }
    let (found, recorded) = (
        answer.json(),
        read_json(text(case, "response_body").as_bytes()),
    );
    // The answer to HEAD has no body.
    let recorded = recorded.unwrap_or(PyValue::None);
    let message = |value: &PyValue| {
        let message = value.get("message").and_then(PyValue::as_str);
        message.map(kind_of)
    };
    if message(&found) != message(&recorded) {
        return Some(format!(
            "{:?}, expected {:?}",
            message(&found),
            message(&recorded)
        ));
    }
    if expected == 200 {
        let name = found
            .get("name")
            .and_then(PyValue::as_str)
            .unwrap()
            .to_owned();
        if let Some(why) = different_fields(&found, &recorded, &name) {
            return Some(why);
        }
    } else if message(&recorded).is_none() && found != recorded {
        return Some(format!("{found:?}, expected {recorded:?}"));
    }
    let upper = answer.headers.iter().map(|(name, _)| name);
    if let Some(name) = upper
        .into_iter()
        .find(|name| name.chars().any(char::is_uppercase))
    {
        return Some(format!("header {name} is not in lower case"));
    }
    // Ours may say more of the two ends; the hash of an error's empty synapse says nothing.
    let recorded = recorded_headers(case, "response_lines");
    let missing = recorded.iter().find(|(name, text)| {
        let same = match name.as_str() {
            "name" | "timeout" | "bt_header_axon_status_code" => answer.header(name) == Some(text),
            "server" | "Connection" | "date" => true,
            "computed_body_hash" if expected != 200 => true,
            name => answer.header(name).is_some(),
        };
        !same
    });
    missing.map(|(name, text)| {
        format!(
            "header {name}: found {:?}, expected {text:?}",
            answer.header(name)
        )
    })
}
