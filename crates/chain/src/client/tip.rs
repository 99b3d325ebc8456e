use std::sync::Arc;

use adit_primitives::Block;
use backon::BackoffBuilder as _;
use tokio::{
    sync::watch,
    task::AbortHandle,
    time::{Instant, timeout},
};

use super::{
    connection::Connection,
    header::{Header, read_number},
    link::Link,
    options::ClientOptions,
};
use crate::{BlockHead, Error, Result};

/// What is known about the newest blocks.
#[derive(Debug, Clone, Default)]
pub(super) struct Tip {
    pub(super) head: Option<Block>,
    /// The newest block with its hash; another one at the same height after a reorganisation.
    pub(super) newest: Option<BlockHead>,
    /// When the best chain last grew.
    pub(super) grew: Option<Instant>,
    pub(super) finalised: Option<Block>,
    /// When finality last moved.
    pub(super) finality_moved: Option<Instant>,
    /// How often following the chain was interrupted, and the reason of the last time.
    pub(super) outages: u64,
    pub(super) reason: Arc<str>,
}

/// Follows the chain in the background and takes nodes out of use that make no blocks.
///
/// Ends when dropped.
pub(super) struct Follower(Vec<AbortHandle>);

impl Follower {
    pub(super) fn start(link: Arc<Link>, options: &ClientOptions) -> (Self, watch::Receiver<Tip>) {
        let (sender, receiver) = watch::channel(Tip::default());
        let probing = probe(Arc::clone(&link));
        let tasks = vec![
            tokio::spawn(follow(link, options.clone(), sender)).abort_handle(),
            tokio::spawn(probing).abort_handle(),
        ];
        (Self(tasks), receiver)
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.0.iter().for_each(AbortHandle::abort);
    }
}

async fn probe(link: Arc<Link>) {
    let Some(interval) = link.probe_interval() else {
        return;
    };
    loop {
        tokio::time::sleep(interval).await;
        link.probe().await;
    }
}

async fn follow(link: Arc<Link>, options: ClientOptions, tip: watch::Sender<Tip>) {
    let mut pauses = options.endless_backoff().build();
    loop {
        let before = tip.borrow().head;
        let Err(error) = listen(&link, &options, &tip).await else {
            continue;
        };
        tracing::warn!(%error, "following the chain was interrupted");
        tip.send_modify(|tip| {
            tip.outages += 1;
            tip.reason = error.to_string().into();
        });
        if tip.borrow().head != before {
            pauses = options.endless_backoff().build();
        }
        tokio::time::sleep(pauses.next().unwrap_or(options.longest_pause)).await;
    }
}

/// Publishes heads until a subscription ends, which is always an error.
async fn listen(link: &Link, options: &ClientOptions, tip: &watch::Sender<Tip>) -> Result<()> {
    let connection = link.connection().await?;
    tokio::select! {
        ended = listen_to_heads(link, &connection, options, tip) => ended,
        ended = listen_to_finality(&connection, tip) => ended,
    }
}

async fn listen_to_heads(
    link: &Link,
    connection: &Connection,
    options: &ClientOptions,
    tip: &watch::Sender<Tip>,
) -> Result<()> {
    const METHOD: &str = "chain_subscribeNewHeads";
    let mut heads = connection
        .subscribe(METHOD, &[], "chain_unsubscribeNewHeads")
        .await?;
    let mut seen = None;
    let mut deadline = Instant::now() + options.stall;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let header = match timeout(left, heads.next()).await {
            Ok(Some(header)) => header.map_err(|error| connection.failed(METHOD, error))?,
            Ok(None) => return Err(ended(connection, METHOD)),
            Err(_) => {
                let head = seen.or(tip.borrow().head).unwrap_or_default();
                link.stalled(connection, head);
                return Err(Error::Stalled {
                    endpoint: connection.endpoint().to_owned(),
                    since: options.stall,
                });
            }
        };
        let Header { head, .. } = Header::read(&header)?;
        let number = head.number;
        link.saw(connection, number);
        let grew = seen.is_none_or(|seen| number > seen);
        if grew {
            seen = Some(number);
            deadline = Instant::now() + options.stall;
        }
        tip.send_modify(|tip| {
            tip.newest = Some(head);
            if grew {
                tip.head = Some(number);
                tip.grew = Some(Instant::now());
            }
        });
        if !connection.is_alive() {
            return Err(Error::ConnectionLost {
                during: METHOD,
                source: "a request on the same connection failed".into(),
            });
        }
    }
}

/// Finality may stand still while blocks come, so its silence is told and no reason to leave.
async fn listen_to_finality(connection: &Connection, tip: &watch::Sender<Tip>) -> Result<()> {
    const METHOD: &str = "chain_subscribeFinalizedHeads";
    let subscribed = connection
        .subscribe(METHOD, &[], "chain_unsubscribeFinalizedHeads")
        .await;
    let mut heads = match subscribed {
        Ok(heads) => heads,
        Err(error) if error.is_retryable() => return Err(error),
        Err(error) => {
            tracing::warn!(%error, "this node does not tell what is final");
            return std::future::pending().await;
        }
    };
    loop {
        let Some(header) = heads.next().await else {
            return Err(ended(connection, METHOD));
        };
        let header = header.map_err(|error| connection.failed(METHOD, error))?;
        let number = read_number(&header)?;
        tip.send_modify(|tip| {
            if tip.finalised.is_none_or(|old| number > old) {
                tip.finalised = Some(number);
                tip.finality_moved = Some(Instant::now());
            }
        });
    }
}

fn ended(connection: &Connection, during: &'static str) -> Error {
    connection.retire();
    Error::ConnectionLost {
        during,
        source: "the subscription ended".into(),
    }
}
