//! The directory of a zip archive whose files are stored as they are, as `torch.save` writes them.
//! Nothing is ever inflated, so that no archive can be larger inside than outside.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{Read, Seek, SeekFrom},
};

/// Largest central directory, in bytes.
const LARGEST_DIRECTORY: u64 = 32 << 20;
/// The end record and the longest comment after it.
const LONGEST_END: u64 = 22 + 65_535;
const END: [u8; 4] = *b"PK\x05\x06";
const END_64: [u8; 4] = *b"PK\x06\x06";
const LOCATOR_64: [u8; 4] = *b"PK\x06\x07";
const DIRECTORY: [u8; 4] = *b"PK\x01\x02";
const LOCAL: [u8; 4] = *b"PK\x03\x04";
/// Bytes of those records without what varies.
const END_BYTES: usize = 22;
const END_64_BYTES: usize = 56;
const LOCATOR_64_BYTES: u64 = 20;
const DIRECTORY_BYTES: usize = 46;
const LOCAL_BYTES: usize = 30;
/// Says that a number stands in the 64-bit record.
const ELSEWHERE: u64 = u32::MAX as u64;

/// A stored file of the archive.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stored {
    /// Where its local header starts.
    header: u64,
    pub(super) bytes: u64,
}

/// The archive's files by name.
#[derive(Debug)]
pub(super) struct Directory {
    pub(super) files: BTreeMap<String, Stored>,
    /// Where the central directory starts: no file reaches beyond it.
    end: u64,
}

/// What went wrong: the system's word, or ours.
#[derive(Debug)]
pub(super) enum Fault {
    Read(std::io::Error),
    Unsound(String),
}

impl From<std::io::Error> for Fault {
    fn from(error: std::io::Error) -> Self {
        Self::Read(error)
    }
}

fn unsound<T>(reason: impl Into<String>) -> Result<T, Fault> {
    Err(Fault::Unsound(reason.into()))
}

/// Reads numbers off the front of a record.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], Fault> {
        match self.0.split_at_checked(count) {
            Some((taken, rest)) => {
                self.0 = rest;
                Ok(taken)
            }
            None => unsound("a record of its directory is cut"),
        }
    }

    /// A little-endian number of so many bytes, at most 8.
    fn number(&mut self, count: usize) -> Result<u64, Fault> {
        let bytes = self.take(count)?;
        Ok(bytes
            .iter()
            .rev()
            .fold(0, |number, byte| (number << 8) | u64::from(*byte)))
    }
}

impl Directory {
    /// Reads the central directory of an archive of `size` bytes.
    pub(super) fn read(file: &mut File, size: u64) -> Result<Self, Fault> {
        let tail_start = size.saturating_sub(LONGEST_END);
        let tail = read_at(file, tail_start, size - tail_start)?;
        let Some(place) = end_record(&tail) else {
            return unsound("it has no zip directory; the file may be cut");
        };
        let mut fields = Fields(tail.get(place..).unwrap_or_default());
        fields.take(10)?;
        let mut count = fields.number(2)?;
        let mut bytes = fields.number(4)?;
        let mut start = fields.number(4)?;
        let mut limit = tail_start + place as u64;
        if let Some(record) = end_record_64(file, limit)? {
            (count, bytes, start) = (record.count, record.bytes, record.start);
            limit = record.place;
        }
        if bytes > LARGEST_DIRECTORY {
            return unsound(format!(
                "its directory has {bytes} bytes, at most {LARGEST_DIRECTORY} are allowed"
            ));
        }
        if start.checked_add(bytes).is_none_or(|end| end > limit) {
            return unsound(format!(
                "its directory claims the bytes from {start}, {bytes} of them, of {size}"
            ));
        }
        let records = read_at(file, start, bytes)?;
        let mut fields = Fields(&records);
        let mut files = BTreeMap::new();
        for _ in 0..count {
            let (name, stored) = record(&mut fields)?;
            if files.insert(name.clone(), stored).is_some() {
                return unsound(format!("it holds {:?} twice", super::shown(&name)));
            }
        }
        Ok(Self { files, end: start })
    }

    /// Where a file's bytes start in the archive.
    pub(super) fn start(&self, file: &mut File, stored: Stored) -> Result<u64, Fault> {
        if stored.header.saturating_add(LOCAL_BYTES as u64) > self.end {
            return unsound(format!("a file of it starts at byte {}", stored.header));
        }
        let header = read_at(file, stored.header, LOCAL_BYTES as u64)?;
        let mut fields = Fields(&header);
        if fields.take(4)? != LOCAL {
            return unsound(format!("no file of it starts at byte {}", stored.header));
        }
        fields.take(22)?;
        let varying = fields.number(2)? + fields.number(2)?;
        let start = stored.header + LOCAL_BYTES as u64 + varying;
        if start
            .checked_add(stored.bytes)
            .is_none_or(|end| end > self.end)
        {
            return unsound(format!(
                "a file of it claims {} bytes from byte {start}, its directory starts at {}",
                stored.bytes, self.end
            ));
        }
        Ok(start)
    }
}

