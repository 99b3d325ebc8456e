//! What delegates and children keep for themselves.

use frame_support::{dispatch::DispatchResult, ensure};
use sp_core::crypto::AccountId32;

use super::pallet::{
    ChildkeyTake, Config, Delegates, Error, Event, LastTxBlockDelegateTake, MaxChildkeyTake,
    MaxDelegateTake, MinChildkeyTake, MinDelegateTake, Owner, Pallet, TxDelegateTakeRateLimit,
};

impl<T: Config> Pallet<T> {
    pub(crate) fn lower_take(
        coldkey: &AccountId32,
        hotkey: &AccountId32,
        take: u16,
    ) -> DispatchResult {
        Self::check_owner(coldkey, hotkey)?;
        ensure!(
            take < Delegates::<T>::get(hotkey) && take >= MinDelegateTake::<T>::get(),
            Error::<T>::DelegateTakeTooLow
        );
        Delegates::<T>::insert(hotkey, take);
        Self::deposit_event(Event::TakeDecreased(coldkey.clone(), hotkey.clone(), take));
        Ok(())
    }

    pub(crate) fn raise_take(
        coldkey: &AccountId32,
        hotkey: &AccountId32,
        take: u16,
    ) -> DispatchResult {
        Self::check_owner(coldkey, hotkey)?;
        ensure!(
            take > Delegates::<T>::get(hotkey),
            Error::<T>::DelegateTakeTooLow
        );
        ensure!(
            take <= MaxDelegateTake::<T>::get(),
            Error::<T>::DelegateTakeTooHigh
        );
        ensure!(
            Self::take_may_rise(hotkey),
            Error::<T>::DelegateTxRateLimitExceeded
        );
        Delegates::<T>::insert(hotkey, take);
        LastTxBlockDelegateTake::<T>::insert(hotkey, Self::now());
        Self::deposit_event(Event::TakeIncreased(coldkey.clone(), hotkey.clone(), take));
        Ok(())
    }

    /// Whether the rate limit lets the take rise.
    pub(crate) fn take_may_rise(hotkey: &AccountId32) -> bool {
        let last = LastTxBlockDelegateTake::<T>::get(hotkey);
        last == 0 || Self::now().saturating_sub(last) >= TxDelegateTakeRateLimit::<T>::get()
    }

    pub(crate) fn set_child_take(
        coldkey: &AccountId32,
        hotkey: &AccountId32,
        netuid: u16,
        take: u16,
    ) -> DispatchResult {
        Self::check_owner(coldkey, hotkey)?;
        ensure!(
            take >= MinChildkeyTake::<T>::get() && take <= MaxChildkeyTake::<T>::get(),
            Error::<T>::InvalidChildkeyTake
        );
        ChildkeyTake::<T>::insert(hotkey, netuid, take);
        Self::deposit_event(Event::ChildKeyTakeSet(hotkey.clone(), take));
        Ok(())
    }

    /// Refuses a coldkey that does not own the hotkey.
    pub(crate) fn check_owner(coldkey: &AccountId32, hotkey: &AccountId32) -> Result<(), Error<T>> {
        ensure!(
            Owner::<T>::contains_key(hotkey),
            Error::<T>::HotKeyAccountNotExists
        );
        ensure!(
            Owner::<T>::get(hotkey) == *coldkey,
            Error::<T>::NonAssociatedColdKey
        );
        Ok(())
    }
}
