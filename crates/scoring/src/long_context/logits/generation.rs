use serde::{Deserialize, Serialize};

use super::LogSoftmax;
use crate::{Result, rules::all_within};

/// Largest [`GenerationRules::top`]: what is kept of a step while it is read.
const TOP_MOST: usize = 64;

/// Bounds of [`verify_generation`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GenerationRules {
    /// Least number of captured steps. One is not enough to tell a model from a copy of one step.
    pub steps_least: u32,
    /// Largest Kullback-Leibler divergence of one step, in nats, from reference to miner.
    pub divergence_most: f64,
    /// How many of the likeliest tokens are compared, 1 to 64.
    pub top: u32,
    /// Least share of the reference's likeliest tokens that are also the miner's.
    pub overlap_least: f64,
    /// By how many nats a returned token may be less likely to the reference than its likeliest one:
    /// honest hardware decides near-ties differently.
    pub token_gap_most: f64,
}

impl Default for GenerationRules {
    fn default() -> Self {
        Self {
            steps_least: 4,
            divergence_most: 0.02,
            top: 16,
            overlap_least: 0.75,
            token_gap_most: 0.25,
        }
    }
}

impl GenerationRules {
    /// Checks that every bound is in its range.
    ///
    /// # Errors
    /// [`Error::Constant`](crate::Error::Constant) names the first that is not.
    pub fn validate(&self) -> Result<()> {
        let constants = [
            ("steps_least", f64::from(self.steps_least), 1.0, 1e6),
            ("divergence_most", self.divergence_most, 0.0, 1e6),
            ("top", f64::from(self.top), 1.0, TOP_MOST as f64),
            ("overlap_least", self.overlap_least, 0.0, 1.0),
            ("token_gap_most", self.token_gap_most, 0.0, 1e6),
        ];
        all_within(constants)
    }
}

/// One step of a generation, as the miner captured it, and as the reference sees it *when it has read
/// the miner's own tokens up to there*: a different choice among near-equal tokens then spoils nothing
/// that follows.
#[derive(Debug, Clone, Copy)]
pub struct CapturedStep<'step> {
    /// The miner's logits, one per token of the vocabulary.
    pub miner: &'step [f32],
    /// The reference's.
    pub reference: &'step [f32],
    /// The token that the miner returned at this step.
    pub token: u32,
}

/// Why a generation is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
#[non_exhaustive]
pub enum GenerationRefusal {
    /// Not as many tokens as were asked for.
    TokensMissing,
    /// Fewer captured steps than the rules want.
    StepsMissing,
    /// A step's logits have another length than the reference's, or none.
    ShapeMismatch {
        /// Its place among the steps.
        step: usize,
    },
    /// A logit is NaN or +∞, or a step excludes every token.
    NotFinite {
        /// Its place.
        step: usize,
    },
    /// The distribution differs too much.
    Divergent {
        /// Its place.
        step: usize,
    },
    /// The likeliest tokens differ too much.
    OtherTop {
        /// Its place.
        step: usize,
    },
    /// The returned token is none that the reference would have chosen.
    OtherToken {
        /// Its place.
        step: usize,
    },
}

/// What [`verify_generation`] found.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct GenerationVerdict {
    /// Why not, or nothing when it is the reference's generation.
    pub refusal: Option<GenerationRefusal>,
    /// Steps that passed.
    pub steps: usize,
    /// Largest divergence of these, in nats.
    pub divergence: f64,
    /// Smallest overlap of their likeliest tokens, 0 to 1.
    pub overlap: f64,
}

impl GenerationVerdict {
    /// Whether the generation is the reference's.
    pub const fn verified(&self) -> bool {
        self.refusal.is_none()
    }
}

