//! Addresses as the Python wallets judge them: of any network, or public keys in hex.

use adit_primitives::AccountId;
use blake2::{Blake2b512, Digest as _};

use crate::{Error, Result, keypair::decode_hex};

/// The networks' formats that the Python wallet 4.1.1 accepts in an address, read off it by trying
/// all 16,384: those of the public SS58 registry in that version.
const REGISTERED: [u16; 146] = [
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25,
    26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 48, 49, 50, 51,
    52, 53, 54, 55, 56, 57, 58, 63, 65, 66, 67, 68, 69, 71, 72, 73, 77, 78, 81, 88, 89, 90, 92, 93,
    98, 99, 100, 101, 105, 110, 113, 117, 126, 128, 129, 131, 136, 137, 172, 252, 255, 268, 420,
    440, 666, 777, 789, 995, 1110, 1221, 1222, 1284, 1285, 1328, 1337, 1516, 1985, 2007, 2009,
    2021, 2024, 2032, 2092, 2106, 2112, 2199, 2206, 2207, 2254, 3333, 4450, 5234, 5845, 6094, 7007,
    7013, 7306, 7391, 8866, 8883, 8886, 8888, 9072, 9807, 9935, 10041, 11330, 11331, 11486, 11820,
    12155, 12191, 12850, 13116, 14697, 14998,
];

/// An SS58 address of any network: whose it is, and for which network it is written.
///
/// Bittensor's own addresses are those of format 42, which [`AccountId`] alone reads: use that
/// wherever an address is acted on. This one is for telling people what is wrong with theirs, and
/// for judging as the Python wallets do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ss58Address {
    /// The network's format, 0 to 16,383.
    pub format: u16,
    /// The public key.
    pub account: AccountId,
}

impl Ss58Address {
    /// Reads an address with a 32-byte key.
    ///
    /// # Errors
    /// [`Error::Address`] when it is not base 58, of the wrong length, its checksum is wrong or
    /// its format is one of the two that are reserved (46 and 47).
    pub fn parse(text: &str) -> Result<Self> {
        let refuse = |reason| Error::Address { reason };
        let mut body = [0_u8; 64];
        if text.len() > body.len() {
            return Err(refuse("too long"));
        }
        let length = bs58::decode(text)
            .onto(&mut body[..])
            .map_err(|_| refuse("not base 58"))?;
        let body = body.get(..length).unwrap_or_default();
        let (format, prefix) = match *body {
            [first @ 0..=63, ..] => (u16::from(first), 1),
            // 01aaaaaa bbcccccc is aaaaaabb of the lower byte, cccccc of the upper.
            [first @ 64..=127, second, ..] => {
                let lower = (first << 2) | (second >> 6);
                (u16::from_le_bytes([lower, second & 0x3f]), 2)
            }
            _ => return Err(refuse("no network's format at its start")),
        };
        if length != prefix + 32 + 2 {
            return Err(refuse("not a 32-byte key"));
        }
        if matches!(format, 46 | 47) {
            return Err(refuse("a reserved format"));
        }
        let (signed, checksum) = body.split_at(prefix + 32);
        let hash = Blake2b512::new()
            .chain_update(b"SS58PRE")
            .chain_update(signed)
            .finalize();
        if !hash.starts_with(checksum) {
            return Err(refuse("wrong checksum"));
        }
        let mut key = [0_u8; 32];
        key.copy_from_slice(signed.get(prefix..).unwrap_or(&[0; 32]));
        Ok(Self {
            format,
            account: AccountId::new(key),
        })
    }

    /// Whether the Python wallet knows the network (`is_valid_ss58_address`).
    pub fn is_registered(&self) -> bool {
        REGISTERED.binary_search(&self.format).is_ok()
    }
}

/// Whether the text names an account in the eyes of the Python wallet
/// (`is_valid_bittensor_address_or_public_key`): an address of **any** registered network, or
/// `0x` and 64 hex digits.
///
/// It is not the question whether a text is an address of Bittensor: that is whether it parses as
/// [`AccountId`].
pub fn is_valid_address_or_public_key(text: &str) -> bool {
    match text.strip_prefix("0x") {
        Some(digits) => decode_hex::<32>(digits).is_ok(),
        None => Ss58Address::parse(text).is_ok_and(|address| address.is_registered()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn address(format: u16, key: [u8; 32]) -> String {
        let [lower, upper] = format.to_le_bytes();
        let mut body = match format {
            0..64 => vec![lower],
            _ => vec![0x40 | (lower >> 2), (lower << 6) | upper],
        };
        body.extend(key);
        let hash = Blake2b512::new()
            .chain_update(b"SS58PRE")
            .chain_update(&body)
            .finalize();
        body.extend(&hash[..2]);
        bs58::encode(body).into_string()
    }

    #[test]
    fn formats_are_registered_reserved_or_neither() {
        assert!(REGISTERED.is_sorted());
        for format in 0..16_384 {
            let text = address(format, [7; 32]);
            match Ss58Address::parse(&text) {
                Ok(found) => {
                    assert_eq!(
                        (found.format, found.account),
                        (format, AccountId::new([7; 32]))
                    );
                    assert_eq!(found.is_registered(), is_valid_address_or_public_key(&text));
                }
                Err(_) => assert!(matches!(format, 46 | 47), "{format}"),
            }
        }
    }

    #[test]
    fn only_lower_case_0x_makes_hex_a_public_key() {
        let digits = "d4".repeat(32);
        assert!(is_valid_address_or_public_key(&format!("0x{digits}")));
        assert!(is_valid_address_or_public_key(&format!(
            "0x{}",
            digits.to_uppercase()
        )));
        for text in [
            digits.clone(),
            format!("0X{digits}"),
            format!("0x{digits}00"),
            "0x".into(),
        ] {
            assert!(!is_valid_address_or_public_key(&text), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics_and_format_42_is_bittensors(text in ".{0,70}|[1-9A-HJ-NP-Za-km-z]{40,52}") {
            let parsed = Ss58Address::parse(&text);
            let own = text.parse::<AccountId>();
            prop_assert_eq!(parsed.is_ok_and(|found| found.format == 42), own.is_ok());
        }
    }
}
