//! What a dendrite makes of answers.

use std::{net::SocketAddr, time::Duration};

use adit_protocol::synapse::{
    Axon, Dendrite, DendriteAnswer, DendriteFault, DendriteOptions, DendriteTarget, FieldType,
    NumericArray, PyValue, Synapse, SynapseCall, SynapseReply, SynapseSchema, Tensor, read_json,
};
use adit_wallet::Keypair;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio::{net::TcpListener, sync::mpsc};

use super::key;
use crate::recorder;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Scale {
    tensor: Tensor,
    by: f64,
}

impl Synapse for Scale {
    fn schema() -> SynapseSchema {
        SynapseSchema::new("Scale")
            .required("tensor", FieldType::tensor())
            .optional("by", FieldType::Float, 2.0)
            .hashes(["tensor", "by"])
    }
}

fn bob() -> Axon {
    Axon::new(key("//Bob")).attach(|_, mut scale: Scale| async move {
        let array = scale.tensor.array(1 << 20)?;
        let scaled = array
            .to_f64()
            .into_iter()
            .map(|value| (value * scale.by) as f32);
        let scaled: Vec<f32> = scaled.collect();
        scale.tensor =
            Tensor::from_array(&NumericArray::from_f32(array.shape().to_vec(), &scaled)?);
        Ok(scale)
    })
}

fn target(address: SocketAddr) -> DendriteTarget {
    DendriteTarget::new(address, key("//Bob").hotkey())
}

fn scale() -> Scale {
    let array = NumericArray::from_f32(vec![2, 2], &[1.0, 2.0, 3.0, 4.0]).unwrap();
    Scale {
        tensor: Tensor::from_array(&array),
        by: 0.5,
    }
}

#[tokio::test]
async fn wish_9_typed_synapses_and_tensors_go_both_ways_over_ipv4_and_ipv6() {
    for listen in ["127.0.0.1:0", "[::1]:0"] {
        let Ok(listener) = TcpListener::bind(listen).await else {
            // Some machines have no IPv6.
            assert!(listen.starts_with('['));
            continue;
        };
        let address = listener.local_addr().unwrap();
        tokio::spawn(bob().serve(listener, std::future::pending()));
        let dendrite = Dendrite::new(key("//Alice"));
        let answer = dendrite.call(&target(address), &scale()).await.unwrap();
        let scaled = answer.tensor.array(1 << 20).unwrap();
        assert_eq!(scaled.to_f64(), [0.5, 1.0, 1.5, 2.0]);
        assert_eq!(scaled.shape(), [2, 2]);
    }
}

#[tokio::test]
async fn pain_axon_requests_in_parallel_do_not_overtake_each_other() {
    let (address, _task) = recorder::serve(bob()).await;
    let dendrite = std::sync::Arc::new(Dendrite::new(key("//Alice")));
    let calls: Vec<_> = (0..32)
        .map(|_| {
            let dendrite = dendrite.clone();
            tokio::spawn(async move { dendrite.call(&target(address), &scale()).await.is_ok() })
        })
        .collect();
    for call in calls {
        assert!(call.await.unwrap());
    }
}

#[tokio::test]
async fn a_target_under_our_own_address_is_called_by_loopback() {
    let (address, _task) = recorder::serve(bob()).await;
    let own = "203.0.113.9".parse().unwrap();
    let dendrite = Dendrite::new(key("//Alice")).options(DendriteOptions {
        external_ip: Some(own),
        ..Default::default()
    });
    let target = target(SocketAddr::new(own, address.port()));
    assert_eq!(dendrite.call(&target, &scale()).await.unwrap().by, 0.5);
}

