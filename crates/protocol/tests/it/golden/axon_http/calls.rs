//! Whole exchanges of a real dendrite with a real axon: our client takes the dendrite's place, and
//! then our server the axon's.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use adit_primitives::ManualClock;
use adit_protocol::synapse::{
    Dendrite, DendriteAnswer, DendriteOptions, DendriteTarget, PyValue, read_json,
};
use adit_testkit::Outcome;

use super::{
    super::{items, text},
    different_fields, kind_of, recorded_headers, recorded_now, recorded_request,
};
use crate::recorder;

/// Headers that an HTTP library adds.
const LIBRARY: [&str; 5] = [
    "host",
    "accept",
    "accept-encoding",
    "user-agent",
    "content-length",
];
/// What differs from run to run: nonces, names of processes, signatures, sizes in memory, ports.
const VOLATILE: [&str; 6] = [
    "bt_header_dendrite_nonce",
    "bt_header_dendrite_uuid",
    "bt_header_dendrite_signature",
    "bt_header_axon_port",
    "header_size",
    "total_size",
];

pub(super) async fn judge(
    document: &PyValue,
    case: &PyValue,
    axon: SocketAddr,
    clock: &ManualClock,
) -> Outcome {
    clock.set_nanos(recorded_now(&recorded_headers(case, "response_lines")));
    let differs = match our_client(document, case, clock).await {
        Some(why) => Some(format!("our client: {why}")),
        None => our_server(case, axon)
            .await
            .map(|why| format!("our server: {why}")),
    };
    differs.map_or(Outcome::Passed, Outcome::Failed)
}

/// Asks as the dendrite asked, is answered as the axon answered, and compares both.
async fn our_client(document: &PyValue, case: &PyValue, clock: &ManualClock) -> Option<String> {
    let sent = recorded_headers(case, "request_lines");
    let header = |name: &str| {
        let found = sent.iter().find(|(known, _)| known == name);
        found.map(|(_, text)| text.clone()).unwrap_or_default()
    };
    let schema = recorder::schema(&header("name"));
    let recorded_body = read_json(text(case, "request_body").as_bytes()).unwrap();
    let asked = schema.read(&recorded_body).unwrap();
    let (server, captured) = recorder::answer_once(recorded_answer(case)).await;
    let caller = recorder::key_of(text(document, "dendrite_hotkey"));
    let dendrite = Dendrite::new(caller)
        .clock(Arc::new(clock.clone()))
        .options(DendriteOptions {
            timeout: Duration::from_secs_f64(header("timeout").parse().unwrap()),
            external_ip: header("bt_header_dendrite_ip").parse().ok(),
            ..Default::default()
        });
    let callee = text(document, "axon_hotkey").parse().unwrap();
    let target = DendriteTarget::new(server, callee);
    let difference = if schema.is_streaming() {
        let mut stream = dendrite.stream(&target, &schema, asked).await.unwrap();
        let mut whole = Vec::new();
        while let Some(chunk) = stream.next().await {
            whole.extend_from_slice(&chunk.unwrap());
        }
        let chunks = items(case.get("chunks")).iter().filter_map(PyValue::as_str);
        let expected: String = chunks
            .filter(|chunk| !chunk.starts_with("FINAL:"))
            .collect();
        (whole != expected.as_bytes()).then(|| format!("{whole:?}, expected {expected:?}"))
    } else {
        let answer = dendrite.exchange(&target, &schema, asked).await;
        different_view(&answer, case.get("client_view").unwrap(), schema.name())
    };
    let request = captured.await.unwrap();
    difference.or_else(|| different_request(&request, case, &sent, &recorded_body))
}

fn recorded_answer(case: &PyValue) -> Vec<u8> {
    let lines = items(case.get("response_lines")).iter();
    let lines: Vec<&str> = lines.map(|line| line.as_str().unwrap()).collect();
    format!(
        "{}\r\n\r\n{}",
        lines.join("\r\n"),
        text(case, "response_body")
    )
    .into_bytes()
}

