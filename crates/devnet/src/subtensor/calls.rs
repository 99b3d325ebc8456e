//! Dispatchable calls: names, indexes and arguments of the live chain. Each only checks who signs
//! and hands over to the file that holds the rule.

use frame_support::pallet_macros::pallet_section;

#[pallet_section]
mod calls {
    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Sets the caller's weights over the neurons of a subnet.
        #[pallet::call_index(0)]
        #[pallet::weight((Weight::from_parts(1_000_000, 0), DispatchClass::Normal, Pays::No))]
        pub fn set_weights(
            origin: OriginFor<T>,
            netuid: u16,
            dests: Vec<u16>,
            weights: Vec<u16>,
            version_key: u64,
        ) -> DispatchResult {
            let hotkey = ensure_signed(origin)?;
            Self::accept_weights(&hotkey, netuid, &dests, &weights, version_key)
        }

        /// Moves TAO of the caller's coldkey into stake on a hotkey.
        #[pallet::call_index(2)]
        #[pallet::weight(Weight::from_parts(1_000_000, 0))]
        pub fn add_stake(
            origin: OriginFor<T>,
            hotkey: AccountId32,
            netuid: u16,
            amount_staked: u64,
        ) -> DispatchResult {
            let coldkey = ensure_signed(origin)?;
            Self::stake(&coldkey, &hotkey, netuid, amount_staked)
        }

        /// Moves stake on a hotkey back into TAO of the caller's coldkey.
        #[pallet::call_index(3)]
        #[pallet::weight(Weight::from_parts(1_000_000, 0))]
        pub fn remove_stake(
            origin: OriginFor<T>,
            hotkey: AccountId32,
            netuid: u16,
            amount_unstaked: u64,
        ) -> DispatchResult {
            let coldkey = ensure_signed(origin)?;
            Self::unstake(&coldkey, &hotkey, netuid, amount_unstaked)
        }

        /// Announces where the caller's neuron listens.
        #[expect(clippy::too_many_arguments, reason = "the live chain's signature")]
        #[pallet::call_index(4)]
        #[pallet::weight((Weight::from_parts(1_000_000, 0), DispatchClass::Normal, Pays::No))]
        pub fn serve_axon(
            origin: OriginFor<T>,
            netuid: u16,
            version: u32,
            ip: u128,
            port: u16,
            ip_type: u8,
            protocol: u8,
            placeholder1: u8,
            placeholder2: u8,
        ) -> DispatchResult {
            let hotkey = ensure_signed(origin)?;
            let axon = StoredAxon {
                block: Self::now(),
                version,
                ip,
                port,
                ip_type,
                protocol,
                placeholder1,
                placeholder2,
            };
            Self::announce(&hotkey, netuid, axon)
        }

        /// Buys a place in a subnet for a hotkey at the current burn price.
        #[pallet::call_index(7)]
        #[pallet::weight(Weight::from_parts(1_000_000, 0))]
        pub fn burned_register(
            origin: OriginFor<T>,
            netuid: u16,
            hotkey: AccountId32,
        ) -> DispatchResult {
            let coldkey = ensure_signed(origin)?;
            Self::register(&coldkey, netuid, &hotkey)
        }
    }
}
