use std::fmt;

use adit_primitives::{AccountId, Coldkey, Hotkey};
use schnorrkel::{
    ExpansionMode, MiniSecretKey, SecretKey,
    derive::{ChainCode, Derivation as _},
};
use zeroize::Zeroizing;

use crate::{
    Error, Mnemonic, Result, Signature,
    signature::SIGNING_CONTEXT,
    uri::{Junction, SecretUri},
};

/// An sr25519 key that signs as every Substrate account does (signing context `substrate`).
///
/// Debug shows only the address. The secrets are overwritten when the last clone is dropped.
#[derive(Clone)]
pub struct Keypair {
    // Zeroised on drop by schnorrkel.
    pair: schnorrkel::Keypair,
    seed: Option<Zeroizing<[u8; 32]>>,
    phrase: Option<Zeroizing<String>>,
}

impl Keypair {
    /// The key of a 32-byte seed (a "mini secret", expanded the ed25519 way).
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        let pair = expand(&mini_secret(seed));
        Self {
            pair,
            seed: Some(Zeroizing::new(*seed)),
            phrase: None,
        }
    }

    /// The key of an expanded secret: the scalar and the nonce, as keyfiles keep it under
    /// `privateKey`. Such a key has no seed.
    ///
    /// # Errors
    /// [`Error::SecretKey`] when the scalar is not canonical.
    pub fn from_secret_key(private_key: &[u8; 64]) -> Result<Self> {
        let secret = SecretKey::from_bytes(private_key).map_err(|_| Error::SecretKey {
            reason: "the scalar is not canonical",
        })?;
        Ok(Self {
            pair: secret.to_keypair(),
            seed: None,
            phrase: None,
        })
    }

    /// The key of a phrase of 12, 15, 18, 21 or 24 words; `password` may be empty.
    ///
    /// # Errors
    /// [`Error::WordCount`] or [`Error::Mnemonic`].
    pub fn from_mnemonic(phrase: &str, password: &str) -> Result<Self> {
        let mnemonic = Mnemonic::parse(phrase)?;
        let mut keypair = Self::from_seed(&mnemonic.seed(password));
        // A keyfile has no place for the password, so the phrase alone would name another key.
        keypair.phrase = password.is_empty().then(|| mnemonic.expose());
        Ok(keypair)
    }

    /// The key of a secret URI: `//Alice`, `phrase//hard/soft///password`, `0x<seed hex>//x`.
    ///
    /// Without a phrase the well-known development phrase stands in, as in every Substrate tool.
    ///
    /// # Errors
    /// [`Error::Uri`], [`Error::SecretKey`], [`Error::WordCount`] or [`Error::Mnemonic`].
    pub fn from_uri(uri: &str) -> Result<Self> {
        let SecretUri {
            phrase,
            junctions,
            password,
        } = SecretUri::parse(uri)?;
        let root = match phrase.strip_prefix("0x") {
            Some(digits) => Self::from_seed(&*decode_hex::<32>(digits)?),
            None => Self::from_mnemonic(&phrase, &password)?,
        };
        if junctions.is_empty() {
            return Ok(root);
        }
        let pair = junctions.iter().fold(root.pair, derive);
        Ok(Self {
            pair,
            seed: None,
            phrase: None,
        })
    }

    /// The account of this key.
    pub fn account(&self) -> AccountId {
        AccountId::new(self.pair.public.to_bytes())
    }

    /// This key as a hotkey.
    pub fn hotkey(&self) -> Hotkey {
        Hotkey(self.account())
    }

    /// This key as a coldkey.
    pub fn coldkey(&self) -> Coldkey {
        Coldkey(self.account())
    }

    /// Signs exactly these bytes. Signatures are randomised: two of the same message differ.
    pub fn sign(&self, message: &[u8]) -> Signature {
        let signature = self.pair.sign_simple(SIGNING_CONTEXT, message);
        Signature::new(signature.to_bytes())
    }

    /// The expanded secret (scalar and nonce), as keyfiles keep it. Handle it with care.
    pub fn expose_secret_key(&self) -> Zeroizing<[u8; 64]> {
        Zeroizing::new(self.pair.secret.to_bytes())
    }

    /// The 32-byte seed, where the key was made from one. Handle it with care.
    pub fn expose_seed(&self) -> Option<Zeroizing<[u8; 32]>> {
        self.seed.clone()
    }

    /// The phrase, where the key was made from one without a password. Handle it with care.
    pub fn expose_phrase(&self) -> Option<Zeroizing<String>> {
        self.phrase.clone()
    }
}

impl fmt::Debug for Keypair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keypair({})", self.account())
    }
}

/// Reads exactly `N` bytes of hex into memory that is overwritten on drop.
pub(crate) fn decode_hex<const N: usize>(digits: &str) -> Result<Zeroizing<[u8; N]>> {
    let mut bytes = Zeroizing::new([0_u8; N]);
    hex::decode_to_slice(digits, bytes.as_mut_slice()).map_err(|_| Error::SecretKey {
        reason: "not hex of the right length",
    })?;
    Ok(bytes)
}

fn mini_secret(seed: &[u8; 32]) -> MiniSecretKey {
    #[expect(
        clippy::expect_used,
        reason = "schnorrkel refuses a seed only for its length, and any 32 bytes have that length"
    )]
    MiniSecretKey::from_bytes(seed).expect("any 32 bytes are a mini secret")
}

fn expand(secret: &MiniSecretKey) -> schnorrkel::Keypair {
    secret.expand_to_keypair(ExpansionMode::Ed25519)
}

fn derive(pair: schnorrkel::Keypair, junction: &Junction) -> schnorrkel::Keypair {
    let chain_code = ChainCode(junction.chain_code);
    if junction.hard {
        expand(&pair.hard_derive_mini_secret_key(Some(chain_code), b"").0)
    } else {
        pair.derived_key_simple(chain_code, b"").0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_only_the_address() {
        let alice = Keypair::from_uri("//Alice").unwrap();
        assert_eq!(
            format!("{alice:?}"),
            "Keypair(5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY)"
        );
    }

    #[test]
    fn a_secret_outside_the_field_is_refused() {
        assert!(matches!(
            Keypair::from_secret_key(&[0xff; 64]),
            Err(Error::SecretKey { .. })
        ));
    }

    #[test]
    fn a_phrase_with_a_password_is_not_kept_without_it() {
        let phrase = crate::uri::DEVELOPMENT_PHRASE;
        let open = Keypair::from_mnemonic(phrase, "").unwrap();
        let locked = Keypair::from_mnemonic(phrase, "pw").unwrap();
        assert_eq!(
            open.expose_phrase().as_deref().map(String::as_str),
            Some(phrase)
        );
        assert!(locked.expose_phrase().is_none());
        assert_ne!(open.account(), locked.account());
        assert!(
            Keypair::from_uri("//Alice")
                .unwrap()
                .expose_seed()
                .is_none()
        );
    }

    #[test]
    fn seeds_in_uris_must_be_whole() {
        assert!(Keypair::from_uri("0x00").is_err());
        assert!(Keypair::from_uri(&format!("0x{}", "0".repeat(66))).is_err());
        assert!(Keypair::from_uri(&format!("0x{}", "z".repeat(64))).is_err());
    }
}
