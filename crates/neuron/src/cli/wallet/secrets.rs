//! New phrases on their way to a person, and secrets on their way in.

use std::{
    fs::{File, OpenOptions},
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use adit_wallet::{
    EncryptionFormat, Keypair, Password, PasswordSource, Protection, SignatureScheme,
};
use zeroize::Zeroizing;

use super::{
    args::{Format, Kept, OneKey},
    warn,
};
use crate::{Error, Result};

/// How a key of this kind is to be kept, the password chosen.
pub(super) enum Sealing {
    Open,
    With(EncryptionFormat, Password),
}

impl Sealing {
    /// Asks for the password of a new file, unless it shall have none.
    pub(super) fn choose(kept: &Kept, key: OneKey, keyfile: &Path) -> Result<Self> {
        match key {
            OneKey::Hotkey if kept.no_password => return Ok(Self::Open),
            OneKey::Coldkey if kept.no_coldkey_password => {
                warn("warning: the coldkey is written unencrypted: whoever reads the file owns it");
                return Ok(Self::Open);
            }
            _ => {}
        }
        let format = match kept.format {
            Format::Nacl => EncryptionFormat::Nacl,
            Format::AnsibleVault => EncryptionFormat::AnsibleVault,
        };
        let password = kept.password.source().choose(&absolute(keyfile))?;
        Ok(Self::With(format, password))
    }

    pub(super) fn protection(&self) -> Protection<'_> {
        match self {
            Self::Open => Protection::Plaintext,
            Self::With(format, password) => Protection::Encrypted {
                format: *format,
                password,
            },
        }
    }
}

/// Where new phrases go: the terminal, a new file, or both. Opened before any key is made, so that
/// no key is made whose phrase nobody sees.
pub(super) struct PhrasePaper(Vec<File>);

impl PhrasePaper {
    pub(super) fn open(file: Option<&Path>) -> Result<Self> {
        let mut sheets: Vec<File> = OpenOptions::new()
            .write(true)
            .open("/dev/tty")
            .into_iter()
            .collect();
        if let Some(path) = file {
            let created = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(path);
            sheets.push(created.map_err(|source| Error::Io {
                what: format!("cannot create {}", path.display()),
                source,
            })?);
        } else if sheets.is_empty() {
            return Err(Error::Command(
                "there is no terminal to show the new phrase on: name a --mnemonic-file".into(),
            ));
        }
        Ok(Self(sheets))
    }

    pub(super) fn write(&mut self, what: &str, phrase: &str) -> Result<()> {
        // One buffer of the right size, overwritten afterwards.
        let mut text = Zeroizing::new(String::with_capacity(1_024));
        text.push_str("\nWrite this phrase down and keep it where nobody finds it. It is the ");
        text.push_str(what);
        text.push_str(":\nwhoever has it owns the key, and without it a lost file is lost for good.\nIt is not shown again.\n\n    ");
        text.push_str(phrase);
        text.push_str("\n\n");
        for sheet in &mut self.0 {
            let written = sheet.write_all(text.as_bytes());
            // Pipes and terminals do not sync.
            let _ = sheet.sync_all();
            written.map_err(|source| Error::Io {
                what: "cannot show the new phrase".into(),
                source,
            })?;
        }
        Ok(())
    }
}

/// The key of a secret as people keep it: a phrase, a seed in hex, or a secret URI.
pub(super) fn key_of(secret: &Password, scheme: SignatureScheme) -> Result<Keypair> {
    let text = secret.expose().trim();
    let digits = text.strip_prefix("0x").unwrap_or(text);
    let bare = digits.len() == 64 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let keypair = if bare {
        let mut uri = Zeroizing::new(String::with_capacity(66));
        uri.push_str("0x");
        uri.push_str(digits);
        Keypair::from_uri_with_scheme(scheme, &uri)
    } else if text.contains('/') {
        Keypair::from_uri_with_scheme(scheme, text)
    } else {
        Keypair::from_mnemonic_with_scheme(scheme, text, "")
    };
    Ok(keypair?)
}

/// The secret from a file, a descriptor or the terminal.
pub(super) fn secret(file: Option<&Path>, descriptor: Option<u32>) -> Result<Password> {
    let source = match (file, descriptor) {
        (Some(path), _) => PasswordSource::File(crate::config::expand_home(path)),
        (None, Some(number)) => PasswordSource::Descriptor(number),
        (None, None) => {
            warn("Type the phrase, the seed in hex or the secret URI; it is not shown.");
            PasswordSource::Prompt
        }
    };
    Ok(source.read(Path::new("the key to restore"))?)
}

pub(super) fn absolute(path: &Path) -> std::path::PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}
