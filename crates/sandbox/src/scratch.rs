//! The folder that a program wrote to, read without trusting a name in it.

use std::{
    fs::File,
    io::Read,
    os::{fd::OwnedFd, unix::ffi::OsStrExt},
    path::{Path, PathBuf},
};

use rustix::fs::{Dir, FileType, Mode, OFlags, ResolveFlags, fstat, openat2};

use crate::{Error, Result};

/// Folders deep that a listing looks.
const DEPTH: usize = 16;

/// The scratch of a program that ended: a memory file system that no path of the host leads to.
/// It is gone when this is dropped.
pub struct Scratch {
    folder: OwnedFd,
}

impl std::fmt::Debug for Scratch {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Scratch").finish_non_exhaustive()
    }
}

/// A regular file in scratch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScratchFile {
    /// Its path below the scratch.
    pub path: PathBuf,
    /// Its length in bytes, which may be more than it takes (it may have holes).
    pub bytes: u64,
}

impl Scratch {
    pub(crate) fn new(folder: OwnedFd) -> Self {
        Self { folder }
    }

    /// The regular files, by path, at most `most` of them and 16 folders deep. Links, pipes, sockets
    /// and what cannot be read are left out.
    pub fn files(&self, most: usize) -> Vec<ScratchFile> {
        let mut found = Vec::new();
        let mut folders = vec![PathBuf::new()];
        while let Some(folder) = folders.pop() {
            let Ok(open) = self.open(&folder, OFlags::DIRECTORY) else {
                continue;
            };
            let Ok(entries) = Dir::read_from(&open) else {
                continue;
            };
            for entry in entries.flatten() {
                let name = entry.file_name().to_bytes();
                if name == b"."
                    || name == b".."
                    || (folder.as_os_str().is_empty() && name == b".tmp")
                {
                    continue;
                }
                let path = folder.join(std::ffi::OsStr::from_bytes(name));
                if entry.file_type() == FileType::Directory {
                    if path.components().count() < DEPTH && folders.len() < most {
                        folders.push(path);
                    }
                } else if let Ok(file) = self.regular(&path) {
                    if found.len() == most {
                        return found;
                    }
                    let bytes = file.metadata().map_or(0, |metadata| metadata.len());
                    found.push(ScratchFile { path, bytes });
                }
            }
        }
        found.sort_by(|a, b| a.path.cmp(&b.path));
        found
    }

    /// Opens a regular file for reading.
    ///
    /// # Errors
    /// [`Error::Scratch`] for a path that leads out of the scratch or over a link, and for what is
    /// not a regular file or cannot be read.
    pub fn regular(&self, path: &Path) -> Result<File> {
        // Not blocking, for a pipe whose other end nobody holds.
        let open = self.open(path, OFlags::NONBLOCK)?;
        let kind = fstat(&open).map_err(|error| refused(path, &error))?;
        if FileType::from_raw_mode(kind.st_mode) != FileType::RegularFile {
            return Err(refused(path, &"not a regular file"));
        }
        Ok(File::from(open))
    }

    /// The bytes of a regular file.
    ///
    /// # Errors
    /// [`Error::Scratch`] as for [`Scratch::regular`], and for more than `most` bytes.
    pub fn read(&self, path: impl AsRef<Path>, most: u64) -> Result<Vec<u8>> {
        let path = path.as_ref();
        let mut bytes = Vec::new();
        self.regular(path)?
            .take(most.saturating_add(1))
            .read_to_end(&mut bytes)
            .map_err(|error| refused(path, &error))?;
        if bytes.len() as u64 > most {
            return Err(refused(path, &format!("more than {most} bytes")));
        }
        Ok(bytes)
    }

    fn open(&self, path: &Path, flags: OFlags) -> Result<OwnedFd> {
        let path = if path.as_os_str().is_empty() {
            Path::new(".")
        } else {
            path
        };
        openat2(
            &self.folder,
            path,
            flags | OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOCTTY,
            Mode::empty(),
            ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_XDEV,
        )
        .map_err(|error| refused(path, &error))
    }
}

fn refused(path: &Path, reason: &dyn std::fmt::Display) -> Error {
    Error::Scratch {
        path: path.into(),
        reason: reason.to_string(),
    }
}
