//! Sizes, numbers and times that hostile peers cannot exceed.

use std::time::Duration;

use adit_protocol::{
    auth::AnswerRefused,
    client::{self, ConnectOptions},
    server::GrpcServerLimits,
    status::{answer_refused, refusal_reason},
};
use bytes::Bytes;
use http::Request;
use http_body_util::StreamBody;
use tokio::io::AsyncReadExt as _;
use tonic::{Code, body::Body};

use crate::harness::{Bob, asking, key};

#[tokio::test]
async fn a_message_of_17_mib_is_refused_and_one_of_15_passes() {
    let bob = Bob::serve(Default::default()).await;
    let channel = bob.connect("//Alice", &bob.clock).await;
    let status = channel
        .video_miner()
        .scrape(asking("x".repeat(17 << 20)))
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted, "{status}");
    assert_eq!(bob.refusals(), ["too_large"]);
    let answer = channel
        .video_miner()
        .scrape(asking("x".repeat(15 << 20)))
        .await
        .unwrap();
    assert_eq!(answer.into_inner().clips[0].description.len(), 15 << 20);
}

#[tokio::test]
async fn a_body_of_unstated_or_falsely_stated_length_is_counted() {
    let mut limits = GrpcServerLimits::default();
    limits.auth.max_message_bytes = 64 << 10;
    let bob = Bob::serve(limits).await;
    // The frame says 5 bytes in all, or 4 GiB; what comes is endless, or little.
    for (start, endless) in [([0; 5], true), ([0, 0xff, 0xff, 0xff, 0xff], false)] {
        let change = move |request: Request<Body>| {
            let (mut parts, _) = request.into_parts();
            parts.headers.remove("content-length");
            let chunk = |bytes| Ok::<_, std::convert::Infallible>(http_body::Frame::data(bytes));
            let first = std::iter::once(chunk(Bytes::copy_from_slice(&start)));
            let rest = std::iter::repeat_with(move || chunk(Bytes::from_static(&[7; 1024])));
            let count = if endless { usize::MAX } else { 1 };
            let frames = tokio_stream::iter(first.chain(rest.take(count)));
            Request::from_parts(parts, Body::new(StreamBody::new(frames)))
        };
        let status = bob
            .through(change)
            .await
            .scrape(asking("owls"))
            .await
            .unwrap_err();
        assert_eq!(status.code(), Code::ResourceExhausted, "{status}");
    }
    assert_eq!(bob.refusals(), ["too_large", "too_large"]);
}

#[tokio::test]
async fn an_answer_over_the_callers_limit_is_refused() {
    let bob = Bob::serve(Default::default()).await;
    let options = ConnectOptions {
        clock: std::sync::Arc::new(bob.clock.clone()),
        max_message_bytes: 10_000,
        ..Default::default()
    };
    let channel = client::connect(bob.address, key("//Alice"), key("//Bob").hotkey(), options)
        .await
        .unwrap();
    let status = channel
        .video_miner()
        .scrape(asking("x".repeat(20_000)))
        .await
        .unwrap_err();
    assert_eq!(
        answer_refused(&status),
        Some(&AnswerRefused::TooLarge { limit: 10_000 })
    );
    assert_eq!(status.code(), Code::ResourceExhausted);
}

#[tokio::test]
async fn a_flood_is_shed_and_a_hanging_server_does_not_hold_the_caller() {
    let limits = GrpcServerLimits {
        max_requests_in_flight: 1,
        ..Default::default()
    };
    let bob = Bob::serve(limits).await;
    let channel = bob.connect("//Alice", &bob.clock).await;
    let mut hanging = channel.video_miner();
    let mut request = tonic::Request::new(asking("hang"));
    request.set_timeout(Duration::from_secs(1));
    let hang = tokio::spawn(async move { hanging.scrape(request).await });
    bob.hanging.notified().await;
    let status = channel.video_miner().scrape(asking("owls")).await;
    let status = status.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert_eq!(refusal_reason(&status), Some("overloaded"));
    let status = hang.await.unwrap().unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded, "{status}");
}

#[tokio::test]
async fn connections_on_top_of_the_limit_are_closed() {
    let limits = GrpcServerLimits {
        max_connections: 1,
        ..Default::default()
    };
    let bob = Bob::serve(limits).await;
    let channel = bob.connect("//Alice", &bob.clock).await;
    channel.video_miner().scrape(asking("owls")).await.unwrap();
    let mut second = tokio::net::TcpStream::connect(bob.address).await.unwrap();
    assert_eq!(second.read(&mut [0; 64]).await.unwrap_or(0), 0);
    channel.video_miner().scrape(asking("owls")).await.unwrap();
}

#[tokio::test]
async fn shutdown_lets_requests_finish_and_returns() {
    let mut bob = Bob::serve(Default::default()).await;
    let channel = bob.connect("//Alice", &bob.clock).await;
    channel.video_miner().scrape(asking("owls")).await.unwrap();
    bob.stop.take().unwrap().send(()).unwrap();
    bob.task.await.unwrap().unwrap();
    let status = channel.video_miner().scrape(asking("owls")).await;
    assert_eq!(status.unwrap_err().code(), Code::Unavailable);
}

#[tokio::test]
async fn an_address_nobody_listens_on_is_a_typed_error() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let connect = client::connect(
        address,
        key("//Alice"),
        key("//Bob").hotkey(),
        Default::default(),
    );
    let error = connect.await.unwrap_err();
    assert!(matches!(error, adit_protocol::Error::Connect { .. }));
    assert!(error.is_retryable());
    let error = client::connect_lazy(
        "no address at all",
        key("//Alice"),
        key("//Bob").hotkey(),
        Default::default(),
    );
    assert!(matches!(
        error.unwrap_err(),
        adit_protocol::Error::Endpoint { .. }
    ));
}
