use std::time::Duration;

use adit_primitives::Hotkey;
use adit_wallet::{Keypair, Signature, SignatureScheme, verify};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::{
    AuthRefusal, BodyHash, HEADER_CRYPTO, HEADER_HOTKEY, HEADER_NONCE, HEADER_RECEIVER,
    HEADER_SIGNATURE, HEADER_VERSION, NonceStore, PayloadHash, SignedPayload,
    payload::{crypto_of, scheme_of},
    single,
};

const VERSION: &str = "1";

/// What a verifier asks of a request besides a good signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuthLimits {
    /// Greatest age of a nonce, inclusive.
    pub max_age: Duration,
    /// Greatest lead of a nonce over our clock, inclusive.
    pub skew: Duration,
    /// Largest body of a request or a response, in bytes, frame header included.
    pub max_message_bytes: usize,
    /// Whether a request must name its receiver. Without this a request can be shown to every
    /// server that also does without.
    pub require_receiver: bool,
}

impl Default for AuthLimits {
    /// 10 s, 2 s, 16 MiB, and the receiver must be named.
    fn default() -> Self {
        Self {
            max_age: Duration::from_secs(10),
            skew: Duration::from_secs(2),
            max_message_bytes: 16 << 20,
            require_receiver: true,
        }
    }
}

/// Who sent a request; only a verifier makes one. Found in the request's extensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VerifiedCaller {
    /// The hotkey that signed.
    pub hotkey: Hotkey,
    /// The scheme it signed under.
    pub scheme: SignatureScheme,
    /// The request's nonce, in nanoseconds since the Unix epoch.
    pub nonce: u64,
    /// Names the request; the answer's signature refers to it.
    pub payload_hash: PayloadHash,
}

/// What a request's headers say of its sender, not yet believed.
#[derive(Debug, Clone)]
pub struct Claim {
    /// The hotkey the sender says it has.
    pub hotkey: Hotkey,
    /// The receiver it says the request is for.
    pub receiver: Option<Hotkey>,
    /// Nanoseconds since the Unix epoch.
    pub nonce: u64,
    /// The scheme it says it signed under.
    pub scheme: SignatureScheme,
    signature: Signature,
}

impl Claim {
    /// Reads the headers strictly: see the table in the documentation of [`crate::auth`].
    ///
    /// # Errors
    /// [`AuthRefusal::Missing`] or [`AuthRefusal::Malformed`].
    pub fn from_headers(headers: &HeaderMap) -> Result<Self, AuthRefusal> {
        if required(headers, &HEADER_VERSION)? != VERSION {
            return Err(malformed(&HEADER_VERSION, "not 1"));
        }
        let hotkey = required(headers, &HEADER_HOTKEY)?
            .parse()
            .map_err(|_| malformed(&HEADER_HOTKEY, "no SS58 address of format 42"))?;
        let nonce = canonical_number(required(headers, &HEADER_NONCE)?)
            .ok_or_else(|| malformed(&HEADER_NONCE, "no canonical decimal number"))?;
        let scheme = scheme_of(optional(headers, &HEADER_CRYPTO)?)
            .ok_or_else(|| malformed(&HEADER_CRYPTO, "neither sr25519 nor ed25519"))?;
        let signature = canonical_signature(required(headers, &HEADER_SIGNATURE)?)
            .ok_or_else(|| malformed(&HEADER_SIGNATURE, "not 0x and 128 lower-case hex digits"))?;
        let receiver = optional(headers, &HEADER_RECEIVER)?
            .map(str::parse)
            .transpose()
            .map_err(|_| malformed(&HEADER_RECEIVER, "no SS58 address of format 42"))?;
        Ok(Self {
            hotkey,
            receiver,
            nonce,
            scheme,
            signature,
        })
    }

    /// Checks that the request is for `own`.
    ///
    /// # Errors
    /// [`AuthRefusal::Unbound`] or [`AuthRefusal::WrongReceiver`].
    pub fn check_receiver(&self, own: &Hotkey, required: bool) -> Result<(), AuthRefusal> {
        match &self.receiver {
            None if required => Err(AuthRefusal::Unbound),
            Some(receiver) if receiver != own => Err(AuthRefusal::WrongReceiver),
            _ => Ok(()),
        }
    }

