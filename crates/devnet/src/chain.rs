//! The chain itself: its blocks, its state, its pool, and how the next block is built.

mod database;
mod steering;

use std::collections::{HashMap, VecDeque};

use adit_primitives::{AccountId as Account, Rao};
use codec::{Decode as _, Encode as _};
use sp_core::crypto::AccountId32;
use sp_crypto_hashing::blake2_256;
use sp_runtime::{
    generic::Preamble,
    traits::Header as _,
    transaction_validity::{TransactionSource, TransactionValidityError, ValidTransaction},
};

use self::steering::Steering;
use crate::{
    DevnetConfig, Error, Result, drand,
    journal::{Journal, Record},
    metadata,
    pool::{Pool, Unpooled},
    runtime::{
        self, AccountId, Executive, Extrinsic, Hash, Header, MINIMUM_PERIOD, Nonce, Runtime,
        RuntimeCall, System,
    },
    state::{Changes, Map, State, View, run_over},
    subtensor,
};

/// Blocks before the newest whose state, header and body stay readable.
pub(crate) const DEPTH: usize = 512;

/// A block that can still be read in full.
pub(crate) struct Kept {
    pub(crate) header: Header,
    /// With their length prefixes.
    pub(crate) extrinsics: Vec<Vec<u8>>,
}

/// What a new block tells its watchers.
#[derive(Clone, Debug)]
pub(crate) struct News {
    pub(crate) header: Header,
    pub(crate) hash: Hash,
    /// The newest final block, with its header.
    pub(crate) finalized: (Hash, Header),
    /// Transactions in the block.
    pub(crate) included: Vec<Hash>,
    /// Transactions that turned out invalid and left the pool.
    pub(crate) dropped: Vec<Hash>,
    /// Changed storage.
    pub(crate) changes: Changes,
    /// Blocks that were taken back before this one.
    pub(crate) retracted: Vec<Hash>,
    /// Transactions the pool lost.
    pub(crate) evicted: Vec<Hash>,
}

/// Why a submitted transaction was not taken.
#[derive(Debug)]
pub(crate) enum Refused {
    /// Not a transaction of this runtime.
    Malformed(codec::Error),
    /// Signature, nonce, era, funds: as the runtime says.
    Invalid(TransactionValidityError),
    /// No account signs it, so the pool cannot order it.
    Unsigned,
    /// The pool has no place for it.
    Unpooled(Unpooled),
}

pub(crate) struct Chain {
    state: State,
    /// By number, from genesis.
    hashes: Vec<Hash>,
    numbers: HashMap<Hash, u32>,
    genesis: Header,
    /// The newest blocks, oldest first.
    kept: VecDeque<Kept>,
    pool: Pool,
    finality_lag: u32,
    journal: Option<Journal>,
    timestamp: u64,
    steering: Steering,
}

impl Chain {
    /// Makes the genesis of the configuration, or goes on from its database.
    pub(crate) fn open(config: &DevnetConfig) -> Result<Self> {
        let state = genesis_state(config);
        let state = State::new(state, DEPTH);
        let header = Header::new(
            0,
            sp_core::H256::from(blake2_256(&Vec::<u8>::new().encode())),
            state.root(),
            Hash::zero(),
            Default::default(),
        );
        let mut chain = Self {
            state,
            hashes: vec![header.hash()],
            numbers: [(header.hash(), 0)].into(),
            genesis: header.clone(),
            kept: [Kept {
                header,
                extrinsics: Vec::new(),
            }]
            .into(),
            pool: Pool::default(),
            finality_lag: config.finality_lag,
            journal: None,
            timestamp: 0,
            steering: Steering::default(),
        };
        if let Some(path) = &config.database {
            let (journal, stored) = Journal::open(path, chain.base(0))?;
            if let Some(stored) = stored {
                chain.restore(stored, path)?;
            }
            chain.journal = Some(journal);
        }
        Ok(chain)
    }

    // --- reading ------------------------------------------------------------------------------

    pub(crate) fn best_number(&self) -> u32 {
        u32::try_from(self.hashes.len().saturating_sub(1)).unwrap_or(u32::MAX)
    }

    pub(crate) fn finalized_number(&self) -> u32 {
        let newest = self.best_number().saturating_sub(self.finality_lag);
        self.steering
            .finality_stalled_at
            .map_or(newest, |stalled| stalled.min(newest))
    }

    /// The runtime's spec version at the head.
    pub(crate) fn spec_version(&self) -> u32 {
        let stored = self.state.at(0);
        let stored = stored.as_ref().and_then(|view| view.value(runtime::SPEC));
        runtime::version(stored).spec_version
    }

    pub(crate) fn hash_of(&self, number: u32) -> Option<Hash> {
        self.hashes.get(usize::try_from(number).ok()?).copied()
    }

