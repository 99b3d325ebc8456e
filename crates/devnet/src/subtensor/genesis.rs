//! The first state of the chain's networks.

use frame_support::traits::fungible::Mutate as _;
use sp_core::crypto::AccountId32;

use super::pallet::{
    Burn, CommitRevealWeightsEnabled, Config, FirstEmissionBlockNumber, ImmunityPeriod,
    LoopbackAxonsAllowed, MaxAllowedUids, MaxAllowedValidators, MaxRegistrationsPerBlock,
    MaxWeightsLimit, MechanismCountCurrent, MinAllowedWeights, MinBurn, NetworkRegistrationAllowed,
    NetworksAdded, Pallet, RevealPeriodEpochs, ServingRateLimit, StakeThreshold, SubtokenEnabled,
    TargetRegistrationsPerInterval, Tempo, TotalNetworks, WeightsSetRateLimit, WeightsVersionKey,
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
        Burn::<T>::insert(netuid, subnet.burn.0);
        MinBurn::<T>::insert(netuid, subnet.burn.0.min(500_000));
        CommitRevealWeightsEnabled::<T>::insert(netuid, subnet.commit_reveal_enabled);
    }
}
