use std::{
    fs::File,
    io::{ErrorKind, Read},
    path::Path,
};

use sha2::{Digest, Sha256};

use crate::{Error, Result};

/// Bytes read at a time.
const PIECE: usize = 1 << 20;

/// Reads a whole file of at most `limit` bytes.
pub(crate) fn read_bounded(path: &Path, limit: u64) -> Result<Vec<u8>> {
    let file = open(path)?;
    let size = file.metadata().map_err(read_error(path))?.len();
    let oversized = |size| Error::Oversized {
        path: path.to_owned(),
        size,
        limit,
    };
    if size > limit {
        return Err(oversized(size));
    }
    // The file may grow while it is read.
    let mut bytes = Vec::with_capacity(size as usize);
    file.take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(read_error(path))?;
    if bytes.len() as u64 > limit {
        return Err(oversized(bytes.len() as u64));
    }
    Ok(bytes)
}

/// Opens a file; a missing one is [`Error::Missing`].
pub(crate) fn open(path: &Path) -> Result<File> {
    File::open(path).map_err(|source| match source.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => Error::Missing {
            path: path.to_owned(),
        },
        _ => read_error(path)(source),
    })
}

/// Wraps what the system says about a file.
pub(crate) fn read_error(path: &Path) -> impl Fn(std::io::Error) -> Error + '_ {
    |source| Error::Read {
        path: path.to_owned(),
        source,
    }
}

/// The SHA-256 of a file, in hexadecimal.
pub(crate) fn of(path: &Path) -> Result<String> {
    let mut file = open(path)?;
    let mut hasher = Sha256::new();
    let mut piece = vec![0; PIECE];
    loop {
        let count = file.read(&mut piece).map_err(read_error(path))?;
        match piece.get(..count) {
            Some([]) | None => break,
            Some(bytes) => hasher.update(bytes),
        }
    }
    Ok(hex::encode(hasher.finalize()))
}

/// Compares a file with its published SHA-256.
pub(crate) fn verify(path: &Path, expected: &'static str) -> Result<()> {
    let found = of(path)?;
    if found == expected {
        return Ok(());
    }
    Err(Error::Digest {
        path: path.to_owned(),
        expected,
        found,
    })
}
