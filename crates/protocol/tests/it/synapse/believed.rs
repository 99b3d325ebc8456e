//! Whom an axon believes.

use std::sync::{Arc, Mutex};

use adit_primitives::ManualClock;
use adit_protocol::synapse::{
    Axon, DendriteLimits, DendriteVerifier, SynapseCall, SynapseHead, SynapseReply, SynapseSchema,
    TerminalInfo, signed_message,
};

use super::{Request, SECOND, START, bob, key, message};
use crate::recorder;

#[tokio::test]
async fn wish_9_identity_comes_from_verified_headers_only() {
    let seen: Arc<Mutex<Vec<SynapseCall>>> = Arc::default();
    let keep = seen.clone();
    let clock = ManualClock::at_nanos(START);
    let schema = SynapseSchema::new("Synapse");
    let axon =
        recorder::axon(key("//Bob"), &clock).attach_schema(schema, move |call: SynapseCall| {
            keep.lock().unwrap().push(call.clone());
            async move { Ok(SynapseReply::Whole(Box::new(call.body))) }
        });
    let (address, _task) = recorder::serve(axon).await;
    let eve = key("//Eve").hotkey().to_string();
    let body = format!(
        r#"{{"dendrite": {{"hotkey": "{eve}", "ip": "6.6.6.6"}}, "axon": {{"hotkey": "{eve}"}}}}"#
    );
    let answer = Request::to("Synapse", &body).send(address).await;
    assert_eq!(answer.status, 200);
    let alice = key("//Alice").hotkey();
    let calls = seen.lock().unwrap();
    assert_eq!(calls[0].caller.hotkey, alice);
    let dendrite = &calls[0].body.dendrite;
    assert_eq!(dendrite.hotkey, Some(alice.to_string()));
    assert_eq!(dendrite.ip.as_deref(), Some("127.0.0.1"));
    let own = key("//Bob").hotkey().to_string();
    assert_eq!(calls[0].body.axon.hotkey, Some(own));
    assert!(!String::from_utf8(answer.body).unwrap().contains(&eve));
}

#[tokio::test]
async fn pain_axon_every_route_is_verified_whatever_was_attached_when() {
    let (address, _clock) = bob().await;
    for name in ["Synapse", "Echo", "NoHash", "Boom", "Strm"] {
        for line in [
            format!("POST /{name} HTTP/1.1"),
            format!("GET /{name}?q=1 HTTP/1.1"),
            format!("PUT /{name} HTTP/1.1"),
            format!("POST /{name}/more HTTP/1.1"),
        ] {
            let mut request = Request::to(name, "{}");
            request.line = line;
            request.signature = Some(format!("0x{}", "11".repeat(64)));
            let answer = recorder::raw(address, &request.bytes_as(name)).await;
            assert_eq!(answer.status, 401, "{}", request.line);
        }
    }
}

impl Request {
    /// The request's bytes, its path's name given.
    fn bytes_as(&self, name: &str) -> Vec<u8> {
        let mut plain = self.clone();
        plain.line = format!("POST /{name} HTTP/1.1");
        let bytes = String::from_utf8(plain.bytes()).unwrap();
        bytes.replacen(&plain.line, &self.line, 1).into_bytes()
    }
}

#[tokio::test]
async fn a_request_without_a_signature_is_refused_always() {
    let (address, _clock) = bob().await;
    for (signature, told) in [
        ("", "Missing Signature"),
        ("0x12", "Invalid SR25519 signature."),
    ] {
        let mut request = Request::to("NoHash", "{}");
        request.signature = Some(signature.into());
        let answer = request.send(address).await;
        assert_eq!(answer.status, 401);
        assert_eq!(message(&answer), format!("Not Verified with error: {told}"));
    }
    let mut request = Request::to("NoHash", "{}");
    request.signed_for = key("//Charlie").hotkey().to_string();
    let answer = request.send(address).await;
    assert_eq!(answer.status, 401);
    assert!(message(&answer).starts_with("Not Verified with error: Signature mismatch with "));
}

#[tokio::test]
async fn pain_axon_nonce_too_old_says_by_how_much_the_clocks_differ() {
    let (address, clock) = bob().await;
    clock.set_nanos(START + 45 * SECOND);
    let answer = Request::to("NoHash", "{}").send(address).await;
    assert_eq!(answer.status, 401);
    assert_eq!(
        message(&answer),
        "Not Verified with error: Nonce is too old: acceptable delta is 16.00 seconds but request \
         was 45.00 seconds old"
    );
}