/// Checks several captured steps of one generation. Closes these holes of [`super::verify`]:
///
/// - one step out of the first 50 is compared, so that the rest need not be computed: here several,
///   which the caller draws from the whole range with a recorded seed;
/// - tokens are never looked at: here they must be complete, and each checked one must be a choice
///   that the reference could have made;
/// - raw logits are compared, so that a constant added by honest software fails and one changed
///   likeliest token passes: here the distributions and their likeliest tokens are;
/// - half precision and other kernels exceed an absolute bound of 0.1: a divergence in nats does not
///   depend on the scale of logits;
/// - a vector of the wrong length stops the validator: here it is a refusal.
///
/// Stops at the first step that fails. Each step is read four times, without allocation; time grows
/// with the vocabulary times `top` in the worst case (logits in ascending order).
///
/// # Errors
/// [`Error::Constant`](crate::Error::Constant) for rules out of range, [`Error::NotFinite`](crate::Error::NotFinite) for a reference with NaN or +∞:
/// that is the validator's own failure and no judgement of the miner.
pub fn verify_generation<'step>(
    rules: &GenerationRules,
    tokens_returned: usize,
    tokens_asked: usize,
    steps: impl IntoIterator<Item = CapturedStep<'step>>,
) -> Result<GenerationVerdict> {
    rules.validate()?;
    let mut verdict = GenerationVerdict {
        refusal: None,
        steps: 0,
        divergence: 0.0,
        overlap: 1.0,
    };
    if tokens_returned != tokens_asked || tokens_asked == 0 {
        verdict.refusal = Some(GenerationRefusal::TokensMissing);
        return Ok(verdict);
    }
    for (place, step) in steps.into_iter().enumerate() {
        match check_step(rules, step)? {
            Ok((divergence, overlap)) => {
                verdict.steps += 1;
                verdict.divergence = verdict.divergence.max(divergence);
                verdict.overlap = verdict.overlap.min(overlap);
            }
            Err(refused) => {
                verdict.refusal = Some(refused(place));
                return Ok(verdict);
            }
        }
    }
    if verdict.steps < rules.steps_least as usize {
        verdict.refusal = Some(GenerationRefusal::StepsMissing);
    }
    Ok(verdict)
}

type Refused = fn(usize) -> GenerationRefusal;

/// Divergence and overlap of a step, or how to refuse it.
fn check_step(
    rules: &GenerationRules,
    step: CapturedStep<'_>,
) -> Result<Result<(f64, f64), Refused>> {
    let reference = LogSoftmax::of(step.reference, 1.0)?;
    if step.miner.len() != step.reference.len() {
        return Ok(Err(|step| GenerationRefusal::ShapeMismatch { step }));
    }
    let Ok(miner) = LogSoftmax::of(step.miner, 1.0) else {
        return Ok(Err(|step| GenerationRefusal::NotFinite { step }));
    };
    let mut divergence = 0.0;
    for (theirs, ours) in step.miner.iter().zip(step.reference) {
        let expected = reference.at(*ours);
        let share = expected.exp();
        if share > 0.0 {
            divergence += share * (expected - miner.at(*theirs));
        }
    }
    // Rounding can take it a little below 0.
    if divergence.is_nan() || divergence > rules.divergence_most {
        return Ok(Err(|step| GenerationRefusal::Divergent { step }));
    }
    let theirs = Top::of(step.miner, rules.top as usize);
    let ours = Top::of(step.reference, rules.top as usize);
    let overlap = theirs.share_of(&ours);
    if overlap < rules.overlap_least {
        return Ok(Err(|step| GenerationRefusal::OtherTop { step }));
    }
    let likeliest = ours.largest();
    let chosen = step.reference.get(step.token as usize);
    let gap = chosen.map(|chosen| f64::from(likeliest) - f64::from(*chosen));
    if gap.is_none_or(|gap| gap > rules.token_gap_most) {
        return Ok(Err(|step| GenerationRefusal::OtherToken { step }));
    }
    Ok(Ok((divergence.max(0.0), overlap)))
}

/// The likeliest tokens of a step, likeliest first; of equal ones the first in the vocabulary.
struct Top {
    tokens: [usize; TOP_MOST],
    logits: [f32; TOP_MOST],
    count: usize,
}

impl Top {
    fn of(logits: &[f32], most: usize) -> Self {
        let mut top = Self {
            tokens: [0; TOP_MOST],
            logits: [f32::NEG_INFINITY; TOP_MOST],
            count: 0,
        };
        let most = most.min(TOP_MOST);
        let mut least = f32::NEG_INFINITY;
        for (token, logit) in logits.iter().enumerate() {
            if top.count == most && *logit <= least {
                continue;
            }
            let kept = top.logits.get(..top.count).unwrap_or_default();
            let place = kept.partition_point(|kept| kept >= logit);
            top.count = (top.count + 1).min(most);
            if let Some(tokens) = top.tokens.get_mut(place..top.count) {
                tokens.rotate_right(1);
                if let Some(slot) = tokens.first_mut() {
                    *slot = token;
                }
            }
            if let Some(logits) = top.logits.get_mut(place..top.count) {
                logits.rotate_right(1);
                if let Some(slot) = logits.first_mut() {
                    *slot = *logit;
                }
            }
            let last = top
                .count
                .checked_sub(1)
                .and_then(|last| top.logits.get(last));
            least = last.copied().unwrap_or(f32::NEG_INFINITY);
        }
        top
    }

