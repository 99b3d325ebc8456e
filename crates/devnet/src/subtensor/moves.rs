//! Stake that moves: between hotkeys, coldkeys and subnets, with limits, and all of it at once.
//! Everything costs one TAO for one alpha here, so a limit price lets all through or nothing.

use frame_support::{dispatch::DispatchResult, ensure};
use sp_core::crypto::AccountId32;

use super::pallet::{
    Config, Error, Event, NetworksAdded, Owner, Pallet, StakingHotkeys,
    StakingOperationRateLimiter, SubtokenEnabled, TransferToggle,
};

/// TAO for one alpha, in rao.
const PRICE: u64 = 1_000_000_000;

/// One coldkey's stake on one hotkey in one subnet.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) coldkey: AccountId32,
    pub(crate) hotkey: AccountId32,
    pub(crate) netuid: u16,
}

impl<T: Config> Pallet<T> {
    /// Staking for at most `limit` rao an alpha.
    pub(crate) fn stake_within(
        coldkey: &AccountId32,
        hotkey: &AccountId32,
        netuid: u16,
        amount: u64,
        limit: u64,
    ) -> DispatchResult {
        ensure!(limit >= PRICE, Error::<T>::ZeroMaxStakeAmount);
        Self::stake(coldkey, hotkey, netuid, amount)
    }

    /// Unstaking for at least `limit` rao an alpha.
    pub(crate) fn unstake_within(
        coldkey: &AccountId32,
        hotkey: &AccountId32,
        netuid: u16,
        amount: u64,
        limit: u64,
    ) -> DispatchResult {
        ensure!(limit <= PRICE, Error::<T>::ZeroMaxStakeAmount);
        Self::unstake(coldkey, hotkey, netuid, amount)
    }

    /// Unstaking everything, for at least `limit` rao an alpha.
    pub(crate) fn unstake_whole(
        coldkey: &AccountId32,
        hotkey: &AccountId32,
        netuid: u16,
        limit: Option<u64>,
    ) -> DispatchResult {
        let amount = Self::stake_of(coldkey, hotkey, netuid);
        Self::unstake_within(coldkey, hotkey, netuid, amount, limit.unwrap_or(0))
    }

    /// Unstaking everything on a hotkey, in every subnet.
    pub(crate) fn unstake_everywhere(
        coldkey: &AccountId32,
        hotkey: &AccountId32,
    ) -> DispatchResult {
        ensure!(
            Owner::<T>::contains_key(hotkey),
            Error::<T>::HotKeyAccountNotExists
        );
        for netuid in Self::networks() {
            let amount = Self::stake_of(coldkey, hotkey, netuid);
            if amount > 0 {
                Self::unstake(coldkey, hotkey, netuid, amount)?;
            }
        }
        Ok(())
    }

    /// Moving everything on a hotkey to its stake in the root network.
    pub(crate) fn unstake_to_root(coldkey: &AccountId32, hotkey: &AccountId32) -> DispatchResult {
        ensure!(
            Owner::<T>::contains_key(hotkey),
            Error::<T>::HotKeyAccountNotExists
        );
        for netuid in Self::networks().into_iter().filter(|&netuid| netuid != 0) {
            let amount = Self::stake_of(coldkey, hotkey, netuid);
            if amount > 0 {
                Self::debit(coldkey, hotkey, netuid, amount);
                Self::credit(coldkey, hotkey, 0, amount);
            }
        }
        Ok(())
    }

    pub(crate) fn move_between_hotkeys(
        from: &Position,
        to: &Position,
        amount: u64,
    ) -> DispatchResult {
        Self::transfer(from, to, amount)?;
        Self::deposit_event(Event::StakeMoved(
            from.coldkey.clone(),
            from.hotkey.clone(),
            from.netuid,
            to.hotkey.clone(),
            to.netuid,
            amount,
        ));
        Ok(())
    }

    pub(crate) fn move_between_coldkeys(
        from: &Position,
        to: &Position,
        amount: u64,
    ) -> DispatchResult {
        ensure!(
            TransferToggle::<T>::get(from.netuid) && TransferToggle::<T>::get(to.netuid),
            Error::<T>::TransferDisallowed
        );
        Self::transfer(from, to, amount)?;
        Self::deposit_event(Event::StakeTransferred(
            from.coldkey.clone(),
            to.coldkey.clone(),
            from.hotkey.clone(),
            from.netuid,
            to.netuid,
            amount,
        ));
        Ok(())
    }

    /// `limit` is the least price of the origin's alpha in the destination's, in 10⁻⁹.
    pub(crate) fn move_between_subnets(
        from: &Position,
        to: &Position,
        amount: u64,
        limit: Option<u64>,
    ) -> DispatchResult {
        ensure!(
            limit.is_none_or(|limit| limit <= PRICE),
            Error::<T>::ZeroMaxStakeAmount
        );
        Self::transfer(from, to, amount)?;
        Self::deposit_event(Event::StakeSwapped(
            from.coldkey.clone(),
            from.hotkey.clone(),
            from.netuid,
            to.netuid,
            amount,
        ));
        Ok(())
    }

    fn transfer(from: &Position, to: &Position, amount: u64) -> DispatchResult {
        ensure!(from != to, Error::<T>::SameNetuid);
        for place in [from, to] {
            ensure!(
                NetworksAdded::<T>::get(place.netuid),
                Error::<T>::SubnetNotExists
            );
            ensure!(
                SubtokenEnabled::<T>::get(place.netuid),
                Error::<T>::SubtokenDisabled
            );
            ensure!(
                Owner::<T>::contains_key(&place.hotkey),
                Error::<T>::HotKeyAccountNotExists
            );
        }
        Self::check_staking_limit(&from.coldkey, &from.hotkey, from.netuid)?;
        ensure!(amount > 0, Error::<T>::AmountTooLow);
        ensure!(
            Self::stake_of(&from.coldkey, &from.hotkey, from.netuid) >= amount,
            Error::<T>::NotEnoughStakeToWithdraw
        );
        Self::debit(&from.coldkey, &from.hotkey, from.netuid, amount);
        Self::credit(&to.coldkey, &to.hotkey, to.netuid, amount);
        Self::note_staking(&to.coldkey, &to.hotkey, to.netuid);
        Ok(())
    }

    /// Every network's netuid, sorted.
    pub(crate) fn networks() -> Vec<u16> {
        let mut networks: Vec<u16> = NetworksAdded::<T>::iter_keys().collect();
        networks.sort_unstable();
        networks
    }

    // --- one operation a block ----------------------------------------------------------------

    /// Remembers that the coldkey staked in this block, and on whom.
    pub(crate) fn note_staking(coldkey: &AccountId32, hotkey: &AccountId32, netuid: u16) {
        StakingOperationRateLimiter::<T>::insert((hotkey, coldkey, netuid), true);
        let known = StakingHotkeys::<T>::get(coldkey);
        if !known.contains(hotkey) {
            StakingHotkeys::<T>::append(coldkey, hotkey);
        }
    }

    /// Refuses what would take out stake in the block it came in.
    pub(crate) fn check_staking_limit(
        coldkey: &AccountId32,
        hotkey: &AccountId32,
        netuid: u16,
    ) -> DispatchResult {
        ensure!(
            !StakingOperationRateLimiter::<T>::get((hotkey, coldkey, netuid)),
            Error::<T>::StakingOperationRateLimitExceeded
        );
        Ok(())
    }

    pub(crate) fn clear_staking_limits() {
        let _ = StakingOperationRateLimiter::<T>::clear(u32::MAX, None);
    }
}
