use std::{
    fmt::Debug,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// Where time comes from. Passed in wherever time matters, so that every test replays.
pub trait Clock: Send + Sync + Debug {
    /// Nanoseconds since the Unix epoch.
    fn unix_nanos(&self) -> u64;

    /// Milliseconds since the Unix epoch.
    fn unix_millis(&self) -> u64 {
        self.unix_nanos() / 1_000_000
    }
}

impl<C: Clock + ?Sized> Clock for Arc<C> {
    fn unix_nanos(&self) -> u64 {
        (**self).unix_nanos()
    }
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn unix_nanos(&self) -> u64 {
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the one place where time enters"
        )]
        let now = std::time::SystemTime::now();
        let since = now
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or(Duration::ZERO);
        u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
    }
}

/// A clock that stands still until it is told to move. Clones share their time.
#[derive(Debug, Clone, Default)]
pub struct ManualClock(Arc<AtomicU64>);

impl ManualClock {
    /// A clock that shows the given nanoseconds since the Unix epoch.
    pub fn at_nanos(nanos: u64) -> Self {
        Self(Arc::new(AtomicU64::new(nanos)))
    }

    /// Sets the time.
    pub fn set_nanos(&self, nanos: u64) {
        self.0.store(nanos, Ordering::SeqCst);
    }

    /// Moves the time forward.
    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(
            u64::try_from(by.as_nanos()).unwrap_or(u64::MAX),
            Ordering::SeqCst,
        );
    }
}

impl Clock for ManualClock {
    fn unix_nanos(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}
