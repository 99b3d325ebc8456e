//! Judging answers of language models by consensus: text quality, outliers, clusters, emissions, sybils.

mod answer_shape;
mod clusters;
mod component;
mod composite;
mod consensus;
mod discourse_markers;
mod emission_average;
mod emissions;
mod entities;
mod evaluation;
mod freshness;
mod gram;
#[cfg(feature = "plot")]
mod heatmap;
mod lexical;
mod outliers;
mod pairs;
mod pipeline_timing;
mod polarity;
mod prompt_components;
pub mod quality;
mod selection;
mod sentences;
mod serving;
mod similarity_matrix;
pub mod sybil;
mod text_statistics;
mod weight_shares;
mod words;

pub use answer_shape::answer_shape;
pub use clusters::{Dendrogram, Merge, average_linkage, dominant_cluster};
pub use component::Component;
pub use composite::{CompositeInput, CompositeWeights, composite_scores};
pub use consensus::{
    AnswerConsensus, BetterOutliers, ClusterTies, ConsensusInput, ConsensusPolicy, OutlierVerdict,
    consensus, outlier_rule,
};
pub use discourse_markers::discourse_markers;
pub use emission_average::{EmissionAveragePolicy, EmissionRecord, UidRecord, average_emissions};
pub use emissions::{EmissionPolicy, EmissionShare, TopScore, emissions, top_bonus};
pub use entities::{Entity, EntityCap, entity_weights};
pub use evaluation::{Evaluation, InferencePolicy, Round, RoundAnswer, evaluate_round};
pub use freshness::{FreshScores, freshness_gate};
#[cfg(feature = "plot")]
pub use heatmap::{Heatmap, MOST_ANSWERS};
pub use lexical::lexical_similarity;
pub use outliers::local_outlier_factors;
pub use pairs::{PairStatistics, diversity_bonus, pair_statistics};
pub use pipeline_timing::{PipelineTiming, TimingStage};
pub use polarity::polarity_agreement;
pub use prompt_components::prompt_components;
pub use selection::{draw_without_replacement, select_miners};
pub use sentences::sentences;
pub use serving::{ServingCandidate, ServingMiners, ServingPolicy, serving_miners};
pub use similarity_matrix::SimilarityMatrix;
pub use text_statistics::TextStatistics;
pub use weight_shares::{
    AveragedMiner, NoShares, PenalisedMiner, WeightEvidence, WeightShares, WeightSharesPolicy,
    WeightUrgency, weight_shares,
};
