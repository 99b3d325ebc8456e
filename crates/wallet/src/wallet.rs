use std::{
    fs,
    path::{Component, Path, PathBuf},
};

use adit_primitives::{AccountId, Coldkey, Hotkey};
use rand::CryptoRng;

use crate::{
    EncryptionFormat, Error, Keyfile, Keypair, Password, PasswordSource, Result, SignatureScheme,
    encrypt,
};

mod files;
mod listing;

pub use files::{Exposure, exposure};
pub use listing::{ListedKey, ListedWallet, SecretState, list_wallets};

use files::{in_file, read_bytes, read_error, refuse_existing, write_new};

/// How a new secret keyfile is written.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Protection<'a> {
    /// As it is: the usual thing for hotkeys, which machines use unattended.
    Plaintext,
    /// Encrypted with a password, whose strength the caller has checked.
    Encrypted {
        /// Nearly always [`EncryptionFormat::Nacl`].
        format: EncryptionFormat,
        /// The password.
        password: &'a Password,
    },
}

/// A wallet folder in the layout of the Python wallets, with one of its hotkeys chosen.
///
/// ```text
/// <path>/<name>/coldkey                  secret, usually encrypted
/// <path>/<name>/coldkeypub.txt           public part
/// <path>/<name>/hotkeys/<hotkey>         secret, usually plaintext
/// <path>/<name>/hotkeys/<hotkey>pub.txt  public part, in newer wallets
/// ```
///
/// Keys are read when they are asked for, so a machine that holds only a hotkey, as miners'
/// machines should, can open its wallet. Paths are taken as given, without expanding `~`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wallet {
    folder: PathBuf,
    name: String,
    hotkey_name: String,
}

impl Wallet {
    /// Opens the wallet `name` in the folder `path` and chooses its hotkey `hotkey`.
    ///
    /// # Errors
    /// [`Error::Name`] when a name is not one plain file name, [`Error::Missing`] when there is
    /// no such wallet, [`Error::Unreadable`] when its folder cannot be looked at.
    pub fn open(path: &Path, name: &str, hotkey: &str) -> Result<Self> {
        let wallet = Self::named(path, name, hotkey)?;
        match fs::metadata(&wallet.folder) {
            Ok(found) if found.is_dir() => Ok(wallet),
            Ok(_) => Err(Error::Missing {
                path: wallet.folder,
            }),
            Err(source) => Err(read_error(&wallet.folder, source)),
        }
    }

    /// The wallet `name` in the folder `path` with its hotkey `hotkey`, whether or not any of it
    /// exists yet.
    ///
    /// # Errors
    /// [`Error::Name`] when a name is not one plain file name.
    pub fn named(path: &Path, name: &str, hotkey: &str) -> Result<Self> {
        let name = plain_name(name)?;
        Ok(Self {
            folder: path.join(&name),
            name,
            hotkey_name: plain_name(hotkey)?,
        })
    }

    /// Creates the wallet `name` in the folder `path` with a coldkey and a first hotkey, all in
    /// plaintext: for development and tests. A coldkey that holds value belongs encrypted
    /// ([`create_coldkey`](Self::create_coldkey)).
    ///
    /// Files are written whole or not at all, with mode 0600 in folders of mode 0700.
    ///
    /// # Errors
    /// [`Error::Name`]; [`Error::Exists`] when any of the files is there already, in which case
    /// nothing was written; [`Error::Unwritable`].
    pub fn create(
        path: &Path,
        name: &str,
        hotkey: &str,
        coldkey: &Keypair,
        hotkey_keypair: &Keypair,
    ) -> Result<Self> {
        let wallet = Self::named(path, name, hotkey)?;
        refuse_existing(&[
            &wallet.coldkey_path(),
            &wallet.coldkey_public_path(),
            &wallet.hotkey_path(),
            &wallet.hotkey_public_path(),
        ])?;
        let (coldkey_path, public) = (wallet.coldkey_path(), wallet.coldkey_public_path());
        write_new(&coldkey_path, Keyfile::secret_json(coldkey).as_bytes())?;
        write_public(&public, coldkey.account(), coldkey.scheme())?;
        wallet.write_plain_hotkey(hotkey_keypair)?;
        Ok(wallet)
    }

