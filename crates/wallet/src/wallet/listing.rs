//! What wallets a folder holds.

use std::{collections::BTreeSet, fs, io, path::Path};

use adit_primitives::AccountId;
use serde::Serialize;

use super::{Wallet, files::read_error, plain_name, read_bytes};
use crate::{EncryptionFormat, Error, Keyfile, Result};

/// Most entries of one folder that are looked at.
const MOST_ENTRIES: usize = 10_000;

/// How a key's secret file is found. No password is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SecretState {
    /// There is none: the key is public here.
    Absent,
    /// It is not encrypted.
    Plaintext,
    /// It is encrypted.
    Encrypted,
    /// It is there and cannot be read as a keyfile.
    Unreadable,
}

/// A key of a wallet, as its files show it without a password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ListedKey {
    /// The key's name; `coldkey` for the coldkey.
    pub name: String,
    /// Its account, where the public file or a plaintext secret tells.
    pub account: Option<AccountId>,
    /// How its secret is kept.
    pub secret: SecretState,
}

/// A wallet of a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ListedWallet {
    /// The wallet's name.
    pub name: String,
    /// Its coldkey, where there is any file of it.
    pub coldkey: Option<ListedKey>,
    /// Its hotkeys, by name.
    pub hotkeys: Vec<ListedKey>,
}

/// The wallets of a folder and their keys, by name, read without any password.
///
/// Folders that hold neither a coldkey nor a hotkey are no wallets. A keyfile that is broken is
/// listed as unreadable, and hides no other.
///
/// # Errors
/// [`Error::Missing`] or [`Error::Unreadable`] for the folder itself; the latter too beyond 10,000
/// entries.
pub fn list_wallets(path: &Path) -> Result<Vec<ListedWallet>> {
    let mut wallets = Vec::new();
    for name in names(path)? {
        let folder = path.join(&name);
        let Ok(wallet) = Wallet::open(path, &name, "default") else {
            continue;
        };
        let coldkey = listed(
            "coldkey".into(),
            &wallet.coldkey_public_path(),
            &wallet.coldkey_path(),
        );
        let hotkeys: BTreeSet<String> = match names(&folder.join("hotkeys")) {
            Ok(names) => names
                .into_iter()
                .map(|name| {
                    name.strip_suffix("pub.txt")
                        .map(str::to_owned)
                        .unwrap_or(name)
                })
                .collect(),
            Err(Error::Missing { .. }) => BTreeSet::new(),
            Err(error) => return Err(error),
        };
        let hotkeys: Vec<ListedKey> = hotkeys
            .into_iter()
            .filter_map(|hotkey| {
                let wallet = Wallet::named(path, &name, &hotkey).ok()?;
                listed(hotkey, &wallet.hotkey_public_path(), &wallet.hotkey_path())
            })
            .collect();
        if coldkey.is_some() || !hotkeys.is_empty() {
            wallets.push(ListedWallet {
                name,
                coldkey,
                hotkeys,
            });
        }
    }
    Ok(wallets)
}

fn listed(name: String, public: &Path, secret: &Path) -> Option<ListedKey> {
    let account = |bytes: &[u8]| Keyfile::parse(bytes).and_then(|keyfile| keyfile.account());
    let stated = read_bytes(public)
        .ok()
        .and_then(|bytes| account(&bytes).ok());
    let (state, told) = match read_bytes(secret) {
        Ok(bytes) if EncryptionFormat::of(&bytes).is_some() => (SecretState::Encrypted, None),
        Ok(bytes) => match account(&bytes) {
            Ok(account) => (SecretState::Plaintext, Some(account)),
            Err(_) => (SecretState::Unreadable, None),
        },
        Err(Error::Missing { .. }) => (SecretState::Absent, None),
        Err(_) => (SecretState::Unreadable, None),
    };
    let found = stated.is_some() || state != SecretState::Absent;
    found.then(|| ListedKey {
        name,
        account: stated.or(told),
        secret: state,
    })
}

/// The entries that can name a wallet or a hotkey, sorted; hidden and temporary files cannot.
fn names(folder: &Path) -> Result<Vec<String>> {
    let refuse = |source| read_error(folder, source);
    let mut names = Vec::new();
    for (count, entry) in fs::read_dir(folder).map_err(refuse)?.enumerate() {
        if count == MOST_ENTRIES {
            return Err(refuse(io::Error::other("more than 10,000 entries")));
        }
        let name = entry.map_err(refuse)?.file_name();
        if let Some(name) = name
            .to_str()
            .filter(|name| !name.starts_with('.') && !name.ends_with(".new"))
        {
            names.extend(plain_name(name));
        }
    }
    names.sort_unstable();
    Ok(names)
}
