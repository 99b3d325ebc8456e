use serde::{Deserialize, Serialize};

use crate::{Result, rules::all_within};

/// From which likeness on each view of two answers votes that they are copies; two votes are enough.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FusionThresholds {
    /// Cosine of the embeddings.
    pub semantic: f64,
    /// Likeness of wording.
    pub lexical: f64,
    /// Likeness of form; without a number form has no vote.
    pub structural: Option<f64>,
}

/// In which order the clusters of two texts' sentences are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrajectoryOrder {
    /// By the length of their mean, the shortest first.
    Length,
    /// By their first sentence in the text.
    Text,
}

/// How copies are found, with all constants.
///
/// ```
/// use adit_scoring::inference::sybil::SybilPolicy;
///
/// let text = serde_json::to_string(&SybilPolicy::hardened())?;
/// assert!(text.starts_with(r#"{"policy":"sybil/hardened-1""#));
/// assert_eq!(serde_json::from_str::<SybilPolicy>(&text)?, SybilPolicy::hardened());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SybilPolicy {
    /// Name and version.
    pub policy: String,
    /// Characters that an answer must have to be looked at; short answers agree by chance.
    pub least_characters: usize,
    /// Pairs that a round must have for thresholds to follow its likenesses.
    pub least_pairs: usize,
    /// Percentile of the likenesses that the high threshold follows.
    pub high_percentile: f64,
    /// Least high threshold.
    pub high_floor: f64,
    /// Largest high threshold, if there is one.
    pub high_ceiling: Option<f64>,
    /// Percentile of the likenesses that the very high threshold follows.
    pub very_high_percentile: f64,
    /// Least very high threshold.
    pub very_high_floor: f64,
    /// Least distance of the two thresholds.
    pub threshold_step: f64,
    /// What counts as rounding when a likeness is compared with a threshold.
    pub rounding: f64,
    /// Votes of the three views.
    pub fusion: FusionThresholds,
    /// Mean cosine of two paths from which answers are copies.
    pub trajectory: f64,
    /// Clusters of a path; an answer of fewer sentences has none.
    pub trajectory_clusters: usize,
    /// In which order they are compared.
    pub trajectory_order: TrajectoryOrder,
    /// Sentences of an answer that a path is made of at most, if any limit.
    pub most_sentences: Option<usize>,
    /// Least members of a group, 2 or more.
    pub least_group: usize,
    /// Least likeness of any two members of a group.
    pub group_likeness: f64,
}

impl SybilPolicy {
    /// The constants of the system in the field.
    pub fn original() -> Self {
        Self {
            policy: "sybil/original-1".to_owned(),
            least_characters: 50,
            least_pairs: 3,
            high_percentile: 99.9,
            high_floor: 0.80,
            high_ceiling: None,
            very_high_percentile: 99.99,
            very_high_floor: 0.88,
            threshold_step: 0.01,
            rounding: 0.0,
            fusion: FusionThresholds {
                semantic: 0.92,
                lexical: 0.85,
                structural: Some(0.80),
            },
            trajectory: 0.85,
            trajectory_clusters: 5,
            trajectory_order: TrajectoryOrder::Length,
            most_sentences: None,
            least_group: 2,
            group_likeness: 0.90,
        }
    }

    /// The default; it differs from the original in this:
    ///
    /// - The high threshold lies in 0.95 to 0.97 and follows the round only from 1,000 pairs on. In
    ///   the original it is all but the largest likeness of a small round, so that the most alike
    ///   pair is always suspected and further copies never are.
    /// - A likeness within 1e-6 of a threshold reaches it. In the original the last bit decides which of
    ///   several exact copies are found.
    /// - Form has no vote in fusion. In the original any two texts without lists or code are alike in
    ///   form, and one of the other views decides alone.
    /// - Paths are compared in the order of the text. In the original they are sorted by lengths that
    ///   differ by rounding only.
    /// - The first 256 sentences make a path. In the original a miner decides how long clustering takes.
    pub fn hardened() -> Self {
        Self {
            policy: "sybil/hardened-1".to_owned(),
            least_pairs: 1_000,
            high_floor: 0.95,
            high_ceiling: Some(0.97),
            very_high_floor: 0.98,
            rounding: 1e-6,
            fusion: FusionThresholds {
                structural: None,
                ..Self::original().fusion
            },
            trajectory_order: TrajectoryOrder::Text,
            most_sentences: Some(256),
            ..Self::original()
        }
    }

    /// Checks that every constant is in its range: cosines −1 to 1, percentiles 0 to 100.
    ///
    /// # Errors
    /// [`Error::Constant`](crate::Error::Constant) names the first that is not.
    pub fn validate(&self) -> Result<()> {
        all_within([
            ("high_percentile", self.high_percentile, 0.0, 100.0),
            ("high_floor", self.high_floor, -1.0, 1.0),
            (
                "high_ceiling",
                self.high_ceiling.unwrap_or(1.0),
                self.high_floor,
                1.0,
            ),
            (
                "very_high_percentile",
                self.very_high_percentile,
                0.0,
                100.0,
            ),
            ("very_high_floor", self.very_high_floor, -1.0, 1.0),
            ("threshold_step", self.threshold_step, 0.0, 1.0),
            ("rounding", self.rounding, 0.0, 0.01),
            ("semantic", self.fusion.semantic, -1.0, 1.0),
            ("lexical", self.fusion.lexical, -1.0, 1.0),
            (
                "structural",
                self.fusion.structural.unwrap_or(0.0),
                -1.0,
                1.0,
            ),
            ("trajectory", self.trajectory, -1.0, 1.0),
            (
                "trajectory_clusters",
                self.trajectory_clusters as f64,
                2.0,
                10.0,
            ),
            ("least_group", self.least_group as f64, 2.0, 1e9),
            ("group_likeness", self.group_likeness, -1.0, 1.0),
        ])
    }

    /// Whether a likeness reaches a threshold, but for rounding.
    pub(super) fn reaches(&self, likeness: f64, threshold: f64) -> bool {
        likeness + self.rounding >= threshold
    }
}

/// [`SybilPolicy::hardened`].
impl Default for SybilPolicy {
    fn default() -> Self {
        Self::hardened()
    }
}
