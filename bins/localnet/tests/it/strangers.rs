//! What a running miner says to those it should not serve, and that it goes on serving others.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use adit_primitives::{Clock as _, Hotkey, ManualClock, SystemClock, TaskId};
use adit_protocol::{
    client::{ConnectOptions, SignLayer, connect},
    status::refusal_reason,
    v1::{self, video_miner_client::VideoMinerClient},
};
use adit_wallet::Keypair;
use http::{HeaderMap, Request};
use tonic::{
    Code, Response, Status,
    body::Body,
    transport::{Channel, Endpoint},
};
use tower::ServiceBuilder;

use crate::harness::{Localnet, events};

/// A miner of a running subnet, and a caller it serves.
struct Target {
    address: SocketAddr,
    hotkey: Hotkey,
    caller: Arc<Keypair>,
}

impl Target {
    async fn channel(&self) -> Channel {
        let endpoint = Endpoint::from_shared(format!("http://{}", self.address)).unwrap();
        endpoint.connect().await.unwrap()
    }

    fn question(&self, number: u128) -> v1::ScrapeRequest {
        let now = SystemClock.unix_millis();
        v1::ScrapeRequest {
            task_id: TaskId::from_parts(now, number).to_string(),
            topic: "a rabbit in a meadow".to_owned(),
            clips_wanted: 1,
            constraints: Some(v1::ClipConstraints {
                min_duration_ms: 1_000,
                max_duration_ms: 2_500,
                max_description_bytes: 8_192,
                ..Default::default()
            }),
            deadline_unix_ms: now + 60_000,
        }
    }

    /// A sound call, except for who signs it, for whom, and when.
    async fn call(
        &self,
        caller: Arc<Keypair>,
        receiver: Hotkey,
        age: Duration,
        question: v1::ScrapeRequest,
    ) -> Result<Response<v1::ScrapeResponse>, Status> {
        let then = SystemClock.unix_nanos() - u64::try_from(age.as_nanos()).unwrap();
        let options = ConnectOptions {
            clock: Arc::new(ManualClock::at_nanos(then)),
            request_timeout: Duration::from_secs(120),
            ..ConnectOptions::default()
        };
        let channel = connect(self.address, caller, receiver, options).await;
        channel.unwrap().video_miner().scrape(question).await
    }

    /// A sound call whose signed request is changed on its way, made so many times.
    async fn changed<F>(&self, change: F, times: usize) -> Status
    where
        F: FnMut(Request<Body>) -> Request<Body> + Clone + Send + 'static,
    {
        let service = ServiceBuilder::new()
            .layer(SignLayer::new(Arc::clone(&self.caller), self.hotkey))
            .map_request(change)
            .service(self.channel().await);
        let mut client = VideoMinerClient::new(service);
        let question = self.question(77);
        for _ in 1..times {
            client.scrape(question.clone()).await.unwrap();
        }
        client.scrape(question).await.unwrap_err()
    }
}

#[track_caller]
fn assert_refused(status: &Status, code: Code, reason: &str) {
    assert_eq!(status.code(), code, "{status}");
    assert_eq!(refusal_reason(status), Some(reason), "{status}");
}

#[tokio::test]
async fn a_running_miner_refuses_strangers_by_name_and_serves_on() {
    let mut localnet = Localnet::kept(&["--miners", "honest,honest"]).await;
    let log = localnet.log("miner-1");
    let listening = events(&log, "listening");
    let target = Target {
        address: listening[0]["address"].as_str().unwrap().parse().unwrap(),
        hotkey: localnet.key("miner-1").hotkey(),
        caller: localnet.key("validator"),
    };
    let (own, now) = (Arc::clone(&target.caller), Duration::ZERO);

    let recorded: Arc<Mutex<Option<HeaderMap>>> = Arc::default();
    let replay = move |mut request: Request<Body>| {
        let mut recorded = recorded.lock().unwrap();
        match &*recorded {
            Some(headers) => *request.headers_mut() = headers.clone(),
            None => *recorded = Some(request.headers().clone()),
        }
        request
    };
    let status = target.changed(replay, 2).await;
    assert_refused(&status, Code::Unauthenticated, "replayed");

    let tamper = |request: Request<Body>| {
        let (parts, _) = request.into_parts();
        Request::from_parts(parts, Body::empty())
    };
    let status = target.changed(tamper, 1).await;
    assert_refused(&status, Code::Unauthenticated, "bad_signature");

    let strip = |mut request: Request<Body>| {
        request.headers_mut().remove("x-bittensor-signature");
        request
    };
    let status = target.changed(strip, 1).await;
    assert_refused(&status, Code::Unauthenticated, "unsigned");
    let mut unsigned = VideoMinerClient::new(target.channel().await);
    let status = unsigned.scrape(target.question(1)).await.unwrap_err();
    assert_refused(&status, Code::Unauthenticated, "unsigned");

    let other = localnet.key("miner-2").hotkey();
    let question = target.question(2);
    let outcome = target.call(Arc::clone(&own), other, now, question).await;
    let status = outcome.unwrap_err();
    assert_refused(&status, Code::Unauthenticated, "wrong_receiver");

    let (long_ago, question) = (Duration::from_secs(60), target.question(3));
    let outcome = target.call(Arc::clone(&own), target.hotkey, long_ago, question);
    let status = outcome.await.unwrap_err();
    assert_refused(&status, Code::Unauthenticated, "stale");

    let nobody = Arc::new(Keypair::from_uri("//Nobody").unwrap());
    let outcome = target.call(nobody, target.hotkey, now, target.question(4));
    let status = outcome.await.unwrap_err();
    assert_refused(&status, Code::PermissionDenied, "not_authorised");
    // Registered, but a miner.
    let miner = localnet.key("miner-2");
    let outcome = target.call(miner, target.hotkey, now, target.question(5));
    let status = outcome.await.unwrap_err();
    assert_refused(&status, Code::PermissionDenied, "not_authorised");

    let huge = v1::ScrapeRequest {
        topic: "x".repeat(17 << 20),
        ..target.question(6)
    };
    let outcome = target
        .call(Arc::clone(&own), target.hotkey, now, huge)
        .await;
    let status = outcome.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted, "{status}");

    let outcome = target.call(own, target.hotkey, now, target.question(7));
    let answer = outcome.await.unwrap().into_inner();
    assert!(!answer.clips.is_empty(), "it serves on, but offers nothing");

    let mut told: BTreeMap<String, usize> = BTreeMap::new();
    for refusal in events(&log, "refused") {
        let reason = refusal["reason"].as_str().unwrap();
        *told.entry(reason.to_owned()).or_default() += 1;
    }
    let expected = [
        ("bad_signature", 1),
        ("not_authorised", 2),
        ("replayed", 1),
        ("stale", 1),
        ("too_large", 1),
        ("unsigned", 2),
        ("wrong_receiver", 1),
    ];
    let expected = expected.map(|(reason, times)| (reason.to_owned(), times));
    assert_eq!(told, BTreeMap::from(expected));
    localnet.stop().await;
}
