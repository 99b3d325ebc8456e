use std::{borrow::Cow, fmt};

use adit_primitives::{Block, BlockHash};

use super::{events::DispatchFailure, pool::PoolRefusal, value::ChainEvent};
use crate::{BlockHead, Error, Result};

/// Where a transaction is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransactionReceipt {
    /// The block that holds it.
    pub block: Block,
    /// Its hash.
    pub block_hash: BlockHash,
    /// Hash of the transaction (blake2-256 of its bytes).
    pub extrinsic: [u8; 32],
}

impl TransactionReceipt {
    /// The block that holds it.
    pub fn head(&self) -> BlockHead {
        BlockHead {
            number: self.block,
            hash: self.block_hash,
        }
    }
}

/// What a transaction did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransactionReport {
    /// Where it is.
    pub receipt: TransactionReceipt,
    /// All it made happen, in order.
    pub events: Vec<ChainEvent>,
    /// Why it failed, if it did. A call that failed inside of a batch, a proxy, a multisig or sudo
    /// counts, although the chain calls the transaction a success.
    pub failure: Option<DispatchFailure>,
    /// Every failure inside of the call, in the order of the events that tell of them.
    pub inner: Vec<DispatchFailure>,
}

/// How sending a transaction ended: exactly one of these.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SubmissionOutcome {
    /// The pool did not take it. It is in no block and will be in none.
    Rejected(PoolRefusal),
    /// It left, is in no block of the best chain, and is not expected in one any more.
    Dropped {
        /// Hash of the transaction.
        extrinsic: [u8; 32],
        /// Why.
        reason: DropReason,
    },
    /// In a block of the best chain; finality did not come within
    /// [`ClientOptions::finality_wait`](super::ClientOptions::finality_wait). Look at
    /// [`TransactionReport::failure`] for whether it succeeded.
    Included(TransactionReport),
    /// In a finalised block, which was looked up again at its height after finality had passed it.
    /// Look at [`TransactionReport::failure`] for whether it succeeded.
    Finalized(TransactionReport),
    /// It left, and the chain could not be asked for long enough. It may still be included up to
    /// the block given; look before sending anything in its place.
    Unknown {
        /// Hash of the transaction.
        extrinsic: [u8; 32],
        /// The last block that can hold it.
        expires: Block,
        /// Why it is not known.
        reason: String,
    },
}

/// Why a transaction that left will not be included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DropReason {
    /// Its era ended; every block it could be in was searched. This is proof.
    Expired,
    /// Another transaction used its nonce; the finalised chain shows it. This is proof.
    Usurped,
    /// The node's pool found it invalid later and threw it out. Another node that got it before
    /// could include it until its era ends, but never together with another transaction of the same
    /// nonce, which the account's next one has.
    Invalid,
}

impl fmt::Display for DropReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Expired => "the transaction was not included before it expired",
            Self::Usurped => "another transaction with the same nonce took its place",
            Self::Invalid => "the transaction became invalid in the pool",
        })
    }
}

impl SubmissionOutcome {
    /// What it did, where it is in a block.
    pub fn report(&self) -> Option<&TransactionReport> {
        match self {
            Self::Included(report) | Self::Finalized(report) => Some(report),
            _ => None,
        }
    }

    /// Whether it is in a block and did what it should.
    pub fn succeeded(&self) -> bool {
        self.report().is_some_and(|report| report.failure.is_none())
    }

    /// The report of a transaction in a block; everything else as an error.
    pub(super) fn into_report(self, call: Cow<'static, str>) -> Result<TransactionReport> {
        /// What a node answers for an invalid transaction.
        const INVALID: i64 = 1010;
        match self {
            Self::Included(report) | Self::Finalized(report) => Ok(report),
            Self::Rejected(refusal) => Err(Error::Pool {
                call,
                code: refusal.code,
                message: refusal.message,
            }),
            Self::Dropped { extrinsic, reason } => Err(match reason {
                DropReason::Expired => Error::Expired {
                    call,
                    extrinsic: BlockHash(extrinsic),
                },
                DropReason::Usurped | DropReason::Invalid => Error::Pool {
                    call,
                    code: INVALID,
                    message: reason.to_string(),
                },
            }),
            Self::Unknown {
                extrinsic, reason, ..
            } => Err(Error::Undetermined {
                call,
                extrinsic: BlockHash(extrinsic),
                reason,
            }),
        }
    }

    /// The report of a transaction that did what it should; everything else as an error.
    pub(super) fn into_success(self, call: Cow<'static, str>) -> Result<TransactionReport> {
        let report = self.into_report(call.clone())?;
        match &report.failure {
            None => Ok(report),
            Some(failure) => Err(Error::Refused {
                call,
                pallet: failure.pallet.clone(),
                error: failure.error.clone(),
            }),
        }
    }
}
