use std::{fmt, io, path::PathBuf};

use adit_primitives::AccountId;

/// How an encrypted keyfile is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EncryptionFormat {
    /// `$NACL`: Argon2i and XSalsa20-Poly1305, the format in use today.
    Nacl,
    /// `$ANSIBLE_VAULT`: PBKDF2 and AES-256-CTR.
    AnsibleVault,
    /// `gAAAAA`: a Fernet token, the oldest format.
    Fernet,
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

/// What can be wrong with a key, a phrase or a keyfile. No variant carries a secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes are not a secret key.
    #[error("not a secret key: {reason}")]
    SecretKey {
        /// Which rule they break.
        reason: &'static str,
    },
    /// The words are not a mnemonic.
    #[error("not a mnemonic: {reason}")]
    Mnemonic {
        /// Which rule they break.
        reason: &'static str,
    },
    /// A mnemonic has 12, 15, 18, 21 or 24 words.
    #[error("a mnemonic has 12, 15, 18, 21 or 24 words, not {words}")]
    WordCount {
        /// The number of words given or asked for.
        words: usize,
    },
    /// The text is not a secret URI (`phrase//hard/soft///password`).
    #[error("not a secret URI: {reason}")]
    Uri {
        /// Which rule it breaks.
        reason: &'static str,
    },
    /// The text is not 64 bytes in hex.
    #[error("a signature is 64 bytes in hex: {reason}")]
    Signature {
        /// Which rule it breaks.
        reason: &'static str,
    },
    /// A wallet or hotkey name must be one plain file name.
    #[error("{name:?} cannot name a wallet or a hotkey")]
    Name {
        /// The refused name, cut at 80 characters.
        name: String,
    },
    /// The file does not exist.
    #[error("{} does not exist", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The file exists but cannot be read.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The file could not be written.
    #[error("cannot write {}", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The file is there already; keys are never overwritten.
    #[error("{} exists and is not overwritten", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The keyfile is encrypted, which this version does not open.
    #[error("the keyfile is encrypted ({format})")]
    Encrypted {
        /// How it is encrypted.
        format: EncryptionFormat,
    },
    /// The keyfile breaks a rule of its format.
    #[error("malformed keyfile: {reason}")]
    Keyfile {
        /// Which rule.
        reason: &'static str,
    },
    /// The keyfile holds a public key only, so nothing can be signed with it.
    #[error("the keyfile of {account} holds no secret")]
    NoSecret {
        /// Whose keyfile it is.
        account: AccountId,
    },
    /// The keyfile's address is not the address of its secret.
    #[error("the keyfile says {stated}, but its secret belongs to {derived}")]
    AddressMismatch {
        /// The address the file states.
        stated: AccountId,
        /// The address of its secret.
        derived: AccountId,
    },
    /// The keyfile's key is of a kind this crate does not sign with.
    #[error("keys of crypto type {crypto_type:?} are not supported, only 1 (sr25519)")]
    CryptoType {
        /// The file's `cryptoType`, cut at 80 characters.
        crypto_type: String,
    },
    /// An error with the file it happened in.
    #[error("keyfile {}", path.display())]
    InFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: Box<Error>,
    },
}

/// Result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;