    pub(crate) fn best_hash(&self) -> Hash {
        self.hashes.last().copied().unwrap_or_default()
    }

    pub(crate) fn finalized_hash(&self) -> Hash {
        self.hash_of(self.finalized_number()).unwrap_or_default()
    }

    pub(crate) fn number_of(&self, hash: &Hash) -> Option<u32> {
        self.numbers.get(hash).copied()
    }

    pub(crate) fn header(&self, number: u32) -> Option<&Header> {
        if number == 0 {
            return Some(&self.genesis);
        }
        self.block(number).map(|kept| &kept.header)
    }

    pub(crate) fn block(&self, number: u32) -> Option<&Kept> {
        let age = usize::try_from(self.best_number().checked_sub(number)?).ok()?;
        self.kept.get(self.kept.len().checked_sub(age + 1)?)
    }

    /// The state after a block; `None` when it was discarded.
    pub(crate) fn view(&self, number: u32) -> Option<View<'_>> {
        let age = usize::try_from(self.best_number().checked_sub(number)?).ok()?;
        if self.steering.states_kept.is_some_and(|kept| age > kept) {
            return None;
        }
        self.state.at(age)
    }

    /// The nonce of the next transaction of an account, those in the pool counted.
    pub(crate) fn next_nonce(&self, account: &AccountId) -> Nonce {
        let mut draft = self.state.draft();
        let nonce = self
            .state
            .run(&mut draft, || System::account_nonce(account));
        self.pool.nonce_after(account, nonce)
    }

    pub(crate) fn pending(&self) -> Vec<&[u8]> {
        self.pool.pending()
    }

    /// The block a transaction went into, if it is still kept.
    pub(crate) fn included(&self, transaction: &Hash) -> Option<(Hash, u32)> {
        let contains = |kept: &&Kept| {
            let mut hashes = kept.extrinsics.iter().map(|bytes| blake2_256(bytes));
            hashes.any(|hash| hash == transaction.0)
        };
        let kept = self.kept.iter().rev().find(contains)?;
        Some((kept.header.hash(), kept.header.number))
    }

    // --- transactions -------------------------------------------------------------------------

    /// Validates a transaction at the head and puts it into the pool. Returns its hash and whether
    /// it can go into the next block.
    pub(crate) fn submit(&mut self, bytes: Vec<u8>) -> Result<(Hash, bool), Refused> {
        let extrinsic = Extrinsic::decode(&mut bytes.as_slice()).map_err(Refused::Malformed)?;
        let hash = Hash::from(blake2_256(&bytes));
        let validity = self.validate(extrinsic.clone()).map_err(Refused::Invalid)?;
        let tag = validity.provides.first().ok_or(Refused::Unsigned)?;
        let (account, nonce) =
            <(AccountId, Nonce)>::decode(&mut tag.as_slice()).map_err(|_| Refused::Unsigned)?;
        let ready = validity.requires.is_empty();
        self.pool
            .add(account, nonce, hash, bytes, extrinsic)
            .map_err(Refused::Unpooled)?;
        Ok((hash, ready))
    }

    fn validate(&self, extrinsic: Extrinsic) -> Result<ValidTransaction, TransactionValidityError> {
        let best = self.best_hash();
        let mut draft = self.state.draft();
        self.state.run(&mut draft, || {
            Executive::validate_transaction(TransactionSource::External, extrinsic, best)
        })
    }

    /// What a transaction would lead to in the next block, encoded as `ApplyExtrinsicResult`.
    pub(crate) fn dry_run(&self, bytes: &[u8], now: u64) -> Result<Vec<u8>, codec::Error> {
        let extrinsic = Extrinsic::decode(&mut &*bytes)?;
        let parent = self.next_header();
        let inherent = self.inherent(now).1;
        let mut draft = self.state.draft();
        Ok(self.state.run(&mut draft, || {
            Executive::initialize_block(&parent);
            let _ = Executive::apply_extrinsic(inherent);
            Executive::apply_extrinsic(extrinsic).encode()
        }))
    }

    // --- building -----------------------------------------------------------------------------

    /// Builds the next block from the pool. `now` is in milliseconds since 1970.
    pub(crate) fn build(&mut self, now: u64) -> Result<News> {
        let parent = self.next_header();
        let number = parent.number;
        let failed = |what| Error::Block { number, what };
        let (timestamp, inherent) = self.inherent(now);
        let mut extrinsics = vec![inherent.encode()];

        let mut draft = self.state.draft();
        let upgrade = self.steering.upgrade.take();
        let pool = &mut self.pool;
        let (header, included, dropped) = self
            .state
            .run(&mut draft, || {
                Executive::initialize_block(&parent);
                Executive::apply_extrinsic(inherent)
                    .map_err(|_| "the timestamp is not valid")?
                    .map_err(|_| "the timestamp was refused")?;
                let (included, dropped) = fill(pool, &mut extrinsics);
                if let Some(spec) = upgrade {
                    runtime::upgrade(spec);
                }
                Ok((Executive::finalize_block(), included, dropped))
            })
            .map_err(failed)?;
        let changes = self.state.commit(draft).map_err(failed)?;
        self.timestamp = timestamp;
        if let Some(journal) = &mut self.journal {
            journal.append(&Record {
                header: header.clone(),
                extrinsics: extrinsics.clone(),
                changes: changes.clone(),
            })?;
        }
        let hash = self.push(header.clone(), extrinsics);
        self.compact_journal()?;
        let finalized = self.finalized_number();
        let finalized_header = self.header(finalized).unwrap_or(&header).clone();
        Ok(News {
            header,
            hash,
            finalized: (self.finalized_hash(), finalized_header),
            included,
            dropped,
            changes,
            retracted: std::mem::take(&mut self.steering.retracted),
            evicted: std::mem::take(&mut self.steering.evicted),
        })
    }

    /// The header of the block after the newest, as far as it is known before the block is built.
    fn next_header(&self) -> Header {
        Header::new(
            self.best_number().saturating_add(1),
            Hash::default(),
            Hash::default(),
            self.best_hash(),
            Default::default(),
        )
    }

    /// The time of the next block and the transaction that sets it.
    fn inherent(&self, now: u64) -> (u64, Extrinsic) {
        let timestamp = now.max(self.timestamp.saturating_add(MINIMUM_PERIOD));
        let set_time = RuntimeCall::Timestamp(pallet_timestamp::Call::set { now: timestamp });
        // Version 4, which every client can read.
        (
            timestamp,
            Extrinsic::from_parts(set_time, Preamble::Bare(4)),
        )
    }

    fn push(&mut self, header: Header, extrinsics: Vec<Vec<u8>>) -> Hash {
        let hash = header.hash();
        self.numbers.insert(hash, *header.number());
        self.hashes.push(hash);
        self.kept.push_back(Kept { header, extrinsics });
        if self.kept.len() > DEPTH + 1 {
            self.kept.pop_front();
        }
        hash
    }
}

