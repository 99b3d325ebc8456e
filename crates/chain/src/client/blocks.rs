use std::sync::Arc;

use adit_primitives::Block;
use futures::StreamExt as _;
use tokio::sync::watch;

use super::{Shared, tip::Tip};
use crate::{BlockHead, BlockStream, Error, Result};

struct Position {
    shared: Arc<Shared>,
    tip: watch::Receiver<Tip>,
    /// The last number given out.
    last: Option<Block>,
    outages: u64,
    ended: bool,
}

/// Every block once, from the newest one on. Numbers come from the shared subscription; what it
/// skips, as after an outage, is filled in by number.
pub(super) fn stream(shared: Arc<Shared>) -> BlockStream {
    let tip = shared.tip.clone();
    let outages = tip.borrow().outages;
    let start = Position {
        shared,
        tip,
        last: None,
        outages,
        ended: false,
    };
    futures::stream::unfold(start, next).boxed()
}

async fn next(mut at: Position) -> Option<(Result<BlockHead>, Position)> {
    if at.ended {
        return None;
    }
    loop {
        let tip = at.tip.borrow_and_update().clone();
        if tip.outages > at.outages {
            at.outages = tip.outages;
            let lost = Error::ConnectionLost {
                during: "following the chain",
                source: tip.reason.to_string().into(),
            };
            return Some((Err(lost), at));
        }
        let wanted = match (at.last, tip.head) {
            (Some(last), Some(head)) if head > last => Some(Block(last.0 + 1)),
            (None, head) => head,
            _ => None,
        };
        if let Some(number) = wanted {
            match hash_of(&at.shared, number).await {
                Ok(Some(head)) => {
                    at.last = Some(number);
                    return Some((Ok(head), at));
                }
                // The best chain fell back below this number and will pass it again.
                Ok(None) => {}
                Err(error) => {
                    at.ended = !error.is_retryable();
                    return Some((Err(error), at));
                }
            }
        }
        at.tip.changed().await.ok()?;
    }
}

async fn hash_of(shared: &Shared, number: Block) -> Result<Option<BlockHead>> {
    shared
        .retrying(|| async {
            let connection = shared.link.connection().await?;
            let hash = connection.block_hash(number).await?;
            Ok(hash.map(|hash| BlockHead { number, hash }))
        })
        .await
}
