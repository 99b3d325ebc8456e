use serde::{Deserialize, Serialize};

use super::super::CompositeWeights;
use crate::{Result, rules::all_within};

/// What happens to outliers that are better than the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BetterOutliers {
    /// They stay and all others go.
    ReplaceOthers,
    /// They stay with the others.
    Stay,
}

/// Which of several clusters of the same weight is the consensus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClusterTies {
    /// The one with the lowest number in the cut tree, [`super::super::Dendrogram::cut`].
    TreeOrder,
    /// The one with the highest sum of qualities by vote, then the one with the earliest answer.
    Quality,
}

/// How answers become a consensus.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsensusPolicy {
    /// Name and version.
    pub name: String,
    /// An answer whose cosine with the prompt is lower has no quality.
    pub least_relevance: f64,
    /// An answer of lower quality takes no part.
    pub least_quality: f64,
    /// Neighbours that an answer's density is compared with.
    pub neighbours: usize,
    /// Local outlier factor above which an answer is an outlier.
    pub outlier_factor: f64,
    /// How much better outliers must be on average to be kept.
    pub outlier_margin: f64,
    /// What happens to those.
    pub better_outliers: BetterOutliers,
    /// Clusters merge while their mean distance, 1 − cosine, is lower.
    pub cluster_height: f64,
    /// Which cluster wins a tie.
    pub cluster_ties: ClusterTies,
    /// Answers at least this alike share one vote; none means that copies vote one by one.
    pub copy_similarity: Option<f64>,
    /// Standard deviations of the pairs that are added to their mean.
    pub deviations: f64,
    /// Whether the agreement is kept in 0 to 1.
    pub bounded: bool,
    /// The agreement of a lone member, as a part of its quality.
    pub lone_member: f64,
    /// Agreement above which there is a consensus.
    pub achieved_above: f64,
    /// Mean quality of the members below which an operator should look.
    pub alert_below: f64,
    /// The composite scores.
    pub composite: CompositeWeights,
}

impl ConsensusPolicy {
    /// The rules of the system in the field.
    pub fn original() -> Self {
        Self {
            name: "inference-consensus/original-1".into(),
            least_relevance: 0.20,
            least_quality: 0.35,
            neighbours: 2,
            outlier_factor: 1.5,
            outlier_margin: 0.15,
            better_outliers: BetterOutliers::ReplaceOthers,
            cluster_height: 0.5,
            cluster_ties: ClusterTies::TreeOrder,
            copy_similarity: None,
            deviations: 1.0,
            bounded: false,
            lone_member: 0.0,
            achieved_above: 0.7,
            alert_below: 0.4,
            composite: CompositeWeights::original(),
        }
    }

    /// The original's rules without their holes:
    ///
    /// * `lone_member` 0.5: where one answer survives, it is forwarded and paid, if less than an
    ///   agreed one; the original pays nobody.
    /// * `deviations` −1: agreement is the mean less the deviation, so that a cluster that quarrels is
    ///   worth less; in the original it is worth more. It is `bounded` to 0 to 1.
    /// * `copy_similarity` 0.995: copies share one vote, count once among the neighbours and are no
    ///   evidence for each other. In the original three copies can drive out four honest answers.
    /// * `better_outliers`: good outliers stay with the others instead of replacing them.
    /// * `cluster_ties`: quality decides, not the order of a tree.
    /// * `composite`: no answer outside scores above a member, [`CompositeWeights::hardened`].
    pub fn hardened() -> Self {
        Self {
            name: "inference-consensus/hardened-1".into(),
            better_outliers: BetterOutliers::Stay,
            cluster_ties: ClusterTies::Quality,
            copy_similarity: Some(0.995),
            deviations: -1.0,
            bounded: true,
            lone_member: 0.5,
            composite: CompositeWeights::hardened(),
            ..Self::original()
        }
    }

    /// Checks that every constant is in its range.
    ///
    /// # Errors
    /// [`crate::Error::Constant`] names the first that is not.
    pub fn validate(&self) -> Result<()> {
        all_within([
            ("least_relevance", self.least_relevance, -1.0, 1.0),
            ("least_quality", self.least_quality, 0.0, 1.0),
            ("neighbours", self.neighbours as f64, 1.0, 1e6),
            ("outlier_factor", self.outlier_factor, 0.0, 1e12),
            ("outlier_margin", self.outlier_margin, -1.0, 1.0),
            ("cluster_height", self.cluster_height, 0.0, 2.0),
            (
                "copy_similarity",
                self.copy_similarity.unwrap_or(1.0),
                0.0,
                1.0,
            ),
            ("deviations", self.deviations, -10.0, 10.0),
            ("lone_member", self.lone_member, 0.0, 1.0),
            ("achieved_above", self.achieved_above, -1.0, 2.0),
            ("alert_below", self.alert_below, 0.0, 1.0),
        ])?;
        self.composite.validate()
    }
}
