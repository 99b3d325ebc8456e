use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use adit_primitives::{AccountId, Block};

/// Hands out nonces, per account, so that several transactions of one account can be on their way
/// at once and no two of ours share one.
///
/// The node's pool-aware count is the base; on top of it lie the nonces of our own transactions
/// whose fate is not known yet. Another process that signs with the same key is seen through the
/// node's count.
#[derive(Default)]
pub(super) struct Nonces(Mutex<HashMap<AccountId, Arc<Desk>>>);

/// One account's nonces.
#[derive(Default)]
pub(super) struct Desk {
    /// Held while a transaction is signed and handed to the node, until the node has answered. A
    /// refused one thereby never leaves a gap below the next.
    pub(super) turn: tokio::sync::Mutex<()>,
    book: Mutex<Book>,
}

#[derive(Default)]
struct Book {
    /// Signed, and neither included nor given up.
    open: BTreeSet<u64>,
    /// The highest nonce seen in a block and the number of that block.
    included: Option<(u64, Block)>,
}

impl Book {
    fn choose(&self, next: u64, head: Block, avoided: &BTreeSet<u64>) -> u64 {
        // A node that has not seen the block yet, as after a failover, counts too low.
        let behind = self.included.filter(|(_, block)| head < *block);
        let first = behind.map_or(next, |(nonce, _)| next.max(nonce.saturating_add(1)));
        let taken = |nonce: &u64| self.open.contains(nonce) || avoided.contains(nonce);
        // Up to the end and not beyond: a node can answer any number.
        (first..=u64::MAX)
            .find(|nonce| !taken(nonce))
            .unwrap_or(first)
    }
}

/// A nonce that nobody else of this process gets until this is dropped.
pub(super) struct Reservation {
    desk: Arc<Desk>,
    pub(super) nonce: u64,
}

impl Nonces {
    pub(super) fn desk(&self, account: AccountId) -> Arc<Desk> {
        let mut desks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(desks.entry(account).or_default())
    }
}

impl Desk {
    /// Takes the first nonce from `next`, the node's count at block `head`, that is free and is
    /// not to be avoided.
    pub(super) fn reserve(
        self: &Arc<Self>,
        next: u64,
        head: Block,
        avoided: &BTreeSet<u64>,
    ) -> Reservation {
        let mut book = self.book();
        let nonce = book.choose(next, head, avoided);
        book.open.insert(nonce);
        Reservation {
            desk: Arc::clone(self),
            nonce,
        }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reservation {
    /// Whether transactions of ours with higher nonces are on their way, which the chain cannot
    /// include before this nonce was used.
    pub(super) fn holds_up_others(&self) -> bool {
        let book = self.desk.book();
        book.open.last().is_some_and(|last| *last > self.nonce)
    }

    /// Notes that the nonce was used in a block.
    pub(super) fn included(&self, block: Block) {
        let mut book = self.desk.book();
        if book.included.is_none_or(|(nonce, _)| nonce < self.nonce) {
            book.included = Some((self.nonce, block));
        }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.desk.book().open.remove(&self.nonce);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn reserve(desk: &Arc<Desk>, next: u64, head: u64) -> Reservation {
        desk.reserve(next, Block(head), &BTreeSet::new())
    }

    #[test]
    fn a_nonce_given_back_is_the_next_one_given_out() {
        let desk = Nonces::default().desk(AccountId::new([1; 32]));
        let (first, second) = (reserve(&desk, 5, 1), reserve(&desk, 5, 1));
        assert_eq!((first.nonce, second.nonce), (5, 6));
        // Refused by the pool: nothing may stay missing below the second.
        drop(first);
        let third = reserve(&desk, 5, 1);
        assert_eq!(third.nonce, 5);
        // Somebody else signed with the same key.
        assert_eq!(reserve(&desk, 9, 1).nonce, 9);
        let avoided = BTreeSet::from([5, 7]);
        assert_eq!(desk.reserve(5, Block(1), &avoided).nonce, 8);
    }

    #[test]
    fn a_count_at_the_end_of_all_numbers_is_survived() {
        let desk = Nonces::default().desk(AccountId::new([1; 32]));
        let last = reserve(&desk, u64::MAX, 1);
        assert_eq!(last.nonce, u64::MAX);
        assert_eq!(reserve(&desk, u64::MAX, 1).nonce, u64::MAX);
    }

    #[test]
    fn a_node_that_lags_does_not_make_us_use_a_nonce_twice() {
        let desk = Nonces::default().desk(AccountId::new([1; 32]));
        reserve(&desk, 3, 100).included(Block(101));
        assert_eq!(reserve(&desk, 3, 100).nonce, 4, "it has not seen block 101");
        assert_eq!(
            reserve(&desk, 3, 101).nonce,
            3,
            "a reorganisation took it back"
        );
    }

    proptest! {
        #[test]
        fn no_two_open_transactions_share_a_nonce_and_none_is_below_the_nodes_count(
            steps in prop::collection::vec((0_u64..20, any::<bool>()), 1..60),
        ) {
            let desk = Nonces::default().desk(AccountId::new([1; 32]));
            let mut open: Vec<Reservation> = Vec::new();
            for (next, give_back) in steps {
                let reserved = reserve(&desk, next, 1);
                prop_assert!(reserved.nonce >= next);
                prop_assert!(open.iter().all(|other| other.nonce != reserved.nonce));
                let gap = (next..reserved.nonce).find(|nonce| open.iter().all(|o| o.nonce != *nonce));
                prop_assert_eq!(gap, None);
                open.push(reserved);
                if give_back {
                    open.swap_remove(usize::try_from(next).unwrap() % open.len());
                }
            }
        }
    }
}