fn different_view(answer: &DendriteAnswer, view: &PyValue, name: &str) -> Option<String> {
    let found = read_json(answer.body.to_json().as_bytes()).unwrap();
    let status = |whose: &str| {
        view.get(whose)
            .unwrap()
            .get("status_code")
            .unwrap()
            .as_i64()
    };
    let message = view
        .get("dendrite")
        .unwrap()
        .get("status_message")
        .unwrap()
        .as_str();
    let success = view.get("is_success") == Some(&PyValue::Bool(true));
    if (answer.status_code, answer.axon_status) != (status("dendrite"), status("axon"))
        || answer.is_success() != success
        || answer.status_message.as_deref().map(kind_of) != message.map(kind_of)
    {
        return Some(format!("{answer:?}, expected {view:?}"));
    }
    let kept = |end: &str| found.get(end).and_then(|end| end.get("hotkey")).cloned();
    let expected = |end: &str| view.get(end).and_then(|end| end.get("hotkey")).cloned();
    if kept("axon") != expected("axon") || kept("dendrite") != expected("dendrite") {
        return Some(format!("other ends: {found:?}, expected {view:?}"));
    }
    different_fields(&found, view.get("fields").unwrap(), name)
}

fn different_request(
    request: &[u8],
    case: &PyValue,
    recorded: &[(String, String)],
    recorded_body: &PyValue,
) -> Option<String> {
    let (lines, body) = recorder::split(request).unwrap();
    let first = text_of(&items(case.get("request_lines"))[0]);
    if lines[0] != first {
        return Some(format!("{}, expected {first}", lines[0]));
    }
    let told = |pairs: &[(String, String)]| {
        let mut told: Vec<_> = pairs
            .iter()
            .map(|(name, text)| (name.to_ascii_lowercase(), text.clone()))
            .filter(|(name, _)| !LIBRARY.contains(&name.as_str()))
            .map(|(name, text)| {
                let text = if VOLATILE.contains(&name.as_str()) {
                    String::new()
                } else {
                    text
                };
                // The recorded dendrite called the recorder's address; ours the same one.
                (name, text)
            })
            .collect();
        told.sort();
        told
    };
    let ours: Vec<_> = lines[1..].iter().map(|line| recorder::pair(line)).collect();
    let (found, expected) = (told(&ours), told(recorded));
    if found != expected {
        return Some(format!("headers {found:?}, expected {expected:?}"));
    }
    let found = steady(read_json(body).unwrap());
    let expected = steady(recorded_body.clone());
    (found != expected).then(|| format!("body {found:?}, expected {expected:?}"))
}

fn text_of(value: &PyValue) -> &str {
    value.as_str().unwrap()
}

/// A body without what differs from run to run.
fn steady(value: PyValue) -> PyValue {
    let PyValue::Dict(entries) = value else {
        return value;
    };
    let volatile = ["nonce", "uuid", "signature", "port", "total_size"];
    let entries = entries
        .into_iter()
        .filter(|(name, _)| !volatile.contains(&text_of(name)));
    PyValue::Dict(entries.map(|(name, value)| (name, steady(value))).collect())
}

/// Asks our axon with the dendrite's own bytes, and compares with the axon's answer.
async fn our_server(case: &PyValue, axon: SocketAddr) -> Option<String> {
    let mut request = recorded_request(case);
    // Told to close, so that the end of the answer is the end of the connection.
    let end = request
        .windows(2)
        .position(|window| window == b"\r\n")
        .unwrap();
    request.splice(end..end, *b"\r\nConnection: close");
    let answer = recorder::raw(axon, &request).await;
    let lines = items(case.get("response_lines"));
    let status = text_of(&lines[0]).split(' ').nth(1).unwrap();
    if answer.status.to_string() != status {
        return Some(format!("{answer:?}, expected {status}"));
    }
    let recorded = text(case, "response_body");
    if answer.header("content-type") == Some("text/event-stream") {
        let recorded = recorder::unchunked(recorded.as_bytes());
        return (answer.body != recorded).then(|| format!("{answer:?}, expected {recorded:?}"));
    }
    let (found, recorded) = (answer.json(), read_json(recorded.as_bytes()).unwrap());
    let message = |value: &PyValue| value.get("message").and_then(PyValue::as_str).map(kind_of);
    if message(&found) != message(&recorded) {
        return Some(format!("{found:?}, expected {recorded:?}"));
    }
    let hotkey = |value: &PyValue, end: &str| value.get(end)?.get("hotkey").cloned();
    let name = recorded.get("name").and_then(PyValue::as_str)?;
    for end in ["dendrite", "axon"] {
        if hotkey(&found, end) != hotkey(&recorded, end) {
            return Some(format!("{end}: {found:?}, expected {recorded:?}"));
        }
    }
    different_fields(&found, &recorded, name)
}
