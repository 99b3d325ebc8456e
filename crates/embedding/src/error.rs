use crate::Space;

/// Why a vector or an embedder refuses.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Two vectors of different spaces were compared.
    #[error("cannot compare space {left} with space {right}")]
    SpaceMismatch {
        /// Space of the first vector.
        left: Space,
        /// Space of the second vector.
        right: Space,
    },
    /// A vector's length is not its space's dimension.
    #[error("space {space} has {expected} dimensions, the vector {found}")]
    Dimension {
        /// The space.
        space: Space,
        /// The space's dimension.
        expected: usize,
        /// The vector's length.
        found: usize,
    },
    /// Two plain vectors have different lengths.
    #[error("vectors of {left} and {right} components have no inner product")]
    Length {
        /// Components of the first, or components expected.
        left: usize,
        /// Components of the second, or components given.
        right: usize,
    },
    /// A component is NaN or infinite.
    #[error("component {index} of a vector in space {space} is not finite")]
    NotFinite {
        /// The space.
        space: Space,
        /// The first such component.
        index: usize,
    },
    /// The vector has no direction.
    #[error("a vector in space {space} has length zero")]
    Zero {
        /// The space.
        space: Space,
    },
    /// A space's name or dimension is out of range.
    #[error("{name:?} with {dimension} dimensions is no embedding space: {reason}")]
    Space {
        /// The name, cut at 80 characters.
        name: String,
        /// The dimension.
        dimension: usize,
        /// Which rule it breaks.
        reason: &'static str,
    },
    /// The input cannot be embedded (no frames, frame bytes that do not fit its size, …).
    #[error("cannot embed {what}: {reason}")]
    Input {
        /// What was given.
        what: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The index of near neighbours failed, or its file is not usable.
    #[error("the index of neighbours failed: {reason}")]
    Index {
        /// What it said.
        reason: String,
    },
    /// The model failed on sound input: the validator's own fault, never the miner's.
    #[error("model {model} failed: {reason}")]
    Model {
        /// The model.
        model: String,
        /// What it said.
        reason: String,
    },
}

impl Error {
    /// Whether the input is at fault (and not the machine that embeds it).
    pub fn is_input(&self) -> bool {
        !matches!(self, Self::Model { .. } | Self::Index { .. })
    }
}

/// Result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;
