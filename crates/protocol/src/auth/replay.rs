use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fmt,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use adit_primitives::Hotkey;

use super::AuthRefusal;

const BUCKET_NANOS: u64 = 1_000_000_000;

/// Bounds of a [`NonceStore`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NonceStoreLimits {
    /// How long a nonce is remembered, counted from the time it names. At least the freshness
    /// window (greatest age plus skew), else honest requests inside it are refused.
    pub retention: Duration,
    /// Most nonces remembered, of all hotkeys together.
    pub capacity: usize,
    /// Most nonces remembered of one hotkey, so that one caller cannot use up the store.
    pub capacity_per_hotkey: usize,
}

impl Default for NonceStoreLimits {
    /// 60 s, 1,000,000 and half of that per hotkey.
    fn default() -> Self {
        Self {
            retention: Duration::from_secs(60),
            capacity: 1_000_000,
            capacity_per_hotkey: 500_000,
        }
    }
}

/// Remembers which nonces were used, within bounds of memory.
///
/// A nonce is accepted at most once, whatever the clock does: what is forgotten raises a floor, and
/// nothing at or below the floor is accepted again. A full store refuses new nonces and never
/// forgets a live one.
pub struct NonceStore {
    limits: NonceStoreLimits,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Nonces by the second they name, then by hotkey.
    buckets: BTreeMap<u64, HashMap<Hotkey, HashSet<u64>>>,
    per_hotkey: HashMap<Hotkey, usize>,
    live: usize,
    /// First second that has not been forgotten.
    floor: u64,
}

impl NonceStore {
    /// An empty store.
    pub fn new(limits: NonceStoreLimits) -> Self {
        Self {
            limits,
            state: Mutex::default(),
        }
    }

    /// The bounds.
    pub fn limits(&self) -> NonceStoreLimits {
        self.limits
    }

    /// Uses a nonce up; `now` is in nanoseconds since the Unix epoch, like the nonce.
    ///
    /// # Errors
    /// [`AuthRefusal::Replayed`] when it was used before, [`AuthRefusal::Stale`] when it is so old
    /// that this is no longer known, [`AuthRefusal::NonceStoreFull`].
    pub fn insert(&self, hotkey: &Hotkey, nonce: u64, now: u64) -> Result<(), AuthRefusal> {
        let retention = u64::try_from(self.limits.retention.as_nanos()).unwrap_or(u64::MAX);
        // No code below panics half way through a change, so a poisoned state is still sound.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.forget_before(now.saturating_sub(retention) / BUCKET_NANOS);
        let second = nonce / BUCKET_NANOS;
        if second < state.floor {
            return Err(AuthRefusal::Stale {
                max_age_millis: u64::try_from(self.limits.retention.as_millis())
                    .unwrap_or(u64::MAX),
            });
        }
        let used = state
            .buckets
            .get(&second)
            .and_then(|bucket| bucket.get(hotkey))
            .is_some_and(|nonces| nonces.contains(&nonce));
        if used {
            return Err(AuthRefusal::Replayed);
        }
        let of_hotkey = state.per_hotkey.get(hotkey).copied().unwrap_or(0);
        if state.live >= self.limits.capacity || of_hotkey >= self.limits.capacity_per_hotkey {
            return Err(AuthRefusal::NonceStoreFull);
        }
        state.live += 1;
        state.per_hotkey.insert(*hotkey, of_hotkey + 1);
        let bucket = state.buckets.entry(second).or_default();
        bucket.entry(*hotkey).or_default().insert(nonce);
        Ok(())
    }

    /// How many nonces are remembered.
    pub fn len(&self) -> usize {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.live
    }

    /// Whether none is remembered.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl State {
    /// Forgets whole seconds before `second`. The floor rises only over what was really held, so
    /// that a clock that jumps ahead and back does not lock honest callers out.
    fn forget_before(&mut self, second: u64) {
        while let Some(oldest) = self.buckets.first_entry() {
            if *oldest.key() >= second {
                break;
            }
            self.floor = self.floor.max(oldest.key() + 1);
            for (hotkey, nonces) in oldest.remove() {
                self.live -= nonces.len();
                if let Some(count) = self.per_hotkey.get_mut(&hotkey) {
                    *count -= nonces.len();
                    if *count == 0 {
                        self.per_hotkey.remove(&hotkey);
                    }
                }
            }
        }
    }
}

