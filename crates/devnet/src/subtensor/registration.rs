//! Registration: the price, the refusals, a free uid or the neuron that gives way.

use frame_support::{dispatch::DispatchResult, ensure};
use sp_core::crypto::AccountId32;

use super::{
    pallet::{
        Active, AdjustmentInterval, Axons, BlockAtRegistration, Bonds, Burn, Config, Consensus,
        Dividends, Emission, Error, Event, ImmunityPeriod, Incentive, IsNetworkMember, Keys,
        LastAdjustmentBlock, LastUpdate, MaxAllowedUids, MaxBurn, MaxRegistrationsPerBlock,
        MechanismCountCurrent, MinBurn, NetworkRegistrationAllowed, NetworksAdded,
        NeuronCertificates, Pallet, Prometheus, RegistrationsThisBlock, RegistrationsThisInterval,
        StakeWeight, SubnetOwnerHotkey, SubnetworkN, TargetRegistrationsPerInterval, Uids,
        ValidatorPermit, ValidatorTrust, Weights,
    },
    place, storage_index,
};

/// Immune neurons are pruned only when no more than this many others exist.
const MIN_NON_IMMUNE_UIDS: usize = 10;
/// 10⁹ · (1 − 2^(−1/360)): what the burn price loses each block, halving in 360 blocks.
const BURN_DECAY_BILLIONTHS: u128 = 1_923_557;

impl<T: Config> Pallet<T> {
    /// Takes the burn price and gives the hotkey a place; `limit` is the most it may cost.
    pub(crate) fn buy_place(
        coldkey: &AccountId32,
        netuid: u16,
        hotkey: &AccountId32,
        limit: Option<u64>,
    ) -> DispatchResult {
        ensure!(
            netuid != 0,
            Error::<T>::RegistrationNotPermittedOnRootSubnet
        );
        ensure!(NetworksAdded::<T>::get(netuid), Error::<T>::SubnetNotExists);
        ensure!(
            NetworkRegistrationAllowed::<T>::get(netuid),
            Error::<T>::SubNetRegistrationDisabled
        );
        ensure!(
            RegistrationsThisBlock::<T>::get(netuid) < MaxRegistrationsPerBlock::<T>::get(netuid),
            Error::<T>::TooManyRegistrationsThisBlock
        );
        ensure!(
            Self::interval_has_room(netuid),
            Error::<T>::TooManyRegistrationsThisInterval
        );
        ensure!(
            !Uids::<T>::contains_key(netuid, hotkey),
            Error::<T>::HotKeyAlreadyRegisteredInSubNet
        );
        let price = Burn::<T>::get(netuid);
        ensure!(
            limit.is_none_or(|limit| price <= limit),
            Error::<T>::RegistrationPriceLimitExceeded
        );
        ensure!(
            Self::spendable(coldkey) >= price,
            Error::<T>::NotEnoughBalanceToStake
        );
        Self::associate(coldkey, hotkey)?;
        let uid = Self::free_uid(netuid)?;
        Self::withdraw(coldkey, price)?;
        Self::seat(netuid, uid, hotkey);
        RegistrationsThisBlock::<T>::mutate(netuid, |count| *count = count.saturating_add(1));
        RegistrationsThisInterval::<T>::mutate(netuid, |count| *count = count.saturating_add(1));
        Burn::<T>::insert(netuid, raised(price).min(MaxBurn::<T>::get(netuid)));
        Self::deposit_event(Event::NeuronRegistered(netuid, uid, hotkey.clone()));
        Ok(())
    }

    /// Gives a hotkey a place in the root network, if need be that of the one with least stake.
    pub(crate) fn register_in_root(coldkey: &AccountId32, hotkey: &AccountId32) -> DispatchResult {
        ensure!(
            !Uids::<T>::contains_key(0, hotkey),
            Error::<T>::HotKeyAlreadyRegisteredInSubNet
        );
        Self::associate(coldkey, hotkey)?;
        let neurons = SubnetworkN::<T>::get(0);
        let uid = if neurons < MaxAllowedUids::<T>::get(0) {
            neurons
        } else {
            let stakes =
                (0..neurons).map(|uid| (Self::total_stake(&Keys::<T>::get(0, uid), 0), uid));
            let (least, uid) = stakes.min().ok_or(Error::<T>::NoNeuronIdAvailable)?;
            ensure!(
                Self::total_stake(hotkey, 0) > least,
                Error::<T>::StakeTooLowForRoot
            );
            uid
        };
        Self::seat(0, uid, hotkey);
        Self::deposit_event(Event::NeuronRegistered(0, uid, hotkey.clone()));
        Ok(())
    }

    /// Whether the interval's registrations are below three times their target.
    pub(crate) fn interval_has_room(netuid: u16) -> bool {
        let most = TargetRegistrationsPerInterval::<T>::get(netuid).saturating_mul(3);
        RegistrationsThisInterval::<T>::get(netuid) < most
    }

