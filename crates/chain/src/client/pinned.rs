use std::{fmt, sync::Arc};

use adit_primitives::{Block, BlockHash, Metagraph, NetUid};

use super::{Client, Shared, metagraph, snapshot::Snapshot};
use crate::{BlockHead, Error, Result};

/// One block to read from: whatever is read through it belongs together.
///
/// A reading that loses its connection goes on at the same block on the next endpoint, and on an
/// archive ([`ClientOptions::archives`](super::ClientOptions::archives)) where a node has thrown the
/// block's state away.
///
/// ```no_run
/// # async fn example(client: adit_chain::client::Client) -> adit_chain::Result<()> {
/// use adit_primitives::{Block, NetUid};
///
/// let pinned = client.pin().await?;
/// let metagraph = pinned.metagraph(NetUid(1)).await?;
/// assert_eq!(metagraph.block, pinned.block());
///
/// let then = client.pin_at(Block(6_000_000)).await?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Pinned {
    shared: Arc<Shared>,
    head: BlockHead,
}

impl Client {
    /// The newest block, to read from.
    ///
    /// # Errors
    /// A failure to reach the chain.
    pub async fn pin(&self) -> Result<Pinned> {
        let shared = &self.shared;
        let newest = || async { shared.link.connection().await?.newest().await };
        let head = shared.retrying(newest).await?;
        Ok(self.pin_to(head))
    }

    /// The block of that number on the best chain, to read from.
    ///
    /// # Errors
    /// [`Error::NoSuchBlock`] when the chain has not come that far, or a failure to reach it.
    pub async fn pin_at(&self, block: Block) -> Result<Pinned> {
        let shared = &self.shared;
        let hash = || async { shared.link.connection().await?.block_hash(block).await };
        let hash = shared.retrying(hash).await?;
        let hash = hash.ok_or(Error::NoSuchBlock { block })?;
        Ok(self.pin_to(BlockHead {
            number: block,
            hash,
        }))
    }

    /// A block known by number and hash, as from [`Chain::blocks`](crate::Chain::blocks), to read
    /// from. Nothing is asked.
    pub fn pin_to(&self, head: BlockHead) -> Pinned {
        Pinned {
            shared: Arc::clone(&self.shared),
            head,
        }
    }
}

impl Pinned {
    /// Its number.
    pub const fn block(&self) -> Block {
        self.head.number
    }

    /// Its hash.
    pub const fn block_hash(&self) -> BlockHash {
        self.head.hash
    }

    /// All neurons and hyperparameters of a subnet.
    ///
    /// # Errors
    /// [`Error::NoSuchSubnet`], or a failure to reach or to understand the chain.
    pub async fn metagraph(&self, netuid: NetUid) -> Result<Metagraph> {
        let read = |snapshot| async move { metagraph::read(&snapshot, netuid).await };
        self.read(read).await
    }

    /// As [`Pinned::metagraph`], from storage alone. The runtime's own metagraph, which is asked for
    /// where there is one, counts stake that child keys bring and take; this one does not.
    ///
    /// # Errors
    /// As [`Pinned::metagraph`].
    pub async fn metagraph_from_storage(&self, netuid: NetUid) -> Result<Metagraph> {
        let read = |snapshot| async move { metagraph::read_from_storage(&snapshot, netuid).await };
        self.read(read).await
    }

    /// The spec version of the runtime that the block's state belongs to.
    ///
    /// # Errors
    /// A failure to reach the chain.
    pub async fn spec_version(&self) -> Result<u32> {
        let read = |snapshot: Snapshot| async move { Ok(snapshot.runtime.spec_version) };
        self.read(read).await
    }

    pub(super) async fn read<T, F: Future<Output = Result<T>>>(
        &self,
        read: impl Fn(Snapshot) -> F,
    ) -> Result<T> {
        self.shared.read_at(self.head, read).await
    }
}

impl fmt::Debug for Pinned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pinned").field(&self.head).finish()
    }
}
