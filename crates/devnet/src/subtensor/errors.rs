//! Errors, under the live chain's names. Clients decode them by name from the metadata.

use frame_support::pallet_macros::pallet_section;

#[pallet_section]
mod errors {
    #[pallet::error]
    pub enum Error<T> {
        /// The root network does not exist.
        RootNetworkDoesNotExist,
        /// The subnet does not exist.
        SubnetNotExists,
        /// The subnet's mechanism does not exist.
        MechanismDoesNotExist,
        /// Weights of the root network are not set this way.
        CanNotSetRootNetworkWeights,
        /// Uids and weights differ in number.
        WeightVecNotEqualSize,
        /// More weights than neurons.
        UidsLengthExceedUidsInSubNet,
        /// The hotkey is not registered in the subnet.
        HotKeyNotRegisteredInSubNet,
        /// The hotkey is not registered in any subnet.
        HotKeyNotRegisteredInNetwork,
        /// The hotkey is registered in the subnet already.
        HotKeyAlreadyRegisteredInSubNet,
        /// The hotkey's stake is below the threshold for setting weights.
        NotEnoughStakeToSetWeights,
        /// The version key is older than the subnet's.
        IncorrectWeightVersionKey,
        /// Weights were set too recently.
        SettingWeightsTooFast,
        /// The neuron has no validator permit.
        NeuronNoValidatorPermit,
        /// A uid is named twice.
        DuplicateUids,
        /// A uid does not exist in the subnet.
        UidVecContainInvalidOne,
        /// Fewer weights than the subnet's minimum.
        WeightVecLengthIsLow,
        /// The largest weight is above the subnet's limit.
        MaxWeightExceeded,
        /// The subnet takes weights by commit and reveal only.
        CommitRevealEnabled,
        /// The hotkey has less stake than everybody in the full root network.
        StakeTooLowForRoot,
        /// Registration on the root network goes another way.
        RegistrationNotPermittedOnRootSubnet,
        /// The subnet takes no registrations.
        SubNetRegistrationDisabled,
        /// The subnet took as many registrations in this block as it may.
        TooManyRegistrationsThisBlock,
        /// The subnet is full and every neuron is immune.
        NoNeuronIdAvailable,
        /// The coldkey cannot pay.
        NotEnoughBalanceToStake,
        /// The hotkey belongs to another coldkey.
        NonAssociatedColdKey,
        /// No coldkey ever registered the hotkey.
        HotKeyAccountNotExists,
        /// The amount is below the smallest stake.
        AmountTooLow,
        /// More than the coldkey has staked.
        NotEnoughStakeToWithdraw,
        /// The balance could not be taken from the coldkey.
        BalanceWithdrawalError,
        /// `ip_type` is neither 4 nor 6.
        InvalidIpType,
        /// The address is malformed or loopback.
        InvalidIpAddress,
        /// Port 0.
        InvalidPort,
        /// The axon was announced too recently.
        ServingRateLimitExceeded,
        /// Fewer blocks than the limit since the last commit.
        CommittingWeightsTooFast,
        /// The subnet takes weights directly, not by commit and reveal.
        CommitRevealDisabled,
        /// The hotkey committed nothing that could be revealed.
        NoWeightsCommitFound,
        /// What was revealed is not what was committed.
        InvalidRevealCommitHashNotMatch,
        /// Ten commits wait for their reveal already.
        TooManyUnrevealedCommits,
        /// The commit's reveal epoch has passed.
        ExpiredWeightCommit,
        /// The commit's reveal epoch has not come.
        RevealTooEarly,
        /// Lists that belong together differ in length.
        InputLengthsUnequal,
        /// The commit is made for another version of commit-reveal.
        IncorrectCommitRevealVersion,
        /// The price is above the caller's limit.
        RegistrationPriceLimitExceeded,
        /// The subnet took as many registrations in this interval as it may.
        TooManyRegistrationsThisInterval,
        /// At the limit price nothing can be traded.
        ZeroMaxStakeAmount,
        /// The trade would move the price past the limit.
        SlippageTooHigh,
        /// The subnet's stake cannot be transferred.
        TransferDisallowed,
        /// The subnet's token cannot be traded yet.
        SubtokenDisabled,
        /// Origin and destination are the same.
        SameNetuid,
        /// The coldkey staked in this block already.
        StakingOperationRateLimitExceeded,
        /// The take is lower than allowed, or does not rise.
        DelegateTakeTooLow,
        /// The take is higher than allowed.
        DelegateTakeTooHigh,
        /// The take was raised too recently.
        DelegateTxRateLimitExceeded,
        /// A child's take is out of bounds.
        InvalidChildkeyTake,
        /// A hotkey cannot be its own child.
        InvalidChild,
        /// A child is named twice.
        DuplicateChild,
        /// The proportions are more than the whole.
        ProportionOverflow,
        /// More than five children.
        TooManyChildren,
        /// A child is a parent of the hotkey already.
        ChildParentInconsistency,
        /// The hotkey's stake is below the threshold for children.
        NotEnoughStakeToSetChildkeys,
    }
}
