//! A neuron whose key is ed25519 says so, and is believed.

use adit_protocol::auth::{
    AuthLimits, NonceStore, NonceStoreLimits, sign_answer, sign_request, verify_answer,
    verify_request,
};
use adit_wallet::{Keypair, SignatureScheme};
use http::HeaderMap;

#[test]
fn an_ed25519_key_signs_requests_and_answers_that_verify() {
    let alice = Keypair::from_uri_with_scheme(SignatureScheme::Ed25519, "//Alice").unwrap();
    let (receiver, now) = (Keypair::from_uri("//Bob").unwrap().hotkey(), 1_000_000_000);
    let signed = sign_request(&alice, "POST", "/x", b"hello", Some(&receiver), now);
    let verify = |headers: &HeaderMap| {
        let nonces = NonceStore::new(NonceStoreLimits::default());
        let limits = AuthLimits::default();
        verify_request(
            headers, "POST", "/x", b"hello", &receiver, &limits, now, &nonces,
        )
    };
    let headers: HeaderMap = signed.headers.iter().cloned().collect();
    assert_eq!(headers["x-bittensor-crypto"], "ed25519");
    assert_eq!(verify(&headers).unwrap().hotkey, alice.hotkey());
    // Without its kind it is read as sr25519, and refused.
    let mut bare = headers;
    bare.remove("x-bittensor-crypto");
    assert_eq!(verify(&bare).unwrap_err().reason(), "bad_signature");

    let own = alice.hotkey().to_string();
    let answer = sign_answer(&alice, &own, signed.payload_hash, b"body", 0);
    let answer: HeaderMap = answer.into_iter().collect();
    assert_eq!(answer["x-bittensor-answer-crypto"], "ed25519");
    verify_answer(&answer, b"body", 0, signed.payload_hash, &alice.hotkey()).unwrap();
    verify_answer(&answer, b"other", 0, signed.payload_hash, &alice.hotkey()).unwrap_err();
}
