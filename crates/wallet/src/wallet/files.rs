//! Reading and writing the files of a wallet.

use std::{
    fmt,
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use zeroize::Zeroizing;

use crate::{Error, LONGEST_KEYFILE, Result};

/// A secret file that other users of the machine may read or change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exposure {
    /// The file.
    pub path: PathBuf,
    /// Its permission bits, at most 0o777.
    pub mode: u32,
}

impl fmt::Display for Exposure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, mode } = self;
        let path = path.display();
        write!(
            f,
            "other users may open {path} (mode {mode:03o}): chmod 600 {path}"
        )
    }
}

/// Whether others than its owner may read or change the file; none when there is no such file.
pub fn exposure(path: &Path) -> Option<Exposure> {
    let mode = fs::metadata(path).ok()?.permissions().mode() & 0o777;
    (mode & 0o077 != 0).then(|| Exposure {
        path: path.to_owned(),
        mode,
    })
}

pub(super) fn refuse_existing(paths: &[&Path]) -> Result<()> {
    match paths.iter().find(|path| path.symlink_metadata().is_ok()) {
        Some(path) => Err(Error::Exists {
            path: path.to_path_buf(),
        }),
        None => Ok(()),
    }
}

pub(super) fn read_error(path: &Path, source: io::Error) -> Error {
    let path = path.to_owned();
    match source.kind() {
        io::ErrorKind::NotFound => Error::Missing { path },
        _ => Error::Unreadable { path, source },
    }
}

/// The bytes of a regular file; of one that is too long for a keyfile, one byte too many, which
/// its reader refuses.
pub(super) fn read_bytes(path: &Path) -> Result<Zeroizing<Vec<u8>>> {
    let read = || {
        // A pipe or a device would be waited for, perhaps for ever.
        if !fs::metadata(path)?.is_file() {
            return Err(io::Error::other("not a regular file"));
        }
        // Reserved whole, so that growing leaves no copy of a secret behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST_KEYFILE + 1));
        File::open(path)?
            .take(LONGEST_KEYFILE as u64 + 1)
            .read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    read().map_err(|source| read_error(path, source))
}

pub(super) fn in_file(path: &Path, source: Error) -> Error {
    Error::InFile {
        path: path.to_owned(),
        source: Box::new(source),
    }
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

/// Writes a file that must not exist yet, and its folder when needed: a temporary file, synced,
/// then linked to its name, which fails when the name is taken (a rename would replace it).
pub(super) fn write_new(path: &Path, bytes: &[u8]) -> Result<()> {
    if let Some(folder) = path.parent() {
        create_folder(folder)?;
    }
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