    /// Checks the nonce against `now`, in nanoseconds since the Unix epoch.
    ///
    /// # Errors
    /// [`AuthRefusal::Stale`] or [`AuthRefusal::FromTheFuture`].
    pub fn check_freshness(&self, now: u64, limits: &AuthLimits) -> Result<(), AuthRefusal> {
        if u128::from(now.saturating_sub(self.nonce)) > limits.max_age.as_nanos() {
            return Err(AuthRefusal::Stale {
                max_age_millis: millis(limits.max_age),
            });
        }
        if u128::from(self.nonce.saturating_sub(now)) > limits.skew.as_nanos() {
            return Err(AuthRefusal::FromTheFuture {
                skew_millis: millis(limits.skew),
            });
        }
        Ok(())
    }

    /// Checks the signature over method, target and body. The caller has not been authorised and
    /// the nonce not used up.
    ///
    /// # Errors
    /// [`AuthRefusal::BadSignature`].
    pub fn check_signature(
        &self,
        method: &str,
        target: &str,
        body: BodyHash,
    ) -> Result<VerifiedCaller, AuthRefusal> {
        // An address has one spelling, so writing it anew gives what the sender wrote.
        let receiver = self.receiver.as_ref().map(ToString::to_string);
        let payload = SignedPayload {
            scheme: self.scheme,
            method,
            target,
            body,
            nonce: self.nonce,
            sender: &self.hotkey.to_string(),
            receiver: receiver.as_deref(),
        }
        .to_text();
        let account = self.hotkey.account();
        if !verify(self.scheme, &account, payload.as_bytes(), &self.signature) {
            return Err(AuthRefusal::BadSignature);
        }
        Ok(VerifiedCaller {
            hotkey: self.hotkey,
            scheme: self.scheme,
            nonce: self.nonce,
            payload_hash: PayloadHash::of(&payload),
        })
    }
}

/// Verifies a whole request for `own` at `now`, in the order of the specification: shape, receiver,
/// freshness, signature, replay. A server authorises the caller between the last two, as
/// [`crate::server::VerifyLayer`] does, so that strangers cannot fill the nonce store.
///
/// # Errors
/// The first check that fails.
#[expect(
    clippy::too_many_arguments,
    reason = "a request has that many parts, and each is the caller's to name"
)]
pub fn verify_request(
    headers: &HeaderMap,
    method: &str,
    target: &str,
    body: &[u8],
    own: &Hotkey,
    limits: &AuthLimits,
    now: u64,
    nonces: &NonceStore,
) -> Result<VerifiedCaller, AuthRefusal> {
    let claim = Claim::from_headers(headers)?;
    claim.check_receiver(own, limits.require_receiver)?;
    claim.check_freshness(now, limits)?;
    let caller = claim.check_signature(method, target, BodyHash::of(body))?;
    nonces.insert(&caller.hotkey, caller.nonce, now)?;
    Ok(caller)
}

/// A request's authentication: headers to send, and the name under which an answer refers to it.
#[derive(Debug, Clone)]
pub struct SignedRequest {
    /// The headers of `btauth/1`.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Hash of the signed text.
    pub payload_hash: PayloadHash,
}