/// One record of the central directory.
fn record(fields: &mut Fields<'_>) -> Result<(String, Stored), Fault> {
    let mut fixed = Fields(fields.take(DIRECTORY_BYTES)?);
    if fixed.take(4)? != DIRECTORY {
        return unsound("a record of its directory has another signature");
    }
    fixed.take(4)?;
    let flags = fixed.number(2)?;
    let method = fixed.number(2)?;
    fixed.take(8)?;
    let packed = fixed.number(4)?;
    let unpacked = fixed.number(4)?;
    let (name, extra, comment) = (fixed.number(2)?, fixed.number(2)?, fixed.number(2)?);
    fixed.take(8)?;
    let header = fixed.number(4)?;
    let name = fields.take(name as usize)?;
    let Ok(name) = std::str::from_utf8(name) else {
        return unsound("a file of it has a name that is no text");
    };
    let extra = fields.take(extra as usize)?;
    fields.take(comment as usize)?;
    let shown = super::shown(name);
    if method != 0 {
        return unsound(format!("its file {shown:?} is compressed"));
    }
    if flags & 1 != 0 {
        return unsound(format!("its file {shown:?} is encrypted"));
    }
    let mut numbers = [unpacked, packed, header];
    if numbers.contains(&ELSEWHERE) {
        let mut more = Fields(extra_64(extra)?);
        for number in numbers.iter_mut().filter(|number| **number == ELSEWHERE) {
            *number = more.number(8)?;
        }
    }
    let [unpacked, packed, header] = numbers;
    if packed != unpacked {
        return unsound(format!("its file {shown:?} has two sizes"));
    }
    let stored = Stored {
        header,
        bytes: unpacked,
    };
    Ok((name.to_owned(), stored))
}

/// The field of 64-bit numbers among the extra ones.
fn extra_64(extra: &[u8]) -> Result<&[u8], Fault> {
    let mut fields = Fields(extra);
    loop {
        let (id, bytes) = (fields.number(2)?, fields.number(2)?);
        let field = fields.take(bytes as usize)?;
        if id == 1 {
            return Ok(field);
        }
    }
}

/// Where the end record stands in a file's tail: its comment must end with the file.
fn end_record(tail: &[u8]) -> Option<usize> {
    let places = (0..=tail.len().checked_sub(END_BYTES)?).rev();
    places.into_iter().find(|place| {
        let record = tail.get(*place..).unwrap_or_default();
        let comment = record.get(20..22).map_or(0, |two| {
            two.iter()
                .rev()
                .fold(0, |n, byte| (n << 8) | usize::from(*byte))
        });
        record.starts_with(&END) && record.len() == END_BYTES + comment
    })
}

struct EndRecord64 {
    place: u64,
    count: u64,
    bytes: u64,
    start: u64,
}

/// The 64-bit end record, if a locator before the plain one tells of it.
fn end_record_64(file: &mut File, end: u64) -> Result<Option<EndRecord64>, Fault> {
    let Some(place) = end.checked_sub(LOCATOR_64_BYTES) else {
        return Ok(None);
    };
    let locator = read_at(file, place, LOCATOR_64_BYTES)?;
    let mut fields = Fields(&locator);
    if fields.take(4)? != LOCATOR_64 {
        return Ok(None);
    }
    fields.take(4)?;
    let place = fields.number(8)?;
    if place
        .checked_add(END_64_BYTES as u64)
        .is_none_or(|after| after > end)
    {
        return unsound(format!("its directory's end is said to be at byte {place}"));
    }
    let record = read_at(file, place, END_64_BYTES as u64)?;
    let mut fields = Fields(&record);
    if fields.take(4)? != END_64 {
        return unsound(format!("its directory does not end at byte {place}"));
    }
    fields.take(28)?;
    Ok(Some(EndRecord64 {
        place,
        count: fields.number(8)?,
        bytes: fields.number(8)?,
        start: fields.number(8)?,
    }))
}

/// Reads bytes that lie within the file; the caller bounds their number.
fn read_at(file: &mut File, start: u64, count: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = vec![0; count as usize];
    file.seek(SeekFrom::Start(start))?;
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}
