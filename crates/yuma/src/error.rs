use adit_primitives::Uid;

/// Why an epoch cannot be computed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A subnet has at most 65,536 neurons.
    #[error("{neurons} neurons are more than uids can count")]
    TooManyNeurons {
        /// The number of neurons.
        neurons: usize,
    },
    /// A row of weights or bonds names a uid the subnet does not have.
    #[error("the {row} of uid {uid} name uid {target}, but the subnet has {neurons} neurons")]
    UnknownUid {
        /// `weights` or `bonds`.
        row: &'static str,
        /// Whose row it is.
        uid: Uid,
        /// The uid it names.
        target: Uid,
        /// The number of neurons.
        neurons: usize,
    },
    /// A row of weights or bonds names a uid twice.
    #[error("the {row} of uid {uid} name uid {target} twice")]
    RepeatedUid {
        /// `weights` or `bonds`.
        row: &'static str,
        /// Whose row it is.
        uid: Uid,
        /// The uid it names twice.
        target: Uid,
    },
    /// The owner is not a uid of the subnet.
    #[error("the owner's uid {owner} is not one of {neurons} neurons")]
    UnknownOwner {
        /// The owner's uid.
        owner: Uid,
        /// The number of neurons.
        neurons: usize,
    },
    /// Epochs of one subnet's mechanisms have different numbers of neurons.
    #[error("mechanism {mechanism} has {found} neurons, mechanism 0 has {neurons}")]
    UnequalMechanisms {
        /// The mechanism.
        mechanism: usize,
        /// Its number of neurons.
        found: usize,
        /// That of mechanism 0.
        neurons: usize,
    },
    /// The stakes sum to 2^63 rao or more, which the chain's arithmetic cannot hold.
    #[error("the stakes sum to 2^63 rao or more")]
    TooMuchStake,
    /// A subnet with tempo 0 has no epochs.
    #[error("tempo is zero: the subnet has no epochs")]
    NoEpochs,
    /// Weights are revealed at most 1,000 epochs after their commit.
    #[error("{epochs} epochs are too far ahead")]
    TooManyEpochs {
        /// The epochs asked for.
        epochs: u64,
    },
}

/// Result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;
