//! `btauth/1` as `bittensor.http_auth` of the Python SDK 11.3.0 does it, and where we are stricter.

use std::fs;

use adit_protocol::auth::{
    AuthLimits, AuthRefusal, BodyHash, NonceStore, NonceStoreLimits, PayloadHash, SignedPayload,
    sign_request, verify_request,
};
use adit_wallet::{Keypair, SignatureScheme};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

/// Cases the Python verifier accepts and ours refuses, each with its rule in the table of
/// [`adit_protocol::auth`].
const STRICTER: [(&str, &str); 9] = [
    ("nonce underscores", "canonical nonce"),
    ("nonce with spaces", "canonical nonce"),
    ("nonce plus sign", "canonical nonce"),
    ("nonce leading zero", "canonical nonce"),
    ("signature without 0x", "canonical signature"),
    ("signature upper hex", "canonical signature"),
    (
        "crypto header 'SR25519' on sr25519 signature",
        "canonical scheme",
    ),
    ("crypto header '1' on sr25519 signature", "canonical scheme"),
    (
        "crypto header ' sr25519 ' on sr25519 signature",
        "canonical scheme",
    ),
];
/// Refused by both, but as malformed by us: `0` is no canonical name of a scheme.
const OTHER_CLASS: &str = "crypto header '0' on sr25519 signature";

fn vectors() -> Value {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../fixtures/golden/chain/btauth.json"
    );
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn text<'v>(case: &'v Value, key: &str) -> &'v str {
    case[key].as_str().unwrap()
}

fn body(case: &Value) -> Vec<u8> {
    hex::decode(text(case, "body_hex")).unwrap()
}

fn headers(case: &Value) -> HeaderMap {
    let headers = case["headers"].as_object().unwrap();
    let pair = |(name, value): (&String, &Value)| {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        (
            name,
            HeaderValue::from_str(value.as_str().unwrap()).unwrap(),
        )
    };
    headers.iter().map(pair).collect()
}

fn class(refusal: &AuthRefusal) -> &'static str {
    match refusal {
        AuthRefusal::Missing { .. } | AuthRefusal::Malformed { .. } => "MalformedAuth",
        AuthRefusal::Unbound | AuthRefusal::WrongReceiver => "WrongReceiver",
        AuthRefusal::Stale { .. } | AuthRefusal::FromTheFuture { .. } => "StaleRequest",
        AuthRefusal::BadSignature => "BadSignature",
        AuthRefusal::Replayed => "ReplayedRequest",
        other => panic!("{other}"),
    }
}

#[test]
fn every_payload_has_the_same_bytes_and_its_signature_verifies() {
    let vectors = vectors();
    let payloads = vectors["payloads"].as_array().unwrap();
    assert_eq!(payloads.len(), 14);
    for case in payloads {
        let scheme = match text(case, "scheme") {
            "sr25519" => SignatureScheme::Sr25519,
            "ed25519" => SignatureScheme::Ed25519,
            other => panic!("{other}"),
        };
        let nonce = text(case, "nonce_ns").parse().unwrap();
        let receiver = case["receiver_ss58"].as_str();
        let payload = SignedPayload {
            scheme,
            method: text(case, "method"),
            target: text(case, "path"),
            body: BodyHash::of(&body(case)),
            nonce,
            sender: text(case, "sender_ss58"),
            receiver,
        }
        .to_text();
        assert_eq!(payload, text(case, "payload_utf8"));
        let hash = PayloadHash::of(&payload).to_string();
        assert_eq!(hash, text(case, "payload_sha256"));

        let own = receiver
            .unwrap_or(text(case, "sender_ss58"))
            .parse()
            .unwrap();
        let limits = AuthLimits {
            require_receiver: false,
            ..Default::default()
        };
        let (method, target) = (text(case, "method"), text(case, "path"));
        let verify = |headers: &HeaderMap| {
            let nonces = NonceStore::new(NonceStoreLimits::default());
            let body = body(case);
            verify_request(
                headers, method, target, &body, &own, &limits, nonce, &nonces,
            )
        };
        let caller = verify(&headers(case)).unwrap();
        assert_eq!(caller.hotkey.to_string(), text(case, "sender_ss58"));
        assert_eq!(caller.payload_hash.to_string(), hash);

        if scheme == SignatureScheme::Sr25519 {
            let keypair = Keypair::from_uri(text(case, "sender_uri")).unwrap();
            let bound = receiver.map(|receiver| receiver.parse().unwrap());
            let signed = sign_request(&keypair, method, target, &body(case), bound.as_ref(), nonce);
            assert_eq!(signed.payload_hash.to_string(), hash);
            let ours: HeaderMap = signed.headers.into_iter().collect();
            let mut names: Vec<_> = ours.keys().map(HeaderName::as_str).collect();
            let theirs = headers(case);
            let mut expected: Vec<_> = theirs.keys().map(HeaderName::as_str).collect();
            names.sort_unstable();
            expected.sort_unstable();
            assert_eq!(names, expected);
            verify(&ours).unwrap();
        }
    }
}

#[test]
fn every_verdict_is_the_same_or_stricter_by_a_named_rule() {
    let vectors = vectors();
    let cases = vectors["verify"].as_array().unwrap();
    assert_eq!(cases.len(), 46);
    let mut stricter = 0;
    for case in cases {
        let name = text(case, "name");
        let own = text(case, "self_hotkey").parse().unwrap();
        let limits = AuthLimits {
            require_receiver: case["require_receiver"].as_bool().unwrap(),
            ..Default::default()
        };
        let now = text(case, "now_ns").parse().unwrap();
        let nonces = NonceStore::new(NonceStoreLimits::default());
        let verify = || {
            verify_request(
                &headers(case),
                text(case, "method"),
                text(case, "path"),
                &body(case),
                &own,
                &limits,
                now,
                &nonces,
            )
        };
        if case["replayed"].as_bool().unwrap() {
            verify().unwrap();
        }
        let ours = verify();
        let theirs = &case["result"];
        let stricter_rule = STRICTER.iter().any(|(stricter, _)| *stricter == name);
        if stricter_rule {
            stricter += 1;
            assert_eq!(theirs["ok"], true, "{name}");
            assert_eq!(class(&ours.unwrap_err()), "MalformedAuth", "{name}");
        } else if name == OTHER_CLASS {
            assert_eq!(theirs["error"], "BadSignature");
            assert_eq!(class(&ours.unwrap_err()), "MalformedAuth");
        } else if theirs["ok"] == true {
            let caller = ours.unwrap_or_else(|refusal| panic!("{name}: {refusal}"));
            assert_eq!(caller.hotkey.to_string(), theirs["hotkey"], "{name}");
            assert_eq!(caller.nonce.to_string(), theirs["nonce"], "{name}");
        } else {
            let refusal = ours.expect_err(name);
            assert_eq!(class(&refusal), theirs["error"], "{name}: {refusal}");
        }
    }
    assert_eq!(stricter, STRICTER.len());
}
