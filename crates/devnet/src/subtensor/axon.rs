//! `serve_axon` and `serve_prometheus`: which announcements the chain takes.

use frame_support::{dispatch::DispatchResult, ensure};
use sp_core::crypto::AccountId32;

use super::pallet::{
    Axons, Config, Error, Event, LoopbackAxonsAllowed, NeuronCertificate, NeuronCertificates,
    Pallet, Prometheus, ServingRateLimit, StoredAxon, StoredPrometheus, Uids,
};

impl<T: Config> Pallet<T> {
    /// Stores the axon of a registered hotkey, and the certificate that came with it; an
    /// announcement without one withdraws it.
    pub(crate) fn announce(
        hotkey: &AccountId32,
        netuid: u16,
        axon: StoredAxon,
        certificate: Option<&[u8]>,
    ) -> DispatchResult {
        Self::check_axon(hotkey, netuid, &axon)?;
        match certificate.and_then(NeuronCertificate::read) {
            Some(certificate) => NeuronCertificates::<T>::insert(netuid, hotkey, certificate),
            None => NeuronCertificates::<T>::remove(netuid, hotkey),
        }
        Axons::<T>::insert(netuid, hotkey, axon);
        Self::deposit_event(Event::AxonServed(netuid, hotkey.clone()));
        Ok(())
    }

    /// What an announcement is checked for, in the pool already.
    pub(crate) fn check_axon(
        hotkey: &AccountId32,
        netuid: u16,
        axon: &StoredAxon,
    ) -> Result<(), Error<T>> {
        Self::check_address(hotkey, netuid, axon.ip, axon.ip_type)?;
        let previous = Axons::<T>::get(netuid, hotkey).map(|axon| axon.block);
        Self::check_interval(netuid, axon.block, previous)?;
        ensure!(axon.port != 0, Error::<T>::InvalidPort);
        Ok(())
    }

    /// Stores where a registered hotkey offers its metrics.
    pub(crate) fn announce_metrics(
        hotkey: &AccountId32,
        netuid: u16,
        metrics: StoredPrometheus,
    ) -> DispatchResult {
        Self::check_address(hotkey, netuid, metrics.ip, metrics.ip_type)?;
        let previous = Prometheus::<T>::get(netuid, hotkey).map(|metrics| metrics.block);
        Self::check_interval(netuid, metrics.block, previous)?;
        Prometheus::<T>::insert(netuid, hotkey, metrics);
        Self::deposit_event(Event::PrometheusServed(netuid, hotkey.clone()));
        Ok(())
    }

    fn check_address(
        hotkey: &AccountId32,
        netuid: u16,
        ip: u128,
        ip_type: u8,
    ) -> Result<(), Error<T>> {
        ensure!(
            Uids::<T>::contains_key(netuid, hotkey),
            Error::<T>::HotKeyNotRegisteredInNetwork
        );
        ensure!(matches!(ip_type, 4 | 6), Error::<T>::InvalidIpType);
        ensure!(
            address_is_valid(ip, ip_type, LoopbackAxonsAllowed::<T>::get()),
            Error::<T>::InvalidIpAddress
        );
        Ok(())
    }

    fn check_interval(netuid: u16, block: u64, previous: Option<u64>) -> Result<(), Error<T>> {
        let limit = ServingRateLimit::<T>::get(netuid);
        ensure!(
            previous.is_none_or(|previous| block.saturating_sub(previous) >= limit),
            Error::<T>::ServingRateLimitExceeded
        );
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
