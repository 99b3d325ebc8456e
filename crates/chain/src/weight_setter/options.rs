/// How a [`WeightSetter`](crate::WeightSetter) goes about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WeightSetterOptions {
    /// How committed weights are hidden.
    pub seal: SealChoice,
    /// What is done about reasons that pass.
    pub patience: Patience,
}

/// How weights are hidden on subnets with commit-reveal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SealChoice {
    /// Sealed to a round of the beacon where the chain takes the version this crate makes and has a
    /// beacon, else by hash.
    #[default]
    ByChain,
    /// By hash; this process must be there in the epoch of the reveal.
    Hash,
    /// Sealed to a round of the beacon; the chain reveals them.
    Timelock,
}

/// What is done when weights are not taken for a reason that passes: a rate limit, an epoch about to
/// end, a pool that is full, a connection that broke.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Patience {
    /// The reason is the answer; the caller tries again when it likes.
    #[default]
    Once,
    /// Waits for the block that may take them and tries again, as long as that is before the next
    /// epoch: later the weights would not count for this one.
    UntilEpochEnds,
}
