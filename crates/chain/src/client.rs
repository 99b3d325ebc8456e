//! The production client: subxt for encoding and decoding by metadata, JSON-RPC with failover below.

mod account;
mod axon;
mod batches;
mod blocks;
mod call;
pub mod calls;
mod commit;
mod commit_state;
mod commitment_reads;
mod commitments;
mod connection;
mod delegation;
mod determine;
mod doctor;
mod event_stream;
mod events;
mod fees;
mod header;
mod health;
mod hyperparameters;
mod link;
mod mechanisms;
mod metadata_folder;
mod metagraph;
mod metagraph_cache;
mod neuron_reads;
mod nonce;
mod offline;
mod options;
mod outcome;
mod pinned;
mod pool;
mod rate;
mod receipt;
mod registration;
mod runtime;
mod selective;
mod signer;
mod snapshot;
mod staking;
mod submit;
mod tip;
mod value;
mod watch;
mod weights;

use std::{fmt, sync::Arc, time::Duration};

use adit_primitives::{
    AccountId, AxonInfo, Block, BlockHash, MechId, Metagraph, NetUid, Uid, WeightVector,
};
use adit_wallet::Keypair;
use tokio::sync::watch::Receiver;

pub use batches::{BatchMode, BatchReport, WeightsBatchReport};
pub use call::ChainCall;
pub use commitment_reads::HotkeyCommitment;
pub use commitments::CommitmentSpace;
pub use delegation::{ChildrenScheduled, TakeSet};
pub use doctor::{ChainReport, ChainState, LONGEST_SKEW, NeuronReport, examine};
pub use event_stream::{BlockEvents, EventNotice, EventStream, Following};
pub use events::DispatchFailure;
pub use fees::{CallClass, DryRun, FeeEstimate};
pub use health::EndpointHealth;
pub use mechanisms::{MechanismSplit, NeuronRows};
pub use metagraph_cache::{
    CachedMetagraph, MetagraphCache, MetagraphCacheOptions, MetagraphUpdate,
};
pub use offline::{OfflineRuntime, SignedTransaction, SigningTerms, TransactionEra};
pub use options::ClientOptions;
pub use outcome::{DropReason, SubmissionOutcome, TransactionReceipt, TransactionReport};
pub use pinned::Pinned;
pub use pool::{PoolReason, PoolRefusal, SubtensorCode};
pub use rate::{PUBLIC_BURST, RateLimit};
pub use registration::RegistrationReport;
pub use staking::{StakeChange, StakeReport};
pub use value::{ChainEvent, ChainValue};

use crate::{
    BlockHead, BlockStream, Chain, Error, Result, Served, WeightsCall, WeightsReceipt,
    WeightsStanding,
};
use link::Link;
use nonce::Nonces;
use runtime::Runtimes;
use snapshot::Snapshot;
use tip::{Follower, Tip};

/// A connection to a Bittensor chain that outlives its sockets.
///
/// It speaks to the first endpoint that answers, is on the right chain and makes blocks, and moves
/// on to the next one when that ends. Everything is encoded and decoded with the metadata of the
/// block in question, so that a runtime upgrade needs no new build. Clones share one connection.
///
/// [`Client::pin`] reads many things at one block, [`Client::events`] follows what happens,
/// [`MetagraphCache`] keeps a subnet's picture fresh in the background, [`Client::endpoints`] tells
/// how the endpoints do.
///
/// ```no_run
/// use adit_chain::{Chain as _, client::{Client, ClientOptions}};
/// use adit_primitives::NetUid;
///
/// # async fn example() -> adit_chain::Result<()> {
/// let endpoints = ["ws://127.0.0.1:9944".to_owned()];
/// let client = Client::connect(&endpoints, ClientOptions::default()).await?;
/// let metagraph = client.metagraph(NetUid(1)).await?;
/// println!("{} neurons at block {}", metagraph.neurons().len(), metagraph.block);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
    signer: Option<Arc<Keypair>>,
}

struct Shared {
    link: Arc<Link>,
    runtimes: Runtimes,
    options: ClientOptions,
    nonces: Nonces,
    tip: Receiver<Tip>,
    _follower: Follower,
}

