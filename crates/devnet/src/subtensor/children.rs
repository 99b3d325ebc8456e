//! Child hotkeys: who inherits whose stake, from which block on.

use std::collections::BTreeSet;

use frame_support::{dispatch::DispatchResult, ensure};
use sp_core::crypto::AccountId32;

use super::pallet::{
    ChildKeys, Config, Error, Event, NetworksAdded, Pallet, ParentKeys, PendingChildKeyCooldown,
    PendingChildKeys, StakeThreshold, TotalHotkeyAlpha,
};

/// Children a hotkey may have in one subnet.
const MOST_CHILDREN: usize = 5;

impl<T: Config> Pallet<T> {
    /// Asks for children; they become so when the cooldown is over.
    pub(crate) fn schedule_children(
        coldkey: &AccountId32,
        hotkey: &AccountId32,
        netuid: u16,
        children: Vec<(u64, AccountId32)>,
    ) -> DispatchResult {
        ensure!(
            netuid != 0,
            Error::<T>::RegistrationNotPermittedOnRootSubnet
        );
        ensure!(NetworksAdded::<T>::get(netuid), Error::<T>::SubnetNotExists);
        Self::check_owner(coldkey, hotkey)?;
        ensure!(children.len() <= MOST_CHILDREN, Error::<T>::TooManyChildren);
        let parents = ParentKeys::<T>::get(hotkey, netuid);
        for (_, child) in &children {
            ensure!(child != hotkey, Error::<T>::InvalidChild);
            ensure!(
                parents.iter().all(|(_, parent)| parent != child),
                Error::<T>::ChildParentInconsistency
            );
        }
        let mut whole = 0_u64;
        for (proportion, _) in &children {
            whole = whole
                .checked_add(*proportion)
                .ok_or(Error::<T>::ProportionOverflow)?;
        }
        let distinct: BTreeSet<_> = children.iter().map(|(_, child)| child).collect();
        ensure!(distinct.len() == children.len(), Error::<T>::DuplicateChild);
        ensure!(
            children.is_empty() || Self::total_stake(hotkey, netuid) >= StakeThreshold::<T>::get(),
            Error::<T>::NotEnoughStakeToSetChildkeys
        );
        let due = Self::now().saturating_add(PendingChildKeyCooldown::<T>::get());
        PendingChildKeys::<T>::insert(netuid, hotkey, (children.clone(), due));
        Self::deposit_event(Event::SetChildrenScheduled(
            hotkey.clone(),
            netuid,
            due,
            children,
        ));
        Ok(())
    }

    /// Epoch of a subnet: whose cooldown is over gets its children.
    pub(crate) fn adopt_children(netuid: u16) {
        let due: Vec<_> = PendingChildKeys::<T>::iter_prefix(netuid)
            .filter(|(_, (_, block))| *block <= Self::now())
            .collect();
        for (hotkey, (children, _)) in due {
            PendingChildKeys::<T>::remove(netuid, &hotkey);
            for (_, child) in ChildKeys::<T>::get(&hotkey, netuid) {
                ParentKeys::<T>::mutate(&child, netuid, |parents| {
                    parents.retain(|(_, parent)| *parent != hotkey);
                });
            }
            for (proportion, child) in &children {
                ParentKeys::<T>::append(child, netuid, (*proportion, hotkey.clone()));
            }
            if children.is_empty() {
                ChildKeys::<T>::remove(&hotkey, netuid);
            } else {
                ChildKeys::<T>::insert(&hotkey, netuid, children.clone());
            }
            Self::deposit_event(Event::SetChildren(hotkey, netuid, children));
        }
    }

    /// Stake in `from` (a subnet, or 0 for the root network) as `netuid` counts it: without what
    /// children inherit, with what comes from parents; in rao.
    pub(crate) fn inherited(hotkey: &AccountId32, netuid: u16, from: u16) -> u64 {
        let own = TotalHotkeyAlpha::<T>::get(hotkey, from);
        let given: u64 = ChildKeys::<T>::get(hotkey, netuid)
            .iter()
            .map(|(proportion, _)| part(own, *proportion))
            .fold(0, u64::saturating_add);
        let received: u64 = ParentKeys::<T>::get(hotkey, netuid)
            .iter()
            .map(|(proportion, parent)| part(TotalHotkeyAlpha::<T>::get(parent, from), *proportion))
            .fold(0, u64::saturating_add);
        own.saturating_sub(given).saturating_add(received)
    }
}

/// `amount · proportion / (2⁶⁴ − 1)`, rounded down.
fn part(amount: u64, proportion: u64) -> u64 {
    let product = u128::from(amount) * u128::from(proportion) / u128::from(u64::MAX);
    u64::try_from(product).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::part;

    #[test]
    fn a_proportion_is_a_part_of_the_whole() {
        assert_eq!(part(1_000, u64::MAX), 1_000);
        assert_eq!(part(1_000, u64::MAX / 4), 249);
        assert_eq!(part(u64::MAX, 0), 0);
    }
}
