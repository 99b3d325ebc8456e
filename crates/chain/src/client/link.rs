use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use adit_primitives::{Block, BlockHash};
use futures::future::join_all;
use serde_json::Value;
use tokio::sync::Mutex;

use super::{
    connection::Connection,
    health::{BestHead, Endpoint, EndpointHealth},
    options::ClientOptions,
};
use crate::{Error, Result};

/// The way to the chain: a list of endpoints of which one is in use, and archives for history.
pub(super) struct Link {
    endpoints: Vec<Arc<Endpoint>>,
    archives: Vec<Arc<Endpoint>>,
    options: ClientOptions,
    genesis: OnceLock<BlockHash>,
    current: Mutex<Option<Arc<Connection>>>,
    archive: Mutex<Option<Arc<Connection>>>,
    /// Where the next search begins.
    first: AtomicUsize,
    best: BestHead,
}

impl Link {
    pub(super) fn new(endpoints: &[String], options: ClientOptions) -> Result<Self> {
        if endpoints.is_empty() {
            return Err(Error::NoEndpoint);
        }
        for endpoint in endpoints.iter().chain(&options.archives) {
            if !endpoint.starts_with("ws://") && !endpoint.starts_with("wss://") {
                return Err(Error::Endpoint {
                    endpoint: endpoint.clone(),
                });
            }
        }
        let all = |urls: &[String], archive: bool| -> Vec<Arc<Endpoint>> {
            let endpoint = |url: &String| Arc::new(Endpoint::new(url, archive, &options));
            urls.iter().map(endpoint).collect()
        };
        Ok(Self {
            endpoints: all(endpoints, false),
            archives: all(&options.archives, true),
            options,
            genesis: OnceLock::new(),
            current: Mutex::new(None),
            archive: Mutex::new(None),
            first: AtomicUsize::new(0),
            best: BestHead::default(),
        })
    }

    pub(super) fn endpoints(&self) -> Vec<&str> {
        let urls = self.endpoints.iter().map(|endpoint| endpoint.url.as_str());
        urls.collect()
    }

    /// Whether there is more than the endpoint in use to look at.
    pub(super) fn has_others(&self) -> bool {
        self.endpoints.len() > 1
    }

    /// The connection in use, or a new one after one search through the list.
    pub(super) async fn connection(&self) -> Result<Arc<Connection>> {
        let mut current = self.current.lock().await;
        if let Some(connection) = current.as_ref().filter(|connection| connection.is_alive()) {
            return Ok(Arc::clone(connection));
        }
        *current = None;
        let first = self.first.load(Ordering::Relaxed);
        let (place, connection) = self.search(&self.endpoints, first).await?;
        self.first.store(place + 1, Ordering::Relaxed);
        let connection = Arc::new(connection);
        *current = Some(Arc::clone(&connection));
        Ok(connection)
    }

    /// A connection to an archive, `None` where none is configured.
    pub(super) async fn archive(&self) -> Result<Option<Arc<Connection>>> {
        if self.archives.is_empty() {
            return Ok(None);
        }
        let mut current = self.archive.lock().await;
        if let Some(connection) = current.as_ref().filter(|connection| connection.is_alive()) {
            return Ok(Some(Arc::clone(connection)));
        }
        *current = None;
        let (_, connection) = self.search(&self.archives, 0).await?;
        let connection = Arc::new(connection);
        *current = Some(Arc::clone(&connection));
        Ok(Some(connection))
    }

    /// Takes note of a head that was announced.
    pub(super) fn saw(&self, connection: &Connection, head: Block) {
        connection.record().has_head(head);
        self.best.saw(head);
    }

    /// Takes a connection out of use because its node makes no blocks.
    pub(super) fn stalled(&self, connection: &Connection, at: Block) {
        metrics::counter!("adit_chain_failovers_total", "reason" => "stalled").increment(1);
        connection.record().stalls(at);
        connection.retire();
    }

    /// Goes once through a list. Endpoints that asked to be left alone come last, and one that is
    /// far behind is only taken when no other one can be.
    async fn search(
        &self,
        endpoints: &[Arc<Endpoint>],
        first: usize,
    ) -> Result<(usize, Connection)> {
        let mut places = (0..endpoints.len())
            .map(|nth| (first + nth) % endpoints.len())
            .collect::<Vec<_>>();
        places.sort_by_key(|place| {
            let endpoint = endpoints.get(*place);
            endpoint.is_some_and(|endpoint| endpoint.limiter.is_paused())
        });
        let (mut worst, mut behind) = (None, None::<(usize, Connection, Block)>);
        for place in places {
            let Some(endpoint) = endpoints.get(place) else {
                continue;
            };
            let url = endpoint.url.as_str();
            match self.open(endpoint).await {
                Ok((connection, head)) => {
                    let lag = self.best.get().unwrap_or(head).since(head);
                    if lag > self.options.longest_lag {
                        tracing::warn!(endpoint = url, lag, "this endpoint is far behind");
                        if behind.as_ref().is_none_or(|(_, _, other)| head > *other) {
                            behind = Some((place, connection, head));
                        }
                        continue;
                    }
                    tracing::info!(endpoint = url, genesis = %connection.genesis(), "connected to the chain");
                    return Ok((place, connection));
                }
                Err(error) => {
                    tracing::warn!(endpoint = url, %error, "this endpoint cannot be used");
                    // One that may come back outweighs one that never will.
                    if worst.as_ref().is_none_or(|old: &Error| !old.is_retryable()) {
                        worst = Some(error);
                    }
                }
            }
        }
        match behind {
            Some((place, connection, _)) => Ok((place, connection)),
            None => Err(worst.unwrap_or(Error::NoEndpoint)),
        }
    }

