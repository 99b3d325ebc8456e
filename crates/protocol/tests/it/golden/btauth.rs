//! `btauth/1` as `bittensor.http_auth` of the Python SDK 11.3.0 does it, and where we are stricter.

use adit_protocol::{
    auth::{
        AuthLimits, AuthRefusal, BodyHash, NonceStore, NonceStoreLimits, PayloadHash,
        SignedPayload, sign_request, verify_request,
    },
    synapse::PyValue,
};
use adit_testkit::{GoldenSuite, Outcome};
use adit_wallet::{Keypair, SignatureScheme};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::{Judge, all, entries, on_lists, same, text};

/// Rule under which ours refuses, as malformed, what is not in its one canonical form; see the
/// table in the documentation of [`adit_protocol::auth`].
const STRICTER: &str = "btauth-canonical-form";

pub(super) fn register(suite: &mut GoldenSuite) {
    let lists: [(_, Judge); 2] = [("payloads", payload), ("verify", verdict)];
    on_lists(suite, "btauth", lists);
}

fn body(case: &PyValue) -> Vec<u8> {
    hex::decode(text(case, "body_hex")).unwrap()
}

fn headers(case: &PyValue) -> HeaderMap {
    let pair = |(name, value): (&str, &PyValue)| {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        (
            name,
            HeaderValue::from_str(value.as_str().unwrap()).unwrap(),
        )
    };
    entries(case.get("headers")).into_iter().map(pair).collect()
}

