//! What an axon bears.

use std::{sync::Arc, time::Duration};

use adit_primitives::ManualClock;
use adit_protocol::synapse::{
    Axon, AxonLimits, DendriteLimits, SynapseCall, SynapseReply, SynapseSchema,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::{Notify, oneshot},
};

use super::{Request, START, bob, key, message};
use crate::recorder;

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused() {
    let (address, _clock) = bob().await;
    let body = format!(r#"{{"x": 1, "pad": "{}"}}"#, "a".repeat(5000));
    let answer = Request::to("NoHash", &body).send(address).await;
    assert_eq!(answer.status, 413);
    assert_eq!(message(&answer), "The body exceeds 4096 bytes");
}

#[tokio::test]
async fn deep_json_is_refused() {
    let (address, _clock) = bob().await;
    let body = format!("{{\"x\": {}", "[".repeat(1000));
    let answer = Request::to("NoHash", &body).send(address).await;
    assert_eq!(answer.status, 422);
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let (address, _clock) = bob().await;
    let mut request = Request::to("NoHash", "{}");
    request.body = " ".repeat(100) + "{}";
    let bytes = request.bytes();
    // The caller goes silent in the middle of its body.
    let answer = recorder::raw(address, &bytes[..bytes.len() - 50]).await;
    assert_eq!(answer.status, 408);
}

#[tokio::test]
async fn headers_that_do_not_come_end_the_connection() {
    let (address, _clock) = bob().await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"POST /NoHash HT").await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    assert!(!answer.starts_with(b"HTTP/1.1 200"));
}

#[tokio::test]
async fn a_service_that_fails_or_panics_tells_nothing_of_it() {
    let clock = ManualClock::at_nanos(START);
    let axon = recorder::axon(key("//Bob"), &clock).attach_schema(
        SynapseSchema::new("Synapse"),
        |call: SynapseCall| async move {
            assert!(call.caller.nonce == 0, "a secret");
            Ok(SynapseReply::Whole(Box::new(call.body)))
        },
    );
    let (address, _task) = recorder::serve(axon).await;
    let mut request = Request::to("Synapse", "{}");
    for name in ["Synapse", "Boom"] {
        request.line = format!("POST /{name} HTTP/1.1");
        request.nonce += 1;
        let answer = request.send(address).await;
        assert_eq!(answer.status, 500);
        assert!(message(&answer).starts_with("Internal Server Error #"));
        // An error is signed by the axon, though no Python client looks.
        assert!(answer.header("bt_header_axon_signature").is_some());
    }
}

/// An axon whose `Synapse` hangs, with one worker.
async fn hanging(max_waiting: usize) -> (std::net::SocketAddr, Arc<Notify>) {
    let called = Arc::new(Notify::new());
    let tell = called.clone();
    let axon = Axon::new(key("//Bob"))
        .clock(Arc::new(ManualClock::at_nanos(START)))
        .limits(AxonLimits {
            dendrite: DendriteLimits {
                max_timeout: Duration::from_millis(400),
                ..Default::default()
            },
            max_workers: 1,
            max_waiting,
            ..Default::default()
        })
        .attach_schema(SynapseSchema::new("Synapse"), move |_| {
            tell.notify_one();
            std::future::pending()
        });
    (recorder::serve(axon).await.0, called)
}

#[tokio::test]
async fn a_service_that_hangs_is_ended() {
    let (address, _called) = hanging(8).await;
    let answer = Request::to("Synapse", "{}").send(address).await;
    assert_eq!(answer.status, 408);
    assert_eq!(message(&answer), "Response timeout after: 0.4s");
}

#[tokio::test]
async fn beyond_the_waiting_ones_callers_are_told_that_it_is_busy() {
    let (address, called) = hanging(0).await;
    let first = Request::to("Synapse", "{}");
    let first = tokio::spawn(async move { first.send(address).await.status });
    called.notified().await;
    let mut second = Request::to("Synapse", "{}");
    second.nonce += 1;
    assert_eq!(second.send(address).await.status, 503);
    assert_eq!(first.await.unwrap(), 408);
}

#[tokio::test]
async fn the_stop_lets_requests_finish_and_takes_no_more() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (called, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (tell, wait) = (called.clone(), go_on.clone());
    let axon = Axon::new(key("//Bob"))
        .clock(Arc::new(ManualClock::at_nanos(START)))
        .attach_schema(SynapseSchema::new("Synapse"), move |call: SynapseCall| {
            let (tell, wait) = (tell.clone(), wait.clone());
            async move {
                tell.notify_one();
                wait.notified().await;
                Ok(SynapseReply::Whole(Box::new(call.body)))
            }
        });
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(axon.serve(listener, async {
        let _ = stopped.await;
    }));
    let request = tokio::spawn(async move { Request::to("Synapse", "{}").send(address).await });
    called.notified().await;
    stop.send(()).unwrap();
    // The listener is gone once the stop was heard.
    while TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    go_on.notify_one();
    assert_eq!(request.await.unwrap().status, 200);
    server.await.unwrap().unwrap();
}
