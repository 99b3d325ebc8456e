//! Dispatchable calls: names, indexes and arguments of the live chain. Each only checks who signs
//! and hands over to the file that holds the rule.

use frame_support::pallet_macros::pallet_section;

#[pallet_section]
mod calls {
    #[pallet::call]
    impl<T: Config> Pallet<T> {
        // --- weights --------------------------------------------------------------------------

        /// Sets the caller's weights over the neurons of a subnet.
        #[pallet::call_index(0)]
        #[pallet::weight(FREE)]
        pub fn set_weights(
            origin: OriginFor<T>,
            netuid: u16,
            dests: Vec<u16>,
            weights: Vec<u16>,
            version_key: u64,
        ) -> DispatchResult {
            let hotkey = ensure_signed(origin)?;
            Self::accept_weights(&hotkey, netuid, 0, &dests, &weights, version_key)
        }

        /// Sets the caller's weights in one mechanism of a subnet.
        #[pallet::call_index(119)]
        #[pallet::weight(FREE)]
        pub fn set_mechanism_weights(
            origin: OriginFor<T>,
            netuid: u16,
            mecid: u8,
            dests: Vec<u16>,
            weights: Vec<u16>,
            version_key: u64,
        ) -> DispatchResult {
            let hotkey = ensure_signed(origin)?;
            Self::accept_weights(&hotkey, netuid, mecid, &dests, &weights, version_key)
        }

        /// Sets the caller's weights in several subnets.
        #[pallet::call_index(80)]
        #[pallet::weight(FREE)]
        pub fn batch_set_weights(
            origin: OriginFor<T>,
            netuids: Vec<codec::Compact<u16>>,
            weights: Vec<Vec<(codec::Compact<u16>, codec::Compact<u16>)>>,
            version_keys: Vec<codec::Compact<u64>>,
        ) -> DispatchResult {
            let hotkey = ensure_signed(origin)?;
            Self::set_many(&hotkey, netuids, weights, &version_keys)
        }

        /// Commits to weights by their hash.
        #[pallet::call_index(96)]
        #[pallet::weight(FREE)]
        pub fn commit_weights(
            origin: OriginFor<T>,
            netuid: u16,
            commit_hash: H256,
        ) -> DispatchResult {
            Self::commit(&ensure_signed(origin)?, netuid, 0, commit_hash)
        }

        /// Commits to weights in one mechanism of a subnet.
        #[pallet::call_index(115)]
        #[pallet::weight(FREE)]
        pub fn commit_mechanism_weights(
            origin: OriginFor<T>,
            netuid: u16,
            mecid: u8,
            commit_hash: H256,
        ) -> DispatchResult {
            Self::commit(&ensure_signed(origin)?, netuid, mecid, commit_hash)
        }

        /// Commits to weights in several subnets.
        #[pallet::call_index(100)]
        #[pallet::weight(FREE)]
        pub fn batch_commit_weights(
            origin: OriginFor<T>,
            netuids: Vec<codec::Compact<u16>>,
            commit_hashes: Vec<H256>,
        ) -> DispatchResult {
            Self::commit_many(&ensure_signed(origin)?, netuids, commit_hashes)
        }

        /// Reveals committed weights.
        #[pallet::call_index(97)]
        #[pallet::weight(FREE)]
        pub fn reveal_weights(
            origin: OriginFor<T>,
            netuid: u16,
            uids: Vec<u16>,
            values: Vec<u16>,
            salt: Vec<u16>,
            version_key: u64,
        ) -> DispatchResult {
            let hotkey = ensure_signed(origin)?;
            let revealed = Revealed {
                uids,
                values,
                salt,
                version_key,
            };
            Self::reveal(&hotkey, netuid, 0, &revealed)
        }

        /// Reveals committed weights of one mechanism of a subnet.
        #[pallet::call_index(116)]
        #[pallet::weight(FREE)]
        pub fn reveal_mechanism_weights(
            origin: OriginFor<T>,
            netuid: u16,
            mecid: u8,
            uids: Vec<u16>,
            values: Vec<u16>,
            salt: Vec<u16>,
            version_key: u64,
        ) -> DispatchResult {
            let hotkey = ensure_signed(origin)?;
            let revealed = Revealed {
                uids,
                values,
                salt,
                version_key,
            };
            Self::reveal(&hotkey, netuid, mecid, &revealed)
        }

        /// Reveals several commits.
        #[pallet::call_index(98)]
        #[pallet::weight(FREE)]
        pub fn batch_reveal_weights(
            origin: OriginFor<T>,
            netuid: u16,
            uids_list: Vec<Vec<u16>>,
            values_list: Vec<Vec<u16>>,
            salts_list: Vec<Vec<u16>>,
            version_keys: Vec<u64>,
        ) -> DispatchResult {
            let hotkey = ensure_signed(origin)?;
            Self::reveal_many(
                &hotkey,
                netuid,
                uids_list,
                values_list,
                salts_list,
                version_keys,
            )
        }

