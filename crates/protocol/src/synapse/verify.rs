use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use adit_primitives::Hotkey;
use adit_wallet::{Signature, SignatureScheme, verify};

use super::{
    head::SynapseHead,
    signing::{ALLOWED_DELTA_NANOS, allowed_nonce_window, signed_message},
};
use crate::auth::{AuthRefusal, NonceStore, NonceStoreLimits};

/// What an axon believes of time, and how much it remembers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DendriteLimits {
    /// Longest timeout that widens the window in which a nonce is fresh. The header is not signed,
    /// so whoever replays a request may write what it likes there.
    pub max_timeout: Duration,
    /// Greatest lead of a nonce over our clock. Python accepts any.
    pub skew: Duration,
    /// Most nonces remembered of all callers together, and half of that per hotkey.
    pub nonces: usize,
    /// Most pairs of hotkey and uuid whose last nonce is remembered.
    pub lanes: usize,
}

impl Default for DendriteLimits {
    /// 5 minutes, 4 s, 1,000,000 and 100,000.
    fn default() -> Self {
        Self {
            max_timeout: Duration::from_secs(300),
            skew: Duration::from_secs(4),
            nonces: 1_000_000,
            lanes: 100_000,
        }
    }
}

/// Who sent a request, by its headers, after their signature was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedDendrite {
    /// The hotkey that signed.
    pub hotkey: Hotkey,
    /// Nanoseconds since the Unix epoch.
    pub nonce: u64,
    /// Names the caller's process, or one lane of its requests; signed.
    pub uuid: Option<String>,
    /// The SDK's version it says it speaks; not signed.
    pub version: Option<i64>,
    /// Where the connection came from.
    pub address: SocketAddr,
    /// The body hash that was signed; `None` when the caller signed none, and then its body is
    /// refused.
    pub body_hash: Option<String>,
}

/// Why a caller's headers were not believed. Times are in seconds.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DendriteRefusal {
    /// No hotkey.
    #[error("No SS58 formatted address or public key provided.")]
    MissingHotkey,
    /// The hotkey is no address.
    #[error("Invalid SS58 address")]
    MalformedHotkey,
    /// No nonce.
    #[error("Missing Nonce")]
    MissingNonce,
    /// The nonce lies too far back: the request was long under way, or the clocks differ.
    #[error(
        "Nonce is too old: acceptable delta is {allowed:.2} seconds but request was {age:.2} seconds old"
    )]
    TooOld {
        /// Four seconds and the caller's timeout.
        allowed: f64,
        /// How far the nonce lies behind this server's clock.
        age: f64,
    },
    /// The nonce lies too far ahead: the clocks differ.
    #[error(
        "Nonce is in the future: acceptable lead is {allowed:.2} seconds but request was {lead:.2} seconds ahead"
    )]
    Ahead {
        /// Greatest lead accepted.
        allowed: f64,
        /// How far the nonce lies ahead of this server's clock.
        lead: f64,
    },
    /// A later nonce, or this one, came from the same hotkey and uuid.
    #[error("Nonce is too old, a newer one was last processed")]
    Overtaken,
    /// The hotkey used this nonce before, under another uuid.
    #[error("Nonce was used before")]
    Replayed,
    /// Too many nonces are remembered to take another one safely.
    #[error("Too many recent requests")]
    TooMany,
    /// No signature.
    #[error("Missing Signature")]
    MissingSignature,
    /// The signature is not `0x` and 128 hexadecimal digits.
    #[error("{problem}")]
    MalformedSignature {
        /// What is wrong with it, in the words of the Python wallet.
        problem: &'static str,
    },
    /// The signature does not fit; the message is the one this server put together.
    #[error("Signature mismatch with {message} and {signature}")]
    BadSignature {
        /// What should have been signed.
        message: String,
        /// What was sent.
        signature: String,
    },
}

/// Believes headers, each at most once.
///
/// The rules are those of the Python SDK's `default_verify`, and stricter where those are unsafe:
/// a nonce must be fresh whatever version the caller claims and whether or not its uuid is known,
/// may not lie in the future, and serves a hotkey once, whatever the uuid; memory is bounded. Of
/// callers of a version below 7.2.0, whose nonces do not follow the clock, nothing is believed, and
/// signatures over `<Bytes>…</Bytes>`, which only browser wallets make, are refused.
#[derive(Debug)]
pub struct DendriteVerifier {
    own: Hotkey,
    limits: DendriteLimits,
    nonces: NonceStore,
    lanes: Mutex<Lanes>,
}

impl DendriteVerifier {
    /// A verifier of requests for `own` that has seen none.
    pub fn new(own: Hotkey, limits: DendriteLimits) -> Self {
        // As long as the longest window, or a request could come back after it was forgotten.
        let retention = limits
            .max_timeout
            .saturating_add(Duration::from_nanos(ALLOWED_DELTA_NANOS))
            .saturating_add(Duration::from_secs(1));
        let nonces = NonceStore::new(NonceStoreLimits {
            retention,
            capacity: limits.nonces,
            capacity_per_hotkey: limits.nonces.div_ceil(2),
        });
        Self {
            own,
            limits,
            nonces,
            lanes: Mutex::default(),
        }
    }

    /// How many nonces are remembered.
    pub fn remembered(&self) -> usize {
        self.nonces.len()
    }

    /// How many lanes are remembered.
    pub fn remembered_lanes(&self) -> usize {
        let lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        lanes.young.len() + lanes.old.len()
    }

