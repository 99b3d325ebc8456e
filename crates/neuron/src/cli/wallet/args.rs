//! What can be typed after `wallet`.

use std::path::PathBuf;

use adit_primitives::AccountId;
use adit_wallet::{PasswordSource, Signature, SignatureScheme, Wallet};
use clap::{Args, Subcommand, ValueEnum};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Result,
    config::{WalletConfig, expand_home, load},
};

#[derive(Debug, Subcommand)]
pub(super) enum WalletCommand {
    /// Make a new coldkey, hotkey or both; the phrase is shown once, on the terminal
    New(NewArgs),
    /// Restore a key from its phrase, seed or secret URI, or a coldkeypub.txt from its address
    Regen(RegenArgs),
    /// Take a key over from another keyfile or a polkadot.js export
    Import(ImportArgs),
    /// List the wallets and their keys
    List(ListArgs),
    /// Show the addresses of one wallet
    Show(ShowArgs),
    /// Sign a message
    Sign(SignArgs),
    /// Verify a signature; fails when it is not valid
    Verify(VerifyArgs),
}

#[derive(Debug, Args)]
pub(super) struct NewArgs {
    #[command(flatten)]
    pub(super) place: Place,
    /// Which keys to make
    #[arg(long, value_enum, default_value_t = NewKeys::Both)]
    pub(super) key: NewKeys,
    /// Words of a new phrase: 12, 15, 18, 21 or 24
    #[arg(long, default_value_t = 12)]
    pub(super) words: usize,
    /// Also write the phrases to this new file, mode 0600; needed where there is no terminal
    #[arg(long, value_name = "FILE")]
    pub(super) mnemonic_file: Option<PathBuf>,
    #[command(flatten)]
    pub(super) kept: Kept,
}

#[derive(Debug, Args)]
pub(super) struct RegenArgs {
    #[command(flatten)]
    pub(super) place: Place,
    /// Which key to restore
    #[arg(long, value_enum)]
    pub(super) key: RegenKey,
    /// File whose first line is the phrase, the seed in hex or a secret URI; else the terminal asks
    #[arg(long, value_name = "FILE", conflicts_with = "secret_fd")]
    pub(super) secret_file: Option<PathBuf>,
    /// File descriptor to read the same from
    #[arg(long, value_name = "NUMBER")]
    pub(super) secret_fd: Option<u32>,
    /// The address, for a coldkeypub.txt
    #[arg(long, value_name = "SS58", required_if_eq("key", "coldkeypub"))]
    pub(super) address: Option<AccountId>,
    #[command(flatten)]
    pub(super) kept: Kept,
}

#[derive(Debug, Args)]
pub(super) struct ImportArgs {
    #[command(flatten)]
    pub(super) place: Place,
    /// The keyfile (plain, NaCl, Ansible vault, Fernet) or polkadot.js JSON
    pub(super) file: PathBuf,
    /// What it becomes
    #[arg(long, value_enum)]
    pub(super) key: OneKey,
    /// Take the secret even though the file states the address of another
    #[arg(long)]
    pub(super) ignore_address: bool,
    /// File with the password of the file to import; else its BT_PW_ variable or the terminal
    #[arg(long, value_name = "FILE", conflicts_with = "from_password_fd")]
    pub(super) from_password_file: Option<PathBuf>,
    /// File descriptor with that password
    #[arg(long, value_name = "NUMBER")]
    pub(super) from_password_fd: Option<u32>,
    #[command(flatten)]
    pub(super) kept: Kept,
}

#[derive(Debug, Args)]
pub(super) struct ListArgs {
    #[command(flatten)]
    pub(super) place: Place,
}

#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    #[command(flatten)]
    pub(super) place: Place,
}

#[derive(Debug, Args)]
pub(super) struct SignArgs {
    #[command(flatten)]
    pub(super) place: Place,
    /// With which key
    #[arg(long, value_enum, default_value_t = OneKey::Hotkey)]
    pub(super) key: OneKey,
    #[command(flatten)]
    pub(super) message: Message,
    #[command(flatten)]
    pub(super) password: Passwords,
}

#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    /// Who should have signed
    #[arg(long, value_name = "SS58")]
    pub(super) address: AccountId,
    /// The signature, 64 bytes in hex
    #[arg(long, value_name = "HEX")]
    pub(super) signature: Signature,
    #[command(flatten)]
    pub(super) message: Message,
    /// The scheme of the key
    #[arg(long, value_enum, default_value_t = Scheme::Sr25519)]
    pub(super) scheme: Scheme,
    /// Also accept what a browser wallet signed, <Bytes>message</Bytes>
    #[arg(long)]
    pub(super) wrapped: bool,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

