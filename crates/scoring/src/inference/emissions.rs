use serde::{Deserialize, Serialize};

use crate::{Error, Result, rules::all_within};

/// How an answer's emission follows from agreement, time and rank.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmissionPolicy {
    /// Name and version.
    pub name: String,
    /// What a miner loses that took all the time of the round, 0 to 1.
    pub slowness: f64,
    /// The factor of members of the consensus, 1 or more.
    pub member_factor: f64,
    /// The bonus of the best composite score before its bound, [`top_bonus`].
    pub top_bonus: f64,
    /// How fast it grows with the lead.
    pub top_steepness: f64,
    /// Its bound.
    pub top_bonus_limit: f64,
    /// How far quality decides, 0 to 1: the factor is `1 − quality + quality · q`.
    pub quality: f64,
    /// Whether an emission is multiplied by the answer's vote.
    pub by_vote: bool,
    /// The agreement and the emission of a lone answer that is to the point, 0 to 1.
    pub lone_answer: f64,
    /// Least cosine between a lone answer and the prompt.
    pub lone_relevance: f64,
    /// Whether a round in which nobody took any time has emissions.
    pub allows_no_time: bool,
}

impl EmissionPolicy {
    /// The rules of the system in the field.
    pub fn original() -> Self {
        Self {
            name: "inference-emission/original-1".into(),
            slowness: 1.0,
            member_factor: 1.2,
            top_bonus: 0.5,
            top_steepness: 0.1,
            top_bonus_limit: 1.5,
            quality: 0.0,
            by_vote: false,
            lone_answer: 1.0,
            lone_relevance: 0.20,
            allows_no_time: false,
        }
    }

    /// The original's rules without their holes:
    ///
    /// * `slowness` 0.25: the fastest answer no longer takes nearly all whatever it says.
    /// * `quality` 1: an emission is worth the answer's quality, which in the original only gates.
    /// * `by_vote`: miners of one entity share what one would get; in the original the cap of their
    ///   votes leaves their emissions whole.
    /// * `lone_answer` 0.5: answering alone pays less than agreeing, not more.
    /// * `allows_no_time`: a round with times of 0 is a round, not a failure.
    pub fn hardened() -> Self {
        Self {
            name: "inference-emission/hardened-1".into(),
            slowness: 0.25,
            quality: 1.0,
            by_vote: true,
            lone_answer: 0.5,
            allows_no_time: true,
            ..Self::original()
        }
    }

    /// Checks that every constant is in its range.
    ///
    /// # Errors
    /// [`Error::Constant`] names the first that is not.
    pub fn validate(&self) -> Result<()> {
        all_within([
            ("slowness", self.slowness, 0.0, 1.0),
            ("member_factor", self.member_factor, 1.0, 100.0),
            ("top_bonus", self.top_bonus, 0.0, 100.0),
            ("top_steepness", self.top_steepness, 0.0, 100.0),
            ("top_bonus_limit", self.top_bonus_limit, 1.0, 100.0),
            ("quality", self.quality, 0.0, 1.0),
            ("lone_answer", self.lone_answer, 0.0, 1.0),
            ("lone_relevance", self.lone_relevance, -1.0, 1.0),
        ])
    }
}

/// The answer with the best composite score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TopScore {
    /// Its place in the list.
    pub place: usize,
    /// The factor of its emission, 1 or more.
    pub factor: f64,
}

/// Who leads and what the lead is worth: `min(limit, 1 + bonus · tanh(steepness · Δ))` for a lead of Δ
/// over the second. Of equals, the first leads, with the factor 1. None of fewer than two.
///
/// # Errors
/// [`Error::NotFinite`] for a score, [`Error::Constant`] for the policy.
pub fn top_bonus(policy: &EmissionPolicy, scores: &[f64]) -> Result<Option<TopScore>> {
    policy.validate()?;
    if scores.iter().any(|score| !score.is_finite()) {
        return Err(Error::NotFinite { what: "a score" });
    }
    let mut best: Option<(usize, f64)> = None;
    let mut second: Option<f64> = None;
    for (place, score) in scores.iter().enumerate() {
        match best {
            Some((_, most)) if *score <= most => {
                second = Some(second.map_or(*score, |second| second.max(*score)));
            }
            _ => {
                second = best.map(|(_, most)| most);
                best = Some((place, *score));
            }
        }
    }
    let (Some((place, most)), Some(second)) = (best, second) else {
        return Ok(None);
    };
    let lead = policy.top_bonus * (policy.top_steepness * (most - second)).tanh();
    let factor = (1.0 + lead).min(policy.top_bonus_limit);
    Ok(Some(TopScore { place, factor }))
}

/// What an answer's emission depends on besides the round's agreement.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EmissionShare {
    /// How long the miner took, as the validator measured it; 0 or more.
    pub response_time_ms: f64,
    /// Whether the answer is in the consensus.
    pub member: bool,
    /// Its quality, 0 to 1.
    pub quality: f64,
    /// Its vote, 0 to 1.
    pub vote: f64,
}

/// A member with full quality and vote that took no time.
impl Default for EmissionShare {
    fn default() -> Self {
        Self {
            response_time_ms: 0.0,
            member: true,
            quality: 1.0,
            vote: 1.0,
        }
    }
}