        /// Commits to weights that a round of the beacon opens.
        #[pallet::call_index(113)]
        #[pallet::weight(FREE)]
        pub fn commit_timelocked_weights(
            origin: OriginFor<T>,
            netuid: u16,
            commit: Sealed,
            reveal_round: u64,
            commit_reveal_version: u16,
        ) -> DispatchResult {
            let (hotkey, version) = (ensure_signed(origin)?, commit_reveal_version);
            Self::commit_sealed(&hotkey, netuid, 0, commit, reveal_round, version)
        }

        /// Commits to weights in one mechanism of a subnet that a round of the beacon opens.
        #[pallet::call_index(118)]
        #[pallet::weight(FREE)]
        pub fn commit_timelocked_mechanism_weights(
            origin: OriginFor<T>,
            netuid: u16,
            mecid: u8,
            commit: Sealed,
            reveal_round: u64,
            commit_reveal_version: u16,
        ) -> DispatchResult {
            let (hotkey, version) = (ensure_signed(origin)?, commit_reveal_version);
            Self::commit_sealed(&hotkey, netuid, mecid, commit, reveal_round, version)
        }

        /// The older form of `commit_timelocked_mechanism_weights`, always of the chain's version.
        #[pallet::call_index(117)]
        #[pallet::weight(FREE)]
        pub fn commit_crv3_mechanism_weights(
            origin: OriginFor<T>,
            netuid: u16,
            mecid: u8,
            commit: Sealed,
            reveal_round: u64,
        ) -> DispatchResult {
            let hotkey = ensure_signed(origin)?;
            let version = CommitRevealWeightsVersion::<T>::get();
            Self::commit_sealed(&hotkey, netuid, mecid, commit, reveal_round, version)
        }

        // --- stake ----------------------------------------------------------------------------

        /// Moves TAO of the caller's coldkey into stake on a hotkey.
        #[pallet::call_index(2)]
        #[pallet::weight(Weight::from_parts(1_000_000, 0))]
        pub fn add_stake(
            origin: OriginFor<T>,
            hotkey: AccountId32,
            netuid: u16,
            amount_staked: u64,
        ) -> DispatchResult {
            Self::stake(&ensure_signed(origin)?, &hotkey, netuid, amount_staked)
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
            Self::unstake(&ensure_signed(origin)?, &hotkey, netuid, amount_unstaked)
        }

        /// `add_stake` at a price of at most `limit_price` rao an alpha.
        #[pallet::call_index(88)]
        #[pallet::weight(Weight::from_parts(1_000_000, 0))]
        pub fn add_stake_limit(
            origin: OriginFor<T>,
            hotkey: AccountId32,
            netuid: u16,
            amount_staked: u64,
            limit_price: u64,
            _allow_partial: bool,
        ) -> DispatchResult {
            let coldkey = ensure_signed(origin)?;
            Self::stake_within(&coldkey, &hotkey, netuid, amount_staked, limit_price)
        }

        /// `remove_stake` at a price of at least `limit_price` rao an alpha.
        #[pallet::call_index(89)]
        #[pallet::weight(Weight::from_parts(1_000_000, 0))]
        pub fn remove_stake_limit(
            origin: OriginFor<T>,
            hotkey: AccountId32,
            netuid: u16,
            amount_unstaked: u64,
            limit_price: u64,
            _allow_partial: bool,
        ) -> DispatchResult {
            let coldkey = ensure_signed(origin)?;
            Self::unstake_within(&coldkey, &hotkey, netuid, amount_unstaked, limit_price)
        }

        /// `remove_stake` of everything on a hotkey in a subnet.
        #[pallet::call_index(103)]
        #[pallet::weight(Weight::from_parts(1_000_000, 0))]
        pub fn remove_stake_full_limit(
            origin: OriginFor<T>,
            hotkey: AccountId32,
            netuid: u16,
            limit_price: Option<u64>,
        ) -> DispatchResult {
            Self::unstake_whole(&ensure_signed(origin)?, &hotkey, netuid, limit_price)
        }

        /// `remove_stake` of everything on a hotkey.
        #[pallet::call_index(83)]
        #[pallet::weight(Weight::from_parts(1_000_000, 0))]
        pub fn unstake_all(origin: OriginFor<T>, hotkey: AccountId32) -> DispatchResult {
            Self::unstake_everywhere(&ensure_signed(origin)?, &hotkey)
        }

