use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use adit_primitives::{AccountId, Block, BlockHash};
use serde_json::Value;
use subxt::{
    ext::jsonrpsee::{
        client_transport::ws::WsHandshakeError,
        core::client::{Client as Socket, Error as SocketError},
        ws_client::{PingConfig, WsClientBuilder},
    },
    rpcs::{
        Error as RpcError, RpcClient,
        client::{RpcParams, RpcSubscription},
    },
};
use tokio::time::{Instant, timeout};

use super::{
    header::{Header, read_number},
    health::Endpoint,
    options::ClientOptions,
};
use crate::{BlockHead, Error, Result};

/// One socket to one node.
pub(super) struct Connection {
    endpoint: Arc<Endpoint>,
    genesis: BlockHash,
    socket: Arc<Socket>,
    rpc: RpcClient,
    patience: Duration,
    longest_pause: Duration,
    retired: AtomicBool,
}

impl Connection {
    /// Opens a socket and asks for the genesis.
    pub(super) async fn open(endpoint: &Arc<Endpoint>, options: &ClientOptions) -> Result<Self> {
        endpoint.limiter.wait().await;
        let opened = Self::dial(endpoint, options).await;
        let connection = match opened {
            Ok(connection) => connection.introduced().await,
            Err(error) => Err(error),
        };
        if let Err(error) = &connection {
            if matches!(error, Error::RateLimited { .. }) {
                endpoint.limiter.refused(options.longest_pause);
            }
            endpoint.failed(error);
        }
        connection
    }

    async fn dial(endpoint: &Arc<Endpoint>, options: &ClientOptions) -> Result<Self> {
        let ping = PingConfig::new()
            .ping_interval(options.ping)
            .inactive_limit(options.ping * 2);
        let opening = WsClientBuilder::default()
            // Ours runs out first, so that it is always the same error.
            .connection_timeout(options.connect_timeout * 2)
            .request_timeout(options.request_timeout)
            .max_response_size(options.largest_answer)
            .max_buffer_capacity_per_subscription(4096)
            .enable_ws_ping(ping)
            .build(&endpoint.url);
        let opened = timeout(options.connect_timeout, opening).await;
        let socket = opened
            .map_err(|_| Error::Timeout {
                during: "connecting",
                after: options.connect_timeout,
            })?
            .map_err(|error| not_opened(endpoint, error))?;
        let socket = Arc::new(socket);
        Ok(Self {
            endpoint: Arc::clone(endpoint),
            genesis: BlockHash::default(),
            rpc: RpcClient::new(Arc::clone(&socket)),
            socket,
            patience: options.request_timeout,
            longest_pause: options.longest_pause,
            retired: AtomicBool::new(false),
        })
    }

    async fn introduced(mut self) -> Result<Self> {
        let genesis = self.block_hash(Block(0)).await?;
        self.genesis = genesis.ok_or_else(|| unreadable("the genesis", "there is none"))?;
        self.endpoint.has_genesis(self.genesis);
        Ok(self)
    }

    pub(super) fn endpoint(&self) -> &str {
        &self.endpoint.url
    }

    pub(super) fn record(&self) -> &Arc<Endpoint> {
        &self.endpoint
    }

    pub(super) fn genesis(&self) -> BlockHash {
        self.genesis
    }

    /// Whether it can still be used.
    pub(super) fn is_alive(&self) -> bool {
        !self.retired.load(Ordering::Acquire) && self.socket.is_connected()
    }

    /// Takes it out of use; whoever asks next gets another one.
    pub(super) fn retire(&self) {
        self.retired.store(true, Ordering::Release);
    }

