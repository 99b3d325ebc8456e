//! Stake, one alpha for one TAO. The live chain trades through each subnet's pool; here the price
//! is fixed so that tests can reckon with it.

use frame_support::{
    dispatch::DispatchResult,
    ensure,
    traits::{
        fungible::{Inspect as _, Mutate as _},
        tokens::{Fortitude, Precision, Preservation},
    },
};
use sp_core::{U256, crypto::AccountId32};

use super::pallet::{
    Alpha, Config, Error, Event, NetworksAdded, OwnedHotkeys, Owner, Pallet, SubtokenEnabled,
    TaoWeight, TotalHotkeyAlpha, TotalHotkeyShares, TotalStake, U64F64,
};

/// The smallest stake, 0.002 TAO.
const MIN_STAKE: u64 = 2_000_000;

impl<T: Config> Pallet<T> {
    pub(crate) fn stake(
        coldkey: &AccountId32,
        hotkey: &AccountId32,
        netuid: u16,
        amount: u64,
    ) -> DispatchResult {
        ensure!(NetworksAdded::<T>::get(netuid), Error::<T>::SubnetNotExists);
        ensure!(amount >= MIN_STAKE, Error::<T>::AmountTooLow);
        ensure!(
            Self::spendable(coldkey) >= amount,
            Error::<T>::NotEnoughBalanceToStake
        );
        ensure!(
            Owner::<T>::contains_key(hotkey),
            Error::<T>::HotKeyAccountNotExists
        );
        ensure!(
            SubtokenEnabled::<T>::get(netuid),
            Error::<T>::SubtokenDisabled
        );
        Self::withdraw(coldkey, amount)?;
        Self::credit(coldkey, hotkey, netuid, amount);
        Self::note_staking(coldkey, hotkey, netuid);
        TotalStake::<T>::mutate(|total| *total = total.saturating_add(amount));
        Self::deposit_event(Event::StakeAdded(
            coldkey.clone(),
            hotkey.clone(),
            amount,
            amount,
            netuid,
            0,
        ));
        Ok(())
    }

    pub(crate) fn unstake(
        coldkey: &AccountId32,
        hotkey: &AccountId32,
        netuid: u16,
        amount: u64,
    ) -> DispatchResult {
        ensure!(NetworksAdded::<T>::get(netuid), Error::<T>::SubnetNotExists);
        ensure!(
            Owner::<T>::contains_key(hotkey),
            Error::<T>::HotKeyAccountNotExists
        );
        Self::check_staking_limit(coldkey, hotkey, netuid)?;
        ensure!(amount > 0, Error::<T>::AmountTooLow);
        ensure!(
            Self::stake_of(coldkey, hotkey, netuid) >= amount,
            Error::<T>::NotEnoughStakeToWithdraw
        );
        Self::debit(coldkey, hotkey, netuid, amount);
        TotalStake::<T>::mutate(|total| *total = total.saturating_sub(amount));
        T::Currency::mint_into(coldkey, amount)?;
        Self::deposit_event(Event::StakeRemoved(
            coldkey.clone(),
            hotkey.clone(),
            amount,
            amount,
            netuid,
            0,
        ));
        Ok(())
    }

    /// What the coldkey can pay without its account dying.
    pub(crate) fn spendable(coldkey: &AccountId32) -> u64 {
        T::Currency::reducible_balance(coldkey, Preservation::Preserve, Fortitude::Polite)
    }

    /// Takes TAO out of the coldkey's balance.
    pub(crate) fn withdraw(coldkey: &AccountId32, amount: u64) -> DispatchResult {
        T::Currency::burn_from(
            coldkey,
            amount,
            Preservation::Preserve,
            Precision::Exact,
            Fortitude::Polite,
        )
        .map_err(|_| Error::<T>::BalanceWithdrawalError)?;
        Ok(())
    }

    /// Makes the coldkey the hotkey's owner unless it has one.
    pub(crate) fn associate(coldkey: &AccountId32, hotkey: &AccountId32) -> DispatchResult {
        if Owner::<T>::contains_key(hotkey) {
            ensure!(
                Owner::<T>::get(hotkey) == *coldkey,
                Error::<T>::NonAssociatedColdKey
            );
        } else {
            Owner::<T>::insert(hotkey, coldkey);
            OwnedHotkeys::<T>::append(coldkey, hotkey);
        }
        Ok(())
    }

