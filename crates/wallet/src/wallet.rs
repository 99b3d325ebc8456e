use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Component, Path, PathBuf},
};

use adit_primitives::{AccountId, Coldkey, Hotkey};
use zeroize::Zeroizing;

use crate::{Error, Keyfile, Keypair, LONGEST_KEYFILE, Result};

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

    /// Creates the wallet `name` in the folder `path` with a coldkey and a first hotkey, all in
    /// plaintext: meant for development and tests until keyfiles can be encrypted.
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
            wallet.coldkey_path(),
            wallet.coldkey_public_path(),
            wallet.hotkey_path(),
            wallet.hotkey_public_path(),
        ])?;
        create_folder(&wallet.hotkeys_folder())?;
        write_pair(
            &wallet.coldkey_path(),
            &wallet.coldkey_public_path(),
            coldkey,
        )?;
        wallet.write_hotkey(hotkey_keypair)?;
        Ok(wallet)
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
        refuse_existing(&[wallet.hotkey_path(), wallet.hotkey_public_path()])?;
        create_folder(&wallet.hotkeys_folder())?;
        wallet.write_hotkey(keypair)?;
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

    /// The chosen hotkey, able to sign.
    ///
    /// # Errors
    /// [`Error::Missing`], [`Error::Unreadable`], or [`Error::InFile`] around what
    /// [`Keyfile`] refuses ([`Error::Encrypted`] among others).
    pub fn hotkey_keypair(&self) -> Result<Keypair> {
        read_keypair(&self.hotkey_path())
    }

    /// The coldkey, able to sign.
    ///
    /// # Errors
    /// As of [`hotkey_keypair`](Self::hotkey_keypair).
    pub fn coldkey_keypair(&self) -> Result<Keypair> {
        read_keypair(&self.coldkey_path())
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

    fn named(path: &Path, name: &str, hotkey: &str) -> Result<Self> {
        let name = plain_name(name)?;
        Ok(Self {
            folder: path.join(&name),
            name,
            hotkey_name: plain_name(hotkey)?,
        })
    }

    fn write_hotkey(&self, keypair: &Keypair) -> Result<()> {
        write_pair(&self.hotkey_path(), &self.hotkey_public_path(), keypair)
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

fn refuse_existing(paths: &[PathBuf]) -> Result<()> {
    match paths.iter().find(|path| path.symlink_metadata().is_ok()) {
        Some(path) => Err(Error::Exists { path: path.clone() }),
        None => Ok(()),
    }
}

fn read_error(path: &Path, source: io::Error) -> Error {
    let path = path.to_owned();
    match source.kind() {
        io::ErrorKind::NotFound => Error::Missing { path },
        _ => Error::Unreadable { path, source },
    }
}

fn read_keyfile(path: &Path) -> Result<Keyfile> {
    let read = || {
        let file = File::open(path)?;
        // Room for one byte too many, so that an oversized file is seen and not cut.
        let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST_KEYFILE + 1));
        file.take(LONGEST_KEYFILE as u64 + 1)
            .read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = read().map_err(|source| read_error(path, source))?;
    Keyfile::parse(&bytes).map_err(|source| in_file(path, source))
}

fn in_file(path: &Path, source: Error) -> Error {
    Error::InFile {
        path: path.to_owned(),
        source: Box::new(source),
    }
}

fn read_keypair(path: &Path) -> Result<Keypair> {
    let keyfile = read_keyfile(path)?;
    keyfile.keypair().map_err(|source| in_file(path, source))
}

fn read_account(public: &Path, secret: &Path) -> Result<AccountId> {
    let account = |path: &Path| {
        let keyfile = read_keyfile(path)?;
        keyfile.account().map_err(|source| in_file(path, source))
    };
    match account(public) {
        Err(Error::Missing { .. }) => account(secret),
        found => found,
    }
}

fn write_pair(secret: &Path, public: &Path, keypair: &Keypair) -> Result<()> {
    write_new(secret, Keyfile::secret_json(keypair).as_bytes())?;
    write_new(public, Keyfile::public_json(keypair.account()).as_bytes())
}

fn create_folder(folder: &Path) -> Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|source| Error::Unwritable {
            path: folder.to_owned(),
            source,
        })
}

/// Writes a file that must not exist yet: a temporary file, synced, then linked to its name,
/// which fails when the name is taken (a rename would replace it).
fn write_new(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(format!(".{}.new", std::process::id()));
    let temporary = PathBuf::from(temporary);
    let write = || {
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&temporary)?;
        let linked = file
            .write_all(bytes)
            .and_then(|()| file.sync_all())
            .and_then(|()| fs::hard_link(&temporary, path));
        fs::remove_file(&temporary)?;
        linked?;
        path.parent()
            .map_or(Ok(()), |folder| File::open(folder)?.sync_all())
    };
    write().map_err(|source| {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::AlreadyExists => Error::Exists { path },
            _ => Error::Unwritable { path, source },
        }
    })
}
