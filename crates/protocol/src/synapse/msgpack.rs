//! The one map that msgpack-numpy writes for an array: `nd`, `type`, `kind`, `shape`, `data`.

const MOST_DIMENSIONS: usize = 32;
const CUT: &str = "the map ends early";

/// An array's parts, borrowed from the packed bytes.
pub(super) struct ArrayParts<'b> {
    /// numpy's code of the type, such as `<f4`.
    pub(super) code: &'b [u8],
    pub(super) shape: Vec<u64>,
    pub(super) data: &'b [u8],
}

/// Writes the map as msgpack-numpy does: keys are bytes, the type a text.
pub(super) fn write_array(code: &str, shape: &[u64], data: &[u8]) -> Vec<u8> {
    let mut out = vec![0x85];
    let key = |name: &str, out: &mut Vec<u8>| write_bytes(name.as_bytes(), out);
    key("nd", &mut out);
    out.push(0xc3);
    key("type", &mut out);
    // The codes have three characters.
    out.push(0xa0 | (code.len() as u8 & 0x1f));
    out.extend_from_slice(code.as_bytes());
    key("kind", &mut out);
    write_bytes(b"", &mut out);
    key("shape", &mut out);
    match u8::try_from(shape.len()) {
        Ok(count @ ..16) => out.push(0x90 | count),
        _ => {
            out.push(0xdc);
            out.extend_from_slice(&(shape.len() as u16).to_be_bytes());
        }
    }
    for side in shape {
        write_uint(*side, &mut out);
    }
    key("data", &mut out);
    write_bytes(data, &mut out);
    out
}

fn write_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    if let Ok(length) = u8::try_from(bytes.len()) {
        out.extend_from_slice(&[0xc4, length]);
    } else if let Ok(length) = u16::try_from(bytes.len()) {
        out.push(0xc5);
        out.extend_from_slice(&length.to_be_bytes());
    } else {
        out.push(0xc6);
        // A message's limit lies far below 4 GiB.
        out.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
    }
    out.extend_from_slice(bytes);
}

fn write_uint(value: u64, out: &mut Vec<u8>) {
    if let Ok(small) = u8::try_from(value) {
        if small >= 0x80 {
            out.push(0xcc);
        }
        out.push(small);
    } else if let Ok(value) = u16::try_from(value) {
        out.push(0xcd);
        out.extend_from_slice(&value.to_be_bytes());
    } else if let Ok(value) = u32::try_from(value) {
        out.push(0xce);
        out.extend_from_slice(&value.to_be_bytes());
    } else {
        out.push(0xcf);
        out.extend_from_slice(&value.to_be_bytes());
    }
}

/// Reads the map, its keys in any order and as bytes or texts.
pub(super) fn read_array(packed: &[u8]) -> Result<ArrayParts<'_>, &'static str> {
    let mut rest = Unread(packed);
    let entries = match rest.byte()? {
        head @ 0x80..=0x8f => usize::from(head & 0x0f),
        0xde => usize::from(u16::from_be_bytes(rest.fixed()?)),
        _ => return Err("no map"),
    };
    if entries > 8 {
        return Err("too many keys");
    }
    let (mut code, mut shape, mut data, mut is_array) = (None, None, None, false);
    for _ in 0..entries {
        match rest.text()? {
            b"nd" => is_array = rest.boolean()?,
            b"type" => code = Some(rest.text()?),
            b"kind" => {
                if !rest.text()?.is_empty() {
                    return Err("records and objects are not read");
                }
            }
            b"shape" => shape = Some(rest.shape()?),
            b"data" => data = Some(rest.text()?),
            _ => return Err("an unknown key"),
        }
    }
    if !rest.0.is_empty() {
        return Err("bytes after the map");
    }
    match (is_array, code, shape, data) {
        (true, Some(code), Some(shape), Some(data)) => Ok(ArrayParts { code, shape, data }),
        _ => Err("no array"),
    }
}

struct Unread<'b>(&'b [u8]);

impl<'b> Unread<'b> {
    fn take(&mut self, count: usize) -> Result<&'b [u8], &'static str> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(CUT)?;
        self.0 = rest;
        Ok(taken)
    }

    fn fixed<const N: usize>(&mut self) -> Result<[u8; N], &'static str> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(CUT)?;
        self.0 = rest;
        Ok(*taken)
    }

    fn byte(&mut self) -> Result<u8, &'static str> {
        self.fixed().map(|[byte]| byte)
    }

    fn boolean(&mut self) -> Result<bool, &'static str> {
        match self.byte()? {
            0xc2 => Ok(false),
            0xc3 => Ok(true),
            _ => Err("no boolean"),
        }
    }

    /// Bytes or a text.
    fn text(&mut self) -> Result<&'b [u8], &'static str> {
        let length = match self.byte()? {
            head @ 0xa0..=0xbf => usize::from(head & 0x1f),
            0xc4 | 0xd9 => usize::from(self.byte()?),
            0xc5 | 0xda => usize::from(u16::from_be_bytes(self.fixed()?)),
            0xc6 | 0xdb => usize::try_from(u32::from_be_bytes(self.fixed()?)).map_err(|_| CUT)?,
            _ => return Err("neither bytes nor text"),
        };
        self.take(length)
    }

    fn shape(&mut self) -> Result<Vec<u64>, &'static str> {
        let count = match self.byte()? {
            head @ 0x90..=0x9f => usize::from(head & 0x0f),
            0xdc => usize::from(u16::from_be_bytes(self.fixed()?)),
            _ => return Err("no array of sides"),
        };
        if count > MOST_DIMENSIONS {
            return Err("too many dimensions");
        }
        (0..count).map(|_| self.uint()).collect()
    }

    fn uint(&mut self) -> Result<u64, &'static str> {
        match self.byte()? {
            small @ ..0x80 => Ok(small.into()),
            0xcc => self.byte().map(u64::from),
            0xcd => self.fixed().map(|bytes| u16::from_be_bytes(bytes).into()),
            0xce => self.fixed().map(|bytes| u32::from_be_bytes(bytes).into()),
            0xcf => self.fixed().map(u64::from_be_bytes),
            _ => Err("no side"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
            let _ = read_array(&bytes);
        }

        #[test]
        fn what_is_written_is_read_back(
            shape in proptest::collection::vec(any::<u64>(), 0..20),
            data in proptest::collection::vec(any::<u8>(), 0..400),
        ) {
            let packed = write_array("<f4", &shape, &data);
            let read = read_array(&packed).unwrap();
            prop_assert_eq!((read.code, read.shape, read.data), (b"<f4".as_slice(), shape, data.as_slice()));
            for cut in 0..packed.len() {
                prop_assert!(read_array(&packed[..cut]).is_err());
            }
        }
    }
}