/// Whether every header has the one form in which the SDK itself writes it.
fn is_canonical(headers: &HeaderMap) -> bool {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let nonce = header("x-bittensor-nonce").unwrap_or("0");
    let signature = header("x-bittensor-signature").unwrap_or("0x");
    let crypto = header("x-bittensor-crypto").unwrap_or("sr25519");
    nonce
        .parse::<u64>()
        .is_ok_and(|number| number.to_string() == nonce)
        && signature.starts_with("0x")
        && !signature.contains(|c: char| c.is_ascii_uppercase())
        && matches!(crypto, "sr25519" | "ed25519")
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

fn payload(case: &PyValue) -> Outcome {
    let scheme = match text(case, "scheme") {
        "sr25519" => SignatureScheme::Sr25519,
        "ed25519" => SignatureScheme::Ed25519,
        other => panic!("{other}"),
    };
    let nonce = text(case, "nonce_ns").parse().unwrap();
    let receiver = case.get("receiver_ss58").and_then(PyValue::as_str);
    let (method, target) = (text(case, "method"), text(case, "path"));
    let payload = SignedPayload {
        scheme,
        method,
        target,
        body: BodyHash::of(&body(case)),
        nonce,
        sender: text(case, "sender_ss58"),
        receiver,
    }
    .to_text();
    let hash = PayloadHash::of(&payload).to_string();
    let own = receiver
        .unwrap_or(text(case, "sender_ss58"))
        .parse()
        .unwrap();
    let limits = AuthLimits {
        require_receiver: false,
        ..Default::default()
    };
    let verify = |headers: &HeaderMap| {
        let nonces = NonceStore::new(NonceStoreLimits::default());
        let body = body(case);
        verify_request(
            headers, method, target, &body, &own, &limits, nonce, &nonces,
        )
    };
    let theirs = headers(case);
    let caller = verify(&theirs).unwrap();
    let mut outcomes = vec![
        same(payload, text(case, "payload_utf8").to_owned()),
        same(hash.clone(), text(case, "payload_sha256").to_owned()),
        same(
            caller.hotkey.to_string(),
            text(case, "sender_ss58").to_owned(),
        ),
        same(caller.payload_hash.to_string(), hash.clone()),
    ];
    if scheme == SignatureScheme::Sr25519 {
        let keypair = Keypair::from_uri(text(case, "sender_uri")).unwrap();
        let bound = receiver.map(|receiver| receiver.parse().unwrap());
        let signed = sign_request(&keypair, method, target, &body(case), bound.as_ref(), nonce);
        let ours: HeaderMap = signed.headers.into_iter().collect();
        let names = |headers: &HeaderMap| {
            let mut names: Vec<_> = headers.keys().map(ToString::to_string).collect();
            names.sort_unstable();
            names
        };
        outcomes.push(same(signed.payload_hash.to_string(), hash));
        outcomes.push(same(names(&ours), names(&theirs)));
        outcomes.push(Outcome::when(
            verify(&ours).is_ok(),
            "our own signature is refused",
        ));
    }
    all(outcomes)
}

fn verdict(case: &PyValue) -> Outcome {
    let flag = |key: &str| case.get(key) == Some(&PyValue::Bool(true));
    let headers = headers(case);
    let limits = AuthLimits {
        require_receiver: flag("require_receiver"),
        ..Default::default()
    };
    let own = text(case, "self_hotkey").parse().unwrap();
    let now = text(case, "now_ns").parse().unwrap();
    let nonces = NonceStore::new(NonceStoreLimits::default());
    let (method, target, body) = (text(case, "method"), text(case, "path"), body(case));
    let verify = || verify_request(&headers, method, target, &body, &own, &limits, now, &nonces);
    if flag("replayed") {
        verify().unwrap();
    }
    let theirs = case.get("result").unwrap();
    let accepted = theirs.get("ok") == Some(&PyValue::Bool(true));
    match verify() {
        Ok(caller) if accepted => all([
            same(caller.hotkey.to_string(), text(theirs, "hotkey").to_owned()),
            same(caller.nonce.to_string(), text(theirs, "nonce").to_owned()),
        ]),
        Ok(_) => Outcome::Failed("accepted where the SDK refuses".into()),
        Err(refusal) => {
            let class = class(&refusal);
            if !accepted && class == text(theirs, "error") {
                Outcome::Passed
            } else if class == "MalformedAuth" && !is_canonical(&headers) {
                Outcome::Deviates(STRICTER)
            } else {
                Outcome::Failed(format!("refused: {refusal}"))
            }
        }
    }
}

#[test]
fn only_the_canonical_form_of_a_request_is_accepted() {
    let alice = Keypair::from_uri("//Alice").unwrap();
    let bob = Keypair::from_uri("//Bob").unwrap().hotkey();
    let now = 1_752_076_800_000_000_000;
    let signed = sign_request(&alice, "POST", "/x", b"", Some(&bob), now);
    let sound: HeaderMap = signed.headers.into_iter().collect();
    let verify = |headers: &HeaderMap| {
        let nonces = NonceStore::new(NonceStoreLimits::default());
        verify_request(
            headers,
            "POST",
            "/x",
            b"",
            &bob,
            &AuthLimits::default(),
            now,
            &nonces,
        )
    };
    assert!(verify(&sound).is_ok());
    let signature = sound["x-bittensor-signature"].to_str().unwrap().to_owned();
    for (name, spelled) in [
        ("x-bittensor-nonce", format!(" {now}")),
        ("x-bittensor-nonce", format!("+{now}")),
        ("x-bittensor-nonce", format!("0{now}")),
        ("x-bittensor-nonce", "1_752076800000000000".into()),
        (
            "x-bittensor-signature",
            signature.trim_start_matches("0x").into(),
        ),
        ("x-bittensor-signature", signature.to_uppercase()),
        ("x-bittensor-crypto", "SR25519".into()),
        ("x-bittensor-crypto", "1".into()),
        ("x-bittensor-crypto", " sr25519 ".into()),
    ] {
        let mut headers = sound.clone();
        headers.insert(name, HeaderValue::from_str(&spelled).unwrap());
        assert!(!is_canonical(&headers), "{name}: {spelled}");
        assert_eq!(
            verify(&headers).unwrap_err().reason(),
            "malformed",
            "{name}: {spelled}"
        );
    }
}
