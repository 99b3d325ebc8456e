use std::sync::Arc;

use adit_primitives::Block;
use backon::BackoffBuilder as _;
use tokio::{sync::watch, task::AbortHandle, time::timeout};

use super::{connection::read_number, link::Link, options::ClientOptions};
use crate::{Error, Result};

/// What is known about the newest block.
#[derive(Debug, Clone, Default)]
pub(super) struct Tip {
    pub(super) head: Option<Block>,
    /// How often following the chain was interrupted, and the reason of the last time.
    pub(super) outages: u64,
    pub(super) reason: Arc<str>,
}

/// Follows the chain in the background and takes nodes out of use that make no blocks.
///
/// Ends when dropped.
pub(super) struct Follower(AbortHandle);

impl Follower {
    pub(super) fn start(link: Arc<Link>, options: &ClientOptions) -> (Self, watch::Receiver<Tip>) {
        let (sender, receiver) = watch::channel(Tip::default());
        let task = tokio::spawn(follow(link, options.clone(), sender));
        (Self(task.abort_handle()), receiver)
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.0.abort();
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

/// Publishes heads until the subscription ends, which is always an error.
async fn listen(link: &Link, options: &ClientOptions, tip: &watch::Sender<Tip>) -> Result<()> {
    const METHOD: &str = "chain_subscribeNewHeads";
    let connection = link.connection().await?;
    let mut heads = connection
        .subscribe(METHOD, &[], "chain_unsubscribeNewHeads")
        .await?;
    let mut seen = None;
    let mut deadline = tokio::time::Instant::now() + options.stall;
    loop {
        let left = deadline.saturating_duration_since(tokio::time::Instant::now());
        let header = match timeout(left, heads.next()).await {
            Ok(Some(header)) => header.map_err(|error| connection.failed(METHOD, error))?,
            Ok(None) => {
                connection.retire();
                return Err(Error::ConnectionLost {
                    during: METHOD,
                    source: "the subscription ended".into(),
                });
            }
            Err(_) => {
                link.stalled(&connection, seen.unwrap_or_default()).await;
                return Err(Error::Stalled {
                    endpoint: connection.endpoint().to_owned(),
                    since: options.stall,
                });
            }
        };
        let number = read_number(&header)?;
        if seen.is_none_or(|seen| number > seen) {
            seen = Some(number);
            deadline = tokio::time::Instant::now() + options.stall;
            tip.send_modify(|tip| tip.head = Some(number));
        }
        if !connection.is_alive() {
            return Err(Error::ConnectionLost {
                during: METHOD,
                source: "a request on the same connection failed".into(),
            });
        }
    }
}