impl fmt::Debug for NonceStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NonceStore")
            .field("limits", &self.limits)
            .field("len", &self.len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: u64 = BUCKET_NANOS;

    fn limits(capacity: usize, capacity_per_hotkey: usize) -> NonceStoreLimits {
        NonceStoreLimits {
            retention: Duration::from_secs(12),
            capacity,
            capacity_per_hotkey,
        }
    }

    #[test]
    fn a_full_store_refuses_and_recovers_with_time() {
        let store = NonceStore::new(limits(2, 2));
        let key = Hotkey::new([1; 32]);
        let now = 1000 * SECOND;
        store.insert(&key, now, now).unwrap();
        store.insert(&key, now + 1, now).unwrap();
        assert_eq!(
            store.insert(&key, now + 2, now),
            Err(AuthRefusal::NonceStoreFull)
        );
        assert_eq!(store.insert(&key, now, now), Err(AuthRefusal::Replayed));
        let later = now + 14 * SECOND;
        store.insert(&key, later, later).unwrap();
        assert_eq!(store.len(), 1);
        assert!(matches!(
            store.insert(&key, now, now),
            Err(AuthRefusal::Stale { .. })
        ));
    }

    #[test]
    fn one_hotkey_cannot_use_up_the_store() {
        let store = NonceStore::new(limits(10, 2));
        let (greedy, modest) = (Hotkey::new([1; 32]), Hotkey::new([2; 32]));
        for nonce in 0..2 {
            store.insert(&greedy, nonce, 0).unwrap();
        }
        assert_eq!(
            store.insert(&greedy, 2, 0),
            Err(AuthRefusal::NonceStoreFull)
        );
        store.insert(&modest, 2, 0).unwrap();
    }

    #[test]
    fn a_clock_that_jumps_ahead_and_back_locks_nobody_out() {
        let store = NonceStore::new(limits(10, 10));
        let key = Hotkey::new([1; 32]);
        let now = 1000 * SECOND;
        store.insert(&key, now, now).unwrap();
        let ahead = now + 100_000 * SECOND;
        store.insert(&Hotkey::new([2; 32]), ahead, ahead).unwrap();
        let next = now + 2 * SECOND;
        store.insert(&key, next, next).unwrap();
    }

    proptest! {
        #[test]
        fn no_nonce_counts_twice_and_the_bounds_hold(
            steps in proptest::collection::vec((0_u8..3, 0_u64..40, 0_u64..60), 1..300),
            capacity in 1_usize..20,
        ) {
            let store = NonceStore::new(limits(capacity, capacity));
            let mut accepted = HashSet::new();
            for (key, nonce, now) in steps {
                // Coarse values make collisions and clock jumps in both directions likely.
                let (nonce, now) = (nonce * SECOND / 2, now * SECOND);
                let hotkey = Hotkey::new([key; 32]);
                if store.insert(&hotkey, nonce, now).is_ok() {
                    prop_assert!(accepted.insert((key, nonce)), "replayed");
                }
                prop_assert!(store.len() <= capacity);
            }
        }

        #[test]
        fn with_room_every_fresh_nonce_is_accepted(
            steps in proptest::collection::vec((0_u64..3 * SECOND, 0_u64..12 * SECOND), 1..200),
        ) {
            let store = NonceStore::new(limits(1000, 1000));
            let key = Hotkey::new([9; 32]);
            let mut now = 100 * SECOND;
            let mut used = HashSet::new();
            for (forward, age) in steps {
                now += forward;
                let nonce = now - age;
                prop_assert_eq!(store.insert(&key, nonce, now).is_ok(), used.insert(nonce));
            }
        }
    }
}
