//! The JSON-RPC methods a Substrate client expects of a node, on WebSocket and HTTP.

mod answers;
mod author;
mod chain;
mod faults;
mod state;
mod system;

use std::sync::Arc;

pub(crate) use answers::Answers;
use jsonrpsee::{
    RpcModule, SubscriptionSink,
    core::RegisterMethodError,
    types::{ErrorObjectOwned, Params},
};
use serde_json::{Value, json, value::to_raw_value};
use tokio::sync::broadcast;

use crate::{
    Error, Result,
    chain::{Chain, News},
    devnet::Node,
    runtime::{Hash, Header},
    state::View,
};

type Answer<V = Value> = Result<V, ErrorObjectOwned>;
type Registered = Result<(), RegisterMethodError>;

/// The code Substrate nodes give to errors about blocks and states they do not have.
const CLIENT_ERROR: i32 = 4003;
const INVALID_PARAMS: i32 = -32602;

/// All methods, those of faults only `with_faults`, with `rpc_methods` naming them.
pub(crate) fn methods(node: Arc<Node>, with_faults: bool) -> Result<RpcModule<Node>> {
    let mut module = RpcModule::from_arc(node);
    register(&mut module, with_faults).map_err(|_| Error::Invalid {
        what: "two JSON-RPC methods share a name",
    })?;
    Ok(module)
}

fn register(module: &mut RpcModule<Node>, with_faults: bool) -> Registered {
    author::register(module)?;
    chain::register(module)?;
    state::register(module)?;
    system::register(module)?;
    if with_faults {
        faults::register(module)?;
    }
    let mut names: Vec<&str> = module.method_names().collect();
    names.push("rpc_methods");
    names.sort_unstable();
    let names = json!({ "methods": names });
    module.register_method("rpc_methods", move |_, _, _| names.clone())?;
    Ok(())
}

fn failure(code: i32, message: impl Into<String>) -> ErrorObjectOwned {
    ErrorObjectOwned::owned(code, message, None::<()>)
}

/// The positional parameters; absent ones read as null.
struct Arguments(Vec<Value>);

impl Arguments {
    fn of(params: &Params<'_>) -> Answer<Self> {
        let given: Option<Vec<Value>> = params.parse()?;
        Ok(Self(given.unwrap_or_default()))
    }

    fn value(&self, index: usize) -> &Value {
        self.0.get(index).unwrap_or(&Value::Null)
    }

    fn text(&self, index: usize) -> Answer<&str> {
        self.value(index)
            .as_str()
            .ok_or_else(|| failure(INVALID_PARAMS, format!("parameter {index} is not text")))
    }

    /// Bytes in hex, with or without `0x`.
    fn bytes(&self, index: usize) -> Answer<Vec<u8>> {
        from_hex(self.text(index)?)
    }

    fn list(&self, index: usize) -> Answer<Vec<Vec<u8>>> {
        let values = self.value(index).as_array();
        values
            .ok_or_else(|| failure(INVALID_PARAMS, format!("parameter {index} is not a list")))?
            .iter()
            .map(|value| from_hex(value.as_str().unwrap_or("?")))
            .collect()
    }

    /// A block hash, or `None` for null.
    fn hash(&self, index: usize) -> Answer<Option<Hash>> {
        if self.value(index).is_null() {
            return Ok(None);
        }
        let bytes: [u8; 32] = self
            .bytes(index)?
            .try_into()
            .map_err(|_| failure(INVALID_PARAMS, "a block hash has 32 bytes"))?;
        Ok(Some(Hash::from(bytes)))
    }
}

fn from_hex(text: &str) -> Answer<Vec<u8>> {
    hex::decode(text.strip_prefix("0x").unwrap_or(text))
        .map_err(|error| failure(INVALID_PARAMS, format!("not hex: {error}")))
}

fn to_hex(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(bytes))
}

/// The number of a block; the newest for `None`.
fn number(chain: &Chain, hash: Option<Hash>) -> Answer<u32> {
    let Some(hash) = hash else {
        return Ok(chain.best_number());
    };
    chain.number_of(&hash).ok_or_else(|| {
        let text = "Client error: UnknownBlock: Header was not found in the database";
        failure(CLIENT_ERROR, format!("{text}: {hash:?}"))
    })
}

/// The state after a block; of the newest for `None`.
fn view(chain: &Chain, hash: Option<Hash>) -> Answer<View<'_>> {
    chain.view(number(chain, hash)?).ok_or_else(|| {
        let text = "Client error: Api called for an unknown Block: State already discarded for";
        failure(
            CLIENT_ERROR,
            format!("{text} {:?}", hash.unwrap_or_default()),
        )
    })
}

fn header_json(header: &Header) -> Value {
    let logs: Vec<String> = header
        .digest
        .logs
        .iter()
        .map(|log| to_hex(&codec::Encode::encode(log)))
        .collect();
    json!({
        "parentHash": header.parent_hash,
        "number": format!("{:#x}", header.number),
        "stateRoot": header.state_root,
        "extrinsicsRoot": header.extrinsics_root,
        "digest": { "logs": logs },
    })
}

/// Sends one notification; false when the subscriber is gone.
async fn notify(sink: &SubscriptionSink, value: &Value) -> bool {
    match to_raw_value(value) {
        Ok(message) => sink.send(message).await.is_ok(),
        Err(_) => false,
    }
}

/// The next block's news; `None` when the subscriber or the chain is gone.
async fn next_news(
    sink: &SubscriptionSink,
    news: &mut broadcast::Receiver<Arc<News>>,
) -> Option<Arc<News>> {
    loop {
        tokio::select! {
            () = sink.closed() => return None,
            received = news.recv() => match received {
                Ok(news) => return Some(news),
                Err(broadcast::error::RecvError::Lagged(missed)) => {
                    tracing::debug!(missed, "a slow subscriber missed blocks");
                }
                Err(broadcast::error::RecvError::Closed) => return None,
            },
        }
    }
}
