//! The outer structure of MP4 files: whether all of it is there, and whether it is encrypted.
//!
//! ffprobe hides both: it reports the full duration of a file whose end is missing, and the inner
//! codec of an encrypted stream. Layout: ISO/IEC 14496-12 §4.2 (boxes) and §8.12 (`encv`, `enca`).

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::Path,
};

/// Boxes looked at before giving up; real files have a few hundred.
const MOST_BOXES: usize = 20_000;

/// What the boxes say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Structure {
    /// Another container, or nothing that could be followed.
    Unknown,
    /// Every box ends within the file.
    Complete,
    /// A box ends beyond the file, or there is no `moov`.
    Truncated,
    /// A stream is protected.
    Encrypted,
}

/// Reads box headers only.
pub(crate) fn structure(path: &Path) -> io::Result<Structure> {
    let mut file = File::open(path)?;
    let end = file.metadata()?.len();
    let mut walk = Walk {
        file: &mut file,
        left: MOST_BOXES,
        seen_start: false,
        seen_index: false,
        encrypted: false,
        cut_short: false,
    };
    walk.children(0, end, 0)?;
    Ok(if !walk.seen_start {
        Structure::Unknown
    } else if walk.encrypted {
        Structure::Encrypted
    } else if walk.cut_short || !walk.seen_index {
        Structure::Truncated
    } else {
        Structure::Complete
    })
}

struct Walk<'a> {
    file: &'a mut File,
    left: usize,
    seen_start: bool,
    seen_index: bool,
    encrypted: bool,
    cut_short: bool,
}

impl Walk<'_> {
    fn children(&mut self, mut at: u64, end: u64, depth: u8) -> io::Result<()> {
        while end - at >= 8 && self.left > 0 {
            self.left -= 1;
            self.file.seek(SeekFrom::Start(at))?;
            let mut header = [0; 8];
            self.file.read_exact(&mut header)?;
            let [a, b, c, d, kind @ ..] = header;
            let (size, header_bytes) = match u32::from_be_bytes([a, b, c, d]) {
                0 => (end - at, 8),
                1 if end - at >= 16 => {
                    let mut large = [0; 8];
                    self.file.read_exact(&mut large)?;
                    (u64::from_be_bytes(large), 16)
                }
                size => (u64::from(size), 8),
            };
            if depth == 0 {
                match &kind {
                    b"ftyp" => self.seen_start = true,
                    b"moov" => self.seen_index = true,
                    // Files that do not begin with `ftyp` are other containers.
                    _ if !self.seen_start => return Ok(()),
                    _ => {}
                }
            }
            if size < header_bytes {
                return Ok(());
            }
            let next = at.saturating_add(size);
            if next > end {
                self.cut_short |= depth == 0;
                return Ok(());
            }
            let body = at + header_bytes;
            match &kind {
                b"encv" | b"enca" if depth == 6 => self.encrypted = true,
                // Real nesting ends at depth 6; hostile nesting would not end.
                b"moov" | b"trak" | b"mdia" | b"minf" | b"stbl" if depth < 6 => {
                    self.children(body, next, depth + 1)?;
                }
                // Version, flags and the number of entries come before the entries.
                b"stsd" if next - body >= 8 => self.children(body + 8, next, depth + 1)?,
                _ => {}
            }
            at = next;
        }
        Ok(())
    }
}
