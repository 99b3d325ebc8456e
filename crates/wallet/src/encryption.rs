//! The three formats in which keyfiles are encrypted.

use std::{
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

use rand::CryptoRng;
use zeroize::Zeroizing;

use crate::{Error, LONGEST_KEYFILE, Password, Result};

mod ansible;
mod fernet;
mod nacl;

pub(crate) use nacl::SecretBox;

/// How an encrypted keyfile is encrypted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EncryptionFormat {
    /// `$NACL`: Argon2i and XSalsa20-Poly1305, the format in use today.
    #[default]
    Nacl,
    /// `$ANSIBLE_VAULT`: PBKDF2 and AES-256-CTR.
    AnsibleVault,
    /// `gAAAAA`: a Fernet token, the oldest format. It is read and never written.
    Fernet,
}

impl EncryptionFormat {
    /// The format of a keyfile, by its first bytes; none when it is not encrypted.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        [
            (nacl::PREFIX, Self::Nacl),
            (ansible::PREFIX, Self::AnsibleVault),
            (fernet::PREFIX, Self::Fernet),
        ]
        .into_iter()
        .find(|(prefix, _)| bytes.starts_with(prefix))
        .map(|(_, format)| format)
    }
}

impl fmt::Display for EncryptionFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nacl => "NaCl",
            Self::AnsibleVault => "Ansible Vault",
            Self::Fernet => "Fernet",
        })
    }
}

/// Opens an encrypted keyfile, whatever its format.
///
/// **Blocks** for about a second and takes 512 MiB of memory for NaCl (other formats take less
/// than a mebibyte; Fernet's ten million rounds take seconds): async code calls it through
/// `spawn_blocking`. In one process only one is opened at a time, so that many callers do not
/// exhaust the memory; the others wait.
///
/// # Errors
/// [`Error::NotOpened`] for a wrong password or changed bytes, which the formats do not tell
/// apart; [`Error::Keyfile`] when it is not in one of the formats, cut short or longer than
/// [`LONGEST_KEYFILE`]; [`Error::Memory`] when the memory is not to be had.
pub fn decrypt(bytes: &[u8], password: &Password) -> Result<Zeroizing<Vec<u8>>> {
    let refuse = |reason| Error::Keyfile { reason };
    if bytes.len() > LONGEST_KEYFILE {
        return Err(refuse("longer than 64 KiB"));
    }
    match EncryptionFormat::of(bytes) {
        Some(EncryptionFormat::Nacl) => nacl::open(bytes, password),
        Some(EncryptionFormat::AnsibleVault) => ansible::open(bytes, password),
        Some(EncryptionFormat::Fernet) => fernet::open(bytes, password),
        None => Err(refuse("not encrypted")),
    }
}

/// Encrypts the bytes of a keyfile. Blocks as [`decrypt`] does.
///
/// The password's strength is not judged here: see [`Password::check_strength`].
///
/// # Errors
/// [`Error::NotWritten`] for [`EncryptionFormat::Fernet`], [`Error::Keyfile`] when `plaintext`
/// would make a file longer than is read, [`Error::Memory`].
pub fn encrypt<R: CryptoRng + ?Sized>(
    format: EncryptionFormat,
    plaintext: &[u8],
    password: &Password,
    rng: &mut R,
) -> Result<Vec<u8>> {
    // The Ansible format writes each byte as four digits.
    if plaintext.len() > LONGEST_KEYFILE / 5 {
        return Err(Error::Keyfile {
            reason: "too long to encrypt",
        });
    }
    match format {
        EncryptionFormat::Nacl => nacl::seal(plaintext, password, rng),
        EncryptionFormat::AnsibleVault => ansible::seal(plaintext, password, rng),
        EncryptionFormat::Fernet => Err(Error::NotWritten { format }),
    }
}

/// Held while a key is derived from a password.
fn one_at_a_time() -> MutexGuard<'static, ()> {
    static DERIVING: Mutex<()> = Mutex::new(());
    // It guards memory, not data: a panic elsewhere leaves nothing half done.
    DERIVING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Memory for a key derivation, refused instead of aborting the process, overwritten afterwards.
pub(crate) fn derive_with_memory<T: Clone + zeroize::Zeroize>(
    count: usize,
    empty: T,
    derive: impl FnOnce(&mut [T]) -> Result<()>,
) -> Result<()> {
    let _turn = one_at_a_time();
    let mut memory: Vec<T> = Vec::new();
    memory.try_reserve_exact(count).map_err(|_| Error::Memory {
        mebibytes: (count.saturating_mul(size_of::<T>()) >> 20) as u64,
    })?;
    memory.resize(count, empty);
    let derived = derive(&mut memory);
    // Not for its own sake only: from what Argon2 leaves behind, its first blocks aside, the
    // derived key follows.
    memory.iter_mut().for_each(zeroize::Zeroize::zeroize);
    derived
}
