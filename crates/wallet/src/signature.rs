use std::{fmt, str::FromStr};

use adit_primitives::AccountId;

use crate::{Error, Result};

/// Bytes of a signature, in both schemes.
pub const SIGNATURE_LENGTH: usize = 64;

/// The signing context of Substrate's sr25519.
pub(crate) const SIGNING_CONTEXT: &[u8] = b"substrate";

/// A signature: 64 bytes, shown as `0x` and 128 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Signature([u8; SIGNATURE_LENGTH]);

impl Signature {
    /// Wraps the raw bytes.
    pub const fn new(bytes: [u8; SIGNATURE_LENGTH]) -> Self {
        Self(bytes)
    }

    /// Wraps the raw bytes.
    ///
    /// # Errors
    /// [`Error::Signature`] unless there are exactly 64.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        bytes.try_into().map(Self).map_err(|_| Error::Signature {
            reason: "not 64 bytes",
        })
    }

    /// The raw bytes.
    pub const fn as_bytes(&self) -> &[u8; SIGNATURE_LENGTH] {
        &self.0
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("0x")?;
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Signature {
    type Err = Error;

    /// Reads 128 hex digits of either case, with or without `0x`.
    fn from_str(text: &str) -> Result<Self> {
        let digits = text.strip_prefix("0x").unwrap_or(text);
        if digits.len() != 2 * SIGNATURE_LENGTH {
            return Err(Error::Signature {
                reason: "not 128 digits",
            });
        }
        let mut bytes = [0_u8; SIGNATURE_LENGTH];
        hex::decode_to_slice(digits, &mut bytes).map_err(|_| Error::Signature {
            reason: "a character that is no hex digit",
        })?;
        Ok(Self(bytes))
    }
}

/// The two schemes in which Bittensor keys sign.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum SignatureScheme {
    /// Schnorr on Ristretto, signing context `substrate`; the scheme of nearly every key.
    #[default]
    Sr25519,
    /// Edwards-curve signatures.
    Ed25519,
}

impl fmt::Display for SignatureScheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sr25519 => "sr25519",
            Self::Ed25519 => "ed25519",
        })
    }
}

/// Whether `signer` signed exactly `message` under `scheme`.
///
/// A key that is no point of the curve, a malformed signature and a small-order ed25519 key all
/// answer false. See [`verify_wrapped`] for the more tolerant rule of the Python wallets.
pub fn verify(
    scheme: SignatureScheme,
    signer: &AccountId,
    message: &[u8],
    signature: &Signature,
) -> bool {
    match scheme {
        SignatureScheme::Sr25519 => {
            let Ok(key) = schnorrkel::PublicKey::from_bytes(signer.as_bytes()) else {
                return false;
            };
            let Ok(signature) = schnorrkel::Signature::from_bytes(signature.as_bytes()) else {
                return false;
            };
            key.verify_simple(SIGNING_CONTEXT, message, &signature)
                .is_ok()
        }
        SignatureScheme::Ed25519 => {
            let Ok(key) = ed25519_dalek::VerifyingKey::from_bytes(signer.as_bytes()) else {
                return false;
            };
            let signature = ed25519_dalek::Signature::from_bytes(signature.as_bytes());
            key.verify_strict(message, &signature).is_ok()
        }
    }
}

/// Whether `signer` signed `message` or `<Bytes>message</Bytes>`, as the Python wallets check it.
///
/// Browser wallets wrap what they sign for a user, so that nobody can be tricked into signing a
/// transaction. Use this only where people sign with such a wallet: a neuron's key never does.
pub fn verify_wrapped(
    scheme: SignatureScheme,
    signer: &AccountId,
    message: &[u8],
    signature: &Signature,
) -> bool {
    verify(scheme, signer, message, signature) || {
        let wrapped = [b"<Bytes>", message, b"</Bytes>"].concat();
        verify(scheme, signer, &wrapped, signature)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Keypair;

    #[test]
    fn the_published_ed25519_vector_verifies() {
        // The ed25519 key of `//Alice` signs a btauth/1 payload (spec: chain, section 2.9).
        let key = "0x88dc3417d5058ec4b4503e0c12ea1a0a89be200fe98922423d4334014fa6b0ee";
        let bytes: [u8; 32] = hex::decode(&key[2..]).unwrap().try_into().unwrap();
        let alice = AccountId::new(bytes);
        let bob = Keypair::from_uri("//Bob").unwrap().account();
        let body = hex::encode(<sha2::Sha256 as sha2::Digest>::digest(
            br#"{"prompt": "hello"}"#,
        ));
        let payload = format!(
            "btauth/1\ned25519\nPOST\n/generate?stream=false\n{body}\n1752076800000000000\n{alice}\n{bob}"
        );
        let signature: Signature = "0x1a6b631988bf1f7ea093ab9d5acf61f05c316d0b0e428b24b487b75a5f6ee0e1a56a26918fdf871b6cf09437e6588023a4ce423cf622621b2a7feee17612f704"
            .parse()
            .unwrap();
        assert!(verify(
            SignatureScheme::Ed25519,
            &alice,
            payload.as_bytes(),
            &signature
        ));
        assert!(!verify(
            SignatureScheme::Sr25519,
            &alice,
            payload.as_bytes(),
            &signature
        ));
        assert!(!verify(
            SignatureScheme::Ed25519,
            &bob,
            payload.as_bytes(),
            &signature
        ));
        assert_eq!(SignatureScheme::Ed25519.to_string(), "ed25519");
        assert_eq!(SignatureScheme::Sr25519.to_string(), "sr25519");
    }

    #[test]
    fn text_of_the_wrong_shape_is_refused() {
        let digits = "ab".repeat(64);
        for text in [
            "",
            "0x",
            &digits[1..],
            &format!("0x{digits}00"),
            &format!("0X{digits}"),
            &"zz".repeat(64),
            &"é".repeat(64),
        ] {
            assert!(text.parse::<Signature>().is_err(), "{text}");
        }
        assert!(Signature::from_bytes(&[0; 63]).is_err());
    }

    proptest! {
        #[test]
        fn text_survives_the_round_trip(bytes in prop::collection::vec(any::<u8>(), 64)) {
            let signature = Signature::from_bytes(&bytes).unwrap();
            let text = signature.to_string();
            prop_assert_eq!(text.len(), 130);
            prop_assert_eq!(text.parse::<Signature>().unwrap(), signature);
            prop_assert_eq!(text[2..].to_uppercase().parse::<Signature>().unwrap(), signature);
        }

        #[test]
        fn hostile_keys_and_signatures_answer_false(
            key: [u8; 32],
            bytes in prop::collection::vec(any::<u8>(), 64),
            message: Vec<u8>,
        ) {
            let signer = AccountId::new(key);
            let signature = Signature::from_bytes(&bytes).unwrap();
            prop_assert!(!verify(SignatureScheme::Sr25519, &signer, &message, &signature));
            prop_assert!(!verify(SignatureScheme::Ed25519, &signer, &message, &signature));
        }
    }
}
