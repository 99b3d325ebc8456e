//! `$NACL`: nonce, authenticator and ciphertext of NaCl's secret box, under a key from Argon2i.

use argon2::{Algorithm, Argon2, Block, Params, Version};
use crypto_secretbox::{AeadInPlace as _, Key, KeyInit as _, Nonce, Tag, XSalsa20Poly1305};
use rand::CryptoRng;
use zeroize::Zeroizing;

use super::derive_with_memory;
use crate::{EncryptionFormat, Error, Password, Result};

pub(super) const PREFIX: &[u8] = b"$NACL";

/// The same for every file: the format's weakness is its fixed salt.
const SALT: [u8; 16] = [
    0x13, 0x71, 0x83, 0xdf, 0xf1, 0x5a, 0x09, 0xbc, 0x9c, 0x90, 0xb5, 0x51, 0x87, 0x39, 0xe9, 0xb1,
];

/// What Argon2i costs.
#[derive(Clone, Copy)]
struct Cost {
    passes: u32,
    kibibytes: u32,
}

/// PyNaCl's `SENSITIVE` limits of Argon2i.
const COST: Cost = Cost {
    passes: 8,
    kibibytes: 512 * 1_024,
};

pub(super) fn open(bytes: &[u8], password: &Password) -> Result<Zeroizing<Vec<u8>>> {
    open_at(COST, bytes, password)
}

pub(super) fn seal<R: CryptoRng + ?Sized>(
    plaintext: &[u8],
    password: &Password,
    rng: &mut R,
) -> Result<Vec<u8>> {
    seal_at(COST, plaintext, password, rng)
}

fn open_at(cost: Cost, bytes: &[u8], password: &Password) -> Result<Zeroizing<Vec<u8>>> {
    let sealed = bytes.get(PREFIX.len()..).unwrap_or_default();
    // Before half a gibibyte is touched.
    if sealed.len() < SecretBox::OVERHEAD {
        return Err(Error::Keyfile {
            reason: "cut short",
        });
    }
    SecretBox::new(&*derive_key(cost, password)?)
        .open(sealed)
        .ok_or(Error::NotOpened {
            format: EncryptionFormat::Nacl,
        })
}

fn seal_at<R: CryptoRng + ?Sized>(
    cost: Cost,
    plaintext: &[u8],
    password: &Password,
    rng: &mut R,
) -> Result<Vec<u8>> {
    let mut file = PREFIX.to_vec();
    let sealed = SecretBox::new(&*derive_key(cost, password)?).seal(plaintext, rng);
    file.extend(sealed.ok_or(Error::Keyfile {
        reason: "too long to encrypt",
    })?);
    Ok(file)
}

/// Argon2i, version 1.3, one lane, 32 bytes.
fn derive_key(cost: Cost, password: &Password) -> Result<Zeroizing<[u8; 32]>> {
    let refuse = |_| Error::Keyfile {
        reason: "Argon2i refuses this password",
    };
    let params = Params::new(cost.kibibytes, cost.passes, 1, Some(32)).map_err(refuse)?;
    let blocks = params.block_count();
    let argon2 = Argon2::new(Algorithm::Argon2i, Version::V0x13, params);
    let mut key = Zeroizing::new([0_u8; 32]);
    derive_with_memory(blocks, Block::new(), |memory| {
        argon2
            .hash_password_into_with_memory(
                password.expose().as_bytes(),
                &SALT,
                key.as_mut_slice(),
                memory,
            )
            .map_err(refuse)
    })?;
    Ok(key)
}

/// NaCl's secret box: XSalsa20-Poly1305, laid out as nonce, authenticator, ciphertext.
pub(crate) struct SecretBox(XSalsa20Poly1305);

impl SecretBox {
    const NONCE: usize = 24;
    /// Bytes beside the ciphertext.
    pub(crate) const OVERHEAD: usize = Self::NONCE + 16;

    pub(crate) fn new(key: &[u8; 32]) -> Self {
        // The cipher overwrites its key on drop.
        Self(XSalsa20Poly1305::new(Key::from_slice(key)))
    }

    /// The plaintext; none when the authenticator does not fit, however that came about.
    pub(crate) fn open(&self, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, sealed) = sealed.split_at_checked(Self::NONCE)?;
        let (tag, ciphertext) = sealed.split_at_checked(16)?;
        let mut plaintext = Zeroizing::new(ciphertext.to_vec());
        self.0
            .decrypt_in_place_detached(
                Nonce::from_slice(nonce),
                b"",
                &mut plaintext,
                Tag::from_slice(tag),
            )
            .ok()?;
        Some(plaintext)
    }

    /// The plaintext sealed under a nonce drawn from `rng`; none beyond XSalsa20's 2^64 blocks.
    pub(crate) fn seal<R: CryptoRng + ?Sized>(
        &self,
        plaintext: &[u8],
        rng: &mut R,
    ) -> Option<Vec<u8>> {
        let mut nonce = Nonce::default();
        rng.fill_bytes(&mut nonce);
        let mut ciphertext = Zeroizing::new(plaintext.to_vec());
        let sealing = self
            .0
            .encrypt_in_place_detached(&nonce, b"", &mut ciphertext);
        let tag = sealing.ok()?;
        Some([&nonce[..], &tag[..], &ciphertext[..]].concat())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng as _};

    use super::*;

    /// The format at a cost that a property test can pay often.
    const CHEAP: Cost = Cost {
        passes: 1,
        kibibytes: 8,
    };

    proptest! {
        #[test]
        fn what_is_sealed_opens_with_its_password_alone(
            plaintext in prop::collection::vec(any::<u8>(), 0..700),
            password in ".{0,24}",
            other in ".{0,24}",
            seed: u64,
            flipped: prop::sample::Index,
        ) {
            let mut rng = ChaCha20Rng::seed_from_u64(seed);
            let (right, wrong) = (Password::from(&*password), Password::from(&*other));
            let sealed = seal_at(CHEAP, &plaintext, &right, &mut rng).unwrap();
            prop_assert_eq!(&*open_at(CHEAP, &sealed, &right).unwrap(), &plaintext);
            if password != other {
                prop_assert!(open_at(CHEAP, &sealed, &wrong).is_err());
            }
            // One changed bit anywhere behind the prefix reads as a wrong password does.
            let mut changed = sealed.clone();
            let at = PREFIX.len() + flipped.index(sealed.len() - PREFIX.len());
            changed[at] ^= 1;
            let error = open_at(CHEAP, &changed, &right).unwrap_err();
            prop_assert!(
                matches!(error, Error::NotOpened { format: EncryptionFormat::Nacl }),
                "{:?}", error
            );
            let cut = open_at(CHEAP, &sealed[..sealed.len().min(44)], &right);
            prop_assert!(cut.is_err());
        }
    }

    #[test]
    fn two_files_of_one_key_differ() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let password = Password::from("password");
        let first = seal_at(CHEAP, b"key", &password, &mut rng).unwrap();
        let second = seal_at(CHEAP, b"key", &password, &mut rng).unwrap();
        assert_ne!(first, second);
    }
}
