use std::{io, path::PathBuf};

use adit_primitives::AccountId;

use crate::EncryptionFormat;

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
    /// The text after `0x` is not whole bytes in hex.
    #[error("0x must be followed by whole bytes in hex")]
    MessageHex,
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
    /// The keyfile is encrypted, and no password was given.
    #[error("the keyfile is encrypted ({format}) and needs its password")]
    Encrypted {
        /// How it is encrypted.
        format: EncryptionFormat,
    },
    /// The encrypted keyfile does not open: the password is wrong or the file was changed. The
    /// formats do not tell which, and neither does this.
    #[error("wrong password or changed file ({format})")]
    NotOpened {
        /// How it is encrypted.
        format: EncryptionFormat,
    },
    /// The format is read for the sake of old files, and not written.
    #[error("new files are not encrypted as {format}")]
    NotWritten {
        /// The format.
        format: EncryptionFormat,
    },
    /// The memory to derive a key from a password is not to be had.
    #[error("no {mebibytes} MiB of memory to derive the key from the password")]
    Memory {
        /// How much was asked for.
        mebibytes: u64,
    },
    /// The password is too weak to encrypt a new keyfile with.
    #[error("the password is {reason}")]
    WeakPassword {
        /// Which rule it breaks.
        reason: &'static str,
    },
    /// There is no password where it was to be found.
    #[error("no password: {reason}")]
    PasswordSource {
        /// Why not.
        reason: &'static str,
    },
    /// The password's file or descriptor cannot be read, or others may read it.
    #[error("no password from {}", path.display())]
    PasswordFile {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A password is needed, and there is no terminal to ask on.
    #[error(
        "the keyfile needs its password, and there is no terminal to ask on: name a password file, descriptor or variable"
    )]
    NoTerminal,
    /// The system's keyring has no such password or cannot be reached.
    #[error("no password from the keyring: {reason}")]
    Keyring {
        /// What the keyring answered.
        reason: &'static str,
    },
    /// The text is not an SS58 address.
    #[error("not an address: {reason}")]
    Address {
        /// Which rule it breaks.
        reason: &'static str,
    },
    /// The text is not a key exported by polkadot.js.
    #[error("not a polkadot.js key (version 3): {reason}")]
    PolkadotJson {
        /// Which rule it breaks.
        reason: &'static str,
    },
    /// The scrypt parameters of an exported key are none that polkadot.js uses.
    #[error("scrypt parameters N = {n}, r = {r}, p = {p} are not accepted")]
    Scrypt {
        /// Cost.
        n: u32,
        /// Block size.
        r: u32,
        /// Parallelism.
        p: u32,
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
    #[error(
        "keys of crypto type {crypto_type:?} are not supported, only 0 (ed25519) and 1 (sr25519)"
    )]
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
