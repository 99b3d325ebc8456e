use std::{future::Future, sync::Arc};

use adit_primitives::{AxonInfo, Block, BlockHash, Metagraph, NetUid, Uid, WeightVector};
use futures::stream::BoxStream;

use crate::{Result, WeightsRefusal};

/// A chain as a neuron sees it.
///
/// All futures may be dropped at any point. Dropping [`Chain::set_weights`] or
/// [`Chain::serve_axon`] after the transaction left does not recall it: ask the chain
/// ([`Chain::weights_on_chain`]) before trying again.
pub trait Chain: Send + Sync + 'static {
    /// All neurons and hyperparameters of a subnet, consistent at one block.
    ///
    /// # Errors
    /// [`Error::NoSuchSubnet`](crate::Error::NoSuchSubnet), or a failure to reach or to understand
    /// the chain.
    fn metagraph(&self, netuid: NetUid) -> impl Future<Output = Result<Metagraph>> + Send;

    /// The newest block.
    ///
    /// # Errors
    /// A failure to reach the chain.
    fn head(&self) -> impl Future<Output = Result<Block>> + Send;

    /// New blocks in order from the newest one on: every number once and none left out, also
    /// across reconnects (missed blocks are fetched).
    ///
    /// An `Err` item that is retryable reports an interruption and the stream goes on; any other
    /// one is the last item.
    ///
    /// # Errors
    /// A failure to reach the chain.
    fn blocks(&self) -> impl Future<Output = Result<BlockStream>> + Send;

    /// Announces where our neuron listens. Skipped when the chain already says so; the `block` of
    /// `axon` is ignored.
    ///
    /// # Errors
    /// [`Error::Refused`](crate::Error::Refused) with the chain's own reason, or a failure to reach
    /// the chain.
    fn serve_axon(
        &self,
        netuid: NetUid,
        axon: &AxonInfo,
    ) -> impl Future<Output = Result<Served>> + Send;

    /// Sets our weights on the subnet and reads them back.
    ///
    /// `Ok` is final: either they are on chain or the refusal says why not.
    ///
    /// # Errors
    /// A failure to reach the chain; [`Error::Undetermined`](crate::Error::Undetermined) when the
    /// transaction left and its fate could not be learnt.
    fn set_weights(
        &self,
        netuid: NetUid,
        weights: &WeightVector,
        version_key: u64,
    ) -> impl Future<Output = Result<WeightsOutcome>> + Send;

    /// The weights that the neuron at `uid` has on chain now; empty when it never set any.
    ///
    /// # Errors
    /// A failure to reach or to understand the chain.
    fn weights_on_chain(
        &self,
        netuid: NetUid,
        uid: Uid,
    ) -> impl Future<Output = Result<WeightVector>> + Send;
}

/// Blocks as they come, see [`Chain::blocks`].
pub type BlockStream = BoxStream<'static, Result<BlockHead>>;

/// Number and hash of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BlockHead {
    /// Its number.
    pub number: Block,
    /// Its hash.
    pub hash: BlockHash,
}

/// How announcing an axon ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Served {
    /// The chain already had exactly this; nothing was sent.
    AlreadySo,
    /// Announced, and read back from storage.
    OnChain {
        /// The block that holds the transaction.
        block: Block,
        /// Its hash.
        block_hash: BlockHash,
        /// Hash of the transaction (blake2-256 of its bytes).
        extrinsic: [u8; 32],
    },
}

/// How setting weights ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WeightsOutcome {
    /// The chain holds them.
    OnChain {
        /// The block that holds the transaction.
        block: Block,
        /// Its hash.
        block_hash: BlockHash,
        /// Hash of the transaction (blake2-256 of its bytes).
        extrinsic: [u8; 32],
        /// As read back at that block. The chain scales the largest weight up to 65535, so these
        /// are what was sent up to that factor.
        weights: WeightVector,
    },
    /// The chain does not take them, and why.
    Refused(WeightsRefusal),
}

impl<C: Chain> Chain for Arc<C> {
    fn metagraph(&self, netuid: NetUid) -> impl Future<Output = Result<Metagraph>> + Send {
        C::metagraph(self, netuid)
    }

    fn head(&self) -> impl Future<Output = Result<Block>> + Send {
        C::head(self)
    }

    fn blocks(&self) -> impl Future<Output = Result<BlockStream>> + Send {
        C::blocks(self)
    }

    fn serve_axon(
        &self,
        netuid: NetUid,
        axon: &AxonInfo,
    ) -> impl Future<Output = Result<Served>> + Send {
        C::serve_axon(self, netuid, axon)
    }

    fn set_weights(
        &self,
        netuid: NetUid,
        weights: &WeightVector,
        version_key: u64,
    ) -> impl Future<Output = Result<WeightsOutcome>> + Send {
        C::set_weights(self, netuid, weights, version_key)
    }

    fn weights_on_chain(
        &self,
        netuid: NetUid,
        uid: Uid,
    ) -> impl Future<Output = Result<WeightVector>> + Send {
        C::weights_on_chain(self, netuid, uid)
    }
}
