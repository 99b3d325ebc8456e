use std::fmt;

use serde::{Deserialize, Serialize};

use super::{
    diversity::DiversityRules,
    leader::LeadMargin,
    logits::{GenerationRules, LogitBounds},
    multiplier::MultiplierTable,
    ranking::FIELD_SHARES,
    reward::WeightedRewardRules,
};
use crate::{
    Result,
    rules::{all_within, within},
};

/// A named, versioned set of rules with all its constants.
///
/// Its text form (JSON or TOML) names the policy and every constant; unknown names and unknown
/// constants are errors, absent constants take the policy's own value.
///
/// ```
/// use adit_scoring::long_context::LongContextPolicy;
///
/// let policy = LongContextPolicy::hardened();
/// let text = serde_json::to_string(&policy)?;
/// assert!(text.starts_with(r#"{"policy":"long-context/hardened-1""#));
/// assert_eq!(serde_json::from_str::<LongContextPolicy>(&text)?, policy);
/// assert!(serde_json::from_str::<LongContextPolicy>(r#"{"policy":"long-context/x"}"#).is_err());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "policy")]
pub enum LongContextPolicy {
    /// The formulas of the system in the field.
    #[serde(rename = "long-context/original-1")]
    Original(OriginalLongContextRules),
    /// The default; [`super`] lists how it differs.
    #[serde(rename = "long-context/hardened-1")]
    Hardened(HardenedLongContextRules),
}

impl LongContextPolicy {
    /// The policy of the system in the field.
    pub fn original() -> Self {
        Self::Original(OriginalLongContextRules::default())
    }

    /// The default policy.
    pub fn hardened() -> Self {
        Self::Hardened(HardenedLongContextRules::default())
    }

    /// Name and version.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Original(_) => "long-context/original-1",
            Self::Hardened(_) => "long-context/hardened-1",
        }
    }

    /// Checks that every constant is finite and in its range.
    ///
    /// # Errors
    /// [`Error::Constant`](crate::Error::Constant) or [`Error::Empty`](crate::Error::Empty) names the first that is not.
    pub fn validate(&self) -> Result<()> {
        match self {
            Self::Original(rules) => rules.validate(),
            Self::Hardened(rules) => rules.validate(),
        }
    }
}

impl Default for LongContextPolicy {
    fn default() -> Self {
        Self::hardened()
    }
}

/// One line: the name, then each constant.
impl fmt::Display for LongContextPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Self::Original(rules) => rules.fmt_constants(f),
            Self::Hardened(rules) => rules.fmt_constants(f),
        }
    }
}

/// Constants of `long-context/original-1`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OriginalLongContextRules {
    /// The weighted reward of one answer ([`super::reward::weighted_reward`]).
    pub reward: WeightedRewardRules,
    /// The multipliers of the subnet's documents ([`super::multiplier::bucket_reward`]).
    pub multipliers: MultiplierTable,
    /// The leagues by which speeds are ranked ([`super::ranking::rank_claims`]).
    pub leagues: MultiplierTable,
    /// The check of one captured step ([`super::logits::verify`]).
    pub logits: LogitBounds,
    /// By how much a leader must be beaten ([`super::leader::select_leader`]).
    pub lead: LeadMargin,
    /// What consistency adds ([`super::incentive::incentive_distribution`]).
    pub consistency_weight: f64,
    /// How diversity adjusts scores ([`super::diversity::DiversityTracker`]).
    pub diversity: DiversityRules,
}

impl Default for OriginalLongContextRules {
    fn default() -> Self {
        Self {
            reward: WeightedRewardRules::default(),
            multipliers: MultiplierTable::documented(),
            leagues: MultiplierTable::leagues(),
            logits: LogitBounds::default(),
            lead: LeadMargin::Seconds(0.01),
            consistency_weight: 0.3,
            diversity: DiversityRules::default(),
        }
    }
}

impl OriginalLongContextRules {
    fn validate(&self) -> Result<()> {
        self.reward.validate()?;
        self.multipliers.validate()?;
        self.leagues.validate()?;
        self.diversity.validate()?;
        let (LeadMargin::Seconds(lead) | LeadMargin::Share(lead)) = self.lead;
        all_within([
            ("cosine_least", self.logits.cosine_least, -1.0, 1.0),
            ("difference_most", self.logits.difference_most, 0.0, 1e6),
            ("lead", lead, 0.0, 1e6),
            ("consistency_weight", self.consistency_weight, 0.0, 1e6),
        ])
    }

