//! A file that is not whole yet.

use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};
use tokio::{
    fs::File,
    io::{AsyncReadExt as _, AsyncSeekExt as _, AsyncWriteExt as _, SeekFrom},
};
use url::Url;

use super::ground::writing;
use crate::Result;

/// Bytes read at a time.
const PIECE: usize = 1 << 20;
/// Longest version that is kept, in bytes.
const LONGEST_VERSION: usize = 512;

/// Grows beside the place of the whole file, and outlives the run.
#[derive(Debug)]
pub(super) struct Part {
    target: PathBuf,
    path: PathBuf,
    file: File,
    have: u64,
    hasher: Sha256,
    /// The bytes of more than one answer are in it, so that a wrong digest may be their mixture's.
    mixed: bool,
    /// Whose version of the file this is the beginning of: address and entity tag.
    version: Option<(String, String)>,
}

/// Where the part of a file lies.
pub(super) fn part_of(target: &Path) -> PathBuf {
    with_suffix(target, ".part")
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name: OsString = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

impl Part {
    /// Opens what an earlier run left, and reads it; a part of more than `most` bytes is none.
    pub(super) async fn open(target: &Path, most: u64) -> Result<Self> {
        let path = part_of(target);
        let mut options = tokio::fs::OpenOptions::new();
        options.create(true).truncate(false).read(true).write(true);
        let file = options.open(&path).await.map_err(writing(&path))?;
        let size = file.metadata().await.map_err(writing(&path))?.len();
        let version = fs::read_to_string(version_of(target)).ok();
        let version = version.as_deref().and_then(|text| {
            let (url, tag) = text.trim_end().split_once('\n')?;
            is_strong(tag).then(|| (url.to_owned(), tag.to_owned()))
        });
        let mut part = Self {
            target: target.to_owned(),
            path,
            file,
            have: 0,
            hasher: Sha256::new(),
            mixed: size > 0,
            version,
        };
        if size > most {
            part.restart().await?;
        } else {
            part.take_in().await?;
        }
        Ok(part)
    }

    async fn take_in(&mut self) -> Result<()> {
        let mut piece = vec![0; PIECE];
        loop {
            let count = self.file.read(&mut piece).await;
            let count = count.map_err(writing(&self.path))?;
            match piece.get(..count) {
                Some([]) | None => return Ok(()),
                Some(bytes) => {
                    self.hasher.update(bytes);
                    self.have += count as u64;
                }
            }
        }
    }

    /// Bytes that are there.
    pub(super) fn have(&self) -> u64 {
        self.have
    }

    pub(super) fn is_mixed(&self) -> bool {
        self.mixed
    }

    /// The entity tag of which this is the beginning, if it came from this address.
    pub(super) fn version(&self, url: &Url) -> Option<&str> {
        let (from, tag) = self.version.as_ref()?;
        (from == url.as_str()).then_some(tag.as_str())
    }

    /// Notes that bytes of this answer follow.
    pub(super) fn follow(&mut self, url: &Url, tag: Option<&str>) -> Result<()> {
        self.mixed = self.have > 0;
        let tag = tag.filter(|tag| is_strong(tag));
        self.version = tag.map(|tag| (url.as_str().to_owned(), tag.to_owned()));
        let path = version_of(&self.target);
        match &self.version {
            Some((url, tag)) => fs::write(&path, format!("{url}\n{tag}\n")),
            None => gone(fs::remove_file(&path)),
        }
        .map_err(writing(&path))?;
        Ok(())
    }

    pub(super) async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let written = self.file.write_all(bytes).await;
        written.map_err(writing(&self.path))?;
        self.hasher.update(bytes);
        self.have += bytes.len() as u64;
        Ok(())
    }

    /// Hands what was written to the system, so that another run finds it.
    pub(super) async fn flush(&mut self) -> Result<()> {
        self.file.flush().await.map_err(writing(&self.path))?;
        Ok(())
    }

    /// Begins from nothing.
    pub(super) async fn restart(&mut self) -> Result<()> {
        self.file.set_len(0).await.map_err(writing(&self.path))?;
        let start = self.file.seek(SeekFrom::Start(0)).await;
        start.map_err(writing(&self.path))?;
        (self.have, self.mixed, self.version) = (0, false, None);
        self.hasher = Sha256::new();
        Ok(())
    }

    /// SHA-256 of what is there, in hexadecimal.
    pub(super) fn digest(&self) -> String {
        hex::encode(self.hasher.clone().finalize())
    }

    /// Makes it durable under the file's name.
    pub(super) async fn place(mut self) -> Result<()> {
        self.flush().await?;
        self.file.sync_all().await.map_err(writing(&self.path))?;
        fs::rename(&self.path, &self.target).map_err(writing(&self.target))?;
        let version = version_of(&self.target);
        gone(fs::remove_file(&version)).map_err(writing(&version))?;
        sync_folder(&self.target)
    }

    /// Throws it away.
    pub(super) fn remove(self) -> Result<()> {
        for path in [&self.path, &version_of(&self.target)] {
            gone(fs::remove_file(path)).map_err(writing(path))?;
        }
        Ok(())
    }
}

/// Makes a renaming durable.
pub(super) fn sync_folder(path: &Path) -> Result<()> {
    if let Some(folder) = path.parent() {
        let opened = fs::File::open(folder).and_then(|folder| folder.sync_all());
        opened.map_err(writing(folder))?;
    }
    Ok(())
}

fn version_of(target: &Path) -> PathBuf {
    with_suffix(target, ".part.version")
}

/// Only a strong entity tag says that bytes are the same (RFC 9110, section 13.1.5).
fn is_strong(tag: &str) -> bool {
    tag.len() <= LONGEST_VERSION
        && tag.starts_with('"')
        && tag.len() > 1
        && tag.ends_with('"')
        && tag.bytes().all(|byte| (0x20..0x7f).contains(&byte))
}

/// What was not there is as good as removed.
fn gone(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
