//! The database: one file, a base and then a record for every block since, each with a checksum.
//!
//! A block is appended before anybody hears of it. A process that dies while it writes leaves a
//! torn last record, which the next start cuts off. A file that grew long is rewritten beside and
//! renamed over.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use codec::{Decode, Encode};
use sp_crypto_hashing::blake2_64;

use crate::{
    Error, Result,
    runtime::{Hash, Header},
    state::{Changes, Map},
};

const MAGIC: &[u8; 8] = b"ADITDEV1";
/// Length (u32, little endian) and checksum before each record.
const PREFIX: usize = 12;
/// A file longer than this and than twice its length after the last rewrite is rewritten.
const LONG: u64 = 64 << 20;

/// Where a file starts from.
#[derive(Decode, Encode)]
pub(crate) struct Base {
    /// Of all blocks up to this one, from genesis.
    pub(crate) hashes: Vec<Hash>,
    pub(crate) header: Header,
    pub(crate) extrinsics: Vec<Vec<u8>>,
    pub(crate) state: Map,
}

/// One block after the base.
#[derive(Decode, Encode)]
pub(crate) struct Record {
    pub(crate) header: Header,
    pub(crate) extrinsics: Vec<Vec<u8>>,
    pub(crate) changes: Changes,
}

/// What a file holds.
pub(crate) struct Stored {
    pub(crate) base: Base,
    pub(crate) blocks: Vec<Record>,
}

pub(crate) struct Journal {
    path: PathBuf,
    file: File,
    length: u64,
    rewrite_at: u64,
}

impl Journal {
    /// Opens the file and reads it, or creates it with `genesis` as its base.
    pub(crate) fn open(path: &Path, genesis: Option<Base>) -> Result<(Self, Option<Stored>)> {
        let failed = |source| Error::Database {
            path: path.to_owned(),
            source,
        };
        let damaged = |what| Error::DatabaseDamaged {
            path: path.to_owned(),
            what,
        };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(failed)?;
        file.try_lock()
            .map_err(|error| failed(io::Error::from(error)))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(failed)?;
        if bytes.is_empty() {
            let mut journal = Self {
                path: path.to_owned(),
                file,
                length: 0,
                rewrite_at: LONG,
            };
            let base = genesis.ok_or_else(|| damaged("no genesis to start from"))?;
            journal.rewrite(&base, std::iter::empty())?;
            return Ok((journal, None));
        }
        let (stored, whole) = parse(&bytes).map_err(damaged)?;
        let length = u64::try_from(whole).unwrap_or(u64::MAX);
        if whole < bytes.len() {
            let torn = bytes.len() - whole;
            tracing::warn!(path = %path.display(), torn, "cut a half-written block off the database");
            file.set_len(length).map_err(failed)?;
        }
        file.seek(SeekFrom::Start(length)).map_err(failed)?;
        let journal = Self {
            path: path.to_owned(),
            file,
            length,
            rewrite_at: LONG.max(length.saturating_mul(2)),
        };
        Ok((journal, Some(stored)))
    }

    pub(crate) fn append(&mut self, record: &Record) -> Result<()> {
        let bytes = framed(&record.encode());
        self.file
            .write_all(&bytes)
            .map_err(|source| self.failed(source))?;
        self.length += bytes.len() as u64;
        Ok(())
    }

    pub(crate) fn is_long(&self) -> bool {
        self.length >= self.rewrite_at
    }

    /// Replaces the file's content at once: a crash leaves the old file or the new one.
    pub(crate) fn rewrite(
        &mut self,
        base: &Base,
        records: impl Iterator<Item = Record>,
    ) -> Result<()> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(framed(&base.encode()));
        for record in records {
            bytes.extend(framed(&record.encode()));
        }
        self.file = self.replace(&bytes).map_err(|source| self.failed(source))?;
        self.length = bytes.len() as u64;
        self.rewrite_at = LONG.max(self.length.saturating_mul(2));
        Ok(())
    }

    fn replace(&self, bytes: &[u8]) -> io::Result<File> {
        let mut name = self.path.clone().into_os_string();
        name.push(".new");
        let beside = PathBuf::from(name);
        let mut file = File::create(&beside)?;
        file.try_lock()?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&beside, &self.path)?;
        Ok(file)
    }

    fn failed(&self, source: io::Error) -> Error {
        Error::Database {
            path: self.path.clone(),
            source,
        }
    }
}

fn framed(payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
    let mut bytes = length.to_le_bytes().to_vec();
    bytes.extend(blake2_64(payload));
    bytes.extend_from_slice(payload);
    bytes
}