/// Which wallet, and how to answer.
#[derive(Debug, Args)]
pub(super) struct Place {
    /// Wallet (coldkey) name
    #[arg(long = "wallet.name", id = "place.name", value_name = "TEXT")]
    name: Option<String>,
    /// Hotkey name
    #[arg(long = "wallet.hotkey", id = "place.hotkey", value_name = "TEXT")]
    hotkey: Option<String>,
    /// Folder of wallets
    #[arg(long = "wallet.path", id = "place.path", value_name = "FOLDER")]
    path: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

impl Place {
    /// The wallet's place by flags, the environment (`ADIT_WALLET__NAME`) and defaults.
    pub(super) fn config(&self) -> Result<WalletConfig> {
        #[derive(Debug, Default, Serialize, Deserialize)]
        #[serde(default)]
        struct Settings {
            wallet: WalletConfig,
        }
        let flags = [
            ("wallet.name", &self.name),
            ("wallet.hotkey", &self.hotkey),
            ("wallet.path", &self.path),
        ];
        let flags = flags
            .into_iter()
            .filter_map(|(key, value)| Some((key, Value::from(value.clone()?))));
        Ok(load::<Settings>(None, flags.collect())?.value.wallet)
    }

    /// The wallet, whether or not it exists.
    pub(super) fn wallet(&self) -> Result<Wallet> {
        let config = self.config()?;
        Ok(Wallet::named(
            &config.folder(),
            &config.name,
            &config.hotkey,
        )?)
    }
}

/// Where the password of a keyfile comes from.
#[derive(Debug, Args)]
pub(super) struct Passwords {
    /// File with the password, chmod 600
    #[arg(long, value_name = "FILE", group = "password_source")]
    password_file: Option<PathBuf>,
    /// File descriptor to read the password from
    #[arg(long, value_name = "NUMBER", group = "password_source")]
    password_fd: Option<u32>,
    /// Environment variable with the password (masked when it starts with BT_PW_); without a name,
    /// the keyfile's own BT_PW_ variable
    #[arg(long, value_name = "NAME", num_args = 0..=1, default_missing_value = "", group = "password_source")]
    password_env: Option<String>,
    /// The system's keyring
    #[cfg(feature = "keyring")]
    #[arg(long, group = "password_source")]
    password_keyring: bool,
}

impl Passwords {
    /// The source that was named, else the keyfile's own variable or the terminal.
    pub(super) fn source(&self) -> PasswordSource {
        #[cfg(feature = "keyring")]
        if self.password_keyring {
            return PasswordSource::Keyring;
        }
        let file = self.password_file.as_deref().map(expand_home);
        let variable = self.password_env.clone();
        file.map(PasswordSource::File)
            .or(self.password_fd.map(PasswordSource::Descriptor))
            .or(variable.map(|name| {
                PasswordSource::Environment(Some(name).filter(|name| !name.is_empty()))
            }))
            .unwrap_or_default()
    }
}

/// How a new keyfile is kept.
#[derive(Debug, Args)]
pub(super) struct Kept {
    #[command(flatten)]
    pub(super) password: Passwords,
    /// Leave the hotkey unencrypted, for machines that use it unattended
    #[arg(long)]
    pub(super) no_password: bool,
    /// Leave the coldkey unencrypted too: for development only
    #[arg(long)]
    pub(super) no_coldkey_password: bool,
    /// How to encrypt
    #[arg(long, value_enum, default_value_t = Format::Nacl)]
    pub(super) format: Format,
    /// The scheme of the key
    #[arg(long, value_enum, default_value_t = Scheme::Sr25519)]
    pub(super) scheme: Scheme,
}

/// What is signed.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(super) struct Message {
    /// The message as text, signed as its UTF-8 bytes
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(super) message: Option<String>,
    /// The message's bytes in hex
    #[arg(long, value_name = "HEX")]
    pub(super) message_hex: Option<String>,
    /// File with the message's bytes; - is standard input
    #[arg(long, value_name = "FILE")]
    pub(super) message_file: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum NewKeys {
    Both,
    Coldkey,
    Hotkey,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum RegenKey {
    Coldkey,
    Hotkey,
    Coldkeypub,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum OneKey {
    Coldkey,
    Hotkey,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    Nacl,
    AnsibleVault,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Scheme {
    Sr25519,
    Ed25519,
}

impl Scheme {
    pub(super) const fn scheme(self) -> SignatureScheme {
        match self {
            Self::Sr25519 => SignatureScheme::Sr25519,
            Self::Ed25519 => SignatureScheme::Ed25519,
        }
    }
}
