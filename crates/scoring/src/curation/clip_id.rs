//! Names of clips: UUIDs of version 5, the same for the same cut of the same source.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha1::{Digest, Sha1};

use super::spans::{FrameSpan, SecondsSpan};

/// The namespace of URLs (RFC 9562, 6.6).
const NAMESPACE_URL: [u8; 16] = [
    0x6b, 0xa7, 0xb8, 0x11, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8,
];

/// A clip's name: a UUID of version 5 in the namespace of URLs. Printed as 32 hexadecimal digits in
/// five groups.
///
/// ```
/// use adit_scoring::curation::clip_id::ClipUuid;
///
/// let id = ClipUuid::of_name("https://example.com/film.mp4_0_250");
/// assert_eq!(id.to_string(), "31a1f8c3-f7c2-508f-893d-da9d4c7cc74a");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ClipUuid([u8; 16]);

impl ClipUuid {
    /// The UUID of a name: SHA-1 of the namespace and the name, cut to 128 bits, with version and
    /// variant set.
    pub fn of_name(name: &str) -> Self {
        let mut hash = Sha1::new();
        hash.update(NAMESPACE_URL);
        hash.update(name.as_bytes());
        let digest = hash.finalize();
        let mut bytes = [0; 16];
        for (byte, hashed) in bytes.iter_mut().zip(digest) {
            *byte = hashed;
        }
        bytes[6] = (bytes[6] & 0x0f) | 0x50;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        Self(bytes)
    }

    /// The name of a clip cut by frames: `source_start_end`.
    pub fn of_frames(source: &str, span: FrameSpan) -> Self {
        Self::of_name(&format!("{source}_{}_{}", span.start, span.end))
    }

    /// The name of a clip cut by seconds: `source_start_end`, each bound in its shortest decimal
    /// form, with at least one decimal.
    pub fn of_seconds(source: &str, span: SecondsSpan) -> Self {
        let (start, end) = (shortest_decimal(span.start), shortest_decimal(span.end));
        Self::of_name(&format!("{source}_{start}_{end}"))
    }

    /// The name of a clip cut by seconds as NeMo-Curator makes it: each bound times the frame rate,
    /// cut to whole frames. Bounds that are negative or not finite count as 0.
    pub fn of_seconds_in_frames(source: &str, span: SecondsSpan, rate: f64) -> Self {
        // The conversion saturates, and takes NaN for 0.
        let frame = |seconds: f64| (seconds * rate) as u64;
        let (start, end) = (frame(span.start), frame(span.end));
        Self::of_frames(source, FrameSpan { start, end })
    }

    /// The 16 bytes.
    pub const fn bytes(self) -> [u8; 16] {
        self.0
    }
}

impl fmt::Display for ClipUuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, byte) in self.0.iter().enumerate() {
            if matches!(place, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

/// The fewest digits that read back to the number, as Python prints a float: a decimal point below
/// 10¹⁶ and from 10⁻⁴ on, else an exponent of at least two digits.
pub fn shortest_decimal(number: f64) -> String {
    if number.is_nan() {
        return "nan".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let magnitude = number.abs();
    if magnitude == 0.0 || (1e-4..1e16).contains(&magnitude) {
        return format!("{number:?}");
    }
    let text = format!("{number:e}");
    match text.split_once('e') {
        Some((digits, exponent)) => {
            let (sign, exponent) = match exponent.strip_prefix('-') {
                Some(exponent) => ('-', exponent),
                None => ('+', exponent),
            };
            format!("{digits}e{sign}{exponent:0>2}")
        }
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_standard_example() {
        // RFC 9562, appendix A.4, has the namespace of DNS; Python's documentation the one of URLs.
        let id = ClipUuid::of_name("http://python.org/");
        assert_eq!(id.to_string(), "4c565f0d-3f5a-5890-b41b-20cf47701c5e");
        let span = FrameSpan { start: 1, end: 20 };
        assert_eq!(ClipUuid::of_frames("a", span), ClipUuid::of_name("a_1_20"));
    }

    #[test]
    fn floats_are_written_as_python_writes_them() {
        let pairs = [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (10.0, "10.0"),
            (0.1 + 0.2, "0.30000000000000004"),
            (1e-4, "0.0001"),
            (1e-5, "1e-05"),
            (1.5e-7, "1.5e-07"),
            (9_999_999_999_999_998.0, "9999999999999998.0"),
            (1e16, "1e+16"),
            (-1.25e100, "-1.25e+100"),
            (f64::NAN, "nan"),
            (f64::NEG_INFINITY, "-inf"),
        ];
        for (number, text) in pairs {
            assert_eq!(shortest_decimal(number), text);
        }
    }
}
