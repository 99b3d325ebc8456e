//! What the server refuses, each with its code and its reason.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use adit_primitives::ManualClock;
use adit_protocol::{
    auth::{
        HEADER_CRYPTO, HEADER_HOTKEY, HEADER_NONCE, HEADER_RECEIVER, HEADER_SIGNATURE,
        HEADER_VERSION,
    },
    client::SignLayer,
    server::GrpcServerLimits,
    status::{answer_refused, is_unsigned, refusal_reason},
    v1::{self, neuron_client::NeuronClient, video_miner_client::VideoMinerClient},
};
use http::{HeaderMap, HeaderValue, Request};
use tonic::{Code, Status, body::Body};
use tower::ServiceBuilder;

use crate::harness::{Bob, START, asking, key};

#[track_caller]
fn assert_refused(status: &Status, code: Code, reason: &str) {
    assert_eq!(status.code(), code, "{status}");
    assert_eq!(refusal_reason(status), Some(reason), "{status}");
    assert!(status.message().starts_with(&format!("{reason}: ")));
    assert!(answer_refused(status).is_none());
}

#[tokio::test]
async fn a_sound_call_passes_and_the_caller_is_known() {
    let bob = Bob::serve(Default::default()).await;
    let channel = bob.connect("//Alice", &bob.clock).await;
    for topic in ["owls", "", "hares"] {
        let answer = channel.video_miner().scrape(asking(topic)).await.unwrap();
        let answer = answer.into_inner();
        assert_eq!(answer.task_id, key("//Alice").hotkey().to_string());
        assert_eq!(answer.clips[0].description, topic);
    }
    assert!(bob.refusals().is_empty());
}

#[tokio::test]
async fn a_replayed_request_is_refused() {
    let bob = Bob::serve(Default::default()).await;
    let recorded: Arc<Mutex<Option<HeaderMap>>> = Arc::default();
    let replay = move |mut request: Request<Body>| {
        let mut recorded = recorded.lock().unwrap();
        match &*recorded {
            Some(headers) => *request.headers_mut() = headers.clone(),
            None => *recorded = Some(request.headers().clone()),
        }
        request
    };
    let mut client = bob.through(replay).await;
    client.scrape(asking("owls")).await.unwrap();
    let status = client.scrape(asking("owls")).await.unwrap_err();
    assert_refused(&status, Code::Unauthenticated, "replayed");
    assert!(is_unsigned(&status));
    // Past its time it is stale, not forgotten.
    bob.clock.advance(Duration::from_secs(300));
    let status = client.scrape(asking("owls")).await.unwrap_err();
    assert_refused(&status, Code::Unauthenticated, "stale");
    assert_eq!(bob.refusals(), ["replayed", "stale"]);
}

#[tokio::test]
async fn a_request_for_another_receiver_is_refused() {
    let bob = Bob::serve(Default::default()).await;
    let sign = SignLayer::new(key("//Alice"), key("//Charlie").hotkey())
        .clock(Arc::new(bob.clock.clone()));
    let service = ServiceBuilder::new()
        .layer(sign)
        .service(bob.channel().await);
    let status = VideoMinerClient::new(service)
        .scrape(asking("owls"))
        .await
        .unwrap_err();
    assert_refused(&status, Code::Unauthenticated, "wrong_receiver");
}

#[tokio::test]
async fn a_request_for_another_method_is_refused() {
    let bob = Bob::serve(Default::default()).await;
    let redirect = |mut request: Request<Body>| {
        *request.uri_mut() = format!("{}Neuron/Describe", "/adit.v1.").parse().unwrap();
        request
    };
    let status = bob
        .through(redirect)
        .await
        .scrape(asking("owls"))
        .await
        .unwrap_err();
    assert_refused(&status, Code::Unauthenticated, "bad_signature");
}

#[tokio::test]
async fn the_freshness_window_has_exact_edges() {
    let bob = Bob::serve(Default::default()).await;
    let clock = ManualClock::at_nanos(START);
    let channel = bob.connect("//Alice", &clock).await;
    let at = |nanos: i64| START.checked_add_signed(nanos).unwrap();
    let second = 1_000_000_000;
    for (server_ahead, reason) in [
        (10 * second, None),
        (10 * second + 1000, Some("stale")),
        (-2 * second, None),
        (-2 * second - 1000, Some("from_the_future")),
    ] {
        // A new nonce differs from the last by at least one nanosecond.
        clock.advance(Duration::from_nanos(500));
        bob.clock
            .set_nanos(at(server_ahead) + (clock_nanos(&clock) - START));
        let answer = channel.video_miner().scrape(asking("owls")).await;
        match reason {
            None => assert!(answer.is_ok(), "{server_ahead}: {answer:?}"),
            Some(reason) => {
                assert_refused(&answer.unwrap_err(), Code::Unauthenticated, reason);
            }
        }
    }
}

fn clock_nanos(clock: &ManualClock) -> u64 {
    adit_primitives::Clock::unix_nanos(clock)
}

