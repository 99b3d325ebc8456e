use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use jsonrpsee::RpcModule;
use serde_json::{Value, json};
use sp_crypto_hashing::blake2_256;

use super::{
    Answer, Arguments, CLIENT_ERROR, Registered, failure, next_news, notify, to_hex, view,
};
use crate::{
    devnet::Node,
    metadata,
    runtime::{self, api},
    state::{View, run_over},
};

/// Keys in one page at most.
const LARGEST_PAGE: u64 = 1000;
/// Keys of one unpaged listing or query at most.
const MOST_KEYS: usize = 100_000;

pub(super) fn register(module: &mut RpcModule<Node>) -> Registered {
    values(module)?;
    keys(module)?;
    runtime(module)?;
    storage_subscription(module)?;
    for (alias, name) in [
        ("state_getStorageAt", "state_getStorage"),
        ("state_getStorageHashAt", "state_getStorageHash"),
        ("state_getStorageSizeAt", "state_getStorageSize"),
        ("state_getKeysPagedAt", "state_getKeysPaged"),
        ("state_callAt", "state_call"),
        ("chain_getRuntimeVersion", "state_getRuntimeVersion"),
    ] {
        module.register_alias(alias, name)?;
    }
    Ok(())
}

fn values(module: &mut RpcModule<Node>) -> Registered {
    type Show = fn(&[u8]) -> Value;
    let kinds: [(&'static str, Show); 3] = [
        ("state_getStorage", |value| json!(to_hex(value))),
        ("state_getStorageHash", |value| {
            json!(to_hex(&blake2_256(value)))
        }),
        ("state_getStorageSize", |value| json!(value.len())),
    ];
    for (name, show) in kinds {
        module.register_method(name, move |params, node, _| {
            let arguments = Arguments::of(&params)?;
            let (key, at) = (arguments.bytes(0)?, arguments.hash(1)?);
            let chain = node.chain();
            let value = view(&chain, at)?.value(&key).map(show);
            Answer::Ok(value.unwrap_or(Value::Null))
        })?;
    }
    module.register_method("state_queryStorageAt", |params, node, _| {
        let arguments = Arguments::of(&params)?;
        let (keys, at) = (arguments.list(0)?, arguments.hash(1)?);
        let chain = node.chain();
        let view = view(&chain, at)?;
        let changes: Vec<_> = keys
            .iter()
            .map(|key| json!([to_hex(key), view.value(key).map(to_hex)]))
            .collect();
        let block = at.unwrap_or_else(|| chain.best_hash());
        Answer::Ok(json!([{ "block": block, "changes": changes }]))
    })?;
    Ok(())
}

fn keys(module: &mut RpcModule<Node>) -> Registered {
    module.register_method("state_getKeysPaged", |params, node, _| {
        let arguments = Arguments::of(&params)?;
        let prefix = match arguments.value(0) {
            Value::Null => Vec::new(),
            _ => arguments.bytes(0)?,
        };
        let count = arguments.value(1).as_u64().unwrap_or(0);
        if count > LARGEST_PAGE {
            let text = format!("count exceeds maximum value. value: {count}, max: {LARGEST_PAGE}");
            return Err(failure(4002, text));
        }
        let after = match arguments.value(2) {
            Value::Null => None,
            _ => Some(arguments.bytes(2)?),
        };
        let chain = node.chain();
        let view = view(&chain, arguments.hash(3)?)?;
        let count = usize::try_from(count).unwrap_or(MOST_KEYS);
        Answer::Ok(hexes(view.keys(&prefix, after.as_deref(), count)))
    })?;
    module.register_method("state_getKeys", |params, node, _| {
        let arguments = Arguments::of(&params)?;
        let (prefix, at) = (arguments.bytes(0)?, arguments.hash(1)?);
        let chain = node.chain();
        Answer::Ok(hexes(view(&chain, at)?.keys(&prefix, None, MOST_KEYS)))
    })?;
    Ok(())
}

fn hexes(keys: Vec<Vec<u8>>) -> Vec<String> {
    keys.iter().map(|key| to_hex(key)).collect()
}

fn runtime(module: &mut RpcModule<Node>) -> Registered {
    module.register_method("state_getMetadata", |params, node, _| {
        let state = view(&node.chain(), Arguments::of(&params)?.hash(0)?)?.map();
        // The metadata names the version, which is in the state.
        let (metadata, _) = run_over(state, || metadata::at(14));
        Answer::Ok(to_hex(&metadata.unwrap_or_default()))
    })?;
    module.register_method("state_getRuntimeVersion", |params, node, _| {
        let at = Arguments::of(&params)?.hash(0)?;
        Answer::Ok(version(&view(&node.chain(), at)?))
    })?;
    module.register_blocking_method("state_call", |params, node, _| {
        let arguments = Arguments::of(&params)?;
        let name = arguments.text(0)?.to_owned();
        let (data, at) = (arguments.bytes(1)?, arguments.hash(2)?);
        let (block, state) = {
            let chain = node.chain();
            let block = at.unwrap_or_else(|| chain.best_hash());
            let key = (block, name.clone(), data.clone());
            let view = view(&chain, at)?;
            if let Some(answer) = node.answers.get(&key) {
                return Ok(answer.to_string());
            }
            (block, view.map())
        };
        // The generated dispatcher panics on arguments that do not decode.
        let called = catch_unwind(AssertUnwindSafe(|| {
            run_over(state, || api::dispatch(&name, &data)).0
        }));
        match called {
            Ok(Some(answer)) => {
                let answer = to_hex(&answer);
                node.answers
                    .keep((block, name, data), &Arc::from(answer.as_str()));
                Ok(answer)
            }
            Ok(None) => {
                let text = "Client error: Execution failed: Exported method";
                Err(failure(CLIENT_ERROR, format!("{text} {name} is not found")))
            }
            Err(_) => {
                let text = "Client error: Execution failed: Runtime panicked in";
                Err(failure(CLIENT_ERROR, format!("{text} {name}")))
            }
        }
    })?;
    module.register_subscription(
        "state_subscribeRuntimeVersion",
        "state_runtimeVersion",
        "state_unsubscribeRuntimeVersion",
        |_, pending, node, _| async move {
            let mut news = node.news();
            let Ok(sink) = pending.accept().await else {
                return;
            };
            let present = || view(&node.chain(), None).map(|view| version(&view));
            let Ok(mut known) = present() else { return };
            if !notify(&sink, &known).await {
                return;
            }
            while next_news(&sink, &mut news).await.is_some() {
                let Ok(newest) = present() else { return };
                if newest != known && !notify(&sink, &newest).await {
                    return;
                }
                known = newest;
            }
        },
    )?;
    Ok(())
}

fn version(view: &View<'_>) -> Value {
    let version = runtime::version(view.value(runtime::SPEC));
    let apis: Vec<_> = version
        .apis
        .iter()
        .map(|(id, version)| json!([to_hex(id), version]))
        .collect();
    json!({
        "specName": version.spec_name,
        "implName": version.impl_name,
        "authoringVersion": version.authoring_version,
        "specVersion": version.spec_version,
        "implVersion": version.impl_version,
        "apis": apis,
        "transactionVersion": version.transaction_version,
        "systemVersion": version.system_version,
        "stateVersion": version.system_version,
    })
}

fn storage_subscription(module: &mut RpcModule<Node>) -> Registered {
    module.register_subscription(
        "state_subscribeStorage",
        "state_storage",
        "state_unsubscribeStorage",
        |params, pending, node, _| async move {
            let keys = match Arguments::of(&params).and_then(|arguments| arguments.list(0)) {
                Ok(keys) => keys,
                Err(error) => return pending.reject(error).await,
            };
            let mut news = node.news();
            let first = {
                let chain = node.chain();
                let changes = view(&chain, None).map(|view| {
                    let pairs = keys.iter();
                    let pairs = pairs.map(|key| json!([to_hex(key), view.value(key).map(to_hex)]));
                    pairs.collect::<Vec<_>>()
                });
                json!({ "block": chain.best_hash(), "changes": changes.unwrap_or_default() })
            };
            let Ok(sink) = pending.accept().await else {
                return;
            };
            if !notify(&sink, &first).await {
                return;
            }
            while let Some(news) = next_news(&sink, &mut news).await {
                let changed = news.changes.iter().filter(|(key, _)| keys.contains(key));
                let changes: Vec<_> = changed
                    .map(|(key, value)| json!([to_hex(key), value.as_deref().map(to_hex)]))
                    .collect();
                let value = json!({ "block": news.hash, "changes": changes });
                if !changes.is_empty() && !notify(&sink, &value).await {
                    return;
                }
            }
        },
    )?;
    Ok(())
}