    fn tokens(&self) -> &[usize] {
        self.tokens.get(..self.count).unwrap_or_default()
    }

    fn largest(&self) -> f32 {
        self.logits.first().copied().unwrap_or(f32::NEG_INFINITY)
    }

    /// The share of the other's tokens that are also here; 1 of none.
    fn share_of(&self, other: &Self) -> f64 {
        let shared = other.tokens().iter();
        let shared = shared.filter(|token| self.tokens().contains(token)).count();
        shared as f64 / other.count.max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vocabulary(shift: f32) -> Vec<f32> {
        (0..1_000)
            .map(|token| shift - (token as f32) * 0.3)
            .collect()
    }

    fn check(miner: &[f32], token: u32, steps: usize) -> GenerationVerdict {
        let reference = vocabulary(0.0);
        let step = CapturedStep {
            miner,
            reference: &reference,
            token,
        };
        let steps = std::iter::repeat_n(step, steps);
        verify_generation(&GenerationRules::default(), 8, 8, steps).unwrap()
    }

    #[test]
    fn a_constant_on_all_logits_changes_nothing() {
        let verdict = check(&vocabulary(7.0), 0, 4);
        assert!(verdict.verified(), "{verdict:?}");
        assert!(verdict.divergence < 1e-6 && verdict.overlap == 1.0);
    }

    #[test]
    fn each_hole_is_closed() {
        use GenerationRefusal as Refusal;
        let honest = vocabulary(0.0);
        assert_eq!(check(&honest, 0, 3).refusal, Some(Refusal::StepsMissing));
        assert_eq!(
            check(&honest, 2, 4).refusal,
            Some(Refusal::OtherToken { step: 0 })
        );
        assert_eq!(
            check(&honest, 1_000, 4).refusal,
            Some(Refusal::OtherToken { step: 0 })
        );
        assert_eq!(
            check(&honest[1..], 0, 4).refusal,
            Some(Refusal::ShapeMismatch { step: 0 })
        );
        let mut poisoned = honest.clone();
        poisoned[3] = f32::NAN;
        assert_eq!(
            check(&poisoned, 0, 4).refusal,
            Some(Refusal::NotFinite { step: 0 })
        );
        let mut excluding = honest;
        excluding[0] = f32::NEG_INFINITY;
        assert_eq!(
            check(&excluding, 0, 4).refusal,
            Some(Refusal::Divergent { step: 0 })
        );
        let missing = verify_generation(&GenerationRules::default(), 50, 512, []).unwrap();
        assert_eq!(missing.refusal, Some(Refusal::TokensMissing));
    }

    #[test]
    fn other_likeliest_tokens_are_seen_where_the_divergence_is_small() {
        // One token has nearly everything; what follows differs wholly.
        let mut reference = vec![0.0_f32; 1_000];
        let mut miner = reference.clone();
        reference[0] = 30.0;
        miner[0] = 30.0;
        for token in 1..40 {
            reference[token] = 5.0;
            miner[token + 500] = 5.0;
        }
        let step = CapturedStep {
            miner: &miner,
            reference: &reference,
            token: 0,
        };
        let rules = GenerationRules::default();
        let verdict = verify_generation(&rules, 1, 1, [step; 4]).unwrap();
        assert_eq!(
            verdict.refusal,
            Some(GenerationRefusal::OtherTop { step: 0 })
        );
    }

    #[test]
    fn the_validators_own_failure_judges_nobody() {
        let step = CapturedStep {
            miner: &[0.0],
            reference: &[f32::NAN],
            token: 0,
        };
        assert!(verify_generation(&GenerationRules::default(), 1, 1, [step]).is_err());
    }

    #[test]
    fn the_likeliest_are_kept_in_order() {
        let top = Top::of(&[1.0, 5.0, 5.0, 2.0, f32::NEG_INFINITY, 9.0], 4);
        assert_eq!(top.tokens(), [5, 1, 2, 3]);
        assert_eq!(Top::of(&[f32::NEG_INFINITY; 3], 2).tokens(), [0, 1]);
    }
}