#[tokio::test]
async fn a_tampered_body_is_refused() {
    let bob = Bob::serve(Default::default()).await;
    let swap = |request: Request<Body>| {
        let (parts, _) = request.into_parts();
        // An empty message, well framed.
        let body = http_body_util::Full::new(bytes::Bytes::from_static(&[0; 5]));
        Request::from_parts(parts, Body::new(body))
    };
    let status = bob
        .through(swap)
        .await
        .scrape(asking("owls"))
        .await
        .unwrap_err();
    assert_refused(&status, Code::Unauthenticated, "bad_signature");
}

#[tokio::test]
async fn a_stranger_without_signature_is_refused() {
    let bob = Bob::serve(Default::default()).await;
    let mut client = VideoMinerClient::new(bob.channel().await);
    let status = client.scrape(asking("owls")).await.unwrap_err();
    assert_refused(&status, Code::Unauthenticated, "unsigned");
    // A service that is not served is not revealed either.
    let status = NeuronClient::new(bob.channel().await)
        .describe(v1::DescribeRequest {})
        .await
        .unwrap_err();
    assert_refused(&status, Code::Unauthenticated, "unsigned");
    assert_eq!(bob.refusals(), ["unsigned", "unsigned"]);
}

#[tokio::test]
async fn an_unknown_method_is_answered_to_those_who_may_call() {
    let bob = Bob::serve(Default::default()).await;
    let channel = bob.connect("//Alice", &bob.clock).await;
    let status = channel
        .neuron()
        .describe(v1::DescribeRequest {})
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::Unimplemented);
    assert!(!is_unsigned(&status));
}

#[tokio::test]
async fn each_changed_header_is_refused() {
    let bob = Bob::serve(Default::default()).await;
    let charlie = key("//Charlie").hotkey().to_string();
    let zeros = format!("0x{}", "0".repeat(128));
    let other = key("//Alice").sign(b"something else").to_string();
    for (name, value, reason) in [
        (HEADER_VERSION, "2", "malformed"),
        (HEADER_HOTKEY, "notss58", "malformed"),
        (HEADER_HOTKEY, &charlie, "bad_signature"),
        (HEADER_RECEIVER, &charlie, "wrong_receiver"),
        (HEADER_NONCE, "1800000000000000001", "bad_signature"),
        (HEADER_NONCE, "-1", "malformed"),
        (HEADER_NONCE, "99999999999999999999999", "malformed"),
        (HEADER_CRYPTO, "ed25519", "bad_signature"),
        (HEADER_CRYPTO, "ecdsa", "malformed"),
        (HEADER_SIGNATURE, &zeros, "bad_signature"),
        (HEADER_SIGNATURE, &other, "bad_signature"),
        (HEADER_SIGNATURE, "0x00", "malformed"),
    ] {
        let value = HeaderValue::from_str(value).unwrap();
        let change = {
            let (name, value) = (name.clone(), value.clone());
            move |mut request: Request<Body>| {
                request.headers_mut().insert(name.clone(), value.clone());
                request
            }
        };
        let status = bob
            .through(change)
            .await
            .scrape(asking("owls"))
            .await
            .unwrap_err();
        assert_refused(&status, Code::Unauthenticated, reason);
    }
    for name in [
        HEADER_VERSION,
        HEADER_HOTKEY,
        HEADER_NONCE,
        HEADER_SIGNATURE,
        HEADER_RECEIVER,
    ] {
        let (drop_name, twice_name) = (name.clone(), name.clone());
        let drop_it = move |mut request: Request<Body>| {
            request.headers_mut().remove(&drop_name);
            request
        };
        let twice = move |mut request: Request<Body>| {
            let value = request.headers()[&twice_name].clone();
            request.headers_mut().append(twice_name.clone(), value);
            request
        };
        let status = bob.through(drop_it).await.scrape(asking("owls")).await;
        let reason = if name == HEADER_RECEIVER {
            "unbound"
        } else {
            "unsigned"
        };
        assert_refused(&status.unwrap_err(), Code::Unauthenticated, reason);
        let status = bob.through(twice).await.scrape(asking("owls")).await;
        assert_refused(&status.unwrap_err(), Code::Unauthenticated, "malformed");
    }
}

#[tokio::test]
async fn a_caller_without_permission_is_refused_and_uses_no_memory() {
    let mut limits = GrpcServerLimits::default();
    limits.nonces.capacity = 1;
    let bob = Bob::serve(limits).await;
    let eve = bob.connect("//Eve", &bob.clock).await;
    for _ in 0..3 {
        let status = eve.video_miner().scrape(asking("owls")).await.unwrap_err();
        assert_refused(&status, Code::PermissionDenied, "not_authorised");
        assert!(status.message().ends_with("not a registered validator"));
    }
    let alice = bob.connect("//Alice", &bob.clock).await;
    alice.video_miner().scrape(asking("owls")).await.unwrap();
    let status = alice.video_miner().scrape(asking("owls")).await;
    assert_refused(
        &status.unwrap_err(),
        Code::ResourceExhausted,
        "nonce_store_full",
    );
}