    /// Opens a connection to the right chain, with a head that moves as far as we know.
    async fn open(&self, endpoint: &Arc<Endpoint>) -> Result<(Connection, Block)> {
        let connection = Connection::open(endpoint, &self.options).await?;
        let expected = *self.genesis.get_or_init(|| connection.genesis());
        if connection.genesis() != expected {
            let foreign = Error::ForeignGenesis {
                endpoint: endpoint.url.clone(),
                expected,
                found: connection.genesis(),
            };
            endpoint.failed(&foreign);
            return Err(foreign);
        }
        let stalled_at = endpoint.stalled_at();
        let head = connection.newest().await?.number;
        if stalled_at.is_some_and(|stalled| head <= stalled) {
            let stalled = Error::Stalled {
                endpoint: endpoint.url.clone(),
                since: self.options.stall,
            };
            endpoint.failed(&stalled);
            return Err(stalled);
        }
        self.best.saw(head);
        Ok((connection, head))
    }

    /// Asks every endpoint for its newest block and its runtime, archives too, all at once. One in
    /// use that turns out to be far behind is taken out of use.
    pub(super) async fn probe(&self) {
        let current = self.current.lock().await.clone();
        let in_use = |endpoint: &Arc<Endpoint>| {
            let same = |connection: &&Arc<Connection>| Arc::ptr_eq(connection.record(), endpoint);
            current.as_ref().filter(same).map(Arc::clone)
        };
        let all = self.endpoints.iter().chain(&self.archives);
        join_all(all.map(|endpoint| self.look_at(endpoint, in_use(endpoint)))).await;
        let Some(connection) = current else { return };
        let health = connection.record().health(true, self.best.get());
        if self.has_others() && health.lag.is_some_and(|lag| lag > self.options.longest_lag) {
            tracing::warn!(endpoint = connection.endpoint(), lag = ?health.lag, "the endpoint in use is far behind another one");
            metrics::counter!("adit_chain_failovers_total", "reason" => "lag").increment(1);
            connection.retire();
        }
    }

    async fn look_at(&self, endpoint: &Arc<Endpoint>, in_use: Option<Arc<Connection>>) {
        let looked = async {
            let connection = match in_use.filter(|connection| connection.is_alive()) {
                Some(connection) => connection,
                None => Arc::new(self.open(endpoint).await?.0),
            };
            let head = connection.newest().await?.number;
            self.best.saw(head);
            let version = connection.request("state_getRuntimeVersion", &[]).await?;
            let spec = version.get("specVersion").and_then(Value::as_u64);
            if let Some(spec) = spec.and_then(|spec| u32::try_from(spec).ok()) {
                endpoint.has_runtime(spec);
            }
            Ok::<_, Error>(())
        };
        if let Err(error) = looked.await {
            tracing::debug!(endpoint = endpoint.url, %error, "an endpoint does not answer");
        }
    }

    /// What is known about every endpoint, archives last.
    pub(super) async fn health(&self) -> Vec<EndpointHealth> {
        let in_use = |connection: Option<Arc<Connection>>| {
            connection.filter(|connection| connection.is_alive())
        };
        let current = in_use(self.current.lock().await.clone());
        let archive = in_use(self.archive.lock().await.clone());
        let best = self.best.get();
        let all = self.endpoints.iter().chain(&self.archives);
        all.map(|endpoint| {
            let used = |connection: &Option<Arc<Connection>>| {
                let connection = connection.as_ref();
                connection.is_some_and(|connection| Arc::ptr_eq(connection.record(), endpoint))
            };
            endpoint.health(used(&current) || used(&archive), best)
        })
        .collect()
    }

    /// How often the endpoints not in use are looked at; never where there are none.
    pub(super) fn probe_interval(&self) -> Option<Duration> {
        self.has_others().then_some(self.options.probe_interval)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_endpoints_must_name_websockets() {
        let options = ClientOptions::default;
        assert!(matches!(Link::new(&[], options()), Err(Error::NoEndpoint)));
        let http = "http://127.0.0.1:9944".to_owned();
        assert!(matches!(
            Link::new(std::slice::from_ref(&http), options()),
            Err(Error::Endpoint { .. })
        ));
        let mut archives = options();
        archives.archives = vec![http];
        let endpoint = "wss://x".to_owned();
        assert!(matches!(
            Link::new(std::slice::from_ref(&endpoint), archives),
            Err(Error::Endpoint { .. })
        ));
        assert!(Link::new(&[endpoint], options()).is_ok());
    }
}