    fn fmt_constants(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, " reward={:?}", self.reward)?;
        write!(f, " multipliers={:?}", self.multipliers)?;
        write!(f, " leagues={:?}", self.leagues)?;
        write!(f, " logits={:?} lead={:?}", self.logits, self.lead)?;
        write!(f, " consistency_weight={}", self.consistency_weight)?;
        write!(f, " diversity={:?}", self.diversity)
    }
}

/// Constants of `long-context/hardened-1`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HardenedLongContextRules {
    /// Weight of accuracy, which every answer must have.
    pub accuracy_weight: f64,
    /// Weight of memory, where it was measured.
    pub memory_weight: f64,
    /// Weight of position, where it was measured.
    pub position_weight: f64,
    /// Weight of coherence, where it was measured.
    pub coherence_weight: f64,
    /// Weight of consistency under changes that must not matter, where it was measured.
    pub consistency_weight: f64,
    /// Weight of speed, where it was measured.
    pub speed_weight: f64,
    /// Tokens per second that earn full marks for speed.
    pub full_speed: f64,
    /// Words that an answer may have around a needle ([`super::needle::grade`]).
    pub needle_slack: u32,
    /// What longer contexts are worth ([`super::multiplier::length_weighted`]).
    pub multipliers: MultiplierTable,
    /// The leagues by which speeds are ranked ([`super::ranking::rank_measured`]).
    pub leagues: MultiplierTable,
    /// Relative shares of the first ranks.
    pub shares: Vec<f64>,
    /// The check of captured steps ([`super::logits::verify_generation`]).
    pub generation: GenerationRules,
    /// By how much a leader must be beaten ([`super::leader::select_leader`]).
    pub lead: LeadMargin,
}

impl Default for HardenedLongContextRules {
    fn default() -> Self {
        Self {
            accuracy_weight: 0.60,
            memory_weight: 0.15,
            position_weight: 0.05,
            coherence_weight: 0.05,
            consistency_weight: 0.10,
            speed_weight: 0.05,
            full_speed: 1_000.0,
            needle_slack: 12,
            multipliers: MultiplierTable::documented(),
            leagues: MultiplierTable::leagues(),
            shares: FIELD_SHARES.to_vec(),
            generation: GenerationRules::default(),
            lead: LeadMargin::Share(0.05),
        }
    }
}

impl HardenedLongContextRules {
    fn weights(&self) -> [(&'static str, f64); 6] {
        [
            ("accuracy_weight", self.accuracy_weight),
            ("memory_weight", self.memory_weight),
            ("position_weight", self.position_weight),
            ("coherence_weight", self.coherence_weight),
            ("consistency_weight", self.consistency_weight),
            ("speed_weight", self.speed_weight),
        ]
    }

    fn validate(&self) -> Result<()> {
        self.multipliers.validate()?;
        self.leagues.validate()?;
        self.generation.validate()?;
        for (name, weight) in self.weights() {
            within(name, weight, 0.0, 1e6)?;
        }
        for share in &self.shares {
            within("shares", *share, 0.0, 1e6)?;
        }
        let (LeadMargin::Seconds(lead) | LeadMargin::Share(lead)) = self.lead;
        all_within([
            // What every answer has must count, or a mean of nothing would be needed.
            ("accuracy_weight", self.accuracy_weight, 1e-6, 1e6),
            ("full_speed", self.full_speed, 1e-9, 1e9),
            ("lead", lead, 0.0, 1e6),
        ])
    }

    fn fmt_constants(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, weight) in self.weights() {
            write!(f, " {name}={weight}")?;
        }
        write!(f, " full_speed={}", self.full_speed)?;
        write!(f, " needle_slack={}", self.needle_slack)?;
        write!(f, " multipliers={:?}", self.multipliers)?;
        write!(f, " leagues={:?}", self.leagues)?;
        write!(f, " shares={:?}", self.shares)?;
        write!(f, " generation={:?} lead={:?}", self.generation, self.lead)
    }
}
