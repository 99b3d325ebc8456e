use std::sync::atomic::{AtomicU64, Ordering};

/// Hands out strictly increasing nonces that follow the clock.
///
/// One source per key and process: clones of a channel share theirs, and channels that sign with
/// one key to one receiver should be given the same source.
#[derive(Debug, Default)]
pub struct NonceSource(AtomicU64);

impl NonceSource {
    /// A source that has handed out nothing.
    pub const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// The next nonce: `now` (nanoseconds since the Unix epoch), or one more than the last nonce
    /// when the clock has not moved past it.
    pub fn next(&self, now: u64) -> u64 {
        let after = |last: u64| now.max(last.saturating_add(1));
        let last = self
            .0
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |last| {
                Some(after(last))
            });
        match last {
            Ok(last) | Err(last) => after(last),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nonces_rise_even_when_the_clock_stands_or_falls() {
        let source = NonceSource::new();
        assert_eq!(source.next(100), 100);
        assert_eq!(source.next(100), 101);
        assert_eq!(source.next(50), 102);
        assert_eq!(source.next(200), 200);
    }

    #[test]
    fn threads_never_share_a_nonce() {
        let source = NonceSource::new();
        let mut nonces: Vec<u64> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| (0..1000).map(|_| source.next(7)).collect::<Vec<_>>()))
                .collect();
            threads
                .into_iter()
                .flat_map(|thread| thread.join().unwrap())
                .collect()
        });
        nonces.sort_unstable();
        nonces.dedup();
        assert_eq!(nonces.len(), 4000);
    }
}
