//! Cheap authentication of many messages between two hotkeys, after one signed handshake.
//!
//! The handshake is one signed unary call: its request carries the caller's ephemeral X25519 key,
//! its answer the server's. `btauth/1` signs both, so each side knows whose key it holds. From the
//! shared secret each direction gets its own key; every message then carries a sequence number and
//! a keyed BLAKE3 MAC over direction, method, sequence number and body. Messages must arrive in
//! order and once: replays, reorders, gaps, splices between sessions or methods, and reflections
//! are refused. Bodies are not encrypted.
//!
//! This is the pure half: it neither sends nor keeps time.
//!
//! ```
//! use adit_protocol::{auth::{self, PayloadHash}, session::Ephemeral};
//! use adit_wallet::Keypair;
//! use rand::SeedableRng as _;
//!
//! let (alice, bob) = (Keypair::from_uri("//Alice")?, Keypair::from_uri("//Bob")?);
//! let mut rng = rand::rngs::StdRng::seed_from_u64(7);
//! let (ours, theirs) = (Ephemeral::new(&mut rng), Ephemeral::new(&mut rng));
//! let (our_public, their_public) = (ours.public(), theirs.public());
//! // Names the signed request that carried `our_public` from Alice to Bob.
//! let signed = auth::sign_request(&alice, "POST", "/h", &our_public, Some(&bob.hotkey()), 1);
//!
//! let mut caller = ours.agree_as_caller(&their_public, signed.payload_hash)?;
//! let mut server = theirs.agree_as_server(&our_public, signed.payload_hash)?;
//! let tag = caller.seal("/adit.v1.VideoMiner/Scrape", b"message")?;
//! server.open("/adit.v1.VideoMiner/Scrape", b"message", &tag)?;
//! assert!(server.open("/adit.v1.VideoMiner/Scrape", b"message", &tag).is_err());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::fmt;

use rand::{CryptoRng, RngCore};
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::Zeroizing;

use crate::auth::PayloadHash;

const CALLER_TO_SERVER: &str = "adit session/1 caller to server";
const SERVER_TO_CALLER: &str = "adit session/1 server to caller";

/// Why a session or one of its messages is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SessionRefused {
    /// The other side's key is a point that makes every secret the same.
    #[error("the other side's ephemeral key is degenerate")]
    DegenerateKey,
    /// The message is not the next one: a replay, a reorder or a gap.
    #[error("expected message {expected}, found {found}")]
    OutOfOrder {
        /// Sequence number of the next message.
        expected: u64,
        /// Sequence number of this one.
        found: u64,
    },
    /// The MAC does not fit: another session, direction, method or body.
    #[error("the message is not authentic")]
    NotAuthentic,
    /// All sequence numbers are used; a new handshake is due.
    #[error("the session is used up")]
    UsedUp,
}

/// One side's key for one handshake; used once.
pub struct Ephemeral(StaticSecret);

impl Ephemeral {
    /// A fresh key. The generator must be unpredictable to others.
    pub fn new<R: RngCore + CryptoRng + ?Sized>(rng: &mut R) -> Self {
        let mut secret = Zeroizing::new([0; 32]);
        rng.fill_bytes(secret.as_mut_slice());
        Self(StaticSecret::from(*secret))
    }

    /// The public half, for the other side.
    pub fn public(&self) -> [u8; 32] {
        PublicKey::from(&self.0).to_bytes()
    }

    /// The session of the side that called; `handshake` names the signed request that carried our
    /// public key. Its answer, which carried theirs, must have been verified.
    ///
    /// # Errors
    /// [`SessionRefused::DegenerateKey`].
    pub fn agree_as_caller(
        self,
        theirs: &[u8; 32],
        handshake: PayloadHash,
    ) -> Result<Session, SessionRefused> {
        let ours = self.public();
        let (sending, receiving) = self.keys(theirs, &ours, theirs, handshake)?;
        Ok(Session::new(sending, receiving))
    }

