//! `gAAAAA`: a Fernet token under a key from PBKDF2, as the first Python wallets wrote it.

use aes::{
    Aes128,
    cipher::{BlockDecryptMut as _, KeyIvInit as _, block_padding::Pkcs7},
};
use base64::{Engine as _, engine::general_purpose};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::one_at_a_time;
use crate::{EncryptionFormat, Error, Password, Result};

pub(super) const PREFIX: &[u8] = b"gAAAAA";

const SALT: &[u8] = b"Iguesscyborgslikemyselfhaveatendencytobeparanoidaboutourorigins";
const ROUNDS: u32 = 10_000_000;

/// Version, time and initialisation vector before the ciphertext; the authenticator behind it.
const HEAD: usize = 1 + 8 + 16;
const TAG: usize = 32;

pub(super) fn open(bytes: &[u8], password: &Password) -> Result<Zeroizing<Vec<u8>>> {
    let token = Token::parse(bytes)?;
    let mut key = Zeroizing::new([0_u8; 32]);
    {
        let _turn = one_at_a_time();
        let password = password.expose().as_bytes();
        pbkdf2::pbkdf2_hmac::<Sha256>(password, SALT, ROUNDS, key.as_mut_slice());
    }
    token.open(&key)
}

struct Token(Vec<u8>);

impl Token {
    /// Takes the token apart before the password costs seconds.
    fn parse(bytes: &[u8]) -> Result<Self> {
        let refuse = |reason| Error::Keyfile { reason };
        let token = general_purpose::URL_SAFE
            .decode(bytes.trim_ascii())
            .map_err(|_| refuse("a Fernet token that is not base 64"))?;
        let ciphertext = token.len().checked_sub(HEAD + TAG);
        if token.first() != Some(&0x80)
            || !ciphertext.is_some_and(|length| length > 0 && length.is_multiple_of(16))
        {
            return Err(refuse("not the layout of a Fernet token"));
        }
        Ok(Self(token))
    }

    /// The first half of the key authenticates, the second decrypts. The time in the token is not
    /// looked at: keyfiles do not expire.
    fn open(&self, key: &[u8; 32]) -> Result<Zeroizing<Vec<u8>>> {
        let wrong = || Error::NotOpened {
            format: EncryptionFormat::Fernet,
        };
        let split = |bytes: &[u8], at: usize| {
            bytes
                .split_at_checked(at)
                .map(|(head, tail)| (head.to_vec(), tail.to_vec()))
                .ok_or_else(wrong)
        };
        let (signing, encryption) = key.split_at(16);
        let (signed, tag) = split(&self.0, self.0.len().saturating_sub(TAG))?;
        let mut authenticator = Hmac::<Sha256>::new_from_slice(signing).map_err(|_| wrong())?;
        authenticator.update(&signed);
        authenticator.verify_slice(&tag).map_err(|_| wrong())?;
        let (head, ciphertext) = split(&signed, HEAD)?;
        let iv = head.get(9..).unwrap_or_default();
        let mut plaintext = Zeroizing::new(ciphertext);
        let cipher =
            cbc::Decryptor::<Aes128>::new_from_slices(encryption, iv).map_err(|_| wrong())?;
        let length = cipher
            .decrypt_padded_mut::<Pkcs7>(&mut plaintext)
            .map_err(|_| wrong())?
            .len();
        plaintext.truncate(length);
        Ok(plaintext)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The example of the Fernet specification (`generate.json`).
    const TOKEN: &str = "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA==";
    const KEY: &str = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=";

    fn key() -> [u8; 32] {
        let key = general_purpose::URL_SAFE.decode(KEY).unwrap();
        key.try_into().unwrap()
    }

    #[test]
    fn the_example_of_the_specification_opens() {
        let token = Token::parse(TOKEN.as_bytes()).unwrap();
        assert_eq!(token.open(&key()).unwrap().as_slice(), b"hello");
        assert!(matches!(
            token.open(&[7; 32]),
            Err(Error::NotOpened {
                format: EncryptionFormat::Fernet
            })
        ));
    }

    #[test]
    fn a_malformed_token_is_refused_before_the_rounds() {
        let password = Password::from("password");
        for text in ["gAAAAA", "gAAAAA*", &TOKEN[..60], &format!("{TOKEN}AAAA")] {
            assert!(matches!(
                open(text.as_bytes(), &password),
                Err(Error::Keyfile { .. })
            ));
        }
    }

    proptest! {
        #[test]
        fn a_changed_token_never_opens(at: prop::sample::Index, bit in 0_u8..8) {
            let mut token = Token::parse(TOKEN.as_bytes()).unwrap();
            let at = at.index(token.0.len());
            token.0[at] ^= 1_u8 << bit;
            prop_assert!(token.open(&key()).is_err());
        }

        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            if let Ok(token) = Token::parse(&bytes) {
                let _ = token.open(&key());
            }
            let mut framed = vec![0x80];
            framed.extend(bytes);
            let text = general_purpose::URL_SAFE.encode(framed);
            if let Ok(token) = Token::parse(text.as_bytes()) {
                let _ = token.open(&key());
            }
        }
    }
}