        /// Moves everything on a hotkey into its stake in the root network.
        #[pallet::call_index(84)]
        #[pallet::weight(Weight::from_parts(1_000_000, 0))]
        pub fn unstake_all_alpha(origin: OriginFor<T>, hotkey: AccountId32) -> DispatchResult {
            Self::unstake_to_root(&ensure_signed(origin)?, &hotkey)
        }

        /// Moves the caller's stake from one hotkey to another.
        #[pallet::call_index(85)]
        #[pallet::weight(Weight::from_parts(1_000_000, 0))]
        pub fn move_stake(
            origin: OriginFor<T>,
            origin_hotkey: AccountId32,
            destination_hotkey: AccountId32,
            origin_netuid: u16,
            destination_netuid: u16,
            alpha_amount: u64,
        ) -> DispatchResult {
            let coldkey = ensure_signed(origin)?;
            let from = Position {
                coldkey,
                hotkey: origin_hotkey,
                netuid: origin_netuid,
            };
            let to = Position {
                hotkey: destination_hotkey,
                netuid: destination_netuid,
                ..from.clone()
            };
            Self::move_between_hotkeys(&from, &to, alpha_amount)
        }

        /// Gives stake to another coldkey.
        #[pallet::call_index(86)]
        #[pallet::weight(Weight::from_parts(1_000_000, 0))]
        pub fn transfer_stake(
            origin: OriginFor<T>,
            destination_coldkey: AccountId32,
            hotkey: AccountId32,
            origin_netuid: u16,
            destination_netuid: u16,
            alpha_amount: u64,
        ) -> DispatchResult {
            let coldkey = ensure_signed(origin)?;
            let from = Position {
                coldkey,
                hotkey,
                netuid: origin_netuid,
            };
            let to = Position {
                coldkey: destination_coldkey,
                netuid: destination_netuid,
                ..from.clone()
            };
            Self::move_between_coldkeys(&from, &to, alpha_amount)
        }

        /// Moves stake from one subnet to another.
        #[pallet::call_index(87)]
        #[pallet::weight(Weight::from_parts(1_000_000, 0))]
        pub fn swap_stake(
            origin: OriginFor<T>,
            hotkey: AccountId32,
            origin_netuid: u16,
            destination_netuid: u16,
            alpha_amount: u64,
        ) -> DispatchResult {
            let coldkey = ensure_signed(origin)?;
            let from = Position {
                coldkey,
                hotkey,
                netuid: origin_netuid,
            };
            let to = Position {
                netuid: destination_netuid,
                ..from.clone()
            };
            Self::move_between_subnets(&from, &to, alpha_amount, None)
        }

        /// `swap_stake` at a price of at least `limit_price`.
        #[pallet::call_index(90)]
        #[pallet::weight(Weight::from_parts(1_000_000, 0))]
        pub fn swap_stake_limit(
            origin: OriginFor<T>,
            hotkey: AccountId32,
            origin_netuid: u16,
            destination_netuid: u16,
            alpha_amount: u64,
            limit_price: u64,
            _allow_partial: bool,
        ) -> DispatchResult {
            let coldkey = ensure_signed(origin)?;
            let from = Position {
                coldkey,
                hotkey,
                netuid: origin_netuid,
            };
            let to = Position {
                netuid: destination_netuid,
                ..from.clone()
            };
            Self::move_between_subnets(&from, &to, alpha_amount, Some(limit_price))
        }

        // --- serving --------------------------------------------------------------------------

        /// Announces where the caller's neuron listens.
        #[expect(clippy::too_many_arguments, reason = "the live chain's signature")]
        #[pallet::call_index(4)]
        #[pallet::weight(FREE)]
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
            let block = Self::now();
            let axon = StoredAxon {
                block,
                version,
                ip,
                port,
                ip_type,
                protocol,
                placeholder1,
                placeholder2,
            };
            Self::announce(&hotkey, netuid, axon, None)
        }

        /// Announces where the caller's neuron listens, with its certificate.
        #[expect(clippy::too_many_arguments, reason = "the live chain's signature")]
        #[pallet::call_index(40)]
        #[pallet::weight(FREE)]
        pub fn serve_axon_tls(
            origin: OriginFor<T>,
            netuid: u16,
            version: u32,
            ip: u128,
            port: u16,
            ip_type: u8,
            protocol: u8,
            placeholder1: u8,
            placeholder2: u8,
            certificate: Vec<u8>,
        ) -> DispatchResult {
            let hotkey = ensure_signed(origin)?;
            let block = Self::now();
            let axon = StoredAxon {
                block,
                version,
                ip,
                port,
                ip_type,
                protocol,
                placeholder1,
                placeholder2,
            };
            Self::announce(&hotkey, netuid, axon, Some(&certificate))
        }

