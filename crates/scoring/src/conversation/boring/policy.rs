use serde::{Deserialize, Serialize};

use super::FluencyRules;
use crate::{Result, rules::all_within};

/// The constants of the Boring Index, with a name and a version. Text forms (JSON or TOML) may leave
/// constants out; unknown names are errors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BoringPolicy {
    /// For logs and stored reports.
    pub name: String,
    /// Counts up when a constant changes.
    pub version: u32,
    /// What each component counts.
    pub weights: BoringWeights,
    /// Lines before a line among which repeats are sought, at least 1.
    pub look_back: usize,
    /// The least a component counts, above 0: without it one dead component hides all others.
    pub floor: f64,
    /// With fewer lines there is no index.
    pub lines_least: usize,
    /// How defects of speech are found in text.
    pub fluency: FluencyRules,
}

impl Default for BoringPolicy {
    fn default() -> Self {
        Self {
            name: "conversation-boring/equal-1".into(),
            version: 1,
            weights: BoringWeights::default(),
            look_back: 10,
            floor: 0.01,
            lines_least: 3,
            fluency: FluencyRules::default(),
        }
    }
}

impl BoringPolicy {
    /// Checks every constant.
    ///
    /// # Errors
    /// [`Error::Constant`](crate::Error::Constant) names the first out of range: weights lie in 0 to 1 and sum to 1, the
    /// floor in 10⁻⁶ to 1, `look_back` in 1 to 10,000.
    pub fn validate(&self) -> Result<()> {
        let weights = self.weights.parts();
        let sum: f64 = weights.iter().map(|(_, weight)| weight).sum();
        let named = weights
            .iter()
            .map(|(name, weight)| (*name, *weight, 0.0, 1.0));
        let others = [
            ("the sum of the weights", sum, 1.0 - 1e-9, 1.0 + 1e-9),
            ("floor", self.floor, 1e-6, 1.0),
            ("look_back", self.look_back as f64, 1.0, 10_000.0),
        ];
        all_within(named.chain(others))?;
        self.fluency.validate()
    }
}

/// What each component of the Boring Index counts; 0 to 1, together 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BoringWeights {
    /// Staying with the topic.
    pub relevance: f64,
    /// Everybody taking part.
    pub engagement: f64,
    /// Lines unlike those before.
    pub novelty: f64,
    /// Each line following from the one before.
    pub coherence: f64,
    /// Speech without defects.
    pub fluency: f64,
}

/// A fifth each.
impl Default for BoringWeights {
    fn default() -> Self {
        Self {
            relevance: 0.2,
            engagement: 0.2,
            novelty: 0.2,
            coherence: 0.2,
            fluency: 0.2,
        }
    }
}

impl BoringWeights {
    pub(super) fn parts(&self) -> [(&'static str, f64); 5] {
        [
            ("relevance", self.relevance),
            ("engagement", self.engagement),
            ("novelty", self.novelty),
            ("coherence", self.coherence),
            ("fluency", self.fluency),
        ]
    }
}
