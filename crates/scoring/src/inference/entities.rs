use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Result, rules::within};

/// Who stands behind a miner, as far as the chain tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Entity<'a> {
    /// Its address as text, or as the integer that the chain stores; empty, `0` and `0.0.0.0` are no
    /// address.
    pub ip: &'a str,
    /// The key that owns it; empty when unknown.
    pub coldkey: &'a str,
}

/// How many votes all miners of one entity have together.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EntityCap {
    /// The votes of a capped entity, greater than 0.
    pub votes: f64,
    /// Least number of miners that is capped.
    pub least_miners: usize,
}

/// One vote, from two miners up, as in the field.
impl Default for EntityCap {
    fn default() -> Self {
        Self {
            votes: 1.0,
            least_miners: 2,
        }
    }
}

/// The vote of each miner, over 0 to 1: `min(1, votes / N)` for N miners at the same address, then
/// the same for those left with the same coldkey. A miner that the chain does not know has 1.
///
/// ```
/// use adit_scoring::inference::{Entity, EntityCap, entity_weights};
///
/// let entity = |ip, coldkey| Some(Entity { ip, coldkey });
/// let miners = [entity("10.0.0.1", "a"), entity("10.0.0.1", "b"), entity("0", "b"), None];
/// assert_eq!(entity_weights(&EntityCap::default(), &miners)?, [0.5, 0.5, 1.0, 1.0]);
/// # Ok::<(), adit_scoring::Error>(())
/// ```
///
/// # Errors
/// [`Error::Constant`](crate::Error::Constant) unless the votes are greater than 0 and at most 1,000,000.
pub fn entity_weights(cap: &EntityCap, miners: &[Option<Entity<'_>>]) -> Result<Vec<f64>> {
    within("votes", cap.votes, f64::MIN_POSITIVE, 1e6)?;
    let mut weights: Vec<Option<f64>> = vec![None; miners.len()];
    for name in [address, coldkey] {
        let mut groups: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (place, (miner, weight)) in miners.iter().zip(&weights).enumerate() {
            if let (Some(name), None) = (miner.as_ref().and_then(name), weight) {
                groups.entry(name).or_default().push(place);
            }
        }
        let capped = |group: &&Vec<usize>| group.len() >= cap.least_miners;
        for group in groups.values().filter(capped) {
            let weight = (cap.votes / group.len() as f64).min(1.0);
            for place in group {
                if let Some(slot) = weights.get_mut(*place) {
                    *slot = Some(weight);
                }
            }
        }
    }
    Ok(weights
        .into_iter()
        .map(|weight| weight.unwrap_or(1.0))
        .collect())
}

fn address<'a>(entity: &Entity<'a>) -> Option<&'a str> {
    Some(entity.ip).filter(|ip| !matches!(*ip, "" | "0" | "0.0.0.0"))
}

fn coldkey<'a>(entity: &Entity<'a>) -> Option<&'a str> {
    Some(entity.coldkey).filter(|coldkey| !coldkey.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coldkeys_count_only_who_is_not_capped_by_address() {
        let entity = |ip, coldkey| Some(Entity { ip, coldkey });
        let miners = [
            entity("1", "a"),
            entity("1", "a"),
            entity("2", "a"),
            entity("3", "c"),
            entity("4", "c"),
            entity("5", "c"),
            entity("", ""),
            entity("", ""),
        ];
        let third = 1.0 / 3.0;
        let expected = [0.5, 0.5, 1.0, third, third, third, 1.0, 1.0];
        assert_eq!(
            entity_weights(&EntityCap::default(), &miners).unwrap(),
            expected
        );
        let none = EntityCap {
            votes: 0.0,
            least_miners: 2,
        };
        assert!(entity_weights(&none, &miners).is_err());
    }
}