    /// Start of a block: counters reset, prices decay.
    pub(crate) fn step_registration() {
        for netuid in Self::networks().into_iter().filter(|&netuid| netuid != 0) {
            let since = Self::now().saturating_sub(LastAdjustmentBlock::<T>::get(netuid));
            if since >= u64::from(AdjustmentInterval::<T>::get(netuid)) {
                LastAdjustmentBlock::<T>::insert(netuid, Self::now());
                RegistrationsThisInterval::<T>::remove(netuid);
            }
            if RegistrationsThisBlock::<T>::contains_key(netuid) {
                RegistrationsThisBlock::<T>::remove(netuid);
            }
            let price = Burn::<T>::get(netuid);
            let next = decayed(price).max(MinBurn::<T>::get(netuid));
            if next < price {
                Burn::<T>::insert(netuid, next);
            }
        }
    }

    /// The next uid of a subnet with room, else the uid of the neuron that must go.
    fn free_uid(netuid: u16) -> Result<u16, Error<T>> {
        let neurons = SubnetworkN::<T>::get(netuid);
        if neurons < MaxAllowedUids::<T>::get(netuid) {
            return Ok(neurons);
        }
        Self::weakest(netuid, neurons).ok_or(Error::<T>::NoNeuronIdAvailable)
    }

    /// Smallest emission, then earliest registration, then lowest uid; the owner never, and the
    /// immune only when few others exist.
    fn weakest(netuid: u16, neurons: u16) -> Option<u16> {
        let emission = Emission::<T>::get(netuid);
        let owner = SubnetOwnerHotkey::<T>::get(netuid);
        let immunity = u64::from(ImmunityPeriod::<T>::get(netuid));
        let candidates: Vec<_> = (0..neurons)
            .filter(|&uid| Keys::<T>::get(netuid, uid) != owner)
            .map(|uid| {
                let registered = BlockAtRegistration::<T>::get(netuid, uid);
                let immune = Self::now().saturating_sub(registered) < immunity;
                let earned = emission.get(usize::from(uid)).copied().unwrap_or(0);
                (immune, (earned, registered, uid))
            })
            .collect();
        let others = candidates.iter().filter(|candidate| !candidate.0).count();
        let chosen = candidates
            .into_iter()
            .filter(|&(immune, _)| !immune || others <= MIN_NON_IMMUNE_UIDS)
            .map(|(_, rank)| rank)
            .min();
        chosen.map(|(_, _, uid)| uid)
    }

    /// Gives `uid` to `hotkey` with everything earned by its predecessor erased.
    pub(crate) fn seat(netuid: u16, uid: u16, hotkey: &AccountId32) {
        if Keys::<T>::contains_key(netuid, uid) {
            let previous = Keys::<T>::get(netuid, uid);
            Uids::<T>::remove(netuid, &previous);
            IsNetworkMember::<T>::remove(&previous, netuid);
            Axons::<T>::remove(netuid, &previous);
            Prometheus::<T>::remove(netuid, &previous);
            NeuronCertificates::<T>::remove(netuid, &previous);
        } else {
            SubnetworkN::<T>::insert(netuid, uid.saturating_add(1));
        }
        Keys::<T>::insert(netuid, uid, hotkey);
        Uids::<T>::insert(netuid, hotkey, uid);
        IsNetworkMember::<T>::insert(hotkey, netuid, true);
        BlockAtRegistration::<T>::insert(netuid, uid, Self::now());
        Active::<T>::mutate(netuid, |values| place(values, uid, true));
        ValidatorPermit::<T>::mutate(netuid, |values| place(values, uid, false));
        Consensus::<T>::mutate(netuid, |values| place(values, uid, 0));
        Dividends::<T>::mutate(netuid, |values| place(values, uid, 0));
        ValidatorTrust::<T>::mutate(netuid, |values| place(values, uid, 0));
        StakeWeight::<T>::mutate(netuid, |values| place(values, uid, 0));
        Emission::<T>::mutate(netuid, |values| place(values, uid, 0));
        for mecid in 0..MechanismCountCurrent::<T>::get(netuid) {
            let index = storage_index(netuid, mecid);
            Weights::<T>::remove(index, uid);
            Bonds::<T>::remove(index, uid);
            Incentive::<T>::mutate(index, |values| place(values, uid, 0));
            LastUpdate::<T>::mutate(index, |values| place(values, uid, Self::now()));
        }
    }
}

/// The price after a registration: times 1.26.
fn raised(price: u64) -> u64 {
    (u128::from(price) * 126 / 100)
        .try_into()
        .unwrap_or(u64::MAX)
}

/// The price one block later.
fn decayed(price: u64) -> u64 {
    let lost = u128::from(price) * BURN_DECAY_BILLIONTHS / 1_000_000_000;
    price.saturating_sub(u64::try_from(lost).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::{decayed, raised};

    #[test]
    fn the_price_rises_by_a_quarter_and_halves_in_360_blocks() {
        assert_eq!(raised(100_000_000), 126_000_000);
        let halved = (0..360).fold(1_000_000_000_u64, |price, _| decayed(price));
        assert!(halved.abs_diff(500_000_000) < 10_000, "{halved}");
    }
}
