//! The identity-based half: a key of 32 bytes, sealed to a round.

use ark_bls12_381::{Bls12_381, Fr, G1Affine, G2Affine};
use ark_ec::{AffineRepr as _, CurveGroup as _, pairing::Pairing as _};
use ark_ff::PrimeField as _;
use ark_serialize::CanonicalSerialize;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::beacon::{BeaconPublicKey, RoundSignature, identity};

/// A key that only a round's signature takes out again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Capsule {
    /// `r · G2`.
    pub(super) point: G2Affine,
    /// The mask, hidden by the pairing.
    pub(super) mask: [u8; 32],
    /// The key, hidden by the mask.
    pub(super) key: [u8; 32],
}

impl Capsule {
    /// `⟨U, V, W⟩ = ⟨r·P, σ ⊕ H2(e(Q, K)^r), key ⊕ H4(σ)⟩` with `r = H3(σ, key)`, where Q is the
    /// round's point and K the beacon's key.
    pub(super) fn seal(
        beacon: &BeaconPublicKey,
        round: u64,
        key: &[u8; 32],
        mask: &[u8; 32],
    ) -> Self {
        let r = scalar(mask, key);
        let shared = pairing_hash(&identity(round), &(beacon.0 * r).into_affine());
        Self {
            point: (G2Affine::generator() * r).into_affine(),
            mask: xor(mask, &shared),
            key: xor(key, &mask_hash(mask)),
        }
    }

    /// The key, or nothing when the signature is not the round's: `r` made anew from what came out
    /// must lead to the same point.
    pub(super) fn open(&self, signature: &RoundSignature) -> Option<Zeroizing<[u8; 32]>> {
        let shared = pairing_hash(&signature.0, &self.point);
        let mask = Zeroizing::new(xor(&self.mask, &shared));
        let key = Zeroizing::new(xor(&self.key, &mask_hash(&mask)));
        let point = G2Affine::generator() * scalar(&mask, &key);
        (point.into_affine() == self.point).then_some(key)
    }
}

/// H2: sha256 of the pairing's value, 576 bytes as arkworks writes them.
fn pairing_hash(signature: &G1Affine, key: &G2Affine) -> Zeroizing<[u8; 32]> {
    let value = Bls12_381::pairing(signature, key).0;
    let mut bytes = Zeroizing::new(Vec::with_capacity(576));
    write(&value, &mut bytes);
    Zeroizing::new(Sha256::digest(bytes.as_slice()).into())
}

/// H3: sha256 of both, big-endian, modulo the order of the groups.
fn scalar(mask: &[u8; 32], key: &[u8; 32]) -> Fr {
    let hash = Sha256::new()
        .chain_update(mask)
        .chain_update(key)
        .finalize();
    Fr::from_be_bytes_mod_order(&hash)
}

/// H4: sha256.
fn mask_hash(mask: &[u8; 32]) -> Zeroizing<[u8; 32]> {
    Zeroizing::new(Sha256::digest(mask).into())
}

fn xor(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    let mut both = *left;
    both.iter_mut()
        .zip(right)
        .for_each(|(to, from)| *to ^= from);
    both
}

/// Appends a value in arkworks' compressed form. Writing to memory cannot fail.
pub(super) fn write<T: CanonicalSerialize>(value: &T, to: &mut Vec<u8>) {
    let written = value.serialize_compressed(to);
    debug_assert!(written.is_ok());
}
