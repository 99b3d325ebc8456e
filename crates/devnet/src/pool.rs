//! Transactions that wait for a block.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::runtime::{AccountId, Extrinsic, Hash, Nonce};

/// Transactions in the pool at most.
const CAPACITY: usize = 8192;
/// Transactions of one account at most.
const CAPACITY_OF_ACCOUNT: usize = 256;

/// A transaction that passed validation.
pub(crate) struct Pooled {
    pub(crate) hash: Hash,
    /// As it was submitted, with its length prefix.
    pub(crate) bytes: Vec<u8>,
    pub(crate) extrinsic: Extrinsic,
    /// Order of arrival.
    arrival: u64,
}

/// Why the pool did not take a transaction.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unpooled {
    /// The same transaction is here already.
    Known,
    /// Another transaction with this account and nonce is here; priorities are all equal, so
    /// nothing replaces it.
    Occupied,
    /// The pool is full.
    Full,
}

#[derive(Default)]
pub(crate) struct Pool {
    waiting: HashMap<AccountId, BTreeMap<Nonce, Pooled>>,
    hashes: HashSet<Hash>,
    arrivals: u64,
}

impl Pool {
    pub(crate) fn add(
        &mut self,
        account: AccountId,
        nonce: Nonce,
        hash: Hash,
        bytes: Vec<u8>,
        extrinsic: Extrinsic,
    ) -> Result<(), Unpooled> {
        if self.hashes.contains(&hash) {
            return Err(Unpooled::Known);
        }
        let of_account = self.waiting.get(&account);
        if of_account.is_some_and(|waiting| waiting.contains_key(&nonce)) {
            return Err(Unpooled::Occupied);
        }
        let crowded = of_account.is_some_and(|waiting| waiting.len() >= CAPACITY_OF_ACCOUNT);
        if crowded || self.hashes.len() >= CAPACITY {
            return Err(Unpooled::Full);
        }
        self.arrivals += 1;
        let pooled = Pooled {
            hash,
            bytes,
            extrinsic,
            arrival: self.arrivals,
        };
        self.hashes.insert(hash);
        self.waiting
            .entry(account)
            .or_default()
            .insert(nonce, pooled);
        Ok(())
    }

    /// The accounts with transactions, by the arrival of their first.
    pub(crate) fn accounts(&self) -> Vec<AccountId> {
        let mut accounts: Vec<_> = self
            .waiting
            .iter()
            .filter_map(|(account, waiting)| {
                let (_, first) = waiting.first_key_value()?;
                Some((first.arrival, account.clone()))
            })
            .collect();
        accounts.sort_unstable_by_key(|(arrival, _)| *arrival);
        accounts.into_iter().map(|(_, account)| account).collect()
    }

    /// The first transaction of an account and its nonce.
    pub(crate) fn first(&self, account: &AccountId) -> Option<(Nonce, &Pooled)> {
        let (nonce, pooled) = self.waiting.get(account)?.first_key_value()?;
        Some((*nonce, pooled))
    }

    /// Takes out the first transaction of an account.
    pub(crate) fn take(&mut self, account: &AccountId) -> Option<Pooled> {
        let waiting = self.waiting.get_mut(account)?;
        let (_, pooled) = waiting.pop_first()?;
        if waiting.is_empty() {
            self.waiting.remove(account);
        }
        self.hashes.remove(&pooled.hash);
        Some(pooled)
    }

    /// Throws everything out and returns the hashes.
    pub(crate) fn clear(&mut self) -> Vec<Hash> {
        self.waiting.clear();
        self.hashes.drain().collect()
    }

    /// The nonce after `next` and the unbroken run of waiting transactions from it.
    pub(crate) fn nonce_after(&self, account: &AccountId, next: Nonce) -> Nonce {
        let Some(waiting) = self.waiting.get(account) else {
            return next;
        };
        (next..)
            .find(|nonce| !waiting.contains_key(nonce))
            .unwrap_or(next)
    }

    /// The bytes of everything that waits, by arrival.
    pub(crate) fn pending(&self) -> Vec<&[u8]> {
        let mut all: Vec<&Pooled> = self.waiting.values().flat_map(BTreeMap::values).collect();
        all.sort_unstable_by_key(|pooled| pooled.arrival);
        all.into_iter()
            .map(|pooled| pooled.bytes.as_slice())
            .collect()
    }
}