    /// Writes the coldkey and `coldkeypub.txt`, with mode 0600 in folders of mode 0700, each whole
    /// or not at all. A `coldkeypub.txt` of the same account that is there already stays.
    ///
    /// Encrypting blocks as [`encrypt`] does.
    ///
    /// # Errors
    /// [`Error::Exists`] when there is a coldkey, or the public part of another, already;
    /// [`Error::Unwritable`]; those of [`encrypt`]. Then nothing was written.
    pub fn create_coldkey<R: CryptoRng + ?Sized>(
        &self,
        keypair: &Keypair,
        protection: Protection<'_>,
        rng: &mut R,
    ) -> Result<()> {
        let (secret, public) = (self.coldkey_path(), self.coldkey_public_path());
        write_pair(&secret, &public, keypair, protection, rng)
    }

    /// Writes the chosen hotkey and its `pub.txt`, as [`create_coldkey`](Self::create_coldkey)
    /// does.
    ///
    /// # Errors
    /// As of [`create_coldkey`](Self::create_coldkey).
    pub fn create_hotkey<R: CryptoRng + ?Sized>(
        &self,
        keypair: &Keypair,
        protection: Protection<'_>,
        rng: &mut R,
    ) -> Result<()> {
        let (secret, public) = (self.hotkey_path(), self.hotkey_public_path());
        write_pair(&secret, &public, keypair, protection, rng)
    }

    /// Writes `coldkeypub.txt` alone, which is all that a machine with a hotkey needs of the
    /// coldkey.
    ///
    /// # Errors
    /// [`Error::Exists`] or [`Error::Unwritable`].
    pub fn create_coldkey_public(&self, account: AccountId, scheme: SignatureScheme) -> Result<()> {
        write_public(&self.coldkey_public_path(), account, scheme)
    }

    /// Adds another hotkey to this wallet and chooses it, in plaintext, as
    /// [`create`](Self::create) does.
    ///
    /// # Errors
    /// [`Error::Name`], [`Error::Exists`] or [`Error::Unwritable`].
    pub fn add_hotkey(&self, hotkey: &str, keypair: &Keypair) -> Result<Self> {
        let wallet = Self {
            hotkey_name: plain_name(hotkey)?,
            ..self.clone()
        };
        refuse_existing(&[&wallet.hotkey_path(), &wallet.hotkey_public_path()])?;
        wallet.write_plain_hotkey(keypair)?;
        Ok(wallet)
    }

    /// The wallet's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name of the chosen hotkey.
    pub fn hotkey_name(&self) -> &str {
        &self.hotkey_name
    }

    /// The chosen hotkey, able to sign, from a plaintext file.
    ///
    /// # Errors
    /// [`Error::Missing`], [`Error::Unreadable`], or [`Error::InFile`] around what
    /// [`Keyfile`] refuses ([`Error::Encrypted`] among others).
    pub fn hotkey_keypair(&self) -> Result<Keypair> {
        read_keypair(&self.hotkey_path(), None)
    }

    /// The coldkey, able to sign, from a plaintext file.
    ///
    /// # Errors
    /// As of [`hotkey_keypair`](Self::hotkey_keypair).
    pub fn coldkey_keypair(&self) -> Result<Keypair> {
        read_keypair(&self.coldkey_path(), None)
    }

    /// The chosen hotkey, able to sign, from a file that may be encrypted: only then is the
    /// password read. **Blocks**, see [`decrypt`](crate::decrypt) and [`PasswordSource::read`].
    ///
    /// # Errors
    /// As of [`hotkey_keypair`](Self::hotkey_keypair), those of [`PasswordSource::read`], and
    /// [`Error::InFile`] around [`Error::NotOpened`] for a wrong password.
    pub fn unlock_hotkey(&self, password: &PasswordSource) -> Result<Keypair> {
        read_keypair(&self.hotkey_path(), Some(password))
    }

    /// The coldkey, able to sign, from a file that may be encrypted, as
    /// [`unlock_hotkey`](Self::unlock_hotkey) opens the hotkey.
    ///
    /// # Errors
    /// As of [`unlock_hotkey`](Self::unlock_hotkey).
    pub fn unlock_coldkey(&self, password: &PasswordSource) -> Result<Keypair> {
        read_keypair(&self.coldkey_path(), Some(password))
    }

    /// The secret files of this wallet, the chosen hotkey's and the coldkey's, that other users of
    /// the machine may read or change. They open all the same, as they do in the Python wallets:
    /// the caller tells the owner.
    pub fn exposures(&self) -> Vec<Exposure> {
        [self.coldkey_path(), self.hotkey_path()]
            .iter()
            .filter_map(|path| exposure(path))
            .collect()
    }

