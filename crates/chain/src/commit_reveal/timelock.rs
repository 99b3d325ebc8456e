//! Sealing to a future round of a drand beacon, and opening with the round's signature.
//!
//! The scheme is identity-based encryption by Boneh and Franklin ("FullIdent", 2001) on BLS12-381,
//! with drand's round as the identity and signatures on G1, around AES-256-GCM. The bytes are those
//! of the `tle` crate (ideal-lab5) that the runtime uses; it is published only as source, so this
//! is our own, proven on recorded ciphertexts and against `bittensor-drand`. Curve arithmetic,
//! hashing to the curve and AES-GCM are arkworks' and RustCrypto's.
//!
//! ```
//! use adit_chain::commit_reveal::timelock::{BeaconSecret, open, seal};
//! use rand::{SeedableRng as _, rngs::StdRng};
//!
//! // A beacon of our own, such as a local chain's.
//! let beacon = BeaconSecret::from_seed([7; 32]);
//! let mut rng = StdRng::seed_from_u64(1);
//! let sealed = seal(&beacon.public_key(), 1_000, b"weights", &mut rng)?;
//! assert_eq!(open(&sealed, &beacon.sign(1_000))?, b"weights");
//! assert!(open(&sealed, &beacon.sign(999)).is_err());
//! # Ok::<(), adit_chain::Error>(())
//! ```

mod beacon;
mod envelope;
mod identity;

pub use beacon::{BeaconPublicKey, BeaconSecret, RoundSignature};
pub use envelope::OVERHEAD;

use aes_gcm::{Aes256Gcm, Key, KeyInit as _, Nonce, aead::Aead as _};
use rand::CryptoRng;
use zeroize::Zeroizing;

use self::{envelope::Envelope, identity::Capsule};
use super::LONGEST_COMMIT;
use crate::{Error, Result};

/// Seals bytes for a round: nobody can open them before its signature is published.
///
/// `rng` must not be predictable. The result is [`OVERHEAD`] bytes longer than the plaintext.
///
/// # Errors
/// [`Error::CommitTooLong`] when the result would be longer than the chain takes.
pub fn seal<R: CryptoRng>(
    beacon: &BeaconPublicKey,
    round: u64,
    plaintext: &[u8],
    rng: &mut R,
) -> Result<Vec<u8>> {
    let bytes = plaintext.len().saturating_add(OVERHEAD);
    if bytes > LONGEST_COMMIT {
        return Err(Error::CommitTooLong { bytes });
    }
    let mut key = Zeroizing::new([0; 32]);
    let mut mask = Zeroizing::new([0; 32]);
    let mut nonce = [0; 12];
    rng.fill_bytes(&mut *key);
    rng.fill_bytes(&mut *mask);
    rng.fill_bytes(&mut nonce);
    let capsule = Capsule::seal(beacon, round, &key, &mask);
    let cipher = Aes256Gcm::new(&Key::<Aes256Gcm>::from(*key));
    let body = cipher
        .encrypt(&Nonce::from(nonce), plaintext)
        .map_err(|_| Error::CommitTooLong { bytes })?;
    Ok(Envelope {
        capsule,
        body,
        nonce,
    }
    .to_bytes())
}

/// Opens what was sealed for the round that `signature` belongs to.
///
/// # Errors
/// [`Error::SealedFormat`] when the bytes are no sealed message; [`Error::WrongRound`] when this
/// signature does not open them, as of another round or another beacon, or when they were changed.
pub fn open(sealed: &[u8], signature: &RoundSignature) -> Result<Vec<u8>> {
    let envelope = Envelope::from_bytes(sealed)?;
    let key = envelope.capsule.open(signature).ok_or(Error::WrongRound)?;
    let cipher = Aes256Gcm::new(&Key::<Aes256Gcm>::from(*key));
    cipher
        .decrypt(&Nonce::from(envelope.nonce), envelope.body.as_slice())
        .map_err(|_| Error::WrongRound)
}

#[cfg(test)]
mod tests;