        /// Announces where the caller's neuron offers its metrics.
        #[pallet::call_index(5)]
        #[pallet::weight(FREE)]
        pub fn serve_prometheus(
            origin: OriginFor<T>,
            netuid: u16,
            version: u32,
            ip: u128,
            port: u16,
            ip_type: u8,
        ) -> DispatchResult {
            let hotkey = ensure_signed(origin)?;
            let metrics = StoredPrometheus {
                block: Self::now(),
                version,
                ip,
                port,
                ip_type,
            };
            Self::announce_metrics(&hotkey, netuid, metrics)
        }

        // --- registration ---------------------------------------------------------------------

        /// Buys a place in a subnet for a hotkey; the fields of a proof of work are ignored, as
        /// since runtime 425.
        #[pallet::call_index(6)]
        #[pallet::weight(Weight::from_parts(1_000_000, 0))]
        pub fn register(
            origin: OriginFor<T>,
            netuid: u16,
            _block_number: u64,
            _nonce: u64,
            _work: Vec<u8>,
            hotkey: AccountId32,
            _coldkey: AccountId32,
        ) -> DispatchResult {
            Self::buy_place(&ensure_signed(origin)?, netuid, &hotkey, None)
        }

        /// Buys a place in a subnet for a hotkey at the current burn price.
        #[pallet::call_index(7)]
        #[pallet::weight(Weight::from_parts(1_000_000, 0))]
        pub fn burned_register(
            origin: OriginFor<T>,
            netuid: u16,
            hotkey: AccountId32,
        ) -> DispatchResult {
            Self::buy_place(&ensure_signed(origin)?, netuid, &hotkey, None)
        }

        /// Buys a place in a subnet unless it costs more than `limit_price` rao.
        #[pallet::call_index(134)]
        #[pallet::weight(Weight::from_parts(1_000_000, 0))]
        pub fn register_limit(
            origin: OriginFor<T>,
            netuid: u16,
            hotkey: AccountId32,
            limit_price: u64,
        ) -> DispatchResult {
            Self::buy_place(&ensure_signed(origin)?, netuid, &hotkey, Some(limit_price))
        }

        /// Gives a hotkey a place in the root network.
        #[pallet::call_index(62)]
        #[pallet::weight(Weight::from_parts(1_000_000, 0))]
        pub fn root_register(origin: OriginFor<T>, hotkey: AccountId32) -> DispatchResult {
            Self::register_in_root(&ensure_signed(origin)?, &hotkey)
        }

        /// Makes the caller the owner of a hotkey that has none.
        #[pallet::call_index(91)]
        #[pallet::weight(Weight::from_parts(1_000_000, 0))]
        pub fn try_associate_hotkey(origin: OriginFor<T>, hotkey: AccountId32) -> DispatchResult {
            // The live chain answers the same whether it was associated or not.
            let _ = Self::associate(&ensure_signed(origin)?, &hotkey);
            Ok(())
        }

        // --- delegation -----------------------------------------------------------------------

        /// Lowers what a delegate takes, in 1/65535.
        #[pallet::call_index(65)]
        #[pallet::weight(Weight::from_parts(1_000_000, 0))]
        pub fn decrease_take(
            origin: OriginFor<T>,
            hotkey: AccountId32,
            take: u16,
        ) -> DispatchResult {
            Self::lower_take(&ensure_signed(origin)?, &hotkey, take)
        }

        /// Raises what a delegate takes, in 1/65535.
        #[pallet::call_index(66)]
        #[pallet::weight(Weight::from_parts(1_000_000, 0))]
        pub fn increase_take(
            origin: OriginFor<T>,
            hotkey: AccountId32,
            take: u16,
        ) -> DispatchResult {
            Self::raise_take(&ensure_signed(origin)?, &hotkey, take)
        }

        /// Gives parts of a hotkey's stake in a subnet to other hotkeys.
        #[pallet::call_index(67)]
        #[pallet::weight(Weight::from_parts(1_000_000, 0))]
        pub fn set_children(
            origin: OriginFor<T>,
            hotkey: AccountId32,
            netuid: u16,
            children: Vec<(u64, AccountId32)>,
        ) -> DispatchResult {
            Self::schedule_children(&ensure_signed(origin)?, &hotkey, netuid, children)
        }

        /// What a hotkey takes of the stake it got from parents, in 1/65535.
        #[pallet::call_index(75)]
        #[pallet::weight(Weight::from_parts(1_000_000, 0))]
        pub fn set_childkey_take(
            origin: OriginFor<T>,
            hotkey: AccountId32,
            netuid: u16,
            take: u16,
        ) -> DispatchResult {
            Self::set_child_take(&ensure_signed(origin)?, &hotkey, netuid, take)
        }
    }
}
