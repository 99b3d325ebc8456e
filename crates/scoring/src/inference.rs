//! Judging answers of language models by consensus: text quality, outliers, clusters, emissions, sybils.

mod clusters;
mod component;
mod outliers;
mod similarity_matrix;

pub use clusters::{Dendrogram, Merge, average_linkage, dominant_cluster};
pub use component::Component;
pub use outliers::local_outlier_factors;
pub use similarity_matrix::SimilarityMatrix;