    /// Verifies the headers of a request that came from `address` at `now` (nanoseconds since the
    /// Unix epoch), and uses its nonce up.
    ///
    /// # Errors
    /// The first check that fails, in the order of the Python SDK.
    pub fn verify(
        &self,
        head: &SynapseHead,
        address: SocketAddr,
        now: u64,
    ) -> Result<VerifiedDendrite, DendriteRefusal> {
        let claimed = &head.dendrite;
        let text = claimed.hotkey.as_deref();
        let text = text.ok_or(DendriteRefusal::MissingHotkey)?;
        let hotkey: Hotkey = text.parse().map_err(|_| DendriteRefusal::MalformedHotkey)?;
        let nonce = claimed.nonce.ok_or(DendriteRefusal::MissingNonce)?;
        let uuid = claimed.uuid.as_deref();
        // A lane that knows this nonce or a later one says so first, as in Python.
        if self
            .last_of(&hotkey, uuid)
            .is_some_and(|last| nonce <= last)
        {
            return Err(DendriteRefusal::Overtaken);
        }
        self.check_fresh(nonce, head.timeout, now)?;
        let signature = claimed.signature.as_deref().unwrap_or_default();
        if signature.is_empty() {
            return Err(DendriteRefusal::MissingSignature);
        }
        let parsed = read_signature(signature)
            .map_err(|problem| DendriteRefusal::MalformedSignature { problem })?;
        let message = signed_message(
            Some(nonce),
            Some(text),
            Some(&self.own.to_string()),
            uuid,
            head.computed_body_hash.as_deref(),
        );
        let account = hotkey.account();
        if !verify(
            SignatureScheme::Sr25519,
            &account,
            message.as_bytes(),
            &parsed,
        ) {
            return Err(DendriteRefusal::BadSignature {
                message,
                signature: signature.to_owned(),
            });
        }
        self.use_up(&hotkey, uuid, nonce, now)?;
        Ok(VerifiedDendrite {
            hotkey,
            nonce,
            uuid: claimed.uuid.clone(),
            version: claimed.version,
            address,
            body_hash: head.computed_body_hash.clone(),
        })
    }

    fn check_fresh(
        &self,
        nonce: u64,
        timeout: Option<f64>,
        now: u64,
    ) -> Result<(), DendriteRefusal> {
        // `min` also takes the place of NaN.
        let timeout = timeout
            .unwrap_or(0.0)
            .min(self.limits.max_timeout.as_secs_f64());
        if i128::from(nonce) <= allowed_nonce_window(now, Some(timeout)) {
            return Err(DendriteRefusal::TooOld {
                allowed: ALLOWED_DELTA_NANOS as f64 / 1e9 + timeout,
                age: now.saturating_sub(nonce) as f64 / 1e9,
            });
        }
        let lead = nonce.saturating_sub(now);
        if u128::from(lead) > self.limits.skew.as_nanos() {
            return Err(DendriteRefusal::Ahead {
                allowed: self.limits.skew.as_secs_f64(),
                lead: lead as f64 / 1e9,
            });
        }
        Ok(())
    }

    fn last_of(&self, hotkey: &Hotkey, uuid: Option<&str>) -> Option<u64> {
        let lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        lanes.last(&lane(hotkey, uuid))
    }

    /// Remembers a believed nonce; of two requests with one nonce exactly one passes.
    fn use_up(
        &self,
        hotkey: &Hotkey,
        uuid: Option<&str>,
        nonce: u64,
        now: u64,
    ) -> Result<(), DendriteRefusal> {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let lane = lane(hotkey, uuid);
        if lanes.last(&lane).is_some_and(|last| nonce <= last) {
            return Err(DendriteRefusal::Overtaken);
        }
        let stored = self.nonces.insert(hotkey, nonce, now);
        stored.map_err(|refusal| match refusal {
            AuthRefusal::NonceStoreFull => DendriteRefusal::TooMany,
            _ => DendriteRefusal::Replayed,
        })?;
        lanes.set(lane, nonce, self.limits.lanes);
        Ok(())
    }
}

fn read_signature(text: &str) -> Result<Signature, &'static str> {
    let digits = text
        .strip_prefix("0x")
        .ok_or("Invalid signature format. Expected hex string.")?;
    if digits.len() % 2 == 1 {
        return Err("Invalid hex string: OddLength");
    }
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err("Invalid hex string: InvalidHexCharacter");
    }
    digits.parse().map_err(|_| "Invalid SR25519 signature.")
}

/// A hotkey's lane: its bytes and a hash of the uuid, which may have any length.
type Lane = (Hotkey, [u8; 16]);

fn lane(hotkey: &Hotkey, uuid: Option<&str>) -> Lane {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&[u8::from(uuid.is_some())]);
    hasher.update(uuid.unwrap_or_default().as_bytes());
    let mut short = [0; 16];
    hasher.finalize_xof().fill(&mut short);
    (*hotkey, short)
}

/// Last nonces by lane, in two generations: when the younger is full, the older is dropped. A lane
/// that is forgotten loses only the order of its requests; replays are the nonce store's.
#[derive(Debug, Default)]
struct Lanes {
    young: HashMap<Lane, u64>,
    old: HashMap<Lane, u64>,
}

impl Lanes {
    fn last(&self, lane: &Lane) -> Option<u64> {
        self.young.get(lane).or_else(|| self.old.get(lane)).copied()
    }

    fn set(&mut self, lane: Lane, nonce: u64, most: usize) {
        if self.young.len() >= most / 2 && !self.young.contains_key(&lane) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(lane, nonce);
    }
}
