use adit_primitives::{Hotkey, Uid, WeightVector};
use codec::{Decode as _, Encode as _};

use super::{LONGEST_COMMIT, hash::columns};
use crate::{Error, Result};

/// What a timelocked commit hides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimelockedWeights {
    /// Who committed. Absent in payloads of versions before 4, where anybody could copy a commit.
    pub hotkey: Option<Hotkey>,
    /// Uids and values in the committed order. Nothing says that uids are sorted or unique here:
    /// the chain checks that when it reveals.
    pub weights: Vec<(Uid, u16)>,
    /// The version key they come with.
    pub version_key: u64,
}

impl TimelockedWeights {
    /// The payload of our own weights.
    pub fn new(hotkey: Hotkey, weights: &WeightVector, version_key: u64) -> Self {
        Self {
            hotkey: Some(hotkey),
            weights: weights.pairs().to_vec(),
            version_key,
        }
    }

    /// The SCALE bytes that are sealed: `(Vec<u8> hotkey, Vec<u16> uids, Vec<u16> values, u64 version
    /// key)`, without the hotkey when there is none.
    pub fn encode(&self) -> Vec<u8> {
        let (uids, values) = columns(&self.weights);
        let rest = (uids, values, self.version_key);
        match self.hotkey {
            Some(hotkey) => (hotkey.account().as_bytes().to_vec(), rest).encode(),
            None => rest.encode(),
        }
    }

    /// Reads what was sealed, as the chain does: with a hotkey, else in the older layout without
    /// one.
    ///
    /// # Errors
    /// [`Error::Decode`] when it is neither, is longer than a commit may be, or has different
    /// numbers of uids and values.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        type Rest = (Vec<u16>, Vec<u16>, u64);
        let unreadable = |reason: &str| Error::Decode {
            what: "sealed weights".to_owned(),
            reason: reason.to_owned(),
        };
        if bytes.len() > LONGEST_COMMIT {
            return Err(unreadable("they are longer than a commit may be"));
        }
        let with_hotkey = <(Vec<u8>, Rest)>::decode(&mut &*bytes)
            .ok()
            .and_then(|(hotkey, rest)| Some((<[u8; 32]>::try_from(hotkey).ok()?, rest)));
        let (hotkey, (uids, values, version_key)) = match with_hotkey {
            Some((hotkey, rest)) => (Some(Hotkey::new(hotkey)), rest),
            None => match Rest::decode(&mut &*bytes) {
                Ok(rest) => (None, rest),
                Err(error) => return Err(unreadable(&error.to_string())),
            },
        };
        if uids.len() != values.len() {
            return Err(unreadable("there are more uids than values, or fewer"));
        }
        Ok(Self {
            hotkey,
            weights: uids.into_iter().map(Uid).zip(values).collect(),
            version_key,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn both_layouts_are_read() {
        let weights = WeightVector::new(vec![(Uid(0), 65_535), (Uid(9), 1)]).unwrap();
        let ours = TimelockedWeights::new(Hotkey::new([3; 32]), &weights, 7);
        // Compact lengths of one byte, 32 of hotkey, two uids, two values, the key.
        assert_eq!(ours.encode().len(), 1 + 32 + 1 + 4 + 1 + 4 + 8);
        assert_eq!(TimelockedWeights::decode(&ours.encode()).unwrap(), ours);
        let older = TimelockedWeights {
            hotkey: None,
            ..ours
        };
        assert_eq!(TimelockedWeights::decode(&older.encode()).unwrap(), older);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..6_000)) {
            if let Ok(read) = TimelockedWeights::decode(&bytes) {
                prop_assert!(bytes.starts_with(&read.encode()));
            }
        }
    }
}
