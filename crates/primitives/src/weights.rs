use serde::{Deserialize, Serialize};

use crate::{Error, Result, Uid};

/// Quantised weights as `set_weights` takes them: sorted by uid, each uid once.
///
/// The chain walks rows with a forward-only cursor in places, so the order is part of the type.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WeightVector(Vec<(Uid, u16)>);

impl WeightVector {
    /// Sorts the pairs by uid.
    ///
    /// # Errors
    /// [`Error::DuplicateUid`] when a uid appears twice.
    pub fn new(mut pairs: Vec<(Uid, u16)>) -> Result<Self> {
        // Rows are mostly built in uid order, and the check is cheaper than sorting what is sorted.
        if pairs.is_sorted_by(|(uid, _), (next, _)| uid < next) {
            return Ok(Self(pairs));
        }
        pairs.sort_by_key(|(uid, _)| *uid);
        for pair in pairs.windows(2) {
            if pair[0].0 == pair[1].0 {
                return Err(Error::DuplicateUid { uid: pair[0].0 });
            }
        }
        Ok(Self(pairs))
    }

    /// The pairs, sorted by uid.
    pub fn pairs(&self) -> &[(Uid, u16)] {
        &self.0
    }

    /// How many uids have a weight.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorts_and_refuses_duplicates() {
        let sorted = WeightVector::new(vec![(Uid(4), 1), (Uid(2), 9)]).unwrap();
        assert_eq!(sorted.pairs(), [(Uid(2), 9), (Uid(4), 1)]);
        assert_eq!(
            WeightVector::new(vec![(Uid(4), 1), (Uid(4), 9)]),
            Err(Error::DuplicateUid { uid: Uid(4) })
        );
    }
}