    /// The public coldkey, from `coldkeypub.txt` or else from a plaintext coldkey.
    ///
    /// # Errors
    /// As of [`hotkey_keypair`](Self::hotkey_keypair).
    pub fn coldkey_public(&self) -> Result<Coldkey> {
        read_account(&self.coldkey_public_path(), &self.coldkey_path()).map(Coldkey)
    }

    /// The public hotkey, from its `pub.txt` or else from the plaintext hotkey.
    ///
    /// # Errors
    /// As of [`hotkey_keypair`](Self::hotkey_keypair).
    pub fn hotkey_public(&self) -> Result<Hotkey> {
        read_account(&self.hotkey_public_path(), &self.hotkey_path()).map(Hotkey)
    }

    /// `<path>/<name>/coldkey`.
    pub fn coldkey_path(&self) -> PathBuf {
        self.folder.join("coldkey")
    }

    /// `<path>/<name>/coldkeypub.txt`.
    pub fn coldkey_public_path(&self) -> PathBuf {
        self.folder.join("coldkeypub.txt")
    }

    /// `<path>/<name>/hotkeys/<hotkey>`.
    pub fn hotkey_path(&self) -> PathBuf {
        self.hotkeys_folder().join(&self.hotkey_name)
    }

    /// `<path>/<name>/hotkeys/<hotkey>pub.txt`.
    pub fn hotkey_public_path(&self) -> PathBuf {
        self.hotkeys_folder()
            .join(format!("{}pub.txt", self.hotkey_name))
    }

    fn hotkeys_folder(&self) -> PathBuf {
        self.folder.join("hotkeys")
    }

    fn write_plain_hotkey(&self, keypair: &Keypair) -> Result<()> {
        let json = Keyfile::secret_json(keypair);
        write_new(&self.hotkey_path(), json.as_bytes())?;
        write_public(
            &self.hotkey_public_path(),
            keypair.account(),
            keypair.scheme(),
        )
    }
}

/// Refuses everything but one plain file name: a name never leaves its folder.
fn plain_name(name: &str) -> Result<String> {
    let mut components = Path::new(name).components();
    let plain = matches!(
        (components.next(), components.next()),
        (Some(Component::Normal(only)), None) if only == name
    );
    if plain && name.len() <= 200 && !name.chars().any(|c| c.is_control() || c == '\\') {
        Ok(name.to_owned())
    } else {
        Err(Error::Name {
            name: name.chars().take(80).collect(),
        })
    }
}

fn read_keypair(path: &Path, password: Option<&PasswordSource>) -> Result<Keypair> {
    let bytes = read_bytes(path)?;
    let keyfile = match (EncryptionFormat::of(&bytes), password) {
        (Some(_), Some(source)) => {
            let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
            let password = source.read(&absolute)?;
            Keyfile::open(&bytes, &password)
        }
        _ => Keyfile::parse(&bytes),
    };
    keyfile
        .and_then(|keyfile| keyfile.keypair())
        .map_err(|source| in_file(path, source))
}

fn account_in(path: &Path) -> Result<AccountId> {
    Keyfile::parse(&read_bytes(path)?)
        .and_then(|keyfile| keyfile.account())
        .map_err(|source| in_file(path, source))
}

fn read_account(public: &Path, secret: &Path) -> Result<AccountId> {
    match account_in(public) {
        Err(Error::Missing { .. }) => account_in(secret),
        found => found,
    }
}

fn write_pair<R: CryptoRng + ?Sized>(
    secret: &Path,
    public: &Path,
    keypair: &Keypair,
    protection: Protection<'_>,
    rng: &mut R,
) -> Result<()> {
    let same_public = match account_in(public) {
        Ok(account) => account == keypair.account(),
        Err(Error::Missing { .. }) => false,
        Err(error) => return Err(error),
    };
    let others = if same_public {
        &[secret][..]
    } else {
        &[secret, public]
    };
    refuse_existing(others)?;
    let json = Keyfile::secret_json(keypair);
    match protection {
        Protection::Plaintext => write_new(secret, json.as_bytes())?,
        Protection::Encrypted { format, password } => {
            write_new(secret, &encrypt(format, json.as_bytes(), password, rng)?)?;
        }
    }
    if same_public {
        return Ok(());
    }
    write_public(public, keypair.account(), keypair.scheme())
}

fn write_public(path: &Path, account: AccountId, scheme: SignatureScheme) -> Result<()> {
    write_new(path, Keyfile::public_json(account, scheme).as_bytes())
}
