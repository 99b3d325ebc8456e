use blake2::{Blake2b, Digest as _, digest::consts::U32};
use zeroize::Zeroizing;

use crate::{Error, Result};

/// The phrase behind a URI that names none, such as `//Alice`. Public: never hold value with it.
pub(crate) const DEVELOPMENT_PHRASE: &str =
    "bottom drive obey lake curtain smoke basket hold race lonely fit walk";

/// Longest URI that is read, in bytes.
const LONGEST_URI: usize = 4_096;

/// Most derivation steps that are followed.
const MOST_JUNCTIONS: usize = 64;

/// One step of a derivation path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Junction {
    /// A hard step needs the secret; a soft one could be taken from the public key too.
    pub(crate) hard: bool,
    pub(crate) chain_code: [u8; 32],
}

/// A secret URI taken apart: `phrase//hard/soft///password`.
pub(crate) struct SecretUri {
    pub(crate) phrase: Zeroizing<String>,
    pub(crate) junctions: Vec<Junction>,
    pub(crate) password: Zeroizing<String>,
}

impl SecretUri {
    /// Reads the URI. Source of the grammar: Substrate's `SecretUri`.
    pub(crate) fn parse(uri: &str) -> Result<Self> {
        let refuse = |reason| Error::Uri { reason };
        if uri.len() > LONGEST_URI {
            return Err(refuse("too long"));
        }
        let (rest, password) = uri.split_once("///").unwrap_or((uri, ""));
        let path_at = rest.find('/').unwrap_or(rest.len());
        let (phrase, mut path) = rest.split_at(path_at);
        if !phrase.chars().all(|c| c.is_alphanumeric() || c == ' ') {
            return Err(refuse("a phrase has only letters, digits and spaces"));
        }
        let mut junctions = Vec::new();
        while let Some(step) = path.strip_prefix('/') {
            let (hard, step) = match step.strip_prefix('/') {
                Some(step) => (true, step),
                None => (false, step),
            };
            let end = step.find('/').unwrap_or(step.len());
            let (code, next) = step.split_at(end);
            if code.is_empty() {
                return Err(refuse("an empty derivation step"));
            }
            if junctions.len() == MOST_JUNCTIONS {
                return Err(refuse("too many derivation steps"));
            }
            junctions.push(Junction {
                hard,
                chain_code: chain_code(code),
            });
            path = next;
        }
        let phrase = if phrase.is_empty() {
            DEVELOPMENT_PHRASE
        } else {
            phrase
        };
        Ok(Self {
            phrase: Zeroizing::new(phrase.to_owned()),
            junctions,
            password: Zeroizing::new(password.to_owned()),
        })
    }
}

/// The chain code of a step: a number as little-endian u64, other text with its SCALE length in
/// front, padded with zeros; hashed with BLAKE2b-256 when that is longer than 32 bytes.
fn chain_code(code: &str) -> [u8; 32] {
    let encoded = match code.parse::<u64>() {
        Ok(number) => number.to_le_bytes().to_vec(),
        Err(_) => {
            let mut bytes = compact_length(code.len());
            bytes.extend_from_slice(code.as_bytes());
            bytes
        }
    };
    let mut chain_code = [0_u8; 32];
    match chain_code.get_mut(..encoded.len()) {
        Some(head) => head.copy_from_slice(&encoded),
        None => chain_code = Blake2b::<U32>::digest(&encoded).into(),
    }
    chain_code
}

/// SCALE's compact length, for lengths below 2^30 (a URI is at most [`LONGEST_URI`] bytes).
fn compact_length(length: usize) -> Vec<u8> {
    let shifted = (length as u32) << 2;
    let bytes = shifted.to_le_bytes();
    match length {
        0..64 => vec![bytes[0]],
        64..16_384 => vec![bytes[0] | 1, bytes[1]],
        _ => vec![bytes[0] | 2, bytes[1], bytes[2], bytes[3]],
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn takes_a_uri_apart() {
        let uri = SecretUri::parse("one two//hard/7///pass/word").unwrap();
        assert_eq!(*uri.phrase, "one two");
        assert_eq!(*uri.password, "pass/word");
        let mut hard = [0; 32];
        hard[..5].copy_from_slice(b"\x10hard");
        let mut seven = [0; 32];
        seven[0] = 7;
        assert_eq!(
            uri.junctions,
            [
                Junction {
                    hard: true,
                    chain_code: hard
                },
                Junction {
                    hard: false,
                    chain_code: seven
                }
            ]
        );
        let uri = SecretUri::parse("///pw").unwrap();
        assert_eq!(*uri.phrase, DEVELOPMENT_PHRASE);
        assert!(uri.junctions.is_empty());
    }

    #[test]
    fn long_steps_are_hashed_with_their_length() {
        for length in [31, 32, 63, 64, 3_000] {
            let code = "x".repeat(length);
            let prefix = if length < 64 {
                vec![(length << 2) as u8]
            } else {
                ((length << 2) as u16 | 1).to_le_bytes().to_vec()
            };
            let encoded = [prefix, code.clone().into_bytes()].concat();
            let expected: [u8; 32] = if encoded.len() <= 32 {
                encoded.try_into().unwrap()
            } else {
                Blake2b::<U32>::digest(&encoded).into()
            };
            assert_eq!(chain_code(&code), expected);
        }
    }

    #[test]
    fn refuses_what_no_wallet_accepts() {
        for uri in ["a-b//x", "//", "a//", "a/", "//Alice/", "0x12!"] {
            assert!(SecretUri::parse(uri).is_err(), "{uri}");
        }
        assert!(SecretUri::parse(&"/a".repeat(65)).is_err());
        assert!(SecretUri::parse(&"a".repeat(5_000)).is_err());
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[/a-z0-9é ]{0,40}|.{0,80}") {
            let _ = SecretUri::parse(&text);
        }
    }
}
