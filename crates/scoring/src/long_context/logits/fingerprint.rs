use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

/// The first 16 hexadecimal digits of the SHA-256 of a text; nothing of an empty one.
///
/// ```
/// use adit_scoring::long_context::logits::text_fingerprint;
///
/// assert_eq!(text_fingerprint("hello"), "2cf24dba5fb0a30e");
/// ```
pub fn text_fingerprint(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    first_digits(&[text.as_bytes()])
}

/// The first 16 hexadecimal digits of the SHA-256 of the first 100 logits, each written with six
/// decimals (half to even), separated by commas; nothing of no logits. The field writes NaN `nan` and
/// infinities `inf` and `-inf`.
pub fn logits_fingerprint(logits: &[f64]) -> String {
    if logits.is_empty() {
        return String::new();
    }
    let mut text = String::with_capacity(1_200);
    for (place, logit) in logits.iter().take(100).enumerate() {
        if place > 0 {
            text.push(',');
        }
        // Writing to a string cannot fail.
        let _ = if logit.is_nan() {
            text.write_str("nan")
        } else {
            write!(text, "{logit:.6}")
        };
    }
    first_digits(&[text.as_bytes()])
}

/// The first 16 hexadecimal digits of the SHA-256 of the parts, one after the other.
pub(crate) fn first_digits(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    let mut digits = String::with_capacity(16);
    for byte in hash.finalize().iter().take(8) {
        let _ = write!(digits, "{byte:02x}");
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_numbers_as_the_field_does() {
        let same = |logits: &[f64], text: &str| {
            assert_eq!(logits_fingerprint(logits), text_fingerprint(text), "{text}");
        };
        same(&[-0.0, 5e-7, 0.000_001_5], "-0.000000,0.000000,0.000002");
        same(
            &[f64::NAN, f64::INFINITY, f64::NEG_INFINITY],
            "nan,inf,-inf",
        );
        same(&[1e20], "100000000000000000000.000000");
        assert_eq!(
            logits_fingerprint(&[1.0; 100]),
            logits_fingerprint(&[1.0; 101])
        );
        assert_eq!(logits_fingerprint(&[]), "");
    }
}
