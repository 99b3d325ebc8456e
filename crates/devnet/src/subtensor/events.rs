//! Events, under the live chain's names and field order.

use frame_support::pallet_macros::pallet_section;

#[pallet_section]
mod events {
    #[pallet::event]
    #[pallet::generate_deposit(pub(crate) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A subnet was added: netuid, type.
        NetworkAdded(u16, u16),
        /// Stake went up: coldkey, hotkey, TAO paid, alpha received, netuid, fee.
        StakeAdded(AccountId32, AccountId32, u64, u64, u16, u64),
        /// Stake went down: coldkey, hotkey, TAO received, alpha paid, netuid, fee.
        StakeRemoved(AccountId32, AccountId32, u64, u64, u16, u64),
        /// A validator set weights: netuid (with mechanism), uid.
        WeightsSet(u16, u16),
        /// A neuron was registered: netuid, uid, hotkey.
        NeuronRegistered(u16, u16, AccountId32),
        /// A neuron announced its axon: netuid, hotkey.
        AxonServed(u16, AccountId32),
        /// A neuron announced its metrics: netuid, hotkey.
        PrometheusServed(u16, AccountId32),
        /// A weight hash was committed: hotkey, netuid (with mechanism), hash.
        WeightsCommitted(AccountId32, u16, H256),
        /// Weights were revealed: hotkey, netuid (with mechanism), hash.
        WeightsRevealed(AccountId32, u16, H256),
        /// Several weights were revealed: hotkey, netuid, hashes.
        WeightsBatchRevealed(AccountId32, u16, Vec<H256>),
        /// A batch of weights or commits is done: netuids, hotkey.
        BatchWeightsCompleted(Vec<codec::Compact<u16>>, AccountId32),
        /// A batch is done, some items were refused.
        BatchCompletedWithErrors(),
        /// One item of a batch was refused: why.
        BatchWeightItemFailed(DispatchError),
        /// Sealed weights were committed: hotkey, netuid (with mechanism), hash of the
        /// ciphertext, round.
        TimelockedWeightsCommitted(AccountId32, u16, H256, u64),
        /// Sealed weights were opened and set: netuid (with mechanism), hotkey.
        TimelockedWeightsRevealed(u16, AccountId32),
        /// Stake moved between hotkeys: coldkey, hotkey and netuid before, hotkey and netuid
        /// after, worth in TAO.
        StakeMoved(AccountId32, AccountId32, u16, AccountId32, u16, u64),
        /// Stake changed coldkeys: coldkey before, after, hotkey, netuid before, after, worth.
        StakeTransferred(AccountId32, AccountId32, AccountId32, u16, u16, u64),
        /// Stake moved between subnets: coldkey, hotkey, netuid before, after, worth.
        StakeSwapped(AccountId32, AccountId32, u16, u16, u64),
        /// A hotkey asked for children: hotkey, netuid, block they become its children, children.
        SetChildrenScheduled(AccountId32, u16, u64, Vec<(u64, AccountId32)>),
        /// A hotkey has these children: hotkey, netuid, children.
        SetChildren(AccountId32, u16, Vec<(u64, AccountId32)>),
        /// A child's take: hotkey, take.
        ChildKeyTakeSet(AccountId32, u16),
        /// A delegate's take fell: coldkey, hotkey, take.
        TakeDecreased(AccountId32, AccountId32, u16),
        /// A delegate's take rose: coldkey, hotkey, take.
        TakeIncreased(AccountId32, AccountId32, u16),
    }
}