/// Reads a file; also returns how many of its bytes are whole.
fn parse(bytes: &[u8]) -> Result<(Stored, usize), &'static str> {
    let rest = bytes
        .strip_prefix(MAGIC)
        .ok_or("it does not start like one of ours")?;
    let mut at = MAGIC.len();
    let (base, size) = payload(rest)?.ok_or("its first record is torn")?;
    let base = Base::decode(&mut &*base).map_err(|_| "its first record does not decode")?;
    at += size;
    let mut blocks = Vec::new();
    while let Some((record, size)) = payload(bytes.get(at..).unwrap_or_default())? {
        blocks.push(Record::decode(&mut &*record).map_err(|_| "a record does not decode")?);
        at += size;
    }
    Ok((Stored { base, blocks }, at))
}

/// The first record of `bytes` and its size with the prefix; `None` at the end or when the last
/// record is torn.
fn payload(bytes: &[u8]) -> Result<Option<(&[u8], usize)>, &'static str> {
    let Some((prefix, rest)) = bytes.split_first_chunk::<PREFIX>() else {
        return Ok(None);
    };
    let [a, b, c, d, checksum @ ..] = *prefix;
    let length = u32::from_le_bytes([a, b, c, d]) as usize;
    let Some(payload) = rest.get(..length) else {
        return Ok(None);
    };
    if blake2_64(payload) == checksum {
        Ok(Some((payload, PREFIX + length)))
    } else if rest.len() == length {
        Ok(None)
    } else {
        Err("a record in its middle has a wrong checksum")
    }
}

#[cfg(test)]
mod tests {
    use super::{Base, Header, Journal, Map, Record};
    use sp_runtime::traits::Header as _;

    fn header(number: u32) -> Header {
        Header::new(
            number,
            Default::default(),
            Default::default(),
            Default::default(),
            Default::default(),
        )
    }

    fn base() -> Option<Base> {
        Some(Base {
            hashes: vec![header(0).hash()],
            header: header(0),
            extrinsics: Vec::new(),
            state: Map::from([(vec![1], vec![2])]),
        })
    }

    fn record(number: u32) -> Record {
        Record {
            header: header(number),
            extrinsics: vec![vec![7; 100]],
            changes: vec![(vec![1], None)],
        }
    }

    #[test]
    fn a_torn_tail_is_cut_off_at_every_byte() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("chain");
        let (mut journal, stored) = Journal::open(&path, base()).unwrap();
        assert!(stored.is_none());
        journal.append(&record(1)).unwrap();
        let whole = journal.length;
        journal.append(&record(2)).unwrap();
        drop(journal);
        let bytes = std::fs::read(&path).unwrap();
        for length in usize::try_from(whole).unwrap()..=bytes.len() {
            std::fs::write(&path, &bytes[..length]).unwrap();
            let (mut journal, stored) = Journal::open(&path, None).unwrap();
            let expected = if length == bytes.len() { 2 } else { 1 };
            assert_eq!(stored.unwrap().blocks.len(), expected, "{length}");
            journal.append(&record(9)).unwrap();
            drop(journal);
            let (_, stored) = Journal::open(&path, None).unwrap();
            assert_eq!(stored.unwrap().blocks.len(), expected + 1);
        }
    }

    #[test]
    fn damage_in_the_middle_and_strangers_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("chain");
        let (mut journal, _) = Journal::open(&path, base()).unwrap();
        let first = usize::try_from(journal.length).unwrap();
        journal.append(&record(1)).unwrap();
        journal.append(&record(2)).unwrap();
        drop(journal);
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[first + 20] ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        assert!(Journal::open(&path, None).is_err());
        std::fs::write(&path, b"not ours").unwrap();
        assert!(Journal::open(&path, None).is_err());
    }

    #[test]
    fn a_rewrite_replaces_everything_and_one_process_holds_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("chain");
        let (mut journal, _) = Journal::open(&path, base()).unwrap();
        journal.append(&record(1)).unwrap();
        assert!(Journal::open(&path, base()).is_err(), "locked");
        let rewritten = [record(4), record(5)].into_iter();
        journal.rewrite(&base().unwrap(), rewritten).unwrap();
        journal.append(&record(6)).unwrap();
        assert!(Journal::open(&path, base()).is_err(), "still locked");
        drop(journal);
        let (_, stored) = Journal::open(&path, None).unwrap();
        let numbers: Vec<u32> = stored
            .unwrap()
            .blocks
            .iter()
            .map(|block| *block.header.number())
            .collect();
        assert_eq!(numbers, [4, 5, 6]);
    }
}
