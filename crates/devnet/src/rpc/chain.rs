use jsonrpsee::RpcModule;
use serde_json::{Value, json};

use super::{
    Answer, Arguments, INVALID_PARAMS, Registered, failure, header_json, next_news, notify, number,
    to_hex,
};
use crate::{
    chain::{Chain, News},
    devnet::Node,
    runtime::{Hash, Header},
};

pub(super) fn register(module: &mut RpcModule<Node>) -> Registered {
    module.register_method("chain_getBlockHash", |params, node, _| {
        let arguments = Arguments::of(&params)?;
        let chain = node.chain();
        match arguments.value(0) {
            Value::Array(wanted) => {
                let hashes: Answer<Vec<_>> = wanted
                    .iter()
                    .map(|value| block_hash(&chain, value))
                    .collect();
                hashes.map(|hashes| json!(hashes))
            }
            value => block_hash(&chain, value).map(|hash| json!(hash)),
        }
    })?;
    module.register_alias("chain_getHead", "chain_getBlockHash")?;
    module.register_method("chain_getFinalizedHead", |_, node, _| {
        json!(node.chain().finalized_hash())
    })?;
    module.register_alias("chain_getFinalisedHead", "chain_getFinalizedHead")?;
    module.register_method("chain_getHeader", |params, node, _| {
        let hash = Arguments::of(&params)?.hash(0)?;
        let chain = node.chain();
        let header = number(&chain, hash).ok().and_then(|n| chain.header(n));
        Answer::Ok(header.map_or(Value::Null, header_json))
    })?;
    module.register_method("chain_getBlock", |params, node, _| {
        let hash = Arguments::of(&params)?.hash(0)?;
        let chain = node.chain();
        let block = number(&chain, hash).ok().and_then(|n| chain.block(n));
        Answer::Ok(block.map_or(Value::Null, |block| {
            let extrinsics: Vec<String> = block.extrinsics.iter().map(|e| to_hex(e)).collect();
            json!({
                "block": { "header": header_json(&block.header), "extrinsics": extrinsics },
                "justifications": null,
            })
        }))
    })?;

    heads(
        module,
        [
            "chain_subscribeNewHeads",
            "chain_newHead",
            "chain_unsubscribeNewHeads",
        ],
        newest,
    )?;
    heads(
        module,
        [
            "chain_subscribeAllHeads",
            "chain_allHead",
            "chain_unsubscribeAllHeads",
        ],
        newest,
    )?;
    heads(
        module,
        [
            "chain_subscribeFinalizedHeads",
            "chain_finalizedHead",
            "chain_unsubscribeFinalizedHeads",
        ],
        |event| match event {
            Event::Start(chain) => {
                let number = chain.finalized_number();
                Some((chain.finalized_hash(), chain.header(number)?.clone()))
            }
            Event::News(news) => Some(news.finalized.clone()),
        },
    )?;
    for (alias, name) in [
        ("chain_subscribeNewHead", "chain_subscribeNewHeads"),
        ("chain_unsubscribeNewHead", "chain_unsubscribeNewHeads"),
        (
            "chain_subscribeFinalisedHeads",
            "chain_subscribeFinalizedHeads",
        ),
        (
            "chain_unsubscribeFinalisedHeads",
            "chain_unsubscribeFinalizedHeads",
        ),
    ] {
        module.register_alias(alias, name)?;
    }
    Ok(())
}

enum Event<'a> {
    Start(&'a Chain),
    News(&'a News),
}

fn newest(event: Event<'_>) -> Option<(Hash, Header)> {
    match event {
        Event::Start(chain) => {
            let number = chain.best_number();
            Some((chain.best_hash(), chain.header(number)?.clone()))
        }
        Event::News(news) => Some((news.hash, news.header.clone())),
    }
}

/// Registers a subscription to headers: the present one at once, then each new one.
fn heads(
    module: &mut RpcModule<Node>,
    [subscribe, notification, unsubscribe]: [&'static str; 3],
    pick: fn(Event<'_>) -> Option<(Hash, Header)>,
) -> Registered {
    module.register_subscription(
        subscribe,
        notification,
        unsubscribe,
        move |_, pending, node, _| async move {
            let mut news = node.news();
            let mut next = pick(Event::Start(&node.chain()));
            let Ok(sink) = pending.accept().await else {
                return;
            };
            let mut last = None;
            loop {
                if let Some((hash, header)) = next
                    && last.replace(hash) != Some(hash)
                    && !notify(&sink, &header_json(&header)).await
                {
                    return;
                }
                let Some(news) = next_news(&sink, &mut news).await else {
                    return;
                };
                next = pick(Event::News(&news));
            }
        },
    )?;
    Ok(())
}

/// The hash of a block by number (a JSON number or hex text), of the newest for null.
fn block_hash(chain: &Chain, wanted: &Value) -> Answer<Option<Hash>> {
    let number = match wanted {
        Value::Null => return Ok(Some(chain.best_hash())),
        Value::Number(number) => number.as_u64(),
        Value::String(text) => {
            u64::from_str_radix(text.strip_prefix("0x").unwrap_or(text), 16).ok()
        }
        _ => None,
    };
    let number = number.ok_or_else(|| failure(INVALID_PARAMS, "not a block number"))?;
    Ok(u32::try_from(number)
        .ok()
        .and_then(|number| chain.hash_of(number)))
}
