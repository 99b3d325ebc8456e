//! Judging answers of language models by consensus: text quality, outliers, clusters, emissions, sybils.

mod answer_shape;
mod clusters;
mod component;
mod discourse_markers;
mod outliers;
mod prompt_components;
mod sentences;
mod similarity_matrix;
mod text_statistics;
mod words;

pub use answer_shape::answer_shape;
pub use clusters::{Dendrogram, Merge, average_linkage, dominant_cluster};
pub use component::Component;
pub use discourse_markers::discourse_markers;
pub use outliers::local_outlier_factors;
pub use prompt_components::prompt_components;
pub use sentences::sentences;
pub use similarity_matrix::SimilarityMatrix;
pub use text_statistics::TextStatistics;