/// What our client makes of an answer's bytes, having asked `NoHash` with x = 41.
async fn answered(answer: &str) -> DendriteAnswer {
    let (address, _task) = recorder::answer_once(answer.as_bytes().to_vec()).await;
    let dendrite = Dendrite::new(key("//Alice")).options(DendriteOptions {
        max_answer_bytes: 1000,
        ..Default::default()
    });
    let schema = recorder::schema("NoHash");
    let asked = schema.read(&read_json(br#"{"x": 41}"#).unwrap()).unwrap();
    dendrite.exchange(&target(address), &schema, asked).await
}

fn ok(headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{headers}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

const SUCCESS: &str = "bt_header_axon_status_code: 200\r\n";

#[tokio::test]
async fn an_answer_cannot_change_whose_it_is() {
    let eve = key("//Eve").hotkey().to_string();
    let body = format!(
        r#"{{"y": 42, "axon": {{"hotkey": "{eve}", "ip": "6.6.6.6"}}, "dendrite": {{"hotkey": "{eve}"}}}}"#
    );
    let headers = format!("{SUCCESS}bt_header_axon_hotkey: {eve}\r\n");
    let answer = answered(&ok(&headers, &body)).await;
    assert!(answer.is_success());
    assert_eq!(answer.body.field("y").and_then(PyValue::as_i64), Some(42));
    assert_eq!(
        answer.body.axon.hotkey,
        Some(key("//Bob").hotkey().to_string())
    );
    assert_eq!(answer.body.axon.ip.as_deref(), Some("127.0.0.1"));
    assert_eq!(
        answer.body.dendrite.hotkey,
        Some(key("//Alice").hotkey().to_string())
    );
    assert!(answer.body.dendrite.nonce.is_some());
}

#[tokio::test]
async fn header_names_have_no_case() {
    let answer = answered(&ok("Bt_Header_Axon_Status_Code: 200\r\n", r#"{"y": 42}"#)).await;
    assert!(answer.is_success());
}

#[tokio::test]
async fn an_answer_that_is_read_half_changes_nothing() {
    let answer = answered(&ok("bt_header_axon_status_code: 200.0\r\n", r#"{"y": 42}"#)).await;
    assert_eq!(answer.status_code, Some(422));
    assert_eq!(answer.body.field("x").and_then(PyValue::as_i64), Some(41));
    assert_eq!(answer.body.field("y"), Some(&PyValue::None));
}

#[tokio::test]
async fn faults_have_the_statuses_that_a_python_dendrite_shows() {
    let large = format!(r#"{{"y": 42, "pad": "{}"}}"#, "a".repeat(2000));
    let status = |answer: DendriteAnswer| (answer.is_success(), answer.status_code);
    for (bytes, code) in [
        (ok(SUCCESS, &large), Some(400)),
        (ok(SUCCESS, "[]"), Some(422)),
        (ok(SUCCESS, ""), Some(422)),
        (ok("", "{}"), None),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{".into(),
            Some(400),
        ),
        ("not http at all\r\n\r\n".into(), Some(500)),
        (String::new(), Some(503)),
        (
            "HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy".into(),
            Some(422),
        ),
    ] {
        assert_eq!(status(answered(&bytes).await), (false, code), "{bytes}");
    }
}

#[tokio::test]
async fn a_server_that_says_nothing_is_left_in_time() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = target(listener.local_addr().unwrap());
    let dendrite = Dendrite::new(key("//Alice")).options(DendriteOptions {
        timeout: Duration::from_millis(200),
        ..Default::default()
    });
    let fault = dendrite.call(&target, &scale()).await.unwrap_err();
    assert_eq!(fault.status_code(), Some(408));
    assert_eq!(fault.to_string(), "Request timeout after 0.2 seconds");
    assert!(fault.is_retryable());
}

/// An axon that streams chunks of 100 bytes without end.
fn endless(keypair: Keypair) -> Axon {
    let schema = SynapseSchema::new("Endless").streams();
    Axon::new(keypair).attach_schema(schema, |_: SynapseCall| async move {
        let (sender, chunks) = mpsc::channel(1);
        tokio::spawn(async move {
            while sender.send(Bytes::from_static(&[b'a'; 100])).await.is_ok() {}
        });
        Ok(SynapseReply::Stream(chunks))
    })
}

#[tokio::test]
async fn streams_come_as_they_are_sent_and_end_at_our_limit() {
    let (address, _task) = recorder::serve(endless(key("//Bob"))).await;
    let dendrite = Dendrite::new(key("//Alice")).options(DendriteOptions {
        max_answer_bytes: 1000,
        ..Default::default()
    });
    let schema = SynapseSchema::new("Endless").streams();
    let asked = schema.read(&read_json(b"{}").unwrap()).unwrap();
    let mut stream = dendrite
        .stream(&target(address), &schema, asked)
        .await
        .unwrap();
    assert_eq!(stream.axon().status_code, Some(200));
    let mut bytes = 0;
    let fault = loop {
        match stream.next().await.unwrap() {
            Ok(chunk) => bytes += chunk.len(),
            Err(fault) => break fault,
        }
    };
    assert!(bytes <= 1000, "{bytes}");
    assert!(matches!(fault, DendriteFault::Payload { .. }), "{fault}");
}

#[tokio::test]
async fn a_refused_stream_is_an_answer() {
    let (address, _task) = recorder::serve(endless(key("//Bob"))).await;
    let dendrite = Dendrite::new(key("//Alice"));
    let schema = SynapseSchema::new("Elsewhere").streams();
    let asked = schema.read(&read_json(b"{}").unwrap()).unwrap();
    let refused = dendrite.stream(&target(address), &schema, asked).await;
    let answer = refused.unwrap_err();
    assert_eq!(answer.status_code, Some(404));
    assert_eq!(
        answer.status_message.as_deref(),
        Some("Synapse name 'Elsewhere' not found. Available synapses ['Synapse', 'Endless']")
    );
}
