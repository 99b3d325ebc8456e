//! What a client makes of servers that answer as little as they can.

use std::time::Duration;

use adit_protocol::synapse::{Dendrite, DendriteOptions, DendriteTarget, PyValue, read_json};
use adit_testkit::Outcome;
use tokio::net::TcpListener;

use super::{
    super::{entries, items, text},
    AS_ASKED, CASELESS, WHOLE, kind_of,
};
use crate::recorder;

pub(super) async fn judge(document: &PyValue, case: &PyValue) -> Outcome {
    let server = case.get("server");
    let address = match server {
        Some(server) => recorder::answer_once(answer_of(server)).await.0,
        // Which fault there was instead of an answer is told by the case's name alone.
        None if text(case, "case").contains("refused") => ([127, 0, 0, 1], 1).into(),
        None if text(case, "case").contains("timeout") => silent().await,
        None => recorder::answer_once(Vec::new()).await.0,
    };
    let caller = recorder::key_of(text(document, "dendrite_hotkey"));
    let dendrite = Dendrite::new(caller).options(DendriteOptions {
        timeout: Duration::from_secs(2),
        ..Default::default()
    });
    let callee = text(document, "axon_hotkey").parse().unwrap();
    let schema = recorder::schema("NoHash");
    let asked = schema.read(&read_json(br#"{"x": 41}"#).unwrap()).unwrap();
    let target = DendriteTarget::new(address, callee);
    let answer = dendrite.exchange(&target, &schema, asked).await;

    let number = |number: Option<i64>| number.map_or(PyValue::None, PyValue::from);
    let text_or = |text: Option<&str>| text.map_or(PyValue::None, |text| kind_of(text).into());
    let field = |name| answer.body.field(name).cloned().unwrap();
    let found = [
        ("is_success", PyValue::Bool(answer.is_success())),
        ("dendrite_status", number(answer.status_code)),
        (
            "dendrite_message",
            text_or(answer.status_message.as_deref()),
        ),
        ("axon_status", number(answer.axon_status)),
        ("x", field("x")),
        ("y", field("y")),
        (
            "dendrite_nonce_kept",
            PyValue::Bool(answer.body.dendrite.nonce.is_some()),
        ),
        (
            "axon_hotkey_kept",
            PyValue::Bool(answer.body.axon.hotkey.is_some()),
        ),
    ];
    let expected = entries(case.get("client"));
    let different: Vec<_> = expected
        .into_iter()
        .filter_map(|(name, expected)| {
            let expected = match (name, expected) {
                ("dendrite_message", PyValue::Str(message)) => kind_of(message).into(),
                _ => expected.clone(),
            };
            let (_, found) = found.iter().find(|(known, _)| *known == name)?;
            (*found != expected).then(|| (name, found.clone(), expected))
        })
        .collect();
    let Some(server) = server.filter(|_| !different.is_empty()) else {
        return Outcome::when(different.is_empty(), format!("{different:?}"));
    };
    let names: Vec<_> = different.iter().map(|(name, ..)| *name).collect();
    let kept = |name: &&&str| !matches!(**name, "dendrite_nonce_kept" | "axon_hotkey_kept");
    let others: Vec<_> = names.iter().filter(kept).collect();
    if others.is_empty() && text(server, "status").starts_with("200") {
        Outcome::Deviates(AS_ASKED)
    } else if has_upper_case(server) {
        Outcome::Deviates(CASELESS)
    } else if has_malformed_number(server) && others.iter().all(|name| matches!(**name, "x" | "y"))
    {
        Outcome::Deviates(WHOLE)
    } else {
        Outcome::Failed(format!("{different:?}"))
    }
}

fn headers(server: &PyValue) -> Vec<(String, String)> {
    let lines = items(server.get("headers")).iter();
    lines
        .map(|line| recorder::pair(line.as_str().unwrap()))
        .collect()
}

fn has_upper_case(server: &PyValue) -> bool {
    let headers = headers(server);
    headers
        .iter()
        .any(|(name, _)| name.chars().any(char::is_uppercase))
}

/// Whether a header of the protocol that must be a number is none.
fn has_malformed_number(server: &PyValue) -> bool {
    headers(server).iter().any(|(name, text)| {
        let field = name.trim_start_matches("bt_header_axon_");
        match field.trim_start_matches("bt_header_dendrite_") {
            "status_code" | "port" | "version" | "nonce" | "header_size" | "total_size" => {
                text.parse::<i64>().is_err()
            }
            "process_time" | "timeout" => text.parse::<f64>().is_err(),
            _ => false,
        }
    })
}

fn answer_of(server: &PyValue) -> Vec<u8> {
    let body = text(server, "body");
    let mut answer = format!("HTTP/1.1 {}\r\n", text(server, "status"));
    if let Some(kind) = server.get("content_type").and_then(PyValue::as_str) {
        answer += &format!("Content-Type: {kind}\r\n");
    }
    for line in items(server.get("headers")) {
        answer += &format!("{}\r\n", line.as_str().unwrap());
    }
    answer += &format!(
        "Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    answer.into_bytes()
}

/// A server that takes the connection and says nothing.
async fn silent() -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let _connection = listener.accept().await;
        std::future::pending::<()>().await;
    });
    address
}
