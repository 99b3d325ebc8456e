//! `set_weights`: every refusal, in the order the live chain checks (runtime 425).

use std::collections::BTreeSet;

use adit_yuma::{max_upscale, within_max_weight};
use frame_support::{dispatch::DispatchResult, ensure};
use sp_core::crypto::AccountId32;

use super::{
    element,
    pallet::{
        CommitRevealWeightsEnabled, Config, Error, Event, LastUpdate, MaxWeightsLimit,
        MechanismCountCurrent, MinAllowedWeights, NetworksAdded, Pallet, StakeThreshold,
        SubnetOwnerHotkey, SubnetworkN, Uids, ValidatorPermit, Weights, WeightsVersionKey,
    },
    place, storage_index,
};

impl<T: Config> Pallet<T> {
    /// Takes weights that are set directly, which a subnet with commit-reveal does not allow.
    pub(crate) fn accept_weights(
        hotkey: &AccountId32,
        netuid: u16,
        mecid: u8,
        dests: &[u16],
        weights: &[u16],
        version_key: u64,
    ) -> DispatchResult {
        ensure!(
            !CommitRevealWeightsEnabled::<T>::get(netuid),
            Error::<T>::CommitRevealEnabled
        );
        Self::store_weights(hotkey, netuid, mecid, dests, weights, version_key)
    }

    /// Checks and stores one row of weights, in the order submitted.
    pub(crate) fn store_weights(
        hotkey: &AccountId32,
        netuid: u16,
        mecid: u8,
        dests: &[u16],
        weights: &[u16],
        version_key: u64,
    ) -> DispatchResult {
        let index = storage_index(netuid, mecid);
        let direct = !CommitRevealWeightsEnabled::<T>::get(netuid);
        ensure!(netuid != 0, Error::<T>::CanNotSetRootNetworkWeights);
        ensure!(
            dests.len() == weights.len(),
            Error::<T>::WeightVecNotEqualSize
        );
        ensure!(
            NetworksAdded::<T>::get(netuid) && mecid < MechanismCountCurrent::<T>::get(netuid),
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
            Self::stake_suffices(hotkey, netuid),
            Error::<T>::NotEnoughStakeToSetWeights
        );
        ensure!(
            version_key >= WeightsVersionKey::<T>::get(netuid),
            Error::<T>::IncorrectWeightVersionKey
        );
        ensure!(
            !direct || Self::update_is_due(netuid, index, uid),
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
        Weights::<T>::insert(index, uid, row);
        if direct {
            LastUpdate::<T>::mutate(index, |updates| place(updates, uid, Self::now()));
        }
        Self::deposit_event(Event::WeightsSet(index, uid));
        Ok(())
    }

    /// Whether the hotkey has the stake that setting weights takes.
    pub(crate) fn stake_suffices(hotkey: &AccountId32, netuid: u16) -> bool {
        SubnetOwnerHotkey::<T>::get(netuid) == *hotkey
            || Self::total_stake(hotkey, netuid) >= StakeThreshold::<T>::get()
    }
}
