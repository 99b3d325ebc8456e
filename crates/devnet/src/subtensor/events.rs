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
    }
}
