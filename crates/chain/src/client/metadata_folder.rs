use std::{
    fs::{self, File},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
};

use adit_primitives::BlockHash;
use blake2::{Blake2b, Digest as _, digest::consts::U32};

use super::runtime::RuntimeVersion;

/// Metadata kept between runs, one file for each chain and spec version.
///
/// A file is a mark, the blake2-256 of what follows, the transaction version (4 bytes, little
/// endian) and the metadata as the node gave it. Files are written beside their place and renamed
/// into it; one that does not check out is ignored and written anew.
#[derive(Debug)]
pub(super) struct MetadataFolder(PathBuf);

const MARK: &[u8; 8] = b"aditmd1\n";

/// Larger files are none of ours: finney's metadata has 300 kilobytes.
const LARGEST: u64 = 16 << 20;

/// Spec versions kept of one chain; older ones go.
const MOST_KEPT: usize = 8;

impl MetadataFolder {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self(folder)
    }

    fn place(&self, genesis: BlockHash, spec: u32) -> PathBuf {
        self.0.join(format!("{}-{spec}.scale", prefix(genesis)))
    }

    /// The metadata of a runtime, `None` where there is none or it does not check out.
    pub(super) fn read(&self, genesis: BlockHash, version: RuntimeVersion) -> Option<Vec<u8>> {
        let place = self.place(genesis, version.spec);
        let bytes = match read_bounded(&place) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => {
                tracing::warn!(file = %place.display(), %error, "cannot read kept metadata");
                return None;
            }
        };
        let checked = body(&bytes).and_then(|body| body.split_first_chunk::<4>());
        let Some((transaction, metadata)) = checked else {
            tracing::warn!(file = %place.display(), "kept metadata is damaged and will be fetched again");
            return None;
        };
        (u32::from_le_bytes(*transaction) == version.transaction).then(|| metadata.to_vec())
    }

    pub(super) fn write(
        &self,
        genesis: BlockHash,
        version: RuntimeVersion,
        metadata: &[u8],
    ) -> io::Result<()> {
        fs::create_dir_all(&self.0)?;
        let mut body = version.transaction.to_le_bytes().to_vec();
        body.extend(metadata);
        let place = self.place(genesis, version.spec);
        // Two processes may write at once; each has a name of its own until the rename.
        let beside = place.with_extension(format!("{}.tmp", std::process::id()));
        let written = write_whole(&beside, &body).and_then(|()| fs::rename(&beside, &place));
        if written.is_err() {
            let _ = fs::remove_file(&beside);
        }
        written?;
        self.prune(genesis)
    }

    fn prune(&self, genesis: BlockHash) -> io::Result<()> {
        let prefix = format!("{}-", prefix(genesis));
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.0)? {
            let entry = entry?;
            let name = entry.file_name();
            let spec = name
                .to_str()
                .and_then(|name| name.strip_prefix(&prefix)?.strip_suffix(".scale"));
            if let Some(spec) = spec.and_then(|spec| spec.parse::<u32>().ok()) {
                found.push((spec, entry.path()));
            }
        }
        found.sort_unstable_by_key(|(spec, _)| std::cmp::Reverse(*spec));
        for (_, path) in found.into_iter().skip(MOST_KEPT) {
            fs::remove_file(path)?;
        }
        Ok(())
    }
}

fn prefix(genesis: BlockHash) -> String {
    hex::encode(genesis.0)
}

fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = File::open(path)?
        .take(LARGEST + 1)
        .read_to_end(&mut bytes)?;
    if read as u64 > LARGEST {
        return Err(io::Error::other("the file is too large"));
    }
    Ok(bytes)
}

fn write_whole(path: &Path, body: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(MARK)?;
    file.write_all(&Blake2b::<U32>::digest(body))?;
    file.write_all(body)?;
    file.sync_all()
}

/// What follows mark and checksum, when both are right.
fn body(bytes: &[u8]) -> Option<&[u8]> {
    let (sum, body) = bytes.strip_prefix(MARK)?.split_first_chunk::<32>()?;
    (Blake2b::<U32>::digest(body).as_slice() == sum).then_some(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GENESIS: BlockHash = BlockHash([7; 32]);

    fn version(spec: u32) -> RuntimeVersion {
        RuntimeVersion {
            spec,
            transaction: 1,
        }
    }

    #[test]
    fn damaged_files_count_as_absent() {
        let folder = tempfile::tempdir().unwrap();
        let kept = MetadataFolder::new(folder.path().join("new"));
        assert_eq!(kept.read(GENESIS, version(1)), None);
        kept.write(GENESIS, version(1), b"meta data").unwrap();
        assert_eq!(kept.read(GENESIS, version(1)).unwrap(), b"meta data");
        let other = RuntimeVersion {
            spec: 1,
            transaction: 2,
        };
        assert_eq!(kept.read(GENESIS, other), None);
        assert_eq!(kept.read(BlockHash([8; 32]), version(1)), None);

        let place = kept.place(GENESIS, 1);
        let good = fs::read(&place).unwrap();
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1;
            fs::write(&place, &bad).unwrap();
            assert_eq!(kept.read(GENESIS, version(1)), None, "byte {at}");
            fs::write(&place, &good[..at]).unwrap();
            assert_eq!(kept.read(GENESIS, version(1)), None, "cut at {at}");
        }
        fs::write(&place, &good).unwrap();
        assert!(kept.read(GENESIS, version(1)).is_some());
    }

    #[test]
    fn only_the_newest_runtimes_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let kept = MetadataFolder::new(folder.path().to_owned());
        for spec in 0..12 {
            kept.write(GENESIS, version(spec), b"x").unwrap();
        }
        let left = fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(left, MOST_KEPT);
        assert!(kept.read(GENESIS, version(11)).is_some());
        assert_eq!(kept.read(GENESIS, version(3)), None);
    }
}