    /// One request and its answer.
    pub(super) async fn request(&self, method: &'static str, params: &[Value]) -> Result<Value> {
        let params = rpc_params(params)?;
        self.endpoint.limiter.wait().await;
        let asked = Instant::now();
        let asking = self.rpc.request::<Value>(method, params);
        let answer = match timeout(self.patience, asking).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(self.failed(method, error)),
            Err(_) => Err(self.too_late(method)),
        };
        self.note(asked, answer)
    }

    /// A subscription and its notifications.
    pub(super) async fn subscribe(
        &self,
        method: &'static str,
        params: &[Value],
        unsubscribe: &'static str,
    ) -> Result<RpcSubscription<Value>> {
        let params = rpc_params(params)?;
        self.endpoint.limiter.wait().await;
        let asked = Instant::now();
        let asking = self.rpc.subscribe::<Value>(method, params, unsubscribe);
        let answer = match timeout(self.patience, asking).await {
            Ok(Ok(subscription)) => Ok(subscription),
            Ok(Err(error)) => Err(self.failed(method, error)),
            Err(_) => Err(self.too_late(method)),
        };
        self.note(asked, answer)
    }

    /// Keeps the endpoint's record; a node that says no has answered, too.
    fn note<T>(&self, asked: Instant, answer: Result<T>) -> Result<T> {
        match &answer {
            Err(error @ Error::RateLimited { .. }) => {
                self.endpoint.limiter.refused(self.longest_pause);
                self.endpoint.failed(error);
            }
            Err(error) if error.is_retryable() => self.endpoint.failed(error),
            _ => self.endpoint.answered(asked.elapsed()),
        }
        answer
    }

    /// Turns a transport's error into ours and retires the connection when it is the socket.
    pub(super) fn failed(&self, method: &'static str, error: RpcError) -> Error {
        match error {
            RpcError::User(answer) => {
                let data = answer
                    .data
                    .as_ref()
                    .map(|data| data.get().trim_matches('"'));
                let code = i64::from(answer.code);
                let message = match data {
                    Some(data) if !data.is_empty() => format!("{}: {data}", answer.message),
                    _ => answer.message,
                };
                self.said_no(method, code, &message)
            }
            RpcError::Client(_) | RpcError::DisconnectedWillReconnect(_) => {
                self.retire();
                Error::ConnectionLost {
                    during: method,
                    source: error.into(),
                }
            }
            error => unreadable(method, &error.to_string()),
        }
    }

    fn said_no(&self, method: &'static str, code: i64, message: &str) -> Error {
        /// What a node says for a state it has thrown away; there is no code of its own for it.
        const DISCARDED: &str = "State already discarded";
        let endpoint = || self.endpoint.url.clone();
        if message.contains(DISCARDED) {
            return Error::StateDiscarded {
                endpoint: endpoint(),
            };
        }
        let lower = message.to_lowercase();
        if code == 429 || lower.contains("too many requests") || lower.contains("rate limit") {
            return Error::RateLimited {
                endpoint: endpoint(),
            };
        }
        Error::Rpc {
            method,
            code,
            message: message.chars().take(1_000).collect(),
        }
    }

    fn too_late(&self, during: &'static str) -> Error {
        self.retire();
        Error::Timeout {
            during,
            after: self.patience,
        }
    }

    /// The newest block of the best chain.
    pub(super) async fn newest(&self) -> Result<BlockHead> {
        let header = Header::read(&self.request("chain_getHeader", &[]).await?)?;
        self.endpoint.has_head(header.head.number);
        Ok(header.head)
    }

    /// The hash of a block on the best chain, `None` when it is not there yet.
    pub(super) async fn block_hash(&self, number: Block) -> Result<Option<BlockHash>> {
        let answer = self
            .request("chain_getBlockHash", &[number.0.into()])
            .await?;
        if answer.is_null() {
            return Ok(None);
        }
        read_hash(&answer, "a block's hash").map(Some)
    }

    /// The number of a block.
    pub(super) async fn number_of(&self, hash: BlockHash) -> Result<Block> {
        read_number(&self.header(hash).await?)
    }

    /// The block before this one.
    pub(super) async fn parent_of(&self, hash: BlockHash) -> Result<BlockHash> {
        let header = self.header(hash).await?;
        read_hash(
            header.get("parentHash").unwrap_or(&Value::Null),
            "a parent hash",
        )
    }

    async fn header(&self, hash: BlockHash) -> Result<Value> {
        let header = self
            .request("chain_getHeader", &[hash.to_string().into()])
            .await?;
        if header.is_null() {
            return Err(unreadable(
                "a block's header",
                "the node does not know the block",
            ));
        }
        Ok(header)
    }

    /// The transactions of a block as hex text, length prefix included.
    pub(super) async fn extrinsics(&self, hash: BlockHash) -> Result<Vec<String>> {
        let block = self
            .request("chain_getBlock", &[hash.to_string().into()])
            .await?;
        let list = block.pointer("/block/extrinsics").and_then(Value::as_array);
        let list = list.ok_or_else(|| unreadable("a block", "it lists no extrinsics"))?;
        let texts = list.iter().map(|item| item.as_str().map(str::to_owned));
        texts
            .collect::<Option<_>>()
            .ok_or_else(|| unreadable("a block", "an extrinsic is no text"))
    }

    /// The next nonce of an account, transactions in the pool counted.
    pub(super) async fn next_nonce(&self, account: AccountId) -> Result<u64> {
        let params = [account.to_ss58().into()];
        let answer = self.request("system_accountNextIndex", &params).await?;
        answer
            .as_u64()
            .ok_or_else(|| unreadable("a nonce", "it is no number"))
    }

    /// Calls a runtime function with SCALE bytes.
    pub(super) async fn call(&self, name: &str, input: &[u8], at: BlockHash) -> Result<Vec<u8>> {
        let params = [name.into(), hex_text(input).into(), at.to_string().into()];
        read_bytes(&self.request("state_call", &params).await?, name)
    }

    /// Reads storage values, all at one block, in the order asked.
    pub(super) async fn storage(
        &self,
        keys: &[Vec<u8>],
        at: BlockHash,
    ) -> Result<Vec<Option<Vec<u8>>>> {
        /// Keys in one request: half a megabyte of text.
        const AT_ONCE: usize = 2_000;
        let mut values = Vec::with_capacity(keys.len());
        for some in keys.chunks(AT_ONCE) {
            let texts = some.iter().map(|key| hex_text(key)).collect::<Vec<_>>();
            let params = [texts.clone().into(), at.to_string().into()];
            let answer = self.request("state_queryStorageAt", &params).await?;
            read_changes(&answer, &texts, &mut values)?;
        }
        Ok(values)
    }
}

