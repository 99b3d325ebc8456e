use serde::{Deserialize, Serialize};

/// A neuron of the subnet that may be a miner.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ServingCandidate<'a> {
    /// Its key.
    pub hotkey: &'a str,
    /// Its address as text, or as the integer that the chain stores.
    pub ip: &'a str,
    /// Its port.
    pub port: u16,
    /// Its stake in TAO.
    pub stake: f64,
}

/// Who counts as a serving miner.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServingPolicy {
    /// Name and version.
    pub name: String,
    /// Where no list of validators is known, a neuron with at least this stake, in TAO, is one.
    pub validator_stake: f64,
    /// Whether a list of validators without an entry counts as known.
    pub trusts_empty_list: bool,
}

impl ServingPolicy {
    /// The rules of the system in the field.
    pub fn original() -> Self {
        Self {
            name: "inference-serving/original-1".into(),
            validator_stake: 999.0,
            trusts_empty_list: true,
        }
    }

    /// An empty list of validators is no list: in the original, one that could not be fetched lets
    /// every validator pass for a miner.
    pub fn hardened() -> Self {
        Self {
            name: "inference-serving/hardened-1".into(),
            trusts_empty_list: false,
            ..Self::original()
        }
    }
}

/// The serving miners, and why the others are none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ServingMiners {
    /// Numbers of the candidates that are serving miners, in order.
    pub kept: Vec<usize>,
    /// Candidates that are the caller itself.
    pub own: usize,
    /// Candidates without an address or a port.
    pub without_endpoint: usize,
    /// Candidates that the list of validators names.
    pub listed_validators: usize,
    /// Candidates that hold a validator's stake.
    pub high_stake: usize,
}

/// Which candidates are serving miners: not the caller, reachable, and no validator, by the list of
/// validators' hotkeys where there is one, else by stake. A stake that is NaN is not high.
pub fn serving_miners(
    policy: &ServingPolicy,
    candidates: &[ServingCandidate<'_>],
    own_hotkey: &str,
    validators: Option<&[&str]>,
) -> ServingMiners {
    let mut validators: Option<Vec<&str>> = validators
        .filter(|list| policy.trusts_empty_list || !list.is_empty())
        .map(<[&str]>::to_vec);
    if let Some(list) = &mut validators {
        list.sort_unstable();
    }
    let mut serving = ServingMiners::default();
    for (place, candidate) in candidates.iter().enumerate() {
        let unreachable = matches!(candidate.ip, "" | "0" | "0.0.0.0") || candidate.port == 0;
        let listed = validators
            .as_ref()
            .map(|list| list.binary_search(&candidate.hotkey).is_ok());
        if candidate.hotkey == own_hotkey {
            serving.own += 1;
        } else if unreachable {
            serving.without_endpoint += 1;
        } else if listed == Some(true) {
            serving.listed_validators += 1;
        } else if listed.is_none() && candidate.stake >= policy.validator_stake {
            serving.high_stake += 1;
        } else {
            serving.kept.push(place);
        }
    }
    serving
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_list_hides_validators_only_in_the_original() {
        let candidate = |hotkey, stake| ServingCandidate {
            hotkey,
            ip: "1.2.3.4",
            port: 8000,
            stake,
        };
        let candidates = [
            candidate("rich", 999.0),
            candidate("poor", 998.9),
            candidate("me", 0.0),
        ];
        let original = serving_miners(&ServingPolicy::original(), &candidates, "me", Some(&[]));
        assert_eq!((original.kept, original.own), (vec![0, 1], 1));
        let hardened = serving_miners(&ServingPolicy::hardened(), &candidates, "me", Some(&[]));
        assert_eq!((hardened.kept, hardened.high_stake), (vec![1], 1));
        let listed = serving_miners(&ServingPolicy::hardened(), &candidates, "", Some(&["poor"]));
        assert_eq!((listed.kept, listed.listed_validators), (vec![0, 2], 1));
    }
}
