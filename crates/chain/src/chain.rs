use std::{future::Future, sync::Arc};

use adit_primitives::{AxonInfo, Block, BlockHash, MechId, Metagraph, NetUid, Uid, WeightVector};
use futures::stream::BoxStream;

use crate::{
    Result, WeightsCall, WeightsOutcome, WeightsReceipt, WeightsRefusal, WeightsStanding,
    weight_setter::set_plain,
};

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

    /// All that the chain looks at before it takes weights of ours for a mechanism, at one block:
    /// the newest, or `at`. `None` where there is no such subnet.
    ///
    /// # Errors
    /// [`Error::NoSigner`](crate::Error::NoSigner); a failure to reach or to understand the chain.
    fn weights_standing(
        &self,
        netuid: NetUid,
        mechid: MechId,
        at: Option<BlockHead>,
    ) -> impl Future<Output = Result<Option<WeightsStanding>>> + Send;

    /// Sends one transaction about our weights and waits until it is in a block. Checks nothing
    /// before; [`WeightSetter`](crate::WeightSetter) does.
    ///
    /// # Errors
    /// [`Error::Pool`](crate::Error::Pool) and [`Error::Refused`](crate::Error::Refused) with the
    /// chain's own reason; [`Error::Undetermined`](crate::Error::Undetermined) when the transaction
    /// left and its fate could not be learnt; [`Error::CommitTooLong`](crate::Error::CommitTooLong),
    /// [`Error::BeaconKey`](crate::Error::BeaconKey) and
    /// [`Error::ForeignBeacon`](crate::Error::ForeignBeacon) for what cannot or must not be sealed;
    /// a failure to reach the chain.
    fn send_weights(
        &self,
        netuid: NetUid,
        mechid: MechId,
        call: &WeightsCall,
    ) -> impl Future<Output = Result<WeightsReceipt>> + Send;

    /// Sets our weights on a subnet without commit-reveal and reads them back; a subnet with it
    /// refuses, see [`WeightSetter`](crate::WeightSetter).
    ///
    /// `Ok` is final: either they are on chain or the answer says why not.
    ///
    /// # Errors
    /// A failure to reach the chain; [`Error::Undetermined`](crate::Error::Undetermined) when the
    /// transaction left and its fate could not be learnt.
    fn set_weights(
        &self,
        netuid: NetUid,
        weights: &WeightVector,
        version_key: u64,
    ) -> impl Future<Output = Result<WeightsOutcome>> + Send {
        async move {
            match self.weights_standing(netuid, MechId(0), None).await? {
                Some(standing) => set_plain(self, &standing, weights, version_key).await,
                None => {
                    let refusal = WeightsRefusal::NoSuchSubnet { netuid };
                    Ok(WeightsOutcome::Refused(refusal))
                }
            }
        }
    }

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

    fn weights_standing(
        &self,
        netuid: NetUid,
        mechid: MechId,
        at: Option<BlockHead>,
    ) -> impl Future<Output = Result<Option<WeightsStanding>>> + Send {
        C::weights_standing(self, netuid, mechid, at)
    }

    fn send_weights(
        &self,
        netuid: NetUid,
        mechid: MechId,
        call: &WeightsCall,
    ) -> impl Future<Output = Result<WeightsReceipt>> + Send {
        C::send_weights(self, netuid, mechid, call)
    }

    fn weights_on_chain(
        &self,
        netuid: NetUid,
        uid: Uid,
    ) -> impl Future<Output = Result<WeightVector>> + Send {
        C::weights_on_chain(self, netuid, uid)
    }
}
