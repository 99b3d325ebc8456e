use serde::{Deserialize, Serialize};

use crate::{Result, rules::all_within};

/// What each signal weighs in an answer's quality.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QualityWeights {
    /// Relevance to the prompt.
    pub relevance: f64,
    /// Coherence of the sentences.
    pub coherence: f64,
    /// Coverage of the prompt's parts.
    pub coverage: f64,
    /// Steps and novelty.
    pub complexity: f64,
    /// Density of content words.
    pub density: f64,
    /// Specificity.
    pub specificity: f64,
}

/// How answers' quality is judged, with all constants.
///
/// ```
/// use adit_scoring::inference::quality::QualityPolicy;
///
/// let text = serde_json::to_string(&QualityPolicy::hardened())?;
/// assert!(text.starts_with(r#"{"policy":"quality/hardened-1""#));
/// assert_eq!(serde_json::from_str::<QualityPolicy>(&text)?, QualityPolicy::hardened());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QualityPolicy {
    /// Name and version.
    pub policy: String,
    /// Weights of the signals.
    pub weights: QualityWeights,
    /// Share of the whole answer's cosine with the prompt in relevance.
    pub whole_relevance: f64,
    /// Share of the better half of the sentences' cosines with the prompt in relevance.
    pub sentence_relevance: f64,
    /// Share of coverage in relevance.
    pub covered_relevance: f64,
    /// Cosine from which a part of the prompt is covered.
    pub covered_from: f64,
    /// Share of local coherence.
    pub local_coherence: f64,
    /// Share of global coherence.
    pub global_coherence: f64,
    /// Cosine of two adjacent sentences below which the topic breaks.
    pub break_below: f64,
    /// Break rate up to which coherence stays whole.
    pub most_breaks: f64,
    /// Least part of coherence that is left of too many breaks.
    pub least_after_breaks: f64,
    /// Relevance below which an answer has no complexity.
    pub complex_from_relevance: f64,
    /// Coherence below which an answer has no complexity.
    pub complex_from_coherence: f64,
    /// Distance of two clusters of sentences below which they are one step.
    pub step_distance: f64,
    /// Number of steps that is best.
    pub best_steps: f64,
    /// Steps more or fewer that lower the score to exp(−1).
    pub step_scale: f64,
    /// Share of the score for steps in complexity.
    pub steps_share: f64,
    /// Share of novelty in complexity.
    pub novelty_share: f64,
    /// A lone sentence with m discourse markers has complexity `1 − exp(−rate · m)`.
    pub marker_rate: f64,
    /// Steepness of the logistic that each signal passes.
    pub steepness: f64,
    /// Midpoints of these logistics.
    pub midpoints: QualityWeights,
    /// Relevance below which quality is 0, if any.
    pub least_relevance: Option<f64>,
    /// Sentences that are judged at most, if any limit: later ones do not count.
    pub most_sentences: Option<usize>,
}

impl QualityPolicy {
    /// The formulas of the system in the field, weights that sum to 1.4 included.
    pub fn original() -> Self {
        Self {
            policy: "quality/original-1".to_owned(),
            weights: QualityWeights {
                relevance: 0.4,
                coherence: 0.2,
                coverage: 0.2,
                complexity: 0.2,
                density: 0.2,
                specificity: 0.2,
            },
            whole_relevance: 0.4,
            sentence_relevance: 0.4,
            covered_relevance: 0.2,
            covered_from: 0.45,
            local_coherence: 0.6,
            global_coherence: 0.4,
            break_below: 0.25,
            most_breaks: 0.3,
            least_after_breaks: 0.5,
            complex_from_relevance: 0.4,
            complex_from_coherence: 0.3,
            step_distance: 0.7,
            best_steps: 4.0,
            step_scale: 2.0,
            steps_share: 0.6,
            novelty_share: 0.4,
            marker_rate: 1.3,
            steepness: 8.0,
            midpoints: QualityWeights {
                relevance: 0.45,
                coherence: 0.45,
                coverage: 0.40,
                complexity: 0.30,
                density: 0.40,
                specificity: 0.30,
            },
            least_relevance: None,
            most_sentences: None,
        }
    }

    /// The default; it differs from the original in this:
    ///
    /// - The weights sum to 1 (0.25 for relevance, 0.15 for each other, as the original documents and
    ///   does not pass): in the original most answers reach the limit of 1, and quality tells nothing.
    /// - An answer with a relevance below 0.2 has quality 0: in the original dense and definite words
    ///   about something else pass the consensus filter.
    /// - The first 256 sentences count: in the original a miner decides how many inner products the
    ///   validator takes, and they grow with the square.
    pub fn hardened() -> Self {
        Self {
            policy: "quality/hardened-1".to_owned(),
            weights: QualityWeights {
                relevance: 0.25,
                coherence: 0.15,
                coverage: 0.15,
                complexity: 0.15,
                density: 0.15,
                specificity: 0.15,
            },
            least_relevance: Some(0.2),
            most_sentences: Some(256),
            ..Self::original()
        }
    }

    /// Checks that every constant is in its range: shares, weights and midpoints 0 to 1, cosines −1
    /// to 1, a scale that is not 0.
    ///
    /// # Errors
    /// [`Error::Constant`](crate::Error::Constant) names the first that is not.
    pub fn validate(&self) -> Result<()> {
        let each = |weights: &QualityWeights| {
            [
                ("relevance", weights.relevance, 0.0, 1.0),
                ("coherence", weights.coherence, 0.0, 1.0),
                ("coverage", weights.coverage, 0.0, 1.0),
                ("complexity", weights.complexity, 0.0, 1.0),
                ("density", weights.density, 0.0, 1.0),
                ("specificity", weights.specificity, 0.0, 1.0),
            ]
        };
        all_within(each(&self.weights))?;
        all_within(each(&self.midpoints))?;
        let least_relevance = self.least_relevance.unwrap_or_default();
        all_within([
            ("whole_relevance", self.whole_relevance, 0.0, 1.0),
            ("sentence_relevance", self.sentence_relevance, 0.0, 1.0),
            ("covered_relevance", self.covered_relevance, 0.0, 1.0),
            ("covered_from", self.covered_from, -1.0, 1.0),
            ("local_coherence", self.local_coherence, 0.0, 1.0),
            ("global_coherence", self.global_coherence, 0.0, 1.0),
            ("break_below", self.break_below, -1.0, 1.0),
            ("most_breaks", self.most_breaks, 0.0, 1.0),
            ("least_after_breaks", self.least_after_breaks, 0.0, 1.0),
            (
                "complex_from_relevance",
                self.complex_from_relevance,
                -1.0,
                1.0,
            ),
            (
                "complex_from_coherence",
                self.complex_from_coherence,
                0.0,
                1.0,
            ),
            ("step_distance", self.step_distance, 0.0, 2.0),
            ("best_steps", self.best_steps, 0.0, 1e6),
            ("step_scale", self.step_scale, 1e-6, 1e6),
            ("steps_share", self.steps_share, 0.0, 1.0),
            ("novelty_share", self.novelty_share, 0.0, 1.0),
            ("marker_rate", self.marker_rate, 0.0, 1e6),
            ("steepness", self.steepness, 0.0, 1e6),
            ("least_relevance", least_relevance, -1.0, 1.0),
        ])
    }
}

/// [`QualityPolicy::hardened`].
impl Default for QualityPolicy {
    fn default() -> Self {
        Self::hardened()
    }
}
