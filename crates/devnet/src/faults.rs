//! What tests can make go wrong. All of it stays off until a `devnet_…` method asks for it.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use tokio::sync::watch;

pub(crate) struct Faults {
    /// No block comes by itself.
    stalled: AtomicBool,
    /// Milliseconds the chain's clock is ahead of the machine's.
    ahead: AtomicU64,
    /// Requests that will be answered with 429.
    throttled: AtomicU32,
    /// Counts the times all connections were cut.
    cuts: watch::Sender<u64>,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            stalled: AtomicBool::new(false),
            ahead: AtomicU64::new(0),
            throttled: AtomicU32::new(0),
            cuts: watch::Sender::new(0),
        }
    }
}

impl Faults {
    pub(crate) fn stall(&self, stalled: bool) {
        self.stalled.store(stalled, Ordering::Relaxed);
    }

    pub(crate) fn is_stalled(&self) -> bool {
        self.stalled.load(Ordering::Relaxed)
    }

    pub(crate) fn warp(&self, milliseconds: u64) {
        self.ahead.fetch_add(milliseconds, Ordering::Relaxed);
    }

    /// The chain's time for a time of the machine, in milliseconds since 1970.
    pub(crate) fn time(&self, machine: u64) -> u64 {
        machine.saturating_add(self.ahead.load(Ordering::Relaxed))
    }

    pub(crate) fn throttle(&self, requests: u32) {
        self.throttled.store(requests, Ordering::Relaxed);
    }

    /// Whether this request is one of those to be refused.
    pub(crate) fn refuses_request(&self) -> bool {
        let less = |left: u32| left.checked_sub(1);
        self.throttled
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less)
            .is_ok()
    }

    pub(crate) fn cut_connections(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// Tells a connection when it is cut.
    pub(crate) fn cuts(&self) -> watch::Receiver<u64> {
        self.cuts.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::Faults;

    #[test]
    fn as_many_requests_are_refused_as_were_asked_for() {
        let faults = Faults::default();
        assert!(!faults.refuses_request());
        faults.throttle(2);
        let refused = [(); 3].map(|()| faults.refuses_request());
        assert_eq!(refused, [true, true, false]);
        faults.warp(5);
        faults.warp(5);
        assert_eq!(faults.time(100), 110);
    }
}
