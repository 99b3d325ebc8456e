//! `$ANSIBLE_VAULT`, as the Ansible tools write it: PBKDF2, AES-256-CTR and HMAC-SHA256, in hex of
//! hex.

use aes::{
    Aes256,
    cipher::{KeyIvInit as _, StreamCipher as _},
};
use hmac::{Hmac, Mac as _};
use rand::CryptoRng;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::one_at_a_time;
use crate::{EncryptionFormat, Error, Password, Result};

pub(super) const PREFIX: &[u8] = b"$ANSIBLE_VAULT";

const HEADER: &[u8] = b"$ANSIBLE_VAULT;1.1;AES256";
const ROUNDS: u32 = 10_000;
const SALT: usize = 32;
/// Digits to a line.
const COLUMNS: usize = 80;
/// AES's block, to which the plaintext is padded (PKCS #7).
const BLOCK: usize = 16;

struct Keys {
    cipher: Zeroizing<[u8; 32]>,
    mac: Zeroizing<[u8; 32]>,
    iv: Zeroizing<[u8; BLOCK]>,
}

impl Keys {
    fn derive(password: &Password, salt: &[u8]) -> Self {
        let mut keys = Self {
            cipher: Zeroizing::default(),
            mac: Zeroizing::default(),
            iv: Zeroizing::default(),
        };
        let mut derived = Zeroizing::new([0_u8; 80]);
        {
            let _turn = one_at_a_time();
            let password = password.expose().as_bytes();
            pbkdf2::pbkdf2_hmac::<Sha256>(password, salt, ROUNDS, derived.as_mut_slice());
        }
        keys.cipher.copy_from_slice(&derived[..32]);
        keys.mac.copy_from_slice(&derived[32..64]);
        keys.iv.copy_from_slice(&derived[64..]);
        keys
    }

    fn authenticator(&self) -> Result<Hmac<Sha256>> {
        // HMAC takes keys of any length.
        Hmac::new_from_slice(self.mac.as_slice()).map_err(|_| malformed())
    }

    fn apply(&self, bytes: &mut [u8]) {
        let mut cipher =
            ctr::Ctr128BE::<Aes256>::new(self.cipher.as_slice().into(), self.iv.as_slice().into());
        cipher.apply_keystream(bytes);
    }
}

fn malformed() -> Error {
    Error::Keyfile {
        reason: "not the layout of an Ansible vault",
    }
}

pub(super) fn open(bytes: &[u8], password: &Password) -> Result<Zeroizing<Vec<u8>>> {
    let mut lines = bytes.split(|byte| *byte == b'\n');
    if lines.next().map(<[u8]>::trim_ascii_end) != Some(HEADER) {
        return Err(Error::Keyfile {
            reason: "an Ansible vault of another version or cipher than 1.1 and AES256",
        });
    }
    let digits: Vec<u8> = lines.flat_map(<[u8]>::trim_ascii).copied().collect();
    let inner = hex::decode(digits).map_err(|_| malformed())?;
    let mut parts = inner.splitn(3, |byte| *byte == b'\n');
    let mut part = || {
        let digits = parts.next().ok_or_else(malformed)?;
        hex::decode(digits.trim_ascii()).map_err(|_| malformed())
    };
    let (salt, tag, ciphertext) = (part()?, part()?, part()?);
    if tag.len() != 32 || ciphertext.is_empty() || !ciphertext.len().is_multiple_of(BLOCK) {
        return Err(malformed());
    }
    let wrong = || Error::NotOpened {
        format: EncryptionFormat::AnsibleVault,
    };
    let keys = Keys::derive(password, &salt);
    let mut authenticator = keys.authenticator()?;
    authenticator.update(&ciphertext);
    authenticator.verify_slice(&tag).map_err(|_| wrong())?;
    let mut plaintext = Zeroizing::new(ciphertext);
    keys.apply(&mut plaintext);
    // The writer holds the key, so wrong padding tells nothing to anybody else.
    let padding = plaintext.last().map_or(0, |last| usize::from(*last));
    let length = plaintext.len().checked_sub(padding).ok_or_else(wrong)?;
    let padded = plaintext.get(length..).unwrap_or_default();
    if padding == 0 || padding > BLOCK || padded.iter().any(|byte| usize::from(*byte) != padding) {
        return Err(wrong());
    }
    plaintext.truncate(length);
    Ok(plaintext)
}

pub(super) fn seal<R: CryptoRng + ?Sized>(
    plaintext: &[u8],
    password: &Password,
    rng: &mut R,
) -> Result<Vec<u8>> {
    let mut salt = [0_u8; SALT];
    rng.fill_bytes(&mut salt);
    let keys = Keys::derive(password, &salt);
    let padding = BLOCK - plaintext.len() % BLOCK;
    // Room for the padding from the start, so that no copy of the plaintext is left behind.
    let mut ciphertext = Zeroizing::new(Vec::with_capacity(plaintext.len() + padding));
    ciphertext.extend_from_slice(plaintext);
    ciphertext.resize(plaintext.len() + padding, padding as u8);
    keys.apply(&mut ciphertext);
    let mut authenticator = keys.authenticator()?;
    authenticator.update(&ciphertext);
    let inner = [
        hex::encode(salt),
        hex::encode(authenticator.finalize().into_bytes()),
        hex::encode(ciphertext.as_slice()),
    ]
    .join("\n");
    let mut file = HEADER.to_vec();
    for line in hex::encode(inner).as_bytes().chunks(COLUMNS) {
        file.push(b'\n');
        file.extend_from_slice(line);
    }
    file.push(b'\n');
    Ok(file)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng as _};

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn what_is_sealed_opens_with_its_password_alone(
            plaintext in prop::collection::vec(any::<u8>(), 0..200),
            password in ".{0,16}",
            other in ".{0,16}",
            seed: u64,
        ) {
            let mut rng = ChaCha20Rng::seed_from_u64(seed);
            let (right, wrong) = (Password::from(&*password), Password::from(&*other));
            let sealed = seal(&plaintext, &right, &mut rng).unwrap();
            prop_assert!(sealed.split(|b| *b == b'\n').all(|line| line.len() <= COLUMNS));
            prop_assert_eq!(&*open(&sealed, &right).unwrap(), &plaintext);
            if password != other {
                let refused = open(&sealed, &wrong);
                prop_assert!(matches!(refused, Err(Error::NotOpened { .. })), "{:?}", refused);
            }
        }

        #[test]
        fn no_bytes_panic(tail: Vec<u8>, digits in "[0-9a-f\n]{0,400}") {
            let password = Password::from("password");
            for tail in [&tail[..], digits.as_bytes()] {
                let _ = open(&[HEADER, b"\n", tail].concat(), &password);
                let twice = hex::encode(tail);
                let _ = open(&[HEADER, b"\n", twice.as_bytes()].concat(), &password);
            }
        }
    }

    #[test]
    fn other_versions_and_broken_layouts_are_named() {
        let password = Password::from("password");
        for text in [
            "$ANSIBLE_VAULT;1.2;AES256;dev\n00",
            "$ANSIBLE_VAULT;1.1;AES\n00",
            "$ANSIBLE_VAULT",
            "$ANSIBLE_VAULT;1.1;AES256\n",
            "$ANSIBLE_VAULT;1.1;AES256\nzz",
            "$ANSIBLE_VAULT;1.1;AES256\n30300a30300a3030",
        ] {
            let error = open(text.as_bytes(), &password).unwrap_err();
            assert!(matches!(error, Error::Keyfile { .. }), "{text}: {error}");
        }
    }
}
