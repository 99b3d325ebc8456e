//! From seeds and derivation steps to keys.

use blake2::{Blake2b, Digest as _, digest::consts::U32};
use schnorrkel::{
    ExpansionMode, MiniSecretKey,
    derive::{ChainCode, Derivation as _},
};
use zeroize::Zeroizing;

use super::Pair;
use crate::{Error, Result, SignatureScheme, uri::Junction};

impl Pair {
    pub(super) fn from_seed(scheme: SignatureScheme, seed: &[u8; 32]) -> Self {
        match scheme {
            SignatureScheme::Sr25519 => {
                #[expect(
                    clippy::expect_used,
                    reason = "schnorrkel refuses a seed only for its length, and any 32 bytes have that length"
                )]
                let secret =
                    MiniSecretKey::from_bytes(seed).expect("any 32 bytes are a mini secret");
                Self::expanded(&secret)
            }
            SignatureScheme::Ed25519 => {
                Self::Ed25519(Box::new(ed25519_dalek::SigningKey::from_bytes(seed)))
            }
        }
    }

    fn expanded(secret: &MiniSecretKey) -> Self {
        Self::Sr25519(Box::new(secret.expand_to_keypair(ExpansionMode::Ed25519)))
    }

    /// One step down a derivation path. Source of both rules: Substrate's `sp-core`.
    pub(super) fn derive(self, junction: &Junction) -> Result<Self> {
        let chain_code = ChainCode(junction.chain_code);
        match self {
            Self::Sr25519(pair) if junction.hard => Ok(Self::expanded(
                &pair.hard_derive_mini_secret_key(Some(chain_code), b"").0,
            )),
            Self::Sr25519(pair) => Ok(Self::Sr25519(Box::new(
                pair.derived_key_simple(chain_code, b"").0,
            ))),
            Self::Ed25519(pair) if junction.hard => {
                // BLAKE2b-256 of the SCALE tuple ("Ed25519HDKD", seed, chain code).
                let mut seed = Zeroizing::new([0_u8; 32]);
                Blake2b::<U32>::new()
                    .chain_update([11 << 2])
                    .chain_update(b"Ed25519HDKD")
                    .chain_update(pair.as_bytes())
                    .chain_update(junction.chain_code)
                    .finalize_into(seed.as_mut_slice().into());
                Ok(Self::from_seed(SignatureScheme::Ed25519, &seed))
            }
            Self::Ed25519(_) => Err(Error::Uri {
                reason: "ed25519 keys have no soft steps",
            }),
        }
    }
}