/// The emission of each answer: `(1 − slowness · t_i / Σt) · agreement`, times the member's factor,
/// times the bonus of the answer at the top of `scores`, which are pairs of an answer's number and its
/// composite score ([`top_bonus`]); by the policy also times quality and vote.
///
/// # Errors
/// [`Error::NotFinite`] or [`Error::Negative`] for a time, a quality or a vote, [`Error::NotFinite`]
/// for the agreement or a score, [`Error::NoTime`] when nobody took any time and the policy needs some,
/// [`Error::Constant`] for the policy.
pub fn emissions(
    policy: &EmissionPolicy,
    answers: &[EmissionShare],
    agreement: f64,
    scores: &[(usize, f64)],
) -> Result<Vec<f64>> {
    if !agreement.is_finite() {
        return Err(Error::NotFinite {
            what: "the agreement",
        });
    }
    for answer in answers {
        for (what, number) in [
            ("a response time", answer.response_time_ms),
            ("a quality", answer.quality),
            ("a vote", answer.vote),
        ] {
            if !number.is_finite() {
                return Err(Error::NotFinite { what });
            }
            if number < 0.0 {
                return Err(Error::Negative { what });
            }
        }
    }
    let composite: Vec<f64> = scores.iter().map(|(_, score)| *score).collect();
    let top =
        top_bonus(policy, &composite)?.and_then(|top| Some((scores.get(top.place)?.0, top.factor)));
    let total: f64 = answers.iter().map(|answer| answer.response_time_ms).sum();
    if !total.is_finite() {
        return Err(Error::NotFinite {
            what: "the sum of response times",
        });
    }
    if total == 0.0 && !policy.allows_no_time && !answers.is_empty() {
        return Err(Error::NoTime);
    }
    let each = answers.iter().enumerate();
    Ok(each
        .map(|(place, answer)| {
            let share = if total > 0.0 {
                answer.response_time_ms / total
            } else {
                0.0
            };
            let member = if answer.member {
                policy.member_factor
            } else {
                1.0
            };
            let bonus = top.map_or(1.0, |(of, factor)| if of == place { factor } else { 1.0 });
            let quality = 1.0 - policy.quality + policy.quality * answer.quality;
            let vote = if policy.by_vote { answer.vote } else { 1.0 };
            (1.0 - policy.slowness * share) * agreement * member * bonus * quality * vote
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(response_time_ms: f64) -> EmissionShare {
        EmissionShare {
            response_time_ms,
            ..EmissionShare::default()
        }
    }

    #[test]
    fn the_lead_is_bounded_and_ties_go_to_the_first() {
        let policy = EmissionPolicy::original();
        let top = |scores: &[f64]| top_bonus(&policy, scores).unwrap();
        assert_eq!(top(&[]), None);
        assert_eq!(top(&[3.0]), None);
        assert_eq!(
            top(&[1.0, 2.0, 2.0]),
            Some(TopScore {
                place: 1,
                factor: 1.0
            })
        );
        assert_eq!(
            top(&[-1e9, 1e9]),
            Some(TopScore {
                place: 1,
                factor: 1.5
            })
        );
        assert!(top_bonus(&policy, &[f64::NAN]).is_err());
    }

    #[test]
    fn no_time_is_an_error_only_in_the_original() {
        let answers = [share(0.0), share(0.0)];
        let original = emissions(&EmissionPolicy::original(), &answers, 0.5, &[]);
        assert_eq!(original, Err(Error::NoTime));
        let hardened = emissions(&EmissionPolicy::hardened(), &answers, 0.5, &[]).unwrap();
        assert_eq!(hardened, [0.6, 0.6]);
        assert_eq!(
            emissions(&EmissionPolicy::original(), &[], 0.5, &[]),
            Ok(vec![])
        );
    }

    #[test]
    fn quality_outweighs_speed_in_the_hardened_policy() {
        let fast = EmissionShare {
            quality: 0.4,
            ..share(100.0)
        };
        let good = EmissionShare {
            quality: 0.9,
            ..share(9_900.0)
        };
        let paid = |policy| emissions(&policy, &[fast, good], 0.8, &[]).unwrap();
        let original = paid(EmissionPolicy::original());
        assert!(original[0] > 50.0 * original[1]);
        let hardened = paid(EmissionPolicy::hardened());
        assert!(hardened[1] > hardened[0]);
    }

    #[test]
    fn an_entity_is_paid_once_in_the_hardened_policy() {
        let miners = [EmissionShare {
            vote: 0.5,
            ..share(10.0)
        }; 2];
        let paid = |policy| emissions(&policy, &miners, 0.8, &[]).unwrap();
        let alone = emissions(
            &EmissionPolicy::hardened(),
            &[share(10.0), share(10.0)],
            0.8,
            &[],
        );
        let (hardened, alone) = (paid(EmissionPolicy::hardened()), alone.unwrap());
        assert!((hardened.iter().sum::<f64>() - alone[0]).abs() < 1e-12);
        assert_eq!(paid(EmissionPolicy::original()), [0.5 * 0.8 * 1.2; 2]);
    }

    #[test]
    fn refuses_poison() {
        let policy = EmissionPolicy::original();
        assert!(emissions(&policy, &[share(f64::NAN)], 1.0, &[]).is_err());
        assert!(emissions(&policy, &[share(-1.0)], 1.0, &[]).is_err());
        assert!(emissions(&policy, &[share(1.0)], f64::NAN, &[]).is_err());
        let wrong = EmissionPolicy {
            slowness: 2.0,
            ..policy
        };
        assert!(emissions(&wrong, &[share(1.0)], 1.0, &[]).is_err());
    }
}
