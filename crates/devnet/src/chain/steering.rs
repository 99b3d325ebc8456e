//! What tests do to the chain: take blocks back, hold finality, upgrade the runtime, lose what is
//! kept.

use super::Chain;
use crate::{Error, Result, runtime::Hash};

/// What was asked for and is not done yet, or stays so.
#[derive(Default)]
pub(super) struct Steering {
    /// The newest final block while finality stalls.
    pub(super) finality_stalled_at: Option<u32>,
    /// How many states before the newest are kept.
    pub(super) states_kept: Option<usize>,
    /// The spec version the next block upgrades to.
    pub(super) upgrade: Option<u32>,
    /// Blocks taken back that watchers have not heard of.
    pub(super) retracted: Vec<Hash>,
    /// Transactions thrown out that watchers have not heard of.
    pub(super) evicted: Vec<Hash>,
}

impl Chain {
    /// Holds finality where it is, or lets it go on.
    pub(crate) fn stall_finality(&mut self, stalled: bool) {
        let newest = self.finalized_number();
        self.steering.finality_stalled_at = stalled.then_some(newest);
    }

    /// Keeps the states of this many blocks before the newest, and of no more than before.
    pub(crate) fn keep_states(&mut self, blocks: usize) {
        self.steering.states_kept = Some(blocks);
    }

    /// Makes the next block upgrade the runtime.
    pub(crate) fn upgrade(&mut self, spec: u32) {
        self.steering.upgrade = Some(spec);
    }

    /// Throws everything out of the pool; how much it was.
    pub(crate) fn evict(&mut self) -> usize {
        let evicted = self.pool.clear();
        let count = evicted.len();
        self.steering.evicted.extend(evicted);
        count
    }

    /// Takes back the newest blocks. Their transactions return to the pool when `keep` is set and
    /// they are still valid.
    pub(crate) fn retract(&mut self, depth: usize, keep: bool) -> Result<()> {
        let refuse = |what| Err(Error::Invalid { what });
        if self.journal.is_some() {
            return refuse("a chain with a database cannot take blocks back");
        }
        let free = self.best_number().saturating_sub(self.finalized_number());
        if u32::try_from(depth).map_or(true, |depth| depth > free) {
            return refuse("final blocks cannot be taken back");
        }
        let mut transactions = Vec::new();
        for _ in 0..depth {
            if self.kept.len() < 2 || !self.state.rewind() {
                return refuse("the state before is not kept any more");
            }
            let (Some(kept), Some(hash)) = (self.kept.pop_back(), self.hashes.pop()) else {
                return refuse("the block is not kept any more");
            };
            debug_assert_eq!(kept.header.hash(), hash, "hashes and blocks go together");
            self.numbers.remove(&hash);
            self.steering.retracted.push(hash);
            // The first is the inherent.
            transactions.splice(0..0, kept.extrinsics.into_iter().skip(1));
        }
        if keep {
            for bytes in transactions {
                if let Err(error) = self.submit(bytes) {
                    tracing::debug!(?error, "a retracted transaction is not valid any more");
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use sp_runtime::traits::Header as _;

    use super::super::Chain;
    use crate::DevnetConfig;

    #[test]
    fn blocks_taken_back_are_replaced_by_others() {
        let config = DevnetConfig {
            finality_lag: 4,
            ..DevnetConfig::default()
        };
        let mut chain = Chain::open(&config).unwrap();
        for _ in 0..10 {
            chain.build(0).unwrap();
        }
        assert!(chain.retract(5, true).is_err(), "one of them is final");
        let (old, root) = (chain.best_hash(), chain.state.root());
        chain.retract(3, true).unwrap();
        assert_eq!(chain.best_number(), 7);
        assert_eq!(
            chain.state.root(),
            *chain.header(7).unwrap().state_root(),
            "the state is the one of then"
        );
        let news: Vec<_> = (0..3).map(|_| chain.build(0).unwrap()).collect();
        assert_eq!(news[0].retracted.len(), 3);
        assert!(news[1].retracted.is_empty());
        assert_eq!(chain.best_number(), 10);
        assert_ne!((chain.best_hash(), chain.state.root()), (old, root));
        assert_eq!(chain.number_of(&old), None);
    }

    #[test]
    fn finality_waits_states_go_and_the_version_rises() {
        let mut chain = Chain::open(&DevnetConfig::default()).unwrap();
        chain.build(0).unwrap();
        chain.stall_finality(true);
        chain.build(0).unwrap();
        assert_eq!((chain.best_number(), chain.finalized_number()), (2, 1));
        chain.stall_finality(false);
        assert_eq!(chain.finalized_number(), 2);
        chain.keep_states(1);
        assert!(chain.view(1).is_some() && chain.view(0).is_none());

        let before = chain.spec_version();
        chain.upgrade(before + 7);
        chain.build(0).unwrap();
        assert_eq!(chain.spec_version(), before + 7);
        chain.build(0).unwrap();
        assert_eq!(chain.spec_version(), before + 7);
    }
}
