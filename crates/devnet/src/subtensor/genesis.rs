//! The first state of the chain's networks.

use adit_primitives::RAO_PER_TAO;
use frame_support::traits::fungible::Mutate as _;
use sp_core::{
    Pair as _,
    crypto::{AccountId32, DEV_PHRASE, DeriveJunction},
    sr25519,
};

use super::{
    pallet::{
        Axons, Burn, CommitRevealWeightsEnabled, Config, FirstEmissionBlockNumber, ImmunityPeriod,
        LastUpdate, LoopbackAxonsAllowed, MaxAllowedUids, MaxAllowedValidators,
        MaxRegistrationsPerBlock, MaxWeightsLimit, MechanismCountCurrent, MinAllowedWeights,
        MinBurn, NetworkRegistrationAllowed, NetworksAdded, Pallet, RevealPeriodEpochs,
        ServingRateLimit, StakeThreshold, StakingHotkeys, StoredAxon, SubtokenEnabled,
        TargetRegistrationsPerInterval, Tempo, TotalNetworks, TotalStake, ValidatorPermit, Weights,
        WeightsSetRateLimit, WeightsVersionKey,
    },
    place,
};
use crate::config::SubnetConfig;

impl<T: Config> Pallet<T> {
    /// Adds the root network and the subnets, and funds the accounts.
    pub(crate) fn found(
        funded: &[(AccountId32, u64)],
        subnets: &[SubnetConfig],
        stake_threshold: u64,
        allow_loopback_axons: bool,
    ) {
        for (account, amount) in funded {
            if let Err(error) = T::Currency::mint_into(account, *amount) {
                tracing::warn!(%account, amount, ?error, "account not funded");
            }
        }
        StakeThreshold::<T>::put(stake_threshold);
        LoopbackAxonsAllowed::<T>::put(allow_loopback_axons);

        NetworksAdded::<T>::insert(0, true);
        MaxAllowedUids::<T>::insert(0, 64);
        MaxAllowedValidators::<T>::insert(0, 64);
        MinAllowedWeights::<T>::insert(0, 0);
        Tempo::<T>::insert(0, 100);
        SubtokenEnabled::<T>::insert(0, true);
        for subnet in subnets {
            Self::found_subnet(subnet);
        }
        let count = u16::try_from(subnets.len()).unwrap_or(u16::MAX);
        TotalNetworks::<T>::put(count.saturating_add(1));
    }

    fn found_subnet(subnet: &SubnetConfig) {
        let netuid = subnet.netuid.0;
        NetworksAdded::<T>::insert(netuid, true);
        NetworkRegistrationAllowed::<T>::insert(netuid, true);
        Tempo::<T>::insert(netuid, subnet.tempo);
        WeightsSetRateLimit::<T>::insert(netuid, subnet.weights_rate_limit);
        ServingRateLimit::<T>::insert(netuid, subnet.serving_rate_limit);
        WeightsVersionKey::<T>::insert(netuid, subnet.weights_version);
        MinAllowedWeights::<T>::insert(netuid, subnet.min_allowed_weights);
        MaxWeightsLimit::<T>::insert(netuid, subnet.max_weights_limit);
        MaxAllowedValidators::<T>::insert(netuid, subnet.max_validators);
        MaxAllowedUids::<T>::insert(netuid, subnet.max_uids);
        ImmunityPeriod::<T>::insert(netuid, subnet.immunity_period);
        MaxRegistrationsPerBlock::<T>::insert(netuid, subnet.max_registrations_per_block);
        TargetRegistrationsPerInterval::<T>::insert(netuid, subnet.target_registrations);
        MechanismCountCurrent::<T>::insert(netuid, subnet.mechanisms);
        RevealPeriodEpochs::<T>::insert(netuid, subnet.reveal_period);
        SubtokenEnabled::<T>::insert(netuid, true);
        FirstEmissionBlockNumber::<T>::insert(netuid, 1);
        Self::populate(netuid, subnet.neurons);
        Burn::<T>::insert(netuid, subnet.burn.0);
        MinBurn::<T>::insert(netuid, subnet.burn.0.min(500_000));
        CommitRevealWeightsEnabled::<T>::insert(netuid, subnet.commit_reveal_enabled);
    }

    /// Registers the first neurons. All of it follows from their number.
    fn populate(netuid: u16, count: u16) {
        let validators = count.div_ceil(4);
        // The phrase is stretched once; that takes longer than all the rest.
        let Ok(phrase) = sr25519::Pair::from_string(DEV_PHRASE, None) else {
            return;
        };
        for uid in 0..count {
            let (hotkey, coldkey) = (
                derived(&phrase, "hotkey", uid),
                derived(&phrase, "coldkey", uid / 8),
            );
            if Self::associate(&coldkey, &hotkey).is_err() {
                tracing::warn!(netuid, uid, "the hotkey has another coldkey already");
            }
            Self::seat(netuid, uid, &hotkey);
            if uid < validators {
                let stake = 1_000 * RAO_PER_TAO * u64::from(validators - uid);
                Self::credit(&coldkey, &hotkey, netuid, stake);
                StakingHotkeys::<T>::append(&coldkey, &hotkey);
                TotalStake::<T>::mutate(|total| *total = total.saturating_add(stake));
                ValidatorPermit::<T>::mutate(netuid, |values| place(values, uid, true));
                // After the registration of what they weigh, so that an epoch counts them.
                LastUpdate::<T>::mutate(netuid, |values| place(values, uid, 1));
                let row: Vec<(u16, u16)> = (validators..count)
                    .map(|miner| (miner, weight(uid, miner)))
                    .collect();
                Weights::<T>::insert(netuid, uid, row);
            } else {
                let axon = StoredAxon {
                    version: 1,
                    ip: 0x0a00_0000 + u128::from(uid),
                    port: 8091,
                    ip_type: 4,
                    protocol: 4,
                    ..StoredAxon::default()
                };
                Axons::<T>::insert(netuid, &hotkey, axon);
            }
        }
    }
}

/// The public key of a development key, such as `//hotkey7`.
fn derived(phrase: &sr25519::Pair, name: &str, number: u16) -> AccountId32 {
    let junction = DeriveJunction::hard(format!("{name}{number}").as_str());
    // Hard derivation of a key that has its secret cannot fail.
    let pair = phrase.derive([junction].into_iter(), None);
    pair.map_or(AccountId32::new([0; 32]), |(pair, _)| pair.public().into())
}

/// What a validator gives a miner: much the same as the others, most of it to the last.
fn weight(validator: u16, miner: u16) -> u16 {
    let spread = validator
        .wrapping_mul(31)
        .wrapping_add(miner.wrapping_mul(17))
        % 64;
    miner.saturating_mul(128).saturating_add(spread).max(1)
}
