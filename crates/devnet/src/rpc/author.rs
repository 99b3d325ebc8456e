use jsonrpsee::{RpcModule, types::ErrorObjectOwned};
use serde_json::json;
use sp_runtime::transaction_validity::{
    InvalidTransaction, TransactionValidityError, UnknownTransaction,
};

use super::{Answer, Arguments, Registered, next_news, notify, to_hex};
use crate::{chain::Refused, devnet::Node, pool::Unpooled, runtime::Hash};

pub(super) fn register(module: &mut RpcModule<Node>) -> Registered {
    module.register_method("author_submitExtrinsic", |params, node, _| {
        let bytes = Arguments::of(&params)?.bytes(0)?;
        let (hash, _) = node.chain().submit(bytes).map_err(refusal)?;
        Answer::Ok(json!(hash))
    })?;
    module.register_method("author_pendingExtrinsics", |_, node, _| {
        let chain = node.chain();
        let pending: Vec<String> = chain.pending().into_iter().map(to_hex).collect();
        json!(pending)
    })?;
    module.register_subscription(
        "author_submitAndWatchExtrinsic",
        "author_extrinsicUpdate",
        "author_unwatchExtrinsic",
        |params, pending, node, _| async move {
            // Before submitting, so that no block in between is missed.
            let mut news = node.news();
            let submitted = Arguments::of(&params)
                .and_then(|arguments| arguments.bytes(0))
                .and_then(|bytes| node.chain().submit(bytes).map_err(refusal));
            let (hash, ready) = match submitted {
                Ok(submitted) => submitted,
                Err(error) => return pending.reject(error).await,
            };
            let Ok(sink) = pending.accept().await else {
                return;
            };
            let first = json!(if ready { "ready" } else { "future" });
            if !notify(&sink, &first).await {
                return;
            }
            let mut block: Option<(Hash, u32)> = None;
            let mut seen: Option<u32> = None;
            while let Some(news) = next_news(&sink, &mut news).await {
                if news.dropped.contains(&hash) {
                    notify(&sink, &json!("invalid")).await;
                    return;
                }
                if news.evicted.contains(&hash) {
                    notify(&sink, &json!("dropped")).await;
                    return;
                }
                if let Some((retracted, _)) = block
                    && news.retracted.contains(&retracted)
                {
                    block = None;
                    if !notify(&sink, &json!({ "retracted": retracted })).await {
                        return;
                    }
                }
                let missed = seen
                    .replace(news.header.number)
                    .is_some_and(|seen| news.header.number > seen.saturating_add(1));
                if block.is_none() {
                    block = if news.included.contains(&hash) {
                        Some((news.hash, news.header.number))
                    } else if missed {
                        node.chain().included(&hash)
                    } else {
                        None
                    };
                    if let Some((block, _)) = block
                        && !notify(&sink, &json!({ "inBlock": block })).await
                    {
                        return;
                    }
                }
                if let Some((block, number)) = block
                    && news.finalized.1.number >= number
                {
                    notify(&sink, &json!({ "finalized": block })).await;
                    return;
                }
            }
        },
    )?;
    Ok(())
}

/// The error a Substrate node answers, code and texts alike: clients go by them.
fn refusal(refused: Refused) -> ErrorObjectOwned {
    let error = |code, message: &str, data: Option<String>| {
        ErrorObjectOwned::owned(code, message.to_owned(), data)
    };
    match refused {
        Refused::Malformed(why) => {
            error(1001, &format!("Extrinsic has invalid format: {why}"), None)
        }
        Refused::Invalid(TransactionValidityError::Invalid(InvalidTransaction::Custom(code))) => {
            error(
                1010,
                "Invalid Transaction",
                Some(format!("Custom error: {code}")),
            )
        }
        Refused::Invalid(TransactionValidityError::Invalid(why)) => error(
            1010,
            "Invalid Transaction",
            Some(<&str>::from(why).to_owned()),
        ),
        Refused::Invalid(TransactionValidityError::Unknown(why)) => {
            let data = match why {
                UnknownTransaction::Custom(code) => format!("Custom error: {code}"),
                why => <&str>::from(why).to_owned(),
            };
            error(1011, "Unknown Transaction Validity", Some(data))
        }
        Refused::Unsigned => error(
            1010,
            "Invalid Transaction",
            Some("The transaction is signed by no account".to_owned()),
        ),
        Refused::Unpooled(Unpooled::Known) => error(1013, "Transaction Already Imported", None),
        Refused::Unpooled(Unpooled::Occupied) => error(
            1014,
            "Priority is too low: (1 vs 1)",
            Some(
                "The transaction has too low priority to replace another transaction already in \
                 the pool."
                    .to_owned(),
            ),
        ),
        Refused::Unpooled(Unpooled::Full) => error(
            1016,
            "Immediately Dropped",
            Some("The transaction couldn't enter the pool because of the limit".to_owned()),
        ),
    }
}
