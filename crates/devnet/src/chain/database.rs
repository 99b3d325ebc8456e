//! What the database keeps of a chain, and a chain brought back from it.

use std::path::Path;

use adit_primitives::BlockHash;
use sp_runtime::traits::Header as _;

use super::{Chain, DEPTH, Kept};
use crate::{
    Error, Result,
    journal::{Base, Journal, Record, Stored},
    runtime::Runtime,
    state::State,
};

impl Chain {
    /// Goes on from what the database holds.
    pub(super) fn restore(&mut self, stored: Stored, path: &Path) -> Result<()> {
        let damaged = |what| Error::DatabaseDamaged {
            path: path.to_owned(),
            what,
        };
        let Stored { base, blocks } = stored;
        let (Some(expected), Some(found)) = (self.hashes.first(), base.hashes.first()) else {
            return Err(damaged("it has no genesis"));
        };
        if expected != found {
            return Err(Error::DatabaseOfOtherChain {
                path: path.to_owned(),
                expected: BlockHash(expected.0),
                found: BlockHash(found.0),
            });
        }
        if base.hashes.last() != Some(&base.header.hash()) {
            return Err(damaged("its first header is not the one its hashes name"));
        }
        self.state = State::new(base.state, DEPTH);
        if self.state.root() != *base.header.state_root() {
            return Err(damaged(
                "its first state does not have the root its header names",
            ));
        }
        self.numbers = (0..)
            .zip(&base.hashes)
            .map(|(n, hash)| (*hash, n))
            .collect();
        self.hashes = base.hashes;
        self.kept = [Kept {
            header: base.header,
            extrinsics: base.extrinsics,
        }]
        .into();
        for block in blocks {
            if *block.header.parent_hash() != self.best_hash() {
                return Err(damaged("a block does not follow the one before"));
            }
            self.state.replay(block.changes);
            if self.state.root() != *block.header.state_root() {
                return Err(damaged(
                    "a block does not lead to the state its header names",
                ));
            }
            self.push(block.header, block.extrinsics);
        }
        let newest = self.state.at(0).ok_or_else(|| damaged("no state"))?;
        self.timestamp = newest.run(pallet_timestamp::Now::<Runtime>::get);
        Ok(())
    }

    /// What the database needs to start from a block that is still kept.
    pub(super) fn base(&self, age: usize) -> Option<Base> {
        let kept = self.kept.get(self.kept.len().checked_sub(age + 1)?)?;
        Some(Base {
            hashes: self.hashes.get(..self.hashes.len() - age)?.to_vec(),
            header: kept.header.clone(),
            extrinsics: kept.extrinsics.clone(),
            state: self.state.at(age)?.map(),
        })
    }

    /// Rewrites a database that grew long, so that it starts from the oldest kept state.
    pub(super) fn compact_journal(&mut self) -> Result<()> {
        if self.journal.as_ref().is_some_and(Journal::is_long) {
            self.rewrite_journal()
        } else {
            Ok(())
        }
    }

    fn rewrite_journal(&mut self) -> Result<()> {
        let ages = self.state.reach().min(self.kept.len().saturating_sub(1));
        let (Some(base), Some(journal)) = (self.base(ages), &mut self.journal) else {
            return Ok(());
        };
        let first = self.kept.len() - ages;
        let blocks = self.kept.range(first..).zip((0..ages).rev());
        let records = blocks.filter_map(|(kept, age)| {
            Some(Record {
                header: kept.header.clone(),
                extrinsics: kept.extrinsics.clone(),
                changes: self.state.changes(age)?,
            })
        });
        journal.rewrite(&base, records)
    }
}

#[cfg(test)]
mod tests {
    use super::Chain;
    use crate::{DevnetConfig, Error};

    #[test]
    fn a_rewritten_database_brings_back_the_same_chain_and_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let config = DevnetConfig {
            database: Some(folder.path().join("chain")),
            ..DevnetConfig::default()
        };
        let mut chain = Chain::open(&config).unwrap();
        for _ in 0..520 {
            chain.build(0).unwrap();
        }
        chain.rewrite_journal().unwrap();
        chain.build(0).unwrap();
        let (hashes, root) = (chain.hashes.clone(), chain.state.root());
        drop(chain);

        let mut chain = Chain::open(&config).unwrap();
        assert_eq!(chain.hashes, hashes);
        assert_eq!(chain.state.root(), root);
        assert!(chain.view(9).is_some() && chain.view(8).is_none());
        assert_eq!(chain.hash_of(0), hashes.first().copied());
        assert_eq!(chain.build(0).unwrap().header.number, 522);
        drop(chain);

        let mut other = config;
        other.funded.pop();
        let refused = Chain::open(&other).map(|_| ());
        assert!(matches!(refused, Err(Error::DatabaseOfOtherChain { .. })));
    }
}