#[tokio::test]
async fn a_nonce_from_the_future_is_refused() {
    let (address, _clock) = bob().await;
    let mut request = Request::to("NoHash", "{}");
    request.nonce = START + 4 * SECOND;
    assert_eq!(request.send(address).await.status, 200);
    request.nonce = START + 5 * SECOND;
    let answer = request.send(address).await;
    assert_eq!(answer.status, 401);
    assert!(message(&answer).ends_with("but request was 5.00 seconds ahead"));
}

#[tokio::test]
async fn a_nonce_serves_a_hotkey_once_whatever_the_uuid() {
    let (address, _clock) = bob().await;
    let mut request = Request::to("NoHash", "{}");
    assert_eq!(request.send(address).await.status, 200);
    let answer = request.send(address).await;
    assert_eq!(answer.status, 401);
    assert!(message(&answer).ends_with("a newer one was last processed"));
    request.uuid = "another".into();
    let answer = request.send(address).await;
    assert_eq!(answer.status, 401);
    assert!(message(&answer).ends_with("Nonce was used before"));
}

#[tokio::test]
async fn nonces_follow_the_clock_whatever_version_the_caller_claims() {
    let (address, _clock) = bob().await;
    for version in [None, Some(1), Some(10_005_000)] {
        let mut request = Request::to("NoHash", "{}");
        request.nonce = 12_345;
        request.version = version;
        assert_eq!(request.send(address).await.status, 401, "{version:?}");
    }
}

#[tokio::test]
async fn an_unsigned_timeout_cannot_keep_a_nonce_fresh_for_ever() {
    let (address, clock) = bob().await;
    clock.set_nanos(START + 305 * SECOND);
    for timeout in ["inf", "1e300", "nan"] {
        let mut request = Request::to("NoHash", "{}");
        request.timeout = timeout.into();
        assert_eq!(request.send(address).await.status, 401, "{timeout}");
    }
}

#[tokio::test]
async fn pain_axon_nonce_maps_are_bounded() {
    let (alice, bob) = (key("//Alice"), key("//Bob").hotkey());
    let limits = DendriteLimits {
        nonces: 64,
        lanes: 16,
        ..Default::default()
    };
    let verifier = DendriteVerifier::new(bob, limits);
    let own = alice.hotkey().to_string();
    let mut refused = 0;
    for index in 0..200 {
        let uuid = format!("uuid {index}");
        let nonce = START + index;
        let callee = bob.to_string();
        let message = signed_message(Some(nonce), Some(&own), Some(&callee), Some(&uuid), None);
        let head = SynapseHead {
            dendrite: TerminalInfo {
                nonce: Some(nonce),
                uuid: Some(uuid),
                hotkey: Some(own.clone()),
                signature: Some(alice.sign(message.as_bytes()).to_string()),
                ..Default::default()
            },
            ..SynapseHead::empty("Any")
        };
        let peer = ([127, 0, 0, 1], 1).into();
        refused += u32::from(verifier.verify(&head, peer, START).is_err());
        assert!(verifier.remembered() <= 64);
        assert!(verifier.remembered_lanes() <= 16);
    }
    // One hotkey may fill half of the store, and no live nonce is forgotten for a new one.
    assert_eq!(refused, 200 - 32);
}

#[tokio::test]
async fn a_blacklist_sees_every_request_and_a_priority_every_verified_one() {
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let (claims, verified) = (seen.clone(), seen.clone());
    let clock = ManualClock::at_nanos(START);
    let axon = Axon::new(key("//Bob"))
        .clock(Arc::new(clock))
        .blacklist(move |head, _| {
            claims.lock().unwrap().push(format!("claim {}", head.name));
            Ok(())
        })
        .priority(move |caller, name| {
            verified
                .lock()
                .unwrap()
                .push(format!("{} {name}", caller.hotkey));
            1.0
        });
    let (address, _task) = recorder::serve(axon).await;
    let mut request = Request::to("Synapse", "{}");
    request.signature = Some(format!("0x{}", "11".repeat(64)));
    assert_eq!(request.send(address).await.status, 401);
    request.signature = None;
    assert_eq!(request.send(address).await.status, 200);
    let alice = key("//Alice").hotkey();
    let expected = [
        "claim Synapse".into(),
        "claim Synapse".into(),
        format!("{alice} Synapse"),
    ];
    assert_eq!(*seen.lock().unwrap(), expected);
}