/// How the chain moves, as the node in use tells without being asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ChainProgress {
    /// The highest block seen, `None` before the first one.
    pub head: Option<Block>,
    /// Time since it was raised.
    pub head_age: Option<Duration>,
    /// The highest block known to be final. Finality usually is two or three blocks behind.
    pub finalized: Option<Block>,
    /// Time since it was raised; finality that stands still while blocks come is the chain's
    /// trouble, not the node's, and no reason to go to another one.
    pub finalized_age: Option<Duration>,
    /// How often following the chain was interrupted.
    pub outages: u64,
}

impl Client {
    /// Connects to the first endpoint that answers, without a key: reading only.
    ///
    /// The genesis of that node becomes the chain of this client for good; endpoints that turn out
    /// to be on another one are refused.
    ///
    /// # Errors
    /// [`Error::NoEndpoint`], [`Error::Endpoint`], or why the last endpoint could not be used after
    /// all were tried [`ClientOptions::attempts`] times.
    pub async fn connect(endpoints: &[String], options: ClientOptions) -> Result<Self> {
        let link = Arc::new(Link::new(endpoints, options.clone())?);
        options.retrying(|| link.connection()).await?;
        let (follower, tip) = Follower::start(Arc::clone(&link), &options);
        let shared = Shared {
            runtimes: Runtimes::new(&options),
            link,
            options,
            nonces: Nonces::default(),
            tip,
            _follower: follower,
        };
        Ok(Self {
            shared: Arc::new(shared),
            signer: None,
        })
    }

    /// The same connection with a hotkey that signs [`Chain::set_weights`] and
    /// [`Chain::serve_axon`].
    #[must_use]
    pub fn with_signer(&self, hotkey: Arc<Keypair>) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            signer: Some(hotkey),
        }
    }

    /// The account that signs, if there is one.
    pub fn signer(&self) -> Option<AccountId> {
        self.signer.as_ref().map(|keypair| keypair.account())
    }

    /// The first block of this client's chain.
    ///
    /// # Errors
    /// A failure to reach the chain.
    pub async fn genesis(&self) -> Result<BlockHash> {
        let shared = &self.shared;
        let connection = shared.retrying(|| shared.link.connection()).await?;
        Ok(connection.genesis())
    }

    /// The endpoint in use now.
    ///
    /// # Errors
    /// A failure to reach the chain.
    pub async fn endpoint(&self) -> Result<String> {
        let shared = &self.shared;
        let connection = shared.retrying(|| shared.link.connection()).await?;
        Ok(connection.endpoint().to_owned())
    }

    /// The spec version of the runtime at the newest block.
    ///
    /// # Errors
    /// A failure to reach the chain.
    pub async fn spec_version(&self) -> Result<u32> {
        let shared = &self.shared;
        let read = |snapshot: Snapshot| async move { Ok(snapshot.runtime.spec_version) };
        shared.read_newest(read).await
    }

    /// What is known about every endpoint, archives last, without asking any of them.
    pub async fn endpoints(&self) -> Vec<EndpointHealth> {
        self.shared.link.health().await
    }

    /// As [`Client::endpoints`], after asking every endpoint for its newest block: each is within
    /// [`ClientOptions::connect_timeout`] and a few requests of its answer, all at once. An endpoint
    /// in use that turns out to be far behind another one is taken out of use.
    pub async fn probe_endpoints(&self) -> Vec<EndpointHealth> {
        self.shared.link.probe().await;
        self.shared.link.health().await
    }

    /// What the background subscription to the chain last told.
    pub fn progress(&self) -> ChainProgress {
        let tip = self.shared.tip.borrow();
        ChainProgress {
            head: tip.head,
            head_age: tip.grew.map(|at| at.elapsed()),
            finalized: tip.finalised,
            finalized_age: tip.finality_moved.map(|at| at.elapsed()),
            outages: tip.outages,
        }
    }

    fn hotkey(&self) -> Result<&Keypair> {
        self.signer.as_deref().ok_or(Error::NoSigner)
    }
}

impl Shared {
    /// The newest block with its runtime, to read several things from.
    async fn snapshot(&self) -> Result<Snapshot> {
        let connection = self.link.connection().await?;
        let head = connection.newest().await?;
        let runtime = self.runtimes.at(&connection, head.hash).await?;
        Ok(Snapshot {
            connection,
            runtime,
            head,
        })
    }

