use std::{fmt, str::FromStr};

use blake2::{Blake2b512, Digest as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{Error, Result};

/// The SS58 address format of Bittensor (the generic Substrate format).
pub const SS58_FORMAT: u8 = 42;

/// Longest text that can be an address of format 42 with 32 bytes; longer input is refused unread.
const LONGEST_ADDRESS: usize = 64;

/// A public key: 32 bytes, shown as SS58 text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId([u8; 32]);

impl AccountId {
    /// Wraps the raw public key.
    pub const fn new(public_key: [u8; 32]) -> Self {
        Self(public_key)
    }

    /// The raw public key.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The SS58 text: `base58(42 ‖ key ‖ blake2b512("SS58PRE" ‖ 42 ‖ key)[0..2])`.
    pub fn to_ss58(&self) -> String {
        let mut body = [0_u8; 35];
        body[0] = SS58_FORMAT;
        body[1..33].copy_from_slice(&self.0);
        let checksum = checksum(&body[..33]);
        body[33..].copy_from_slice(&checksum);
        bs58::encode(body).into_string()
    }

    /// Reads SS58 text.
    ///
    /// # Errors
    /// [`Error::Address`] unless the text is base 58, of format 42, 32 bytes long and its checksum
    /// is right.
    pub fn from_ss58(text: &str) -> Result<Self> {
        let refuse = |reason| Error::Address {
            text: text.chars().take(80).collect(),
            reason,
        };
        if text.len() > LONGEST_ADDRESS {
            return Err(refuse("too long"));
        }
        let mut body = [0_u8; LONGEST_ADDRESS];
        let length = bs58::decode(text)
            .onto(&mut body[..])
            .map_err(|_| refuse("not base 58"))?;
        if length != 35 {
            return Err(refuse("not a 32-byte key"));
        }
        if body[0] != SS58_FORMAT {
            return Err(refuse("address of another network"));
        }
        if body[33..35] != checksum(&body[..33]) {
            return Err(refuse("wrong checksum"));
        }
        let mut key = [0_u8; 32];
        key.copy_from_slice(&body[1..33]);
        Ok(Self(key))
    }
}

fn checksum(body: &[u8]) -> [u8; 2] {
    let hash = Blake2b512::new()
        .chain_update(b"SS58PRE")
        .chain_update(body)
        .finalize();
    [hash[0], hash[1]]
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_ss58())
    }
}

impl fmt::Debug for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_ss58())
    }
}

impl FromStr for AccountId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::from_ss58(text)
    }
}

impl Serialize for AccountId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for AccountId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::from_ss58(&text).map_err(de::Error::custom)
    }
}

macro_rules! key {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub AccountId);

        impl $name {
            /// Wraps the raw public key.
            pub const fn new(public_key: [u8; 32]) -> Self {
                Self(AccountId::new(public_key))
            }

            /// The raw public key.
            pub const fn as_bytes(&self) -> &[u8; 32] {
                self.0.as_bytes()
            }

            /// The account of this key.
            pub const fn account(&self) -> AccountId {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl FromStr for $name {
            type Err = Error;

            fn from_str(text: &str) -> Result<Self> {
                AccountId::from_ss58(text).map(Self)
            }
        }

        impl From<AccountId> for $name {
            fn from(account: AccountId) -> Self {
                Self(account)
            }
        }
    };
}

key! {
    /// The key a neuron signs with; hot because it lives on the machine that runs it.
    Hotkey
}
key! {
    /// The key that owns the stake; cold because it signs rarely.
    Coldkey
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALICE: &str = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";

    #[test]
    fn reads_and_writes_alice() {
        let alice = AccountId::from_ss58(ALICE).unwrap();
        assert_eq!(
            hex::encode(alice.as_bytes()),
            "d43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d"
        );
        assert_eq!(alice.to_ss58(), ALICE);
        assert_eq!(
            serde_json::to_string(&Hotkey(alice)).unwrap(),
            format!("\"{ALICE}\"")
        );
    }

    #[test]
    fn refuses_what_is_not_an_address() {
        let polkadot = "15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp5";
        for (text, reason) in [
            ("", "not a 32-byte key"),
            ("0", "not base 58"),
            (polkadot, "address of another network"),
            (&ALICE[..47], "not base 58"),
            (
                "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQZ",
                "wrong checksum",
            ),
        ] {
            let error = AccountId::from_ss58(text).unwrap_err();
            let Error::Address { reason: found, .. } = &error else {
                panic!("{error}")
            };
            if text.len() != 47 {
                assert_eq!(*found, reason, "{text}");
            }
        }
        assert!(AccountId::from_ss58(&"5".repeat(1 << 20)).is_err());
    }

    proptest! {
        #[test]
        fn every_key_survives_the_round_trip(key: [u8; 32]) {
            let account = AccountId::new(key);
            prop_assert_eq!(account.to_ss58().parse::<AccountId>().unwrap(), account);
        }

        #[test]
        fn no_text_panics(text in ".{0,80}") {
            let _ = AccountId::from_ss58(&text);
        }
    }
}
