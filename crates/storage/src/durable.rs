//! Files that are there whole or not at all.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use crate::{Error, Result};

/// How names of files under construction end; such files may be removed at any start.
#[cfg(feature = "parquet")]
pub(crate) const TEMPORARY: &str = ".tmp";

/// Writes `bytes` under a temporary name, syncs, renames to `path` and syncs the folder. An error
/// leaves what was at `path` before, and no temporary file.
#[cfg(feature = "parquet")]
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let temporary = with_ending(path, TEMPORARY);
    let written = write_synced(&temporary, bytes);
    let renamed =
        written.and_then(|()| fs::rename(&temporary, path).map_err(failed("rename to", path)));
    if let Err(error) = renamed {
        // Best effort: the next start removes what is left.
        let _ = fs::remove_file(&temporary);
        return Err(error);
    }
    match path.parent() {
        Some(folder) => sync_folder(folder),
        None => Ok(()),
    }
}

#[cfg(feature = "parquet")]
fn write_synced(path: &Path, bytes: &[u8]) -> Result<()> {
    use std::io::Write as _;

    let mut file = File::create(path).map_err(failed("create", path))?;
    file.write_all(bytes).map_err(failed("write", path))?;
    file.sync_all().map_err(failed("sync", path))
}

/// Makes a rename or a new file in the folder outlast a power cut.
pub(crate) fn sync_folder(folder: &Path) -> Result<()> {
    // A relative file name has the empty folder, which cannot be opened.
    let folder = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    let opened = File::open(folder).map_err(failed("open", folder))?;
    opened.sync_all().map_err(failed("sync", folder))
}

/// Opens (or creates) a lock file and takes it for this process, until it is dropped.
#[cfg(feature = "parquet")]
pub(crate) fn lock(path: &Path) -> Result<File> {
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .map_err(failed("open", path))?;
    file.try_lock()
        .map_err(|source| failed("lock", path)(source.into()))?;
    Ok(file)
}

/// Reads a file whose size is bounded by `bound` bytes.
pub(crate) fn read_bounded(path: &Path, what: &'static str, bound: u64) -> Result<Vec<u8>> {
    let found = fs::metadata(path).map_err(failed("read", path))?.len();
    if found > bound {
        return Err(Error::TooLarge {
            what,
            found,
            bound,
            unit: "bytes",
        });
    }
    fs::read(path).map_err(failed("read", path))
}

/// The path with more text at the end of its file name.
pub(crate) fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Names what failed, and where.
pub(crate) fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::File {
        doing,
        path,
        source,
    }
}