    /// The session of the side that was called; `handshake` names the verified request that carried
    /// their public key.
    ///
    /// # Errors
    /// [`SessionRefused::DegenerateKey`].
    pub fn agree_as_server(
        self,
        theirs: &[u8; 32],
        handshake: PayloadHash,
    ) -> Result<Session, SessionRefused> {
        let ours = self.public();
        let (receiving, sending) = self.keys(theirs, theirs, &ours, handshake)?;
        Ok(Session::new(sending, receiving))
    }

    /// Keys from caller to server and back. Both hotkeys, the nonce and the caller's public key are
    /// in the handshake's hash; the public keys are bound once more.
    fn keys(
        self,
        theirs: &[u8; 32],
        caller: &[u8; 32],
        server: &[u8; 32],
        handshake: PayloadHash,
    ) -> Result<(Key, Key), SessionRefused> {
        let shared = self.0.diffie_hellman(&PublicKey::from(*theirs));
        if !shared.was_contributory() {
            return Err(SessionRefused::DegenerateKey);
        }
        let parts = [shared.as_bytes(), caller, server, &handshake.0];
        let material = Zeroizing::new(parts.map(|part| *part).concat());
        let key = |context| Key(Zeroizing::new(blake3::derive_key(context, &material)));
        Ok((key(CALLER_TO_SERVER), key(SERVER_TO_CALLER)))
    }
}

impl fmt::Debug for Ephemeral {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ephemeral({})", hex::encode(self.public()))
    }
}

struct Key(Zeroizing<[u8; 32]>);

impl Key {
    fn mac(&self, method: &str, sequence: u64, body: &[u8]) -> blake3::Hash {
        let mut mac = blake3::Hasher::new_keyed(&self.0);
        mac.update(&sequence.to_le_bytes());
        // The length keeps a byte from moving between method and body.
        mac.update(&(method.len() as u64).to_le_bytes());
        mac.update(method.as_bytes());
        mac.update(body);
        mac.finalize()
    }
}

/// What travels beside a message's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionTag {
    /// Place of the message in its direction, from 0.
    pub sequence: u64,
    /// Keyed BLAKE3 MAC.
    pub mac: [u8; 32],
}

/// One side of a session. Messages of each direction count from 0.
pub struct Session {
    sending: Key,
    receiving: Key,
    next_sent: u64,
    next_received: u64,
}

impl Session {
    fn new(sending: Key, receiving: Key) -> Self {
        Self {
            sending,
            receiving,
            next_sent: 0,
            next_received: 0,
        }
    }

    /// Authenticates the next message we send.
    ///
    /// # Errors
    /// [`SessionRefused::UsedUp`].
    pub fn seal(&mut self, method: &str, body: &[u8]) -> Result<SessionTag, SessionRefused> {
        let sequence = self.next_sent;
        self.next_sent = sequence.checked_add(1).ok_or(SessionRefused::UsedUp)?;
        let mac = self.sending.mac(method, sequence, body).into();
        Ok(SessionTag { sequence, mac })
    }

