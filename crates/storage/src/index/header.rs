//! The first page of an index file.
//!
//! ```text
//!    0  magic "ADITVEC\x01", version u32, element type u32, dimension u32, name length u32, name
//!  512  commit slot A: generation, rows, id bytes (u64 each), CRC-32 of rows, CRC-32 of ids, CRC-32 of this slot
//! 1024  commit slot B
//! 4096  rows
//! ```
//! All numbers are little-endian. Each commit writes the slot the last one did not; the slot with
//! a right checksum and the larger generation counts. A write torn by a crash leaves the other.

use adit_embedding::Space;

/// Bytes before the first row: a page, so that rows are aligned.
pub(super) const LENGTH: usize = 4096;
const MAGIC: &[u8; 8] = b"ADITVEC\x01";
const VERSION: u32 = 1;
const SLOTS: [usize; 2] = [512, 1024];
const SLOT_LENGTH: usize = 36;

/// How an index stores components.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ElementType {
    /// Four bytes each, as they came.
    F32,
    /// Two bytes each: half the memory traffic; a cosine is off by about 2e-4 at most in practice.
    F16,
}

impl ElementType {
    pub(super) fn bytes(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F16 => 2,
        }
    }

    fn code(self) -> u32 {
        match self {
            Self::F32 => 1,
            Self::F16 => 2,
        }
    }
}

/// What is committed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Commit {
    pub(super) generation: u64,
    pub(super) rows: u64,
    pub(super) id_bytes: u64,
    pub(super) rows_crc: u32,
    pub(super) ids_crc: u32,
}

/// The fixed part: everything before the first slot.
pub(super) fn fixed(space: &Space, element: ElementType) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    for number in [
        VERSION,
        element.code(),
        space.dimension() as u32,
        space.name().len() as u32,
    ] {
        bytes.extend(number.to_le_bytes());
    }
    bytes.extend(space.name().as_bytes());
    bytes.resize(SLOTS[0], 0);
    bytes
}

/// The space and element type of a file, or what is wrong with its first page.
pub(super) fn read_fixed(page: &[u8]) -> Result<(Space, ElementType), &'static str> {
    let rest = page.strip_prefix(MAGIC).ok_or("it is no vector index")?;
    let (numbers, rest) = rest.split_first_chunk::<16>().ok_or("it is cut short")?;
    let (numbers, _) = numbers.as_chunks::<4>();
    let mut numbers = numbers.iter().map(|bytes| u32::from_le_bytes(*bytes));
    let mut next = || numbers.next().unwrap_or_default();
    if next() != VERSION {
        return Err("it was written by another release");
    }
    let element = match next() {
        1 => ElementType::F32,
        2 => ElementType::F16,
        _ => return Err("its element type is unknown"),
    };
    let dimension = next() as usize;
    let name = rest
        .get(..next() as usize)
        .ok_or("its space has too long a name")?;
    let name = std::str::from_utf8(name).map_err(|_| "its space has no text for a name")?;
    let space = Space::new(name, dimension).map_err(|_| "its space is none")?;
    Ok((space, element))
}

/// The commit that counts; `None` when neither slot is whole.
pub(super) fn read_commit(page: &[u8]) -> Option<Commit> {
    let slots = SLOTS
        .iter()
        .filter_map(|start| read_slot(page.get(*start..start + SLOT_LENGTH)?));
    slots.max_by_key(|commit| commit.generation)
}

fn read_slot(slot: &[u8]) -> Option<Commit> {
    let (body, crc) = slot.split_last_chunk::<4>()?;
    if crc32fast::hash(body) != u32::from_le_bytes(*crc) {
        return None;
    }
    let (longs, rest) = body.split_first_chunk::<24>()?;
    let (longs, _) = longs.as_chunks::<8>();
    let (shorts, _) = rest.as_chunks::<4>();
    let [generation, rows, id_bytes] = longs else {
        return None;
    };
    let [rows_crc, ids_crc] = shorts else {
        return None;
    };
    let commit = Commit {
        generation: u64::from_le_bytes(*generation),
        rows: u64::from_le_bytes(*rows),
        id_bytes: u64::from_le_bytes(*id_bytes),
        rows_crc: u32::from_le_bytes(*rows_crc),
        ids_crc: u32::from_le_bytes(*ids_crc),
    };
    // Generations start at 1: a page of zeros is no commit.
    (commit.generation > 0).then_some(commit)
}

/// Where in the file a commit goes, and its bytes.
pub(super) fn slot(commit: &Commit) -> (u64, Vec<u8>) {
    let mut bytes = Vec::with_capacity(SLOT_LENGTH);
    for number in [commit.generation, commit.rows, commit.id_bytes] {
        bytes.extend(number.to_le_bytes());
    }
    for number in [commit.rows_crc, commit.ids_crc] {
        bytes.extend(number.to_le_bytes());
    }
    bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
    let start = if commit.generation % 2 == 1 {
        SLOTS[0]
    } else {
        SLOTS[1]
    };
    (start as u64, bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_slot_leaves_the_earlier_commit() {
        let space = Space::new("example-v1", 3).unwrap();
        let mut page = fixed(&space, ElementType::F16);
        page.resize(LENGTH, 0);
        assert_eq!(read_fixed(&page), Ok((space, ElementType::F16)));
        assert_eq!(read_commit(&page), None);
        let first = Commit {
            generation: 1,
            rows: 5,
            id_bytes: 40,
            rows_crc: 1,
            ids_crc: 2,
        };
        let second = Commit {
            generation: 2,
            rows: 9,
            ..first
        };
        for commit in [&first, &second] {
            let (start, bytes) = slot(commit);
            page[start as usize..start as usize + bytes.len()].copy_from_slice(&bytes);
            assert_eq!(read_commit(&page), Some(*commit));
        }
        page[SLOTS[1] + 9] ^= 1;
        assert_eq!(read_commit(&page), Some(first));
        assert_eq!(
            read_commit(&page[..600]),
            Some(first),
            "a cut page must not panic"
        );
        assert_eq!(read_commit(&page[..100]), None);
    }
}
