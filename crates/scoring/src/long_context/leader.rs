//! The one miner that takes all: the earliest of those that no other beats clearly.

use serde::{Deserialize, Serialize};

/// An evaluated miner.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LeaderCandidate {
    /// Seconds per token, lower being better.
    pub seconds_per_token: f64,
    /// Whether its logits match the reference.
    pub verified: bool,
    /// The block in which it committed.
    pub block: u64,
}

/// By how much a miner must be faster to beat another.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeadMargin {
    /// By so many seconds per token, as in the field with 0.01: whoever needs no more than that
    /// cannot be beaten, so that at 100 tokens per second and more only the block decides.
    Seconds(f64),
    /// By this share of the other's seconds per token, 0 to 1. A time that is not finite and above 0
    /// neither leads nor beats.
    Share(f64),
}

impl LeadMargin {
    fn beats(self, faster: f64, slower: f64) -> bool {
        match self {
            Self::Seconds(margin) => faster < slower - margin,
            Self::Share(share) => possible(faster) && faster < slower * (1.0 - share),
        }
    }
}

fn possible(seconds: f64) -> bool {
    seconds > 0.0 && seconds.is_finite()
}

/// Whether the first beats the second. Being verified does not matter here.
pub fn beats(first: &LeaderCandidate, second: &LeaderCandidate, margin: LeadMargin) -> bool {
    margin.beats(first.seconds_per_token, second.seconds_per_token)
}

/// The index of the leader: of the verified that no verified beats, the one with the smallest block,
/// and of several the first. None when nobody is verified. Time grows with the number of candidates.
///
/// ```
/// use adit_scoring::long_context::leader::{LeadMargin, LeaderCandidate, select_leader};
///
/// let candidate = |speed: f64, block| LeaderCandidate {
///     seconds_per_token: 1.0 / speed,
///     verified: true,
///     block,
/// };
/// let round = [candidate(101.0, 1), candidate(100_000.0, 50)];
/// assert_eq!(select_leader(&round, LeadMargin::Seconds(0.01)), Some(0));
/// assert_eq!(select_leader(&round, LeadMargin::Share(0.05)), Some(1));
/// ```
pub fn select_leader(candidates: &[LeaderCandidate], margin: LeadMargin) -> Option<usize> {
    let enters = |candidate: &LeaderCandidate| {
        candidate.verified
            && match margin {
                LeadMargin::Seconds(_) => true,
                LeadMargin::Share(_) => possible(candidate.seconds_per_token),
            }
    };
    let entered = || {
        let candidates = candidates.iter().enumerate();
        candidates.filter(|(_, candidate)| enters(candidate))
    };
    // Whoever is beaten at all is beaten by the fastest; `min` passes over NaN, which beats nobody.
    let times = entered().map(|(_, candidate)| candidate.seconds_per_token);
    let fastest = times.fold(f64::NAN, f64::min);
    entered()
        .filter(|(_, candidate)| !margin.beats(fastest, candidate.seconds_per_token))
        .min_by_key(|(_, candidate)| candidate.block)
        .map(|(index, _)| index)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(seconds_per_token: f64, block: u64) -> LeaderCandidate {
        LeaderCandidate {
            seconds_per_token,
            verified: true,
            block,
        }
    }

    #[test]
    fn nobody_leads_among_nobody() {
        let mut lone = candidate(1.0, 1);
        lone.verified = false;
        assert_eq!(select_leader(&[lone], LeadMargin::Seconds(0.01)), None);
        assert_eq!(select_leader(&[], LeadMargin::Share(0.1)), None);
    }

    #[test]
    fn impossible_times_do_not_lead() {
        let round = [
            candidate(f64::NAN, 1),
            candidate(0.0, 2),
            candidate(-1.0, 3),
            candidate(f64::INFINITY, 4),
            candidate(0.5, 9),
        ];
        assert_eq!(select_leader(&round, LeadMargin::Share(0.1)), Some(4));
    }

    #[test]
    fn the_earlier_of_equals_leads() {
        let round = [candidate(0.5, 3), candidate(0.5, 2), candidate(0.49, 2)];
        assert_eq!(select_leader(&round, LeadMargin::Share(0.1)), Some(1));
    }
}