fn rpc_params(values: &[Value]) -> Result<RpcParams> {
    let mut params = RpcParams::new();
    for value in values {
        let pushed = params.push(value);
        pushed.map_err(|error| unreadable("request parameters", &error.to_string()))?;
    }
    Ok(params)
}

/// Nodes may answer in any order and leave out what is not there, so values are put back by key.
fn read_changes(answer: &Value, keys: &[String], values: &mut Vec<Option<Vec<u8>>>) -> Result<()> {
    let wrong = || unreadable("storage", "the answer is no list of changes");
    let sets = answer.as_array().ok_or_else(wrong)?;
    let mut found = std::collections::HashMap::new();
    for set in sets {
        let changes = set.get("changes").and_then(Value::as_array);
        for change in changes.ok_or_else(wrong)? {
            let key = change.get(0).and_then(Value::as_str).ok_or_else(wrong)?;
            match change.get(1) {
                None | Some(Value::Null) => {}
                Some(value) => {
                    found.insert(key, read_bytes(value, "a storage value")?);
                }
            }
        }
    }
    values.extend(keys.iter().map(|key| found.remove(key.as_str())));
    Ok(())
}

pub(super) fn hex_text(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(bytes))
}

pub(super) fn read_bytes(value: &Value, what: &str) -> Result<Vec<u8>> {
    let text = value
        .as_str()
        .ok_or_else(|| unreadable(what, "it is no text"))?;
    let digits = text.strip_prefix("0x").unwrap_or(text);
    hex::decode(digits).map_err(|error| unreadable(what, &error.to_string()))
}

pub(super) fn read_hash(value: &Value, what: &str) -> Result<BlockHash> {
    let bytes = read_bytes(value, what)?;
    let hash = bytes.try_into().map(BlockHash);
    hash.map_err(|_| unreadable(what, "it is not 32 bytes long"))
}

/// Why a socket could not be opened.
fn not_opened(endpoint: &Endpoint, error: SocketError) -> Error {
    const TOO_MANY_REQUESTS: u16 = 429;
    let status = match &error {
        SocketError::Transport(inner) => match inner.downcast_ref::<WsHandshakeError>() {
            Some(WsHandshakeError::Rejected { status_code }) => Some(*status_code),
            _ => None,
        },
        _ => None,
    };
    let endpoint = endpoint.url.clone();
    match status {
        Some(TOO_MANY_REQUESTS) => Error::RateLimited { endpoint },
        _ => Error::Connect {
            endpoint,
            source: error.into(),
        },
    }
}

pub(super) fn unreadable(what: &str, reason: &str) -> Error {
    Error::Decode {
        what: what.to_owned(),
        reason: reason.chars().take(300).collect(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn changes_are_put_back_in_the_order_asked() {
        let keys = ["0x01", "0x02", "0x03"].map(str::to_owned);
        let answer =
            json!([{"block": "0x", "changes": [["0x03", "0xff"], ["0x01", null], ["0x02", "0x"]]}]);
        let mut values = Vec::new();
        read_changes(&answer, &keys, &mut values).unwrap();
        assert_eq!(values, [None, Some(vec![]), Some(vec![0xff])]);
    }

    #[test]
    fn nonsense_from_a_node_is_an_error() {
        for answer in [
            json!(null),
            json!([1]),
            json!([{"changes": [[]]}]),
            json!([{"changes": [["0x01", "0xzz"]]}]),
        ] {
            let mut values = Vec::new();
            let read = read_changes(&answer, &["0x01".to_owned()], &mut values);
            assert!(matches!(read, Err(Error::Decode { .. })), "{answer}");
        }
        assert!(read_hash(&json!("0x00"), "x").is_err());
    }
}
