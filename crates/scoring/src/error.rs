/// Why a formula refuses.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Two vectors that belong together have different lengths.
    #[error("vectors of {left} and {right} components cannot be compared")]
    Length {
        /// Components of the first.
        left: usize,
        /// Components of the second.
        right: usize,
    },
    /// A number is NaN or infinite.
    #[error("{what} is not finite")]
    NotFinite {
        /// Which number.
        what: &'static str,
    },
    /// A number that must not be negative is.
    #[error("{what} is negative")]
    Negative {
        /// Which number.
        what: &'static str,
    },
    /// Something needed is missing.
    #[error("{what} is empty")]
    Empty {
        /// What.
        what: &'static str,
    },
    /// Two lists that belong together have different lengths: the original system falls out of
    /// step here and gives no score.
    #[error("{what} has {found} entries for {expected} clips")]
    OutOfStep {
        /// The list.
        what: &'static str,
        /// Clips at that point.
        expected: usize,
        /// Entries of the list.
        found: usize,
    },
    /// A list has another length than it must have.
    #[error("{what} has {found} entries, not {expected}")]
    Count {
        /// The list.
        what: &'static str,
        /// Entries it must have.
        expected: usize,
        /// Entries it has.
        found: usize,
    },
    /// A picture could not be made.
    #[error("drawing: {reason}")]
    Drawing {
        /// What the drawing library says.
        reason: String,
    },
    /// A service whose answer the formula needs did not answer.
    #[error("{what} did not answer")]
    Unavailable {
        /// The service.
        what: &'static str,
    },
    /// A constant of a policy is out of range.
    #[error("{name} is {value}, but must lie in {least} to {most}")]
    Constant {
        /// The constant.
        name: &'static str,
        /// Its value.
        value: f64,
        /// Smallest allowed.
        least: f64,
        /// Largest allowed.
        most: f64,
    },
    /// Nobody took any time: shares of the time do not exist.
    #[error("all response times are zero")]
    NoTime,
    /// More of something than a formula works through in bounded time.
    #[error("{found} {what} are more than {most}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many are allowed.
        most: usize,
        /// How many there are.
        found: usize,
    },
    /// A list that must ascend does not.
    #[error("{what} does not ascend")]
    NotAscending {
        /// The list.
        what: &'static str,
    },
    /// Every weight is zero.
    #[error("all weights are zero")]
    NoWeights,
    /// The chain would refuse so few weights.
    #[error("the subnet requires at least {required} weights; only {found} are nonzero")]
    TooFewWeights {
        /// Least number.
        required: u16,
        /// Weights left after quantisation.
        found: usize,
    },
    /// The crate was built without a feature that this needs.
    #[error("this needs the feature {name}")]
    Feature {
        /// The feature.
        name: &'static str,
    },
    /// Ids are at fault, for instance given twice.
    #[error(transparent)]
    Primitives(#[from] adit_primitives::Error),
}

/// Result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;
