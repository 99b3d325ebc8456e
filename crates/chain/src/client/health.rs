use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use adit_primitives::{Block, BlockHash};

use super::{options::ClientOptions, rate::Limiter};
use crate::Error;

/// What is known about one endpoint, from the requests made so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointHealth {
    /// Its URL.
    pub endpoint: String,
    /// Whether it is only asked for history.
    pub archive: bool,
    /// Whether requests go there now.
    pub in_use: bool,
    /// Whether the last request was answered; `None` before the first one.
    pub reachable: Option<bool>,
    /// The first block of its chain.
    pub genesis: Option<BlockHash>,
    /// The runtime at its newest block.
    pub spec_version: Option<u32>,
    /// Its newest block when we last saw one.
    pub head: Option<Block>,
    /// Blocks its head is behind the best one seen at any endpoint.
    pub lag: Option<u64>,
    /// Time an answer takes, smoothed over the last ones.
    pub latency: Option<Duration>,
    /// Requests in a row that were not answered.
    pub failures: u32,
    /// What went wrong last.
    pub last_error: Option<String>,
}

/// One endpoint: where it is, how often it may be asked, how it has done.
#[derive(Debug)]
pub(super) struct Endpoint {
    pub(super) url: String,
    pub(super) archive: bool,
    pub(super) limiter: Limiter,
    record: Mutex<Record>,
}

#[derive(Debug, Default)]
struct Record {
    reachable: Option<bool>,
    genesis: Option<BlockHash>,
    spec_version: Option<u32>,
    head: Option<Block>,
    latency: Option<Duration>,
    failures: u32,
    last_error: Option<String>,
    /// The head at which it stood still; it must show more before it is used again.
    stalled_at: Option<Block>,
}

impl Endpoint {
    pub(super) fn new(url: &str, archive: bool, options: &ClientOptions) -> Self {
        Self {
            url: url.to_owned(),
            archive,
            limiter: Limiter::new(options.rate_limit, url),
            record: Mutex::default(),
        }
    }

    fn with<T>(&self, change: impl FnOnce(&mut Record) -> T) -> T {
        change(&mut self.record.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn answered(&self, after: Duration) {
        self.limiter.accepted();
        metrics::counter!("adit_chain_requests_total", "endpoint" => self.url.clone(), "outcome" => "answered").increment(1);
        metrics::histogram!("adit_chain_request_seconds", "endpoint" => self.url.clone())
            .record(after.as_secs_f64());
        self.with(|record| {
            record.reachable = Some(true);
            record.failures = 0;
            // The weight of one answer is an eighth, as TCP does it.
            let smooth = |old: Duration| (old * 7 + after) / 8;
            record.latency = Some(record.latency.map_or(after, smooth));
        });
    }

    pub(super) fn failed(&self, error: &Error) {
        metrics::counter!("adit_chain_requests_total", "endpoint" => self.url.clone(), "outcome" => "failed").increment(1);
        self.with(|record| {
            record.reachable = Some(false);
            record.failures = record.failures.saturating_add(1);
            record.last_error = Some(with_sources(error));
        });
    }

    pub(super) fn has_genesis(&self, genesis: BlockHash) {
        self.with(|record| record.genesis = Some(genesis));
    }

    pub(super) fn has_runtime(&self, spec_version: u32) {
        self.with(|record| record.spec_version = Some(spec_version));
    }

    pub(super) fn has_head(&self, head: Block) {
        self.with(|record| {
            record.head = Some(head);
            if record.stalled_at.is_some_and(|stalled| head > stalled) {
                record.stalled_at = None;
            }
        });
    }

    pub(super) fn stalls(&self, at: Block) {
        self.with(|record| record.stalled_at = Some(at));
    }

    pub(super) fn stalled_at(&self) -> Option<Block> {
        self.with(|record| record.stalled_at)
    }

    pub(super) fn health(&self, in_use: bool, best: Option<Block>) -> EndpointHealth {
        self.with(|record| EndpointHealth {
            endpoint: self.url.clone(),
            archive: self.archive,
            in_use,
            reachable: record.reachable,
            genesis: record.genesis,
            spec_version: record.spec_version,
            head: record.head,
            lag: record.head.zip(best).map(|(head, best)| best.since(head)),
            latency: record.latency,
            failures: record.failures,
            last_error: record.last_error.clone(),
        })
    }
}

/// The highest block seen at any endpoint.
#[derive(Debug, Default)]
pub(super) struct BestHead(AtomicU64);

impl BestHead {
    /// Takes note of a head; 0 stands for none.
    pub(super) fn saw(&self, head: Block) {
        let before = self.0.fetch_max(head.0, Ordering::AcqRel);
        if head.0 > before {
            #[expect(
                clippy::cast_precision_loss,
                reason = "block numbers stay far below 2⁵³"
            )]
            metrics::gauge!("adit_chain_head").set(head.0 as f64);
        }
    }

    pub(super) fn get(&self) -> Option<Block> {
        match self.0.load(Ordering::Acquire) {
            0 => None,
            head => Some(Block(head)),
        }
    }
}

/// An error and what caused it, in one line.
fn with_sources(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text.chars().take(300).collect()
}
