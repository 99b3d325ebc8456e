//! The bytes of a sealed message, as arkworks writes the runtime's structures: points compressed,
//! lengths as 8 bytes, little-endian.
//!
//! ```text
//! 96 U │ 8+32 V │ 8+32 W │ 8 length of the body │ 8+n ciphertext │ 8+12 nonce │ 8+8 "AES_GCM_"
//! ```

use ark_bls12_381::G2Affine;
use ark_serialize::CanonicalDeserialize as _;

use super::{
    LONGEST_COMMIT,
    identity::{Capsule, write},
};
use crate::{Error, Result};

/// Bytes that sealing adds: 228 of envelope and the 16 of AES-GCM's tag.
pub const OVERHEAD: usize = 244;

const SUITE: &[u8; 8] = b"AES_GCM_";

/// A sealed message, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Envelope {
    pub(super) capsule: Capsule,
    /// Ciphertext and tag.
    pub(super) body: Vec<u8>,
    pub(super) nonce: [u8; 12],
}

impl Envelope {
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.body.len() + OVERHEAD);
        write(&self.capsule.point, &mut bytes);
        field(&self.capsule.mask, &mut bytes);
        field(&self.capsule.key, &mut bytes);
        let mut body = Vec::with_capacity(self.body.len() + 28);
        field(&self.body, &mut body);
        field(&self.nonce, &mut body);
        field(&body, &mut bytes);
        field(SUITE, &mut bytes);
        bytes
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self> {
        if bytes.len() > LONGEST_COMMIT {
            return Err(malformed("it is longer than a commit may be"));
        }
        let mut rest = bytes;
        let point = take(&mut rest, 96)?;
        let mask = fixed(&mut rest)?;
        let key = fixed(&mut rest)?;
        let mut body = prefixed(&mut rest)?;
        let suite = prefixed(&mut rest)?;
        // The chain reads what it needs and leaves what follows.
        if suite != SUITE.as_slice() {
            return Err(malformed("it is not sealed with AES-GCM"));
        }
        let ciphertext = prefixed(&mut body)?.to_vec();
        let nonce = fixed(&mut body)?;
        let point = G2Affine::deserialize_compressed(point)
            .map_err(|_| malformed("its point is not in the group"))?;
        Ok(Self {
            capsule: Capsule { point, mask, key },
            body: ciphertext,
            nonce,
        })
    }
}

fn field(bytes: &[u8], to: &mut Vec<u8>) {
    to.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
    to.extend_from_slice(bytes);
}

fn take<'a>(rest: &mut &'a [u8], count: usize) -> Result<&'a [u8]> {
    let (taken, after) = rest
        .split_at_checked(count)
        .ok_or_else(|| malformed("it ends too early"))?;
    *rest = after;
    Ok(taken)
}

fn prefixed<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8]> {
    let length = take(rest, 8)?
        .try_into()
        .map_or(u64::MAX, u64::from_le_bytes);
    take(rest, usize::try_from(length).unwrap_or(usize::MAX))
}

fn fixed<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N]> {
    let bytes = prefixed(rest)?;
    bytes
        .try_into()
        .map_err(|_| malformed("one of its fields has another length"))
}

const fn malformed(reason: &'static str) -> Error {
    Error::SealedFormat { reason }
}
