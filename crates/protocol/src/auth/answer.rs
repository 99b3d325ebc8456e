use adit_primitives::Hotkey;
use adit_wallet::{Keypair, SignatureScheme, verify};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::{
    BodyHash, HEADER_ANSWER_CRYPTO, HEADER_ANSWER_HOTKEY, HEADER_ANSWER_SIGNATURE, PayloadHash,
    payload::{crypto_of, scheme_of},
    request::canonical_signature,
    single,
};

const PROTOCOL: &str = "btauth-answer/1";

/// Why an answer is not believed to come from the hotkey that was asked.
///
/// Found behind a [`tonic::Status`] with [`crate::status::answer_refused`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerRefused {
    /// The answer carries no signature.
    #[error("the answer is not signed")]
    Unsigned,
    /// A header of the answer's signature does not have its canonical form.
    #[error("the answer's signature is malformed: {problem}")]
    Malformed {
        /// What is wrong.
        problem: &'static str,
    },
    /// Another hotkey than the one that was asked signed the answer.
    #[error("{found} answered for {expected}")]
    OtherHotkey {
        /// The hotkey that was asked.
        expected: Hotkey,
        /// The hotkey that answered.
        found: Hotkey,
    },
    /// The signature does not fit the request, the answer's body and its status.
    #[error("the answer's signature does not verify")]
    BadSignature,
    /// The answer exceeds the limit.
    #[error("the answer exceeds {limit} bytes")]
    TooLarge {
        /// Greatest body accepted, in bytes.
        limit: usize,
    },
}

impl AnswerRefused {
    /// One stable word for logs and metrics.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Unsigned => "answer_unsigned",
            Self::Malformed { .. } => "answer_malformed",
            Self::OtherHotkey { .. } => "answer_other_hotkey",
            Self::BadSignature => "answer_bad_signature",
            Self::TooLarge { .. } => "answer_too_large",
        }
    }
}

fn answer_text(
    scheme: SignatureScheme,
    request: PayloadHash,
    body: BodyHash,
    grpc_status: i32,
    server: &str,
) -> String {
    let body = hex::encode(body.0);
    format!("{PROTOCOL}\n{scheme}\n{request}\n{body}\n{grpc_status}\n{server}")
}

/// Signs an answer to the request named by `request`; `server` is the SS58 address of `keypair`.
pub fn sign_answer(
    keypair: &Keypair,
    server: &str,
    request: PayloadHash,
    body: &[u8],
    grpc_status: i32,
) -> Vec<(HeaderName, HeaderValue)> {
    let scheme = keypair.scheme();
    let text = answer_text(scheme, request, BodyHash::of(body), grpc_status, server);
    let signature = keypair.sign(text.as_bytes()).to_string();
    let pairs = [
        (HEADER_ANSWER_CRYPTO, crypto_of(scheme)),
        (HEADER_ANSWER_HOTKEY, Some(server)),
        (HEADER_ANSWER_SIGNATURE, Some(signature.as_str())),
    ];
    pairs
        .into_iter()
        // Addresses and hex digits are visible ASCII, so every one of them is a header value.
        .filter_map(|(name, text)| Some((name, HeaderValue::from_str(text?).ok()?)))
        .collect()
}

/// Verifies that `expected` signed this answer to the request named by `request`.
///
/// # Errors
/// The first check that fails: presence, form, signer, signature.
pub fn verify_answer(
    headers: &HeaderMap,
    body: &[u8],
    grpc_status: i32,
    request: PayloadHash,
    expected: &Hotkey,
) -> Result<(), AnswerRefused> {
    let text = |name: &HeaderName| {
        single(headers, name).map_err(|problem| AnswerRefused::Malformed { problem })
    };
    let malformed = |problem| AnswerRefused::Malformed { problem };
    let signature = text(&HEADER_ANSWER_SIGNATURE)?.ok_or(AnswerRefused::Unsigned)?;
    let server = text(&HEADER_ANSWER_HOTKEY)?.ok_or(AnswerRefused::Unsigned)?;
    let scheme = scheme_of(text(&HEADER_ANSWER_CRYPTO)?)
        .ok_or_else(|| malformed("neither sr25519 nor ed25519"))?;
    let signature = canonical_signature(signature)
        .ok_or_else(|| malformed("not 0x and 128 lower-case hex digits"))?;
    let found: Hotkey = server
        .parse()
        .map_err(|_| malformed("no SS58 address of format 42"))?;
    if found != *expected {
        return Err(AnswerRefused::OtherHotkey {
            expected: *expected,
            found,
        });
    }
    let signed = answer_text(scheme, request, BodyHash::of(body), grpc_status, server);
    let account = expected.account();
    if verify(scheme, &account, signed.as_bytes(), &signature) {
        Ok(())
    } else {
        Err(AnswerRefused::BadSignature)
    }
}