    /// Alpha of the hotkey plus its root stake times `TaoWeight / 2⁶⁴`, in rao, both with what
    /// parents give and children take.
    pub(crate) fn total_stake(hotkey: &AccountId32, netuid: u16) -> u64 {
        let alpha = Self::inherited(hotkey, netuid, netuid);
        let tao = u128::from(Self::inherited(hotkey, netuid, 0));
        let weighted = (tao * u128::from(TaoWeight::<T>::get())) >> 64;
        alpha.saturating_add(u64::try_from(weighted).unwrap_or(u64::MAX))
    }

    /// The coldkey's part of the hotkey's alpha: its share of the total, rounded down.
    pub(crate) fn stake_of(coldkey: &AccountId32, hotkey: &AccountId32, netuid: u16) -> u64 {
        let total = TotalHotkeyAlpha::<T>::get(hotkey, netuid);
        let shares = TotalHotkeyShares::<T>::get(hotkey, netuid).bits;
        let own = Alpha::<T>::get((hotkey, coldkey, netuid)).bits;
        proportion(own, u128::from(total), shares)
            .try_into()
            .unwrap_or(u64::MAX)
    }

    /// Adds alpha that only `coldkey` owns.
    pub(crate) fn credit(coldkey: &AccountId32, hotkey: &AccountId32, netuid: u16, amount: u64) {
        let total = TotalHotkeyAlpha::<T>::get(hotkey, netuid);
        let shares = TotalHotkeyShares::<T>::get(hotkey, netuid).bits;
        let bought = if total == 0 || shares == 0 {
            u128::from(amount) << 64
        } else {
            proportion(u128::from(amount), shares, u128::from(total))
        };
        TotalHotkeyAlpha::<T>::insert(hotkey, netuid, total.saturating_add(amount));
        set_shares::<T>(hotkey, netuid, shares.saturating_add(bought));
        Alpha::<T>::mutate((hotkey, coldkey, netuid), |own| {
            own.bits = own.bits.saturating_add(bought);
        });
    }

    /// Adds alpha that every staker of the hotkey owns in proportion; the hotkey's owner when
    /// nobody has staked.
    pub(crate) fn share_out(hotkey: &AccountId32, netuid: u16, amount: u64) {
        if TotalHotkeyShares::<T>::get(hotkey, netuid).bits == 0 {
            Self::credit(&Owner::<T>::get(hotkey), hotkey, netuid, amount);
        } else {
            TotalHotkeyAlpha::<T>::mutate(hotkey, netuid, |total| {
                *total = total.saturating_add(amount);
            });
        }
    }

    /// Takes away alpha of `coldkey`.
    pub(crate) fn debit(coldkey: &AccountId32, hotkey: &AccountId32, netuid: u16, amount: u64) {
        let total = TotalHotkeyAlpha::<T>::get(hotkey, netuid);
        let shares = TotalHotkeyShares::<T>::get(hotkey, netuid).bits;
        let own = Alpha::<T>::get((hotkey, coldkey, netuid)).bits;
        let whole = Self::stake_of(coldkey, hotkey, netuid) == amount;
        let sold = if whole {
            own
        } else {
            proportion(u128::from(amount), shares, u128::from(total)).min(own)
        };
        let left = total.saturating_sub(amount);
        TotalHotkeyAlpha::<T>::insert(hotkey, netuid, left);
        set_shares::<T>(hotkey, netuid, shares.saturating_sub(sold));
        if sold == own {
            Alpha::<T>::remove((hotkey, coldkey, netuid));
        } else {
            Alpha::<T>::mutate((hotkey, coldkey, netuid), |own| own.bits -= sold);
        }
    }
}

fn set_shares<T: Config>(hotkey: &AccountId32, netuid: u16, bits: u128) {
    if bits == 0 {
        TotalHotkeyShares::<T>::remove(hotkey, netuid);
    } else {
        TotalHotkeyShares::<T>::insert(hotkey, netuid, U64F64 { bits });
    }
}

/// `a · b / c`, rounded down, 0 when `c` is 0, saturating.
fn proportion(a: u128, b: u128, c: u128) -> u128 {
    if c == 0 {
        return 0;
    }
    let value = U256::from(a) * U256::from(b) / U256::from(c);
    u128::try_from(value).unwrap_or(u128::MAX)
}