    /// Checks the next message we receive. After a refusal the session still waits for the same
    /// message, so a forgery does not end it.
    ///
    /// # Errors
    /// [`SessionRefused::OutOfOrder`], [`SessionRefused::NotAuthentic`] or
    /// [`SessionRefused::UsedUp`].
    pub fn open(
        &mut self,
        method: &str,
        body: &[u8],
        tag: &SessionTag,
    ) -> Result<(), SessionRefused> {
        if tag.sequence != self.next_received {
            return Err(SessionRefused::OutOfOrder {
                expected: self.next_received,
                found: tag.sequence,
            });
        }
        let next = tag.sequence.checked_add(1).ok_or(SessionRefused::UsedUp)?;
        // Comparing hashes takes the same time wherever they differ.
        if self.receiving.mac(method, tag.sequence, body) != blake3::Hash::from_bytes(tag.mac) {
            return Err(SessionRefused::NotAuthentic);
        }
        self.next_received = next;
        Ok(())
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("next_sent", &self.next_sent)
            .field("next_received", &self.next_received)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::SeedableRng as _;
    use rand_chacha::ChaCha20Rng;

    use super::*;

    const METHOD: &str = "/adit.v1.VideoMiner/Scrape";

    fn pair(seed: u64, handshake: &str) -> (Session, Session) {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let (caller, server) = (Ephemeral::new(&mut rng), Ephemeral::new(&mut rng));
        let (of_caller, of_server) = (caller.public(), server.public());
        let handshake = PayloadHash::of(handshake);
        (
            caller.agree_as_caller(&of_server, handshake).unwrap(),
            server.agree_as_server(&of_caller, handshake).unwrap(),
        )
    }

    #[test]
    fn replays_reorders_gaps_and_reflections_are_refused() {
        let (mut caller, mut server) = pair(1, "handshake");
        let first = caller.seal(METHOD, b"one").unwrap();
        let second = caller.seal(METHOD, b"two").unwrap();
        let out_of_order = |expected, found| Err(SessionRefused::OutOfOrder { expected, found });
        assert_eq!(server.open(METHOD, b"two", &second), out_of_order(0, 1));
        assert_eq!(
            caller.open(METHOD, b"one", &first),
            Err(SessionRefused::NotAuthentic),
            "reflected"
        );
        server.open(METHOD, b"one", &first).unwrap();
        assert_eq!(server.open(METHOD, b"one", &first), out_of_order(1, 0));
        let renumbered = SessionTag {
            sequence: 1,
            ..first
        };
        assert_eq!(
            server.open(METHOD, b"one", &renumbered),
            Err(SessionRefused::NotAuthentic)
        );
        server.open(METHOD, b"two", &second).unwrap();
        let answer = server.seal(METHOD, b"three").unwrap();
        caller.open(METHOD, b"three", &answer).unwrap();
    }

    #[test]
    fn messages_of_another_session_or_handshake_are_refused() {
        let (mut caller, _) = pair(1, "handshake");
        let tag = caller.seal(METHOD, b"one").unwrap();
        for (seed, handshake) in [(2, "handshake"), (1, "another")] {
            let (_, mut server) = pair(seed, handshake);
            let opened = server.open(METHOD, b"one", &tag);
            assert_eq!(opened, Err(SessionRefused::NotAuthentic));
        }
    }

    #[test]
    fn a_degenerate_key_is_refused() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let session = Ephemeral::new(&mut rng).agree_as_server(&[0; 32], PayloadHash([0; 32]));
        assert_eq!(session.unwrap_err(), SessionRefused::DegenerateKey);
    }

    proptest! {
        #[test]
        fn every_sound_message_passes_and_every_changed_one_does_not(
            messages in proptest::collection::vec((".{0,12}", any::<Vec<u8>>()), 1..8),
            flip in 0_usize..256,
            longer: u8,
        ) {
            let (mut caller, mut server) = pair(3, "handshake");
            for (method, body) in messages {
                let tag = caller.seal(&method, &body).unwrap();
                let mut forged = tag;
                forged.mac[flip / 8] ^= 1 << (flip % 8);
                prop_assert!(server.open(&method, &body, &forged).is_err());
                let mut changed = body.clone();
                changed.push(longer);
                prop_assert!(server.open(&method, &changed, &tag).is_err());
                let other_method = method.clone() + "x";
                prop_assert!(server.open(&other_method, &body, &tag).is_err());
                // A character moved from the body's front to the method's end.
                if let Some((front, rest)) = body.split_first().filter(|(front, _)| front.is_ascii()) {
                    let method = format!("{method}{}", char::from(*front));
                    prop_assert!(server.open(&method, rest, &tag).is_err());
                }
                server.open(&method, &body, &tag).unwrap();
            }
        }
    }
}
