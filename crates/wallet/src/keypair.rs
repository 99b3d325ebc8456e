use std::fmt;

use adit_primitives::{AccountId, Coldkey, Hotkey};
use ed25519_dalek::Signer as _;
use zeroize::Zeroizing;

use crate::{
    Error, Mnemonic, Result, Signature, SignatureScheme, signature::SIGNING_CONTEXT, uri::SecretUri,
};

mod derive;

/// A key that signs as every Substrate account does: sr25519 (signing context `substrate`), or
/// ed25519 for the few accounts that use it.
///
/// Debug shows only the address. The secrets are overwritten when the last clone is dropped.
#[derive(Clone)]
pub struct Keypair {
    pair: Pair,
    seed: Option<Zeroizing<[u8; 32]>>,
    phrase: Option<Zeroizing<String>>,
}

/// Both are zeroised on drop by their crates.
#[derive(Clone)]
enum Pair {
    Sr25519(Box<schnorrkel::Keypair>),
    Ed25519(Box<ed25519_dalek::SigningKey>),
}

impl Keypair {
    /// The sr25519 key of a 32-byte seed (a "mini secret", expanded the ed25519 way).
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self::from_seed_with_scheme(SignatureScheme::Sr25519, seed)
    }

    /// The key of a 32-byte seed in either scheme. One seed has two keys with two addresses.
    pub fn from_seed_with_scheme(scheme: SignatureScheme, seed: &[u8; 32]) -> Self {
        Self {
            pair: Pair::from_seed(scheme, seed),
            seed: Some(Zeroizing::new(*seed)),
            phrase: None,
        }
    }

    /// The sr25519 key of an expanded secret: the scalar and the nonce, as keyfiles keep it under
    /// `privateKey`. Such a key has no seed. (The `privateKey` of an ed25519 key is its seed.)
    ///
    /// # Errors
    /// [`Error::SecretKey`] when the scalar is not canonical.
    pub fn from_secret_key(private_key: &[u8; 64]) -> Result<Self> {
        let secret = schnorrkel::SecretKey::from_bytes(private_key);
        Self::from_schnorrkel(secret)
    }

    /// The sr25519 key of an expanded secret in the form polkadot.js exports, whose scalar is
    /// eight times the one of [`from_secret_key`](Self::from_secret_key).
    pub(crate) fn from_ed25519_form(private_key: &[u8; 64]) -> Result<Self> {
        let secret = schnorrkel::SecretKey::from_ed25519_bytes(private_key);
        Self::from_schnorrkel(secret)
    }

    fn from_schnorrkel(secret: schnorrkel::SignatureResult<schnorrkel::SecretKey>) -> Result<Self> {
        let secret = secret.map_err(|_| Error::SecretKey {
            reason: "the scalar is not canonical",
        })?;
        Ok(Self {
            pair: Pair::Sr25519(Box::new(secret.to_keypair())),
            seed: None,
            phrase: None,
        })
    }

    /// The sr25519 key of a phrase of 12, 15, 18, 21 or 24 words; `password` may be empty.
    ///
    /// # Errors
    /// [`Error::WordCount`] or [`Error::Mnemonic`].
    pub fn from_mnemonic(phrase: &str, password: &str) -> Result<Self> {
        Self::from_mnemonic_with_scheme(SignatureScheme::Sr25519, phrase, password)
    }

    /// The key of a phrase in either scheme.
    ///
    /// # Errors
    /// As of [`from_mnemonic`](Self::from_mnemonic).
    pub fn from_mnemonic_with_scheme(
        scheme: SignatureScheme,
        phrase: &str,
        password: &str,
    ) -> Result<Self> {
        let mnemonic = Mnemonic::parse(phrase)?;
        let mut keypair = Self::from_seed_with_scheme(scheme, &mnemonic.seed(password));
        // A keyfile has no place for the password, so the phrase alone would name another key.
        keypair.phrase = password.is_empty().then(|| mnemonic.expose());
        Ok(keypair)
    }

    /// The sr25519 key of a secret URI: `//Alice`, `phrase//hard/soft///password`,
    /// `0x<seed hex>//x`.
    ///
    /// Without a phrase the well-known development phrase stands in, as in every Substrate tool.
    ///
    /// # Errors
    /// [`Error::Uri`], [`Error::SecretKey`], [`Error::WordCount`] or [`Error::Mnemonic`].
    pub fn from_uri(uri: &str) -> Result<Self> {
        Self::from_uri_with_scheme(SignatureScheme::Sr25519, uri)
    }

    /// The key of a secret URI in either scheme.
    ///
    /// # Errors
    /// As of [`from_uri`](Self::from_uri), and [`Error::Uri`] for a soft step of an ed25519 key,
    /// which has none.
    pub fn from_uri_with_scheme(scheme: SignatureScheme, uri: &str) -> Result<Self> {
        let SecretUri {
            phrase,
            junctions,
            password,
        } = SecretUri::parse(uri)?;
        let root = match phrase.strip_prefix("0x") {
            Some(digits) => Self::from_seed_with_scheme(scheme, &*decode_hex::<32>(digits)?),
            None => Self::from_mnemonic_with_scheme(scheme, &phrase, &password)?,
        };
        if junctions.is_empty() {
            return Ok(root);
        }
        let pair = junctions
            .iter()
            .try_fold(root.pair, |pair, junction| pair.derive(junction))?;
        Ok(Self {
            pair,
            seed: None,
            phrase: None,
        })
    }

    /// The scheme in which this key signs.
    pub const fn scheme(&self) -> SignatureScheme {
        match self.pair {
            Pair::Sr25519(_) => SignatureScheme::Sr25519,
            Pair::Ed25519(_) => SignatureScheme::Ed25519,
        }
    }

    /// The account of this key.
    pub fn account(&self) -> AccountId {
        AccountId::new(match &self.pair {
            Pair::Sr25519(pair) => pair.public.to_bytes(),
            Pair::Ed25519(pair) => pair.verifying_key().to_bytes(),
        })
    }

    /// This key as a hotkey.
    pub fn hotkey(&self) -> Hotkey {
        Hotkey(self.account())
    }

    /// This key as a coldkey.
    pub fn coldkey(&self) -> Coldkey {
        Coldkey(self.account())
    }

    /// Signs exactly these bytes, in the key's [`scheme`](Self::scheme). sr25519 signatures are
    /// randomised: two of the same message differ.
    pub fn sign(&self, message: &[u8]) -> Signature {
        Signature::new(match &self.pair {
            Pair::Sr25519(pair) => pair.sign_simple(SIGNING_CONTEXT, message).to_bytes(),
            Pair::Ed25519(pair) => pair.sign(message).to_bytes(),
        })
    }

    /// The secret as keyfiles keep it under `privateKey`: the 64 bytes of an sr25519 key's scalar
    /// and nonce, or the 32 bytes of an ed25519 key's seed. Handle it with care.
    pub fn expose_secret_key(&self) -> Zeroizing<Vec<u8>> {
        match &self.pair {
            Pair::Sr25519(pair) => Zeroizing::new(Zeroizing::new(pair.secret.to_bytes()).to_vec()),
            Pair::Ed25519(pair) => Zeroizing::new(pair.as_bytes().to_vec()),
        }
    }

    /// The 64 bytes that polkadot.js exports: of sr25519 the scalar times eight and the nonce, of
    /// ed25519 the seed and the public key.
    pub(crate) fn expose_exported(&self) -> Zeroizing<[u8; 64]> {
        Zeroizing::new(match &self.pair {
            Pair::Sr25519(pair) => pair.secret.to_ed25519_bytes(),
            Pair::Ed25519(pair) => pair.to_keypair_bytes(),
        })
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
    fn ed25519_keys_are_those_of_the_python_wallet() {
        // Read off bittensor-wallet 4.1.1 with crypto_type=0.
        let phrase = crate::uri::DEVELOPMENT_PHRASE;
        let scheme = SignatureScheme::Ed25519;
        for (uri, address) in [
            (phrase, "5DFJF7tY4bpbpcKPJcBTQaKuCDEPCpiz8TRjpmLeTtweqmXL"),
            (
                "//Alice",
                "5FA9nQDVg267DEd8m1ZypXLBnvN7SFxYwV7ndqSYGiN9TTpu",
            ),
            (
                "//Alice//hard//1",
                "5FXdGj4JAG4sXwFa2sc7B9fnPdeYZgWrh1vY7u2L2dfU8JnL",
            ),
            (
                "//x///pw",
                "5DXErEDR9p1xEiQAc37A6B9ZLAnfe93JxtWd38yxnHtX2vRE",
            ),
            (
                "0x0101010101010101010101010101010101010101010101010101010101010101//a",
                "5DEXwK3KBwzMZmWEPN7tYTVAc1EUafwqBTUtEv2BFevgPDH7",
            ),
        ] {
            let keypair = Keypair::from_uri_with_scheme(scheme, uri).unwrap();
            assert_eq!(keypair.account().to_string(), address, "{uri}");
            assert_eq!(keypair.scheme(), scheme);
            let signature = keypair.sign(b"a task");
            assert!(crate::verify(
                scheme,
                &keypair.account(),
                b"a task",
                &signature
            ));
            assert_eq!(signature, keypair.sign(b"a task"));
            let again: [u8; 32] = keypair.expose_secret_key()[..].try_into().unwrap();
            let again = Keypair::from_seed_with_scheme(scheme, &again);
            assert_eq!(again.account(), keypair.account());
        }
        assert!(matches!(
            Keypair::from_uri_with_scheme(scheme, "//Alice/soft"),
            Err(Error::Uri { .. })
        ));
        assert_eq!(
            Keypair::from_uri("//Alice").unwrap().scheme(),
            SignatureScheme::Sr25519
        );
    }

    #[test]
    fn seeds_in_uris_must_be_whole() {
        assert!(Keypair::from_uri("0x00").is_err());
        assert!(Keypair::from_uri(&format!("0x{}", "0".repeat(66))).is_err());
        assert!(Keypair::from_uri(&format!("0x{}", "z".repeat(64))).is_err());
    }
}
