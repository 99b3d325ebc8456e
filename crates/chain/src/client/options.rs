use std::{path::PathBuf, time::Duration};

use backon::{BackoffBuilder as _, ExponentialBuilder, Retryable as _};

use super::rate::RateLimit;
use crate::{Error, Result};

/// How patient a [`Client`](super::Client) is, and where it may look.
///
/// ```
/// use std::time::Duration;
/// use adit_chain::client::ClientOptions;
///
/// let options = ClientOptions {
///     archives: vec!["wss://archive.chain.opentensor.ai:443".to_owned()],
///     metadata_folder: Some("/var/cache/adit/metadata".into()),
///     stall: Duration::from_secs(120),
///     ..ClientOptions::default()
/// };
/// assert_eq!(options.request_timeout, Duration::from_secs(20));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientOptions {
    /// Endpoints with all history. Only asked when a block is so old that the others have thrown
    /// its state away.
    pub archives: Vec<String>,
    /// Folder in which metadata is kept between runs (a few hundred kilobytes for each runtime);
    /// without one it is fetched at every start.
    pub metadata_folder: Option<PathBuf>,
    /// How often an endpoint may be asked.
    pub rate_limit: RateLimit,
    /// Longest time to open a connection.
    pub connect_timeout: Duration,
    /// Longest time for one answer of a node.
    pub request_timeout: Duration,
    /// Largest answer a node may give, in bytes. A larger one ends the connection.
    pub largest_answer: u32,
    /// How often an idle socket is pinged, so that nothing on the way closes it; one that does not
    /// answer a ping within twice this time is given up.
    pub ping: Duration,
    /// A node that shows no new block for this long counts as down.
    pub stall: Duration,
    /// A node whose newest block is this many behind the best one seen at any endpoint is passed
    /// over while there is a better one.
    pub longest_lag: u64,
    /// How often the endpoints not in use are looked at, where there are any.
    pub probe_interval: Duration,
    /// How often a read is tried; without a connection each try goes through the whole list of
    /// endpoints.
    pub attempts: usize,
    /// Pause before the second attempt; it doubles from there on, with jitter.
    pub shortest_pause: Duration,
    /// Longest pause between two attempts, and after a node asked for fewer requests.
    pub longest_pause: Duration,
    /// Blocks after which a transaction that was not included can no longer be; a power of two from
    /// 4 to 4096 (other numbers are rounded into that). Counted from the newest block, not from the
    /// finalised one; nothing is ever signed for longer.
    ///
    /// 64, which is 13 minutes: the fate of a transaction that got lost is then known for certain
    /// in less than [`ClientOptions::determination_wait`]. With the Python SDK's 128 it would not
    /// be.
    pub mortality: u64,
    /// How long to wait for finality after inclusion. Where it does not come, the block must still
    /// be on the best chain.
    pub finality_wait: Duration,
    /// How long to look for a transaction whose connection was lost.
    pub determination_wait: Duration,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            archives: Vec::new(),
            metadata_folder: None,
            rate_limit: RateLimit::ByHost,
            connect_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(20),
            largest_answer: 64 << 20,
            ping: Duration::from_secs(30),
            stall: Duration::from_secs(60),
            longest_lag: 25,
            probe_interval: Duration::from_secs(300),
            attempts: 5,
            shortest_pause: Duration::from_millis(250),
            longest_pause: Duration::from_secs(15),
            mortality: 64,
            finality_wait: Duration::from_secs(60),
            determination_wait: Duration::from_secs(20 * 60),
        }
    }
}

impl ClientOptions {
    pub(super) fn backoff(&self) -> ExponentialBuilder {
        ExponentialBuilder::new()
            .with_jitter()
            .with_min_delay(self.shortest_pause)
            .with_max_delay(self.longest_pause)
            .with_max_times(self.attempts.saturating_sub(1))
    }

    /// Repeats a read that failed for a passing reason, on a new connection if need be.
    pub(super) async fn retrying<T, F: Future<Output = Result<T>>>(
        &self,
        read: impl FnMut() -> F,
    ) -> Result<T> {
        read.retry(self.backoff().build())
            .when(Error::is_retryable)
            .notify(|error, after| {
                tracing::warn!(%error, ?after, "reading from the chain failed and is tried again");
            })
            .await
    }

    pub(super) fn endless_backoff(&self) -> ExponentialBuilder {
        self.backoff().without_max_times()
    }
}
