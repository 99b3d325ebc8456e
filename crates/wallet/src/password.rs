//! Passwords of keyfiles: what they are, how strong, and where they come from.

use std::fmt;

use zeroize::Zeroizing;

use crate::{Error, Result};

mod environment;
#[cfg(feature = "keyring")]
mod keyring;
mod source;

pub use environment::{mask_password, password_variable, unmask_password};
#[cfg(feature = "keyring")]
pub use keyring::{forget_in_keyring, keep_in_keyring};
pub use source::PasswordSource;

/// Longest password that is read, in bytes.
pub const LONGEST_PASSWORD: usize = 4_096;

/// Fewest characters of a password that is chosen here.
pub const SHORTEST_PASSWORD: usize = 6;

/// Fewest bits of [`Password::strength`] of a password that is chosen here.
pub const LEAST_STRENGTH: u32 = 20;

/// A password, overwritten on drop; Debug hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(Zeroizing<String>);

impl Password {
    /// Takes the text, any text.
    pub fn new(text: Zeroizing<String>) -> Self {
        Self(text)
    }

    /// The password itself. Handle it with care.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// A rough measure of strength in bits: each character counts for the classes of characters
    /// that occur (lower case 26, upper case 26, digits 10, all else 33), but a character that
    /// repeats the one before it or is its neighbour in the alphabet (`aaaa`, `1234`, `dcba`)
    /// counts one bit, and each distinct character is counted fully at most twice.
    ///
    /// It knows no dictionary: `password` scores 30 bits. It is there to refuse the hopeless.
    pub fn strength(&self) -> u32 {
        let mut sizes = [0.0; 4];
        for c in self.0.chars() {
            let (class, size) = match c {
                'a'..='z' => (0, 26.0),
                'A'..='Z' => (1, 26.0),
                '0'..='9' => (2, 10.0),
                _ => (3, 33.0),
            };
            sizes[class] = size;
        }
        let alphabet: f64 = sizes.iter().sum();
        if alphabet == 0.0 {
            return 0;
        }
        let mut seen = Zeroizing::new(Vec::<u32>::new());
        let mut bits = 0.0;
        for point in self.0.chars().map(u32::from) {
            let follows = seen.last().is_some_and(|last| last.abs_diff(point) <= 1);
            let often = seen.iter().filter(|earlier| **earlier == point).count() > 1;
            bits += if follows || often {
                1.0
            } else {
                alphabet.log2()
            };
            seen.push(point);
        }
        bits as u32
    }

    /// Whether a new keyfile may be encrypted with it. Never asked when a file is opened.
    ///
    /// # Errors
    /// [`Error::WeakPassword`] below [`SHORTEST_PASSWORD`] characters or [`LEAST_STRENGTH`] bits,
    /// or beyond [`LONGEST_PASSWORD`] bytes, which could not be read again.
    pub fn check_strength(&self) -> Result<()> {
        let weak = |reason| Err(Error::WeakPassword { reason });
        if self.0.len() > LONGEST_PASSWORD {
            weak("longer than 4,096 bytes")
        } else if self.0.chars().count() < SHORTEST_PASSWORD {
            weak("shorter than 6 characters")
        } else if self.strength() < LEAST_STRENGTH {
            weak("too regular: lengthen it, or mix letters, digits and signs")
        } else {
            Ok(())
        }
    }
}

impl From<&str> for Password {
    fn from(text: &str) -> Self {
        Self(Zeroizing::new(text.to_owned()))
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hopeless_passwords_are_refused_at_creation() {
        for weak in [
            "",
            "abc",
            "aaaaaaaaaa",
            "123456",
            "987654",
            "abcdef",
            "x7#Kq",
            "aaabbb",
        ] {
            let refused = Password::from(weak).check_strength();
            assert!(matches!(refused, Err(Error::WeakPassword { .. })), "{weak}");
        }
        assert!(
            Password::from(&*"ab".repeat(2_500))
                .check_strength()
                .is_err()
        );
        for fine in [
            "x7#Kq9",
            "hello world",
            "Sup3r S3cret!",
            "pässwörd ✓",
            "adit-tests-1",
        ] {
            Password::from(fine).check_strength().unwrap();
        }
    }

    #[test]
    fn strength_grows_with_length_and_variety() {
        let strength = |text: &str| Password::from(text).strength();
        assert!(strength("kxqzvw") < strength("kxqzvwpmtb"));
        assert!(strength("kxqzvw") < strength("kXqzvw"));
        assert!(strength("kxqzvw") < strength("kxq7vw"));
        assert!(strength("aaaaaa") < strength("kxqzvw"));
        assert_eq!(strength(""), 0);
    }
}
