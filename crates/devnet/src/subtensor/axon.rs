//! `serve_axon`: which announcements the chain takes.

use frame_support::{dispatch::DispatchResult, ensure};
use sp_core::crypto::AccountId32;

use super::pallet::{
    Axons, Config, Error, Event, LoopbackAxonsAllowed, Pallet, ServingRateLimit, StoredAxon, Uids,
};

impl<T: Config> Pallet<T> {
    /// Stores the axon of a registered hotkey.
    pub(crate) fn announce(hotkey: &AccountId32, netuid: u16, axon: StoredAxon) -> DispatchResult {
        ensure!(
            Uids::<T>::contains_key(netuid, hotkey),
            Error::<T>::HotKeyNotRegisteredInNetwork
        );
        ensure!(matches!(axon.ip_type, 4 | 6), Error::<T>::InvalidIpType);
        ensure!(
            address_is_valid(axon.ip, axon.ip_type, LoopbackAxonsAllowed::<T>::get()),
            Error::<T>::InvalidIpAddress
        );
        if let Some(previous) = Axons::<T>::get(netuid, hotkey) {
            ensure!(
                axon.block.saturating_sub(previous.block) >= ServingRateLimit::<T>::get(netuid),
                Error::<T>::ServingRateLimitExceeded
            );
        }
        ensure!(axon.port != 0, Error::<T>::InvalidPort);
        Axons::<T>::insert(netuid, hotkey, axon);
        Self::deposit_event(Event::AxonServed(netuid, hotkey.clone()));
        Ok(())
    }
}

/// Zero passes ("not serving"); broadcast, malformed and, unless allowed, loopback do not.
fn address_is_valid(ip: u128, ip_type: u8, allow_loopback: bool) -> bool {
    match ip_type {
        4 => ip < u128::from(u32::MAX) && (allow_loopback || ip != 0x7f00_0001),
        6 => ip != u128::MAX && (allow_loopback || ip != 1),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::address_is_valid;

    #[test]
    fn loopback_is_refused_unless_allowed() {
        assert!(!address_is_valid(0x7f00_0001, 4, false));
        assert!(!address_is_valid(1, 6, false));
        assert!(address_is_valid(0x7f00_0001, 4, true));
        assert!(address_is_valid(1, 6, true));
        assert!(address_is_valid(0, 4, false), "0.0.0.0 withdraws an axon");
        assert!(!address_is_valid(1 << 32, 4, true));
        assert!(!address_is_valid(0x0a00_0001, 5, true));
    }
}
