use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use adit_primitives::{AccountId, Block, BlockHash};
use serde_json::Value;
use subxt::rpcs::{
    Error as RpcError, RpcClient,
    client::{RpcParams, RpcSubscription},
};
use tokio::time::timeout;

use super::options::ClientOptions;
use crate::{BlockHead, Error, Result};

/// One socket to one node.
pub(super) struct Connection {
    endpoint: String,
    genesis: BlockHash,
    rpc: RpcClient,
    patience: Duration,
    retired: AtomicBool,
}

impl Connection {
    /// Opens a socket and asks for the genesis.
    pub(super) async fn open(endpoint: &str, options: &ClientOptions) -> Result<Self> {
        let opening = RpcClient::from_insecure_url(endpoint);
        let opened = timeout(options.connect_timeout, opening).await;
        let rpc = opened
            .map_err(|_| Error::Timeout {
                during: "connecting",
                after: options.connect_timeout,
            })?
            .map_err(|error| Error::Connect {
                endpoint: endpoint.to_owned(),
                source: error.into(),
            })?;
        let mut connection = Self {
            endpoint: endpoint.to_owned(),
            genesis: BlockHash::default(),
            rpc,
            patience: options.request_timeout,
            retired: AtomicBool::new(false),
        };
        let genesis = connection.block_hash(Block(0)).await?;
        connection.genesis = genesis.ok_or_else(|| unreadable("the genesis", "there is none"))?;
        Ok(connection)
    }

    pub(super) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    pub(super) fn genesis(&self) -> BlockHash {
        self.genesis
    }

    /// Whether it can still be used.
    pub(super) fn is_alive(&self) -> bool {
        !self.retired.load(Ordering::Acquire)
    }

    /// Takes it out of use; whoever asks next gets another one.
    pub(super) fn retire(&self) {
        self.retired.store(true, Ordering::Release);
    }

    /// One request and its answer.
    pub(super) async fn request(&self, method: &'static str, params: &[Value]) -> Result<Value> {
        let asking = self.rpc.request::<Value>(method, rpc_params(params)?);
        match timeout(self.patience, asking).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(self.failed(method, error)),
            Err(_) => Err(self.too_late(method)),
        }
    }

    /// A subscription and its notifications.
    pub(super) async fn subscribe(
        &self,
        method: &'static str,
        params: &[Value],
        unsubscribe: &'static str,
    ) -> Result<RpcSubscription<Value>> {
        let params = rpc_params(params)?;
        let asking = self.rpc.subscribe::<Value>(method, params, unsubscribe);
        match timeout(self.patience, asking).await {
            Ok(Ok(subscription)) => Ok(subscription),
            Ok(Err(error)) => Err(self.failed(method, error)),
            Err(_) => Err(self.too_late(method)),
        }
    }

    /// Turns a transport's error into ours and retires the connection when it is the socket.
    pub(super) fn failed(&self, method: &'static str, error: RpcError) -> Error {
        match error {
            RpcError::User(answer) => {
                let data = answer
                    .data
                    .as_ref()
                    .map(|data| data.get().trim_matches('"'));
                Error::Rpc {
                    method,
                    code: i64::from(answer.code),
                    message: match data {
                        Some(data) if !data.is_empty() => format!("{}: {data}", answer.message),
                        _ => answer.message,
                    },
                }
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

    fn too_late(&self, during: &'static str) -> Error {
        self.retire();
        Error::Timeout {
            during,
            after: self.patience,
        }
    }

    /// The newest block of the best chain.
    pub(super) async fn newest(&self) -> Result<BlockHead> {
        let hash = self.request("chain_getBlockHash", &[]).await?;
        let hash = read_hash(&hash, "the newest block's hash")?;
        let number = self.number_of(hash).await?;
        Ok(BlockHead { number, hash })
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

/// The number in a block header.
pub(super) fn read_number(header: &Value) -> Result<Block> {
    let number = header.get("number").and_then(Value::as_str);
    let digits = number.and_then(|text| text.strip_prefix("0x"));
    digits
        .and_then(|digits| u64::from_str_radix(digits, 16).ok())
        .map(Block)
        .ok_or_else(|| unreadable("a block header", "it has no number"))
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
        assert!(read_number(&json!({"number": "12"})).is_err());
        assert_eq!(read_number(&json!({"number": "0x1a"})).unwrap(), Block(26));
    }
}