/// Signs a request; `nonce` must be fresh, see [`super::NonceSource`].
///
/// ```
/// use adit_protocol::auth::{self, AuthLimits, NonceStore, NonceStoreLimits};
/// use adit_wallet::Keypair;
///
/// let (alice, bob) = (Keypair::from_uri("//Alice")?, Keypair::from_uri("//Bob")?);
/// let now = 1_752_076_800_000_000_000;
/// let signed = auth::sign_request(&alice, "POST", "/a.B/C", b"hello", Some(&bob.hotkey()), now);
/// let headers = signed.headers.into_iter().collect();
///
/// let nonces = NonceStore::new(NonceStoreLimits::default());
/// let verify = |body| {
///     let limits = AuthLimits::default();
///     auth::verify_request(&headers, "POST", "/a.B/C", body, &bob.hotkey(), &limits, now, &nonces)
/// };
/// assert_eq!(verify(b"hello".as_slice())?.hotkey, alice.hotkey());
/// assert_eq!(verify(b"hello".as_slice()).unwrap_err().reason(), "replayed");
/// assert_eq!(verify(b"jello".as_slice()).unwrap_err().reason(), "bad_signature");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn sign_request(
    keypair: &Keypair,
    method: &str,
    target: &str,
    body: &[u8],
    receiver: Option<&Hotkey>,
    nonce: u64,
) -> SignedRequest {
    let receiver = receiver.map(ToString::to_string);
    let sender = keypair.hotkey().to_string();
    RequestSigner::new(keypair, &sender, receiver.as_deref()).sign(method, target, body, nonce)
}

/// Signs requests of one key for one receiver; the addresses have been written out once.
pub(crate) struct RequestSigner<'a> {
    keypair: &'a Keypair,
    sender: &'a str,
    receiver: Option<&'a str>,
}

impl<'a> RequestSigner<'a> {
    pub(crate) fn new(keypair: &'a Keypair, sender: &'a str, receiver: Option<&'a str>) -> Self {
        Self {
            keypair,
            sender,
            receiver,
        }
    }

    pub(crate) fn sign(
        &self,
        method: &str,
        target: &str,
        body: &[u8],
        nonce: u64,
    ) -> SignedRequest {
        let payload = SignedPayload {
            scheme: self.keypair.scheme(),
            method,
            target,
            body: BodyHash::of(body),
            nonce,
            sender: self.sender,
            receiver: self.receiver,
        }
        .to_text();
        let signature = self.keypair.sign(payload.as_bytes()).to_string();
        let mut headers = vec![
            (HEADER_VERSION, HeaderValue::from_static(VERSION)),
            (HEADER_NONCE, HeaderValue::from(nonce)),
        ];
        let texts = [
            (HEADER_CRYPTO, crypto_of(self.keypair.scheme())),
            (HEADER_HOTKEY, Some(self.sender)),
            (HEADER_RECEIVER, self.receiver),
            (HEADER_SIGNATURE, Some(signature.as_str())),
        ];
        for (name, text) in texts {
            // Addresses and hex digits are visible ASCII, so every one of them is a header value.
            if let Some(Ok(value)) = text.map(HeaderValue::from_str) {
                headers.push((name, value));
            }
        }
        SignedRequest {
            headers,
            payload_hash: PayloadHash::of(&payload),
        }
    }
}

fn malformed(header: &HeaderName, problem: &'static str) -> AuthRefusal {
    AuthRefusal::Malformed {
        header: known_name(header),
        problem,
    }
}

/// The header's name as a static text; [`HeaderName`] gives out a borrowed one only.
fn known_name(header: &HeaderName) -> &'static str {
    match header.as_str() {
        "x-bittensor-version" => "x-bittensor-version",
        "x-bittensor-hotkey" => "x-bittensor-hotkey",
        "x-bittensor-receiver" => "x-bittensor-receiver",
        "x-bittensor-nonce" => "x-bittensor-nonce",
        "x-bittensor-crypto" => "x-bittensor-crypto",
        _ => "x-bittensor-signature",
    }
}

fn optional<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<Option<&'h str>, AuthRefusal> {
    single(headers, name).map_err(|problem| malformed(name, problem))
}

fn required<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<&'h str, AuthRefusal> {
    optional(headers, name)?.ok_or_else(|| AuthRefusal::Missing {
        header: known_name(name),
    })
}

/// A decimal number without sign, separators or leading zeros.
fn canonical_number(text: &str) -> Option<u64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let leading_zero = text.len() > 1 && text.starts_with('0');
    (digits && !leading_zero).then(|| text.parse().ok())?
}

/// `0x` and 128 lower-case hexadecimal digits.
pub(super) fn canonical_signature(text: &str) -> Option<Signature> {
    let digits = text.strip_prefix("0x")?;
    if digits.len() != 128 || digits.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return None;
    }
    text.parse().ok()
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
