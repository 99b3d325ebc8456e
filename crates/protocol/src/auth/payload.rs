use std::fmt;

use adit_wallet::SignatureScheme;
use sha2::{Digest as _, Sha256};

const PROTOCOL: &str = "btauth/1";
const UNBOUND: &str = "-";

/// SHA-256 of a request's or a response's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BodyHash(pub [u8; 32]);

impl BodyHash {
    /// Hashes a body.
    pub fn of(body: &[u8]) -> Self {
        Self(Sha256::digest(body).into())
    }
}

/// SHA-256 of a request's signed text: names one request of one caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PayloadHash(pub [u8; 32]);

impl PayloadHash {
    /// Hashes the signed text.
    pub fn of(payload: &str) -> Self {
        Self(Sha256::digest(payload.as_bytes()).into())
    }
}

impl fmt::Display for PayloadHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

/// What a request's signature covers; [`SignedPayload::to_text`] writes it down.
#[derive(Debug, Clone, Copy)]
pub struct SignedPayload<'a> {
    /// The signature scheme; part of the text, so that a signature counts under one scheme only.
    pub scheme: SignatureScheme,
    /// The HTTP method; written in upper case.
    pub method: &'a str,
    /// The request target exactly as sent: path and, if any, `?query`, percent-encoded.
    pub target: &'a str,
    /// Hash of the raw body.
    pub body: BodyHash,
    /// Nanoseconds since the Unix epoch.
    pub nonce: u64,
    /// SS58 address of the sender.
    pub sender: &'a str,
    /// SS58 address of the receiver; `None` when the request is not bound to one.
    pub receiver: Option<&'a str>,
}

impl SignedPayload<'_> {
    /// The text that is signed.
    pub fn to_text(&self) -> String {
        format!(
            "{PROTOCOL}\n{}\n{}\n{}\n{}\n{}\n{}\n{}",
            self.scheme,
            self.method.to_ascii_uppercase(),
            self.target,
            hex::encode(self.body.0),
            self.nonce,
            self.sender,
            self.receiver.unwrap_or(UNBOUND),
        )
    }
}

/// The scheme of an absent (`None`) or present crypto header; `None` when it names no scheme.
pub(crate) fn scheme_of(header: Option<&str>) -> Option<SignatureScheme> {
    match header {
        None | Some("sr25519") => Some(SignatureScheme::Sr25519),
        Some("ed25519") => Some(SignatureScheme::Ed25519),
        Some(_) => None,
    }
}

/// The crypto header of a scheme: none for sr25519, which its absence means.
pub(crate) fn crypto_of(scheme: SignatureScheme) -> Option<&'static str> {
    match scheme {
        SignatureScheme::Sr25519 => None,
        SignatureScheme::Ed25519 => Some("ed25519"),
    }
}
