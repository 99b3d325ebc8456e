use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc},
    thread,
    time::{Duration, Instant},
};

use adit_primitives::{Block, BlockHash, Clock, SystemClock};
use jsonrpsee::server::{PingConfig, ServerConfig, ServerHandle};
use tokio::{
    net::TcpListener,
    sync::{broadcast, watch},
};

use crate::{
    DevnetConfig, Error, Result,
    chain::{Chain, News},
    door,
    faults::Faults,
    rpc::{self, Answers},
};

/// Largest request and answer, in bytes.
const LARGEST_MESSAGE: u32 = 16 << 20;
const MOST_CONNECTIONS: u32 = 256;
const MOST_SUBSCRIPTIONS_PER_CONNECTION: u32 = 128;
/// Messages that wait for one slow client before its subscriptions pause.
const MESSAGE_BUFFER: u32 = 256;
/// Blocks a subscription may fall behind before it skips some.
const NEWS_BUFFER: usize = 256;
/// How long open connections may take to close.
const CLOSING: Duration = Duration::from_secs(2);

/// What the block thread and the JSON-RPC methods share.
pub(crate) struct Node {
    chain: Mutex<Chain>,
    news: broadcast::Sender<Arc<News>>,
    pub(crate) faults: Faults,
    pub(crate) answers: Answers,
}

impl Node {
    pub(crate) fn chain(&self) -> MutexGuard<'_, Chain> {
        // A panic while building a block leaves the state of the block before: nothing is applied
        // until a block is complete.
        self.chain.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Builds a block and tells its watchers.
    pub(crate) fn step(&self) -> Result<()> {
        let now = self.faults.time(SystemClock.unix_millis());
        let news = self.chain().build(now)?;
        tracing::debug!(
            number = news.header.number,
            hash = ?news.hash,
            transactions = news.included.len(),
            "block"
        );
        // Nobody listening is fine.
        let _ = self.news.send(Arc::new(news));
        Ok(())
    }

    pub(crate) fn news(&self) -> broadcast::Receiver<Arc<News>> {
        self.news.subscribe()
    }
}

/// Starts local chains.
#[derive(Debug)]
pub struct Devnet;

impl Devnet {
    /// Starts a chain: opens or creates its state, listens, and builds a block every
    /// `config.block_time`. Runs until the handle is shut down or dropped.
    ///
    /// # Errors
    /// [`Error::Invalid`], [`Error::Listen`], and every error about the database.
    pub async fn start(config: DevnetConfig) -> Result<DevnetHandle> {
        config.validate()?;
        let chain = Chain::open(&config)?;
        let node = Arc::new(Node {
            chain: Mutex::new(chain),
            news: broadcast::Sender::new(NEWS_BUFFER),
            faults: Faults::default(),
            answers: Answers::default(),
        });
        let refused = |source| Error::Listen {
            address: config.listen,
            source,
        };
        let limits = ServerConfig::builder()
            .max_request_body_size(LARGEST_MESSAGE)
            .max_response_body_size(LARGEST_MESSAGE)
            .max_connections(MOST_CONNECTIONS)
            .max_subscriptions_per_connection(MOST_SUBSCRIPTIONS_PER_CONNECTION)
            .set_message_buffer_capacity(MESSAGE_BUFFER)
            .enable_ws_ping(PingConfig::new())
            .build();
        let listener = TcpListener::bind(config.listen).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        let methods = rpc::methods(Arc::clone(&node), config.faults)?;
        let server = door::open(listener, limits, methods, Arc::clone(&node));

        let (stop, stopped) = mpsc::channel();
        let (failure, failed) = watch::channel(None);
        let builder = Arc::clone(&node);
        let blocks = thread::Builder::new()
            .name("devnet-blocks".into())
            .spawn(move || {
                if let Err(error) = build_blocks(&builder, config.block_time, &stopped) {
                    tracing::error!(%error, "the chain stopped");
                    failure.send_replace(Some(error));
                }
            })
            .map_err(Error::Thread)?;
        tracing::info!(%address, "the chain is up");
        Ok(DevnetHandle {
            address,
            node,
            server,
            failed,
            stop: Some(stop),
            blocks: Some(blocks),
        })
    }
}

fn build_blocks(node: &Node, block_time: Duration, stopped: &mpsc::Receiver<()>) -> Result<()> {
    let mut due = Instant::now() + block_time;
    loop {
        match stopped.recv_timeout(due.saturating_duration_since(Instant::now())) {
            Err(mpsc::RecvTimeoutError::Timeout) => {}
            Ok(()) | Err(mpsc::RecvTimeoutError::Disconnected) => return Ok(()),
        }
        if !node.faults.is_stalled() {
            node.step()?;
        }
        // A machine that stalled goes on at the usual pace instead of catching up in a burst.
        due = (due + block_time).max(Instant::now());
    }
}

/// A running chain; dropping it stops the chain without waiting.
pub struct DevnetHandle {
    address: SocketAddr,
    node: Arc<Node>,
    server: ServerHandle,
    failed: watch::Receiver<Option<Error>>,
    stop: Option<mpsc::Sender<()>>,
    blocks: Option<thread::JoinHandle<()>>,
}

impl DevnetHandle {
    /// Where the JSON-RPC server listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The WebSocket URL of the JSON-RPC server, `ws://127.0.0.1:9944`.
    pub fn url(&self) -> String {
        format!("ws://{}", self.address)
    }

    /// The hash of block 0.
    pub fn genesis(&self) -> BlockHash {
        BlockHash(self.node.chain().hash_of(0).unwrap_or_default().0)
    }

    /// The number of the newest block.
    pub fn head(&self) -> Block {
        Block(self.node.chain().best_number().into())
    }

    /// Builds `blocks` blocks at once, besides those that come by themselves. With a long block
    /// time, time is in the caller's hands.
    ///
    /// # Errors
    /// [`Error::Block`] and errors of the database.
    pub fn advance(&self, blocks: u64) -> Result<()> {
        (0..blocks).try_for_each(|_| self.node.step())
    }

    /// Waits until the chain cannot build blocks any more, for example because the disk is full,
    /// and says why; never returns while all is well.
    pub async fn failure(&self) -> String {
        let mut failed = self.failed.clone();
        match failed.wait_for(Option::is_some).await {
            Ok(error) => error.as_ref().map(ToString::to_string).unwrap_or_default(),
            Err(_) => std::future::pending().await,
        }
    }

    /// Stops building blocks, closes every connection and returns when all is done.
    pub async fn shutdown(mut self) {
        self.stop = None;
        if let Some(blocks) = self.blocks.take() {
            let joined = tokio::task::spawn_blocking(move || blocks.join()).await;
            if !matches!(joined, Ok(Ok(()))) {
                tracing::error!("the block thread panicked");
            }
        }
        if self.server.stop().is_ok() {
            let closed = self.server.clone().stopped();
            if tokio::time::timeout(CLOSING, closed).await.is_err() {
                tracing::debug!("connections were still open at shutdown");
            }
        }
    }
}

impl std::fmt::Debug for DevnetHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DevnetHandle")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}
