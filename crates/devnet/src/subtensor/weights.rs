//! `set_weights`: every refusal, in the order the live chain checks (runtime 425).

use std::collections::BTreeSet;

use adit_yuma::{max_upscale, within_max_weight};
use frame_support::{dispatch::DispatchResult, ensure};
use sp_core::crypto::AccountId32;

use super::{
    pallet::{
        CommitRevealWeightsEnabled, Config, Error, Event, LastUpdate, MaxWeightsLimit,
        MinAllowedWeights, NetworksAdded, Pallet, StakeThreshold, SubnetOwnerHotkey, SubnetworkN,
        Uids, ValidatorPermit, Weights, WeightsSetRateLimit, WeightsVersionKey,
    },
    place,
};

impl<T: Config> Pallet<T> {
    /// Checks and stores one row of weights, in the order submitted.
    pub(crate) fn accept_weights(
        hotkey: &AccountId32,
        netuid: u16,
        dests: &[u16],
        weights: &[u16],
        version_key: u64,
    ) -> DispatchResult {
        ensure!(
            !CommitRevealWeightsEnabled::<T>::get(netuid),
            Error::<T>::CommitRevealEnabled
        );
        ensure!(netuid != 0, Error::<T>::CanNotSetRootNetworkWeights);
        ensure!(
            dests.len() == weights.len(),
            Error::<T>::WeightVecNotEqualSize
        );
        ensure!(
            NetworksAdded::<T>::get(netuid),
            Error::<T>::MechanismDoesNotExist
        );
        let neurons = SubnetworkN::<T>::get(netuid);
        ensure!(
            dests.len() <= usize::from(neurons),
            Error::<T>::UidsLengthExceedUidsInSubNet
        );
        let uid = Uids::<T>::get(netuid, hotkey).ok_or(Error::<T>::HotKeyNotRegisteredInSubNet)?;
        let owner = SubnetOwnerHotkey::<T>::get(netuid) == *hotkey;
        ensure!(
            owner || Self::total_stake(hotkey, netuid) >= StakeThreshold::<T>::get(),
            Error::<T>::NotEnoughStakeToSetWeights
        );
        ensure!(
            version_key >= WeightsVersionKey::<T>::get(netuid),
            Error::<T>::IncorrectWeightVersionKey
        );
        let last_update = element(&LastUpdate::<T>::get(netuid), uid);
        let elapsed = Self::now().saturating_sub(last_update);
        ensure!(
            last_update == 0 || elapsed >= WeightsSetRateLimit::<T>::get(netuid),
            Error::<T>::SettingWeightsTooFast
        );
        let only_itself = dests == [uid];
        ensure!(
            only_itself || owner || element(&ValidatorPermit::<T>::get(netuid), uid),
            Error::<T>::NeuronNoValidatorPermit
        );
        ensure!(
            dests.iter().collect::<BTreeSet<_>>().len() == dests.len(),
            Error::<T>::DuplicateUids
        );
        ensure!(
            dests.iter().all(|&dest| dest < neurons),
            Error::<T>::UidVecContainInvalidOne
        );
        let fewest = usize::from(neurons.min(MinAllowedWeights::<T>::get(netuid)));
        ensure!(
            only_itself || dests.len() >= fewest,
            Error::<T>::WeightVecLengthIsLow
        );
        let upscaled = max_upscale(weights);
        ensure!(
            only_itself || within_max_weight(&upscaled, MaxWeightsLimit::<T>::get(netuid)),
            Error::<T>::MaxWeightExceeded
        );

        let row: Vec<(u16, u16)> = dests.iter().copied().zip(upscaled).collect();
        Weights::<T>::insert(netuid, uid, row);
        LastUpdate::<T>::mutate(netuid, |updates| place(updates, uid, Self::now()));
        Self::deposit_event(Event::WeightsSet(netuid, uid));
        Ok(())
    }
}

fn element<V: Copy + Default>(values: &[V], uid: u16) -> V {
    values.get(usize::from(uid)).copied().unwrap_or_default()
}