    async fn retrying<T, F: Future<Output = Result<T>>>(
        &self,
        read: impl FnMut() -> F,
    ) -> Result<T> {
        self.options.retrying(read).await
    }

    /// Reads from the newest block, again where that can help.
    async fn read_newest<T, F: Future<Output = Result<T>>>(
        &self,
        read: impl Fn(Snapshot) -> F,
    ) -> Result<T> {
        self.retrying(|| async {
            let snapshot = self.snapshot().await?;
            self.read_once(snapshot, &read).await
        })
        .await
    }

    /// Reads from one block, again where that can help, and from an archive where the endpoint in
    /// use has thrown the block's state away.
    async fn read_at<T, F: Future<Output = Result<T>>>(
        &self,
        head: BlockHead,
        read: impl Fn(Snapshot) -> F,
    ) -> Result<T> {
        self.retrying(|| async {
            let from = async |connection| -> Result<T> {
                let snapshot = self.snapshot_on(connection, head).await?;
                self.read_once(snapshot, &read).await
            };
            match from(self.link.connection().await?).await {
                Err(discarded @ Error::StateDiscarded { .. }) => match self.link.archive().await? {
                    Some(archive) => from(archive).await,
                    None => Err(discarded),
                },
                other => other,
            }
        })
        .await
    }

    /// One reading, and one more with fresh metadata when what was read did not have the shape that
    /// metadata describes.
    async fn read_once<T, F: Future<Output = Result<T>>>(
        &self,
        snapshot: Snapshot,
        read: &impl Fn(Snapshot) -> F,
    ) -> Result<T> {
        let (connection, head) = (Arc::clone(&snapshot.connection), snapshot.head);
        match read(snapshot).await {
            Err(error @ (Error::Decode { .. } | Error::TypeChanged { .. })) => {
                if !self.runtimes.refetch(&connection, head.hash).await? {
                    return Err(error);
                }
                read(self.snapshot_on(connection, head).await?).await
            }
            other => other,
        }
    }

    async fn snapshot_on(
        &self,
        connection: Arc<connection::Connection>,
        head: BlockHead,
    ) -> Result<Snapshot> {
        let runtime = self.runtimes.at(&connection, head.hash).await?;
        Ok(Snapshot {
            connection,
            runtime,
            head,
        })
    }
}

impl Chain for Client {
    async fn metagraph(&self, netuid: NetUid) -> Result<Metagraph> {
        let shared = &self.shared;
        let read = |snapshot| async move { metagraph::read(&snapshot, netuid).await };
        shared.read_newest(read).await
    }

    async fn head(&self) -> Result<Block> {
        let shared = &self.shared;
        shared
            .retrying(|| async {
                let connection = shared.link.connection().await?;
                Ok(connection.newest().await?.number)
            })
            .await
    }

    async fn blocks(&self) -> Result<BlockStream> {
        Ok(blocks::stream(Arc::clone(&self.shared)))
    }

    async fn serve_axon(&self, netuid: NetUid, axon: &AxonInfo) -> Result<Served> {
        axon::serve(&self.shared, self.hotkey()?, netuid, axon).await
    }

    async fn weights_standing(
        &self,
        netuid: NetUid,
        mechid: MechId,
        at: Option<BlockHead>,
    ) -> Result<Option<WeightsStanding>> {
        let (shared, account) = (&self.shared, self.hotkey()?.account());
        let read = |snapshot: Snapshot| async move {
            weights::standing(&snapshot, netuid, mechid, account).await
        };
        match at {
            Some(head) => shared.read_at(head, read).await,
            None => shared.read_newest(read).await,
        }
    }

    async fn send_weights(
        &self,
        netuid: NetUid,
        mechid: MechId,
        call: &WeightsCall,
    ) -> Result<WeightsReceipt> {
        commit::send(&self.shared, self.hotkey()?, netuid, mechid, call).await
    }

    async fn weights_on_chain(&self, netuid: NetUid, uid: Uid) -> Result<WeightVector> {
        let shared = &self.shared;
        let read = |snapshot| async move { weights::row(&snapshot, netuid, uid).await };
        shared.read_newest(read).await
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("endpoints", &self.shared.link.endpoints())
            .field("signer", &self.signer())
            .finish_non_exhaustive()
    }
}
