use std::{
    collections::HashMap,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use adit_primitives::{Block, BlockHash};
use tokio::sync::Mutex;

use super::{connection::Connection, options::ClientOptions};
use crate::{Error, Result};

/// The way to the chain: a list of endpoints of which one is in use.
pub(super) struct Link {
    endpoints: Vec<String>,
    options: ClientOptions,
    genesis: OnceLock<BlockHash>,
    current: Mutex<Option<Arc<Connection>>>,
    /// Where the next search begins.
    first: AtomicUsize,
    /// Heads at which endpoints stood still; they must show more before they are used again.
    stalled: Mutex<HashMap<String, Block>>,
}

impl Link {
    pub(super) fn new(endpoints: &[String], options: ClientOptions) -> Result<Self> {
        if endpoints.is_empty() {
            return Err(Error::NoEndpoint);
        }
        for endpoint in endpoints {
            if !endpoint.starts_with("ws://") && !endpoint.starts_with("wss://") {
                return Err(Error::Endpoint {
                    endpoint: endpoint.clone(),
                });
            }
        }
        Ok(Self {
            endpoints: endpoints.to_vec(),
            options,
            genesis: OnceLock::new(),
            current: Mutex::new(None),
            first: AtomicUsize::new(0),
            stalled: Mutex::default(),
        })
    }

    pub(super) fn endpoints(&self) -> &[String] {
        &self.endpoints
    }

    /// The connection in use, or a new one after one search through the list.
    pub(super) async fn connection(&self) -> Result<Arc<Connection>> {
        let mut current = self.current.lock().await;
        if let Some(connection) = current.as_ref().filter(|connection| connection.is_alive()) {
            return Ok(Arc::clone(connection));
        }
        *current = None;
        let connection = self.search().await?;
        let connection = Arc::new(connection);
        *current = Some(Arc::clone(&connection));
        Ok(connection)
    }

    /// Takes a connection out of use because its node makes no blocks.
    pub(super) async fn stalled(&self, connection: &Connection, at: Block) {
        let mut stalled = self.stalled.lock().await;
        stalled.insert(connection.endpoint().to_owned(), at);
        connection.retire();
    }

    /// Goes once through the list, beginning after the endpoint used last.
    async fn search(&self) -> Result<Connection> {
        let first = self.first.load(Ordering::Relaxed);
        let mut worst = None;
        for nth in 0..self.endpoints.len() {
            let place = (first + nth) % self.endpoints.len();
            let Some(endpoint) = self.endpoints.get(place) else {
                continue;
            };
            match self.open(endpoint).await {
                Ok(connection) => {
                    self.first.store(place + 1, Ordering::Relaxed);
                    tracing::info!(endpoint, genesis = %connection.genesis(), "connected to the chain");
                    return Ok(connection);
                }
                Err(error) => {
                    tracing::warn!(endpoint, %error, "this endpoint cannot be used");
                    // One that may come back outweighs one that never will.
                    if worst.as_ref().is_none_or(|old: &Error| !old.is_retryable()) {
                        worst = Some(error);
                    }
                }
            }
        }
        Err(worst.unwrap_or(Error::NoEndpoint))
    }

    async fn open(&self, endpoint: &str) -> Result<Connection> {
        let connection = Connection::open(endpoint, &self.options).await?;
        let expected = *self.genesis.get_or_init(|| connection.genesis());
        if connection.genesis() != expected {
            return Err(Error::ForeignGenesis {
                endpoint: endpoint.to_owned(),
                expected,
                found: connection.genesis(),
            });
        }
        let mut stalled = self.stalled.lock().await;
        if let Some(at) = stalled.get(endpoint).copied() {
            if connection.newest().await?.number <= at {
                return Err(Error::Stalled {
                    endpoint: endpoint.to_owned(),
                    since: self.options.stall,
                });
            }
            stalled.remove(endpoint);
        }
        Ok(connection)
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
            Link::new(&[http], options()),
            Err(Error::Endpoint { .. })
        ));
        assert!(Link::new(&["wss://x".to_owned()], options()).is_ok());
    }
}
