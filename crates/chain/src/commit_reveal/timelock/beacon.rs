use ark_bls12_381::{Bls12_381, Config, Fr, G1Affine, G1Projective, G2Affine};
use ark_ec::{
    AffineRepr as _, CurveGroup as _,
    bls12::Bls12Config,
    hashing::{
        HashToCurve as _, curve_maps::wb::WBMap, map_to_curve_hasher::MapToCurveBasedHasher,
    },
    pairing::Pairing as _,
};
use ark_ff::{PrimeField as _, Zero as _, field_hashers::DefaultFieldHasher};
use ark_serialize::CanonicalDeserialize;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroize as _;

use super::identity::write;
use crate::{Error, Result, commit_reveal::Beacon};

/// drand's `bls-unchained-g1-rfc9380` scheme.
const DOMAIN: &[u8] = b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_";

type RoundHasher = MapToCurveBasedHasher<
    G1Projective,
    DefaultFieldHasher<Sha256, 128>,
    WBMap<<Config as Bls12Config>::G1Config>,
>;

/// The point of a round: what the beacon signs. It is hashed as 8 bytes, big-endian, once by
/// sha256 and once to the curve (RFC 9380).
pub(super) fn identity(round: u64) -> G1Affine {
    let message = Sha256::digest(round.to_be_bytes());
    // Neither step can fail: the map of this curve is defined everywhere.
    let hasher = RoundHasher::new(DOMAIN);
    let point = hasher.and_then(|hasher| hasher.hash(&message));
    debug_assert!(point.is_ok());
    point.unwrap_or_default()
}

/// The public key of a beacon: a point of G2 that was checked to be in the right group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BeaconPublicKey(pub(super) G2Affine);

impl BeaconPublicKey {
    /// Reads the compressed point, 96 bytes.
    ///
    /// # Errors
    /// [`Error::BeaconKey`] when the bytes are no point of the group, or its zero.
    pub fn from_bytes(bytes: &[u8; 96]) -> Result<Self> {
        let point = G2Affine::deserialize_compressed(bytes.as_slice());
        match point {
            Ok(point) if !point.is_zero() => Ok(Self(point)),
            _ => Err(Error::BeaconKey),
        }
    }

    /// The compressed point.
    pub fn to_bytes(&self) -> [u8; 96] {
        fixed(&self.0)
    }
}

impl TryFrom<&Beacon> for BeaconPublicKey {
    type Error = Error;

    fn try_from(beacon: &Beacon) -> Result<Self> {
        Self::from_bytes(&beacon.public_key)
    }
}

/// What a beacon publishes for a round: a point of G1 that was checked to be in the right group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoundSignature(pub(super) G1Affine);

impl RoundSignature {
    /// Reads the compressed point.
    ///
    /// # Errors
    /// [`Error::RoundSignature`] when the bytes are not the 48 of a point of the group, or are its
    /// zero.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let exact: &[u8; 48] = bytes.try_into().map_err(|_| Error::RoundSignature)?;
        let point = G1Affine::deserialize_compressed(exact.as_slice());
        match point {
            Ok(point) if !point.is_zero() => Ok(Self(point)),
            _ => Err(Error::RoundSignature),
        }
    }

    /// The compressed point.
    pub fn to_bytes(&self) -> [u8; 48] {
        fixed(&self.0)
    }

    /// Whether this is the beacon's signature of the round.
    pub fn is_of(&self, beacon: &BeaconPublicKey, round: u64) -> bool {
        let signed = Bls12_381::pairing(self.0, G2Affine::generator());
        signed == Bls12_381::pairing(identity(round), beacon.0)
    }
}

/// The secret key of a beacon of one's own, for local chains and tests.
///
/// Wiped from memory when dropped, and never shown.
#[derive(Clone)]
pub struct BeaconSecret(Fr);

impl BeaconSecret {
    /// The beacon of a seed: the same seed, the same beacon.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        let secret = Fr::from_be_bytes_mod_order(&Sha256::digest(seed));
        // One seed in 2^255 would give zero, which signs nothing.
        Self(if secret.is_zero() {
            Fr::from(1_u64)
        } else {
            secret
        })
    }

    /// What everybody may know.
    pub fn public_key(&self) -> BeaconPublicKey {
        BeaconPublicKey((G2Affine::generator() * self.0).into_affine())
    }

    /// The signature of a round.
    pub fn sign(&self, round: u64) -> RoundSignature {
        RoundSignature((identity(round) * self.0).into_affine())
    }
}

impl Drop for BeaconSecret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl std::fmt::Debug for BeaconSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BeaconSecret(hidden)")
    }
}

fn fixed<T: ark_serialize::CanonicalSerialize, const N: usize>(point: &T) -> [u8; N] {
    let mut bytes = Vec::with_capacity(N);
    write(point, &mut bytes);
    bytes.try_into().unwrap_or([0; N])
}
