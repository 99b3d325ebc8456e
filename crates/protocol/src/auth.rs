//! `btauth/1`: who sent this request, to whom, with exactly this body, and when.
//!
//! The pure half of authentication: text that is signed, headers that carry it, and the order of
//! checks. [`crate::server::VerifyLayer`] and [`crate::client::SignLayer`] put it on the wire.
//!
//! # The signed text of a request
//! Eight lines joined by `\n`, without one at the end: `btauth/1`, scheme (`sr25519` or `ed25519`),
//! method in upper case, request target as sent, SHA-256 of the body in lower-case hexadecimal,
//! nonce (nanoseconds since the Unix epoch, decimal), SS58 address of the sender, SS58 address of
//! the receiver or `-`. Over gRPC the method is `POST`, the target the gRPC path, and the body the
//! exact HTTP/2 body: the length-prefixed frame. [`SignedPayload`] writes it.
//!
//! | header | value |
//! |---|---|
//! | [`HEADER_VERSION`] | `1` |
//! | [`HEADER_HOTKEY`] | SS58 address of the sender |
//! | [`HEADER_RECEIVER`] | SS58 address of the receiver; absent when unbound |
//! | [`HEADER_NONCE`] | decimal |
//! | [`HEADER_CRYPTO`] | `ed25519`; absent means `sr25519` |
//! | [`HEADER_SIGNATURE`] | `0x` and 128 hexadecimal digits |
//!
//! # The signed text of an answer
//! Six lines: `btauth-answer/1`, scheme, SHA-256 of the request's signed text, SHA-256 of the
//! response body, gRPC status code in decimal, SS58 address of the server. The first hash binds the
//! answer to one request of one caller (the nonce is in it), so an answer can be neither replayed
//! nor handed to someone else. The status *message* and other response metadata are not covered.
//!
//! | header | value |
//! |---|---|
//! | [`HEADER_ANSWER_HOTKEY`] | SS58 address of the server |
//! | [`HEADER_ANSWER_CRYPTO`] | `ed25519`; absent means `sr25519` |
//! | [`HEADER_ANSWER_SIGNATURE`] | `0x` and 128 hexadecimal digits |
//!
//! # Where we are stricter than the Python SDK
//! One request has one form, so nothing can be re-spelled under way:
//!
//! | rule | refused here | accepted by `bittensor.http_auth.verify` 11.3.0 |
//! |---|---|---|
//! | canonical nonce | `1_752…`, `+1752…`, `01752…`, spaces around | yes (`int()`) |
//! | canonical signature | no `0x`, upper-case digits | yes |
//! | canonical scheme | `SR25519`, ` sr25519 `, `0`, `1` | yes |
//! | single header | any of the headers given twice | the last one counts |
//!
//! Requests made by `bittensor.http_auth.sign` always have the canonical form.

mod answer;
mod nonce;
mod payload;
mod refusal;
mod replay;
mod request;

pub use answer::{AnswerRefused, sign_answer, verify_answer};
pub use nonce::NonceSource;
pub use payload::{BodyHash, PayloadHash, SignedPayload};
pub use refusal::{AuthRefusal, Authorise, RefusalObserver};
pub use replay::{NonceStore, NonceStoreLimits};
pub(crate) use request::RequestSigner;
pub use request::{AuthLimits, Claim, SignedRequest, VerifiedCaller, sign_request, verify_request};

use http::{HeaderMap, HeaderName};

/// Version of the scheme, `1`.
pub const HEADER_VERSION: HeaderName = HeaderName::from_static("x-bittensor-version");
/// Sender of a request.
pub const HEADER_HOTKEY: HeaderName = HeaderName::from_static("x-bittensor-hotkey");
/// Receiver a request is bound to.
pub const HEADER_RECEIVER: HeaderName = HeaderName::from_static("x-bittensor-receiver");
/// Nonce of a request.
pub const HEADER_NONCE: HeaderName = HeaderName::from_static("x-bittensor-nonce");
/// Signature scheme of a request when it is not sr25519.
pub const HEADER_CRYPTO: HeaderName = HeaderName::from_static("x-bittensor-crypto");
/// Signature of a request.
pub const HEADER_SIGNATURE: HeaderName = HeaderName::from_static("x-bittensor-signature");
/// Signer of an answer.
pub const HEADER_ANSWER_HOTKEY: HeaderName = HeaderName::from_static("x-bittensor-answer-hotkey");
/// Signature scheme of an answer when it is not sr25519.
pub const HEADER_ANSWER_CRYPTO: HeaderName = HeaderName::from_static("x-bittensor-answer-crypto");
/// Signature of an answer.
pub const HEADER_ANSWER_SIGNATURE: HeaderName =
    HeaderName::from_static("x-bittensor-answer-signature");
/// Why a request was refused, as one word; set on refusals only and not signed.
pub const HEADER_REFUSAL: HeaderName = HeaderName::from_static("x-bittensor-refusal");

/// The header's text: `None` when it is absent, an error word when it is given twice or is not
/// visible ASCII.
fn single<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<Option<&'h str>, &'static str> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err("given more than once");
    }
    value.to_str().map(Some).map_err(|_| "not visible ASCII")
}