/// Puts what it can of the pool into the block being built. Runs inside the runtime.
fn fill(pool: &mut Pool, extrinsics: &mut Vec<Vec<u8>>) -> (Vec<Hash>, Vec<Hash>) {
    let (mut included, mut dropped) = (Vec::new(), Vec::new());
    for account in pool.accounts() {
        while let Some((nonce, first)) = pool.first(&account) {
            if nonce > System::account_nonce(&account) {
                break;
            }
            sp_io::storage::start_transaction();
            let applied = Executive::apply_extrinsic(first.extrinsic.clone());
            match applied {
                Ok(_) => sp_io::storage::commit_transaction(),
                Err(_) => sp_io::storage::rollback_transaction(),
            }
            if matches!(&applied, Err(error) if error.exhausted_resources()) {
                return (included, dropped);
            }
            let Some(taken) = pool.take(&account) else {
                break;
            };
            match applied {
                Ok(_) => {
                    extrinsics.push(taken.bytes);
                    included.push(taken.hash);
                }
                Err(error) => {
                    tracing::debug!(hash = ?taken.hash, ?error, "transaction dropped");
                    dropped.push(taken.hash);
                }
            }
        }
    }
    (included, dropped)
}

/// Storage of block 0. It holds the hash of the metadata too, so that a program whose metadata
/// differs makes another chain: clients cache metadata by genesis hash.
fn genesis_state(config: &DevnetConfig) -> Map {
    use frame_support::traits::BuildGenesisConfig as _;
    let funded: Vec<(AccountId32, u64)> = config
        .funded
        .iter()
        .map(|(account, Rao(amount)): &(Account, Rao)| ((*account.as_bytes()).into(), *amount))
        .collect();
    let ((), state) = run_over(Map::new(), || {
        frame_system::GenesisConfig::<Runtime>::default().build();
        pallet_sudo::GenesisConfig::<Runtime> {
            key: Some(crate::config::ALICE.into()),
        }
        .build();
        drand::Pallet::<Runtime>::found(config.drand_period, config.drand_seed);
        subtensor::Pallet::<Runtime>::found(
            &funded,
            &config.subnets,
            config.stake_threshold.0,
            config.allow_loopback_axons,
        );
        let metadata = metadata::at(15);
        let digest = blake2_256(&metadata.encode());
        sp_io::storage::set(b":adit:metadata", &digest);
    });
    state
}
