use std::{collections::VecDeque, sync::Arc};

use adit_primitives::{Block, BlockHash};
use futures::{StreamExt as _, stream::BoxStream};
use serde_json::Value;
use tokio::sync::watch;

use super::{
    Client, Shared, connection::Connection, events, header::Header, tip::Tip, value::ChainEvent,
};
use crate::{BlockHead, Error, Result};

/// Which blocks a stream of events follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Following {
    /// The best chain: at once, and taken back when the chain reorganises.
    Best,
    /// What is final: two or three blocks later, and never taken back.
    Finalized,
}

/// What a stream of events tells, see [`Client::events`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventNotice {
    /// A block and everything that happened in it.
    Block(BlockEvents),
    /// Blocks from this number on were replaced. What was told of them no longer holds; the blocks
    /// in their place follow.
    Reorganised {
        /// The first block that no longer counts.
        from: Block,
    },
    /// What happened in these blocks cannot be learnt: the node has thrown their states away and no
    /// archive is configured.
    Gap {
        /// The first block left out.
        first: Block,
        /// The last one.
        last: Block,
    },
}

/// A block and its events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockEvents {
    /// The block.
    pub head: BlockHead,
    /// Its events in order, each with the place of its transaction in the block, `None` for those of
    /// the block itself.
    pub events: Vec<(Option<usize>, ChainEvent)>,
}

/// Events of a chain as they come, see [`Client::events`].
pub type EventStream = BoxStream<'static, Result<EventNotice>>;

impl Client {
    /// The events of every block, from a block on or from the newest one.
    ///
    /// Every number comes once and in order, also across reconnects: missed blocks are fetched.
    /// Where that cannot be, or where blocks are replaced, a notice says so. Events of a block that
    /// applies a runtime upgrade are decoded with the metadata of the runtime before it, which made
    /// them.
    ///
    /// An `Err` item that is retryable reports an interruption and the stream goes on; any other
    /// one is the last item.
    pub fn events(&self, following: Following, from: Option<Block>) -> EventStream {
        let tip = self.shared.tip.clone();
        let outages = tip.borrow().outages;
        let start = Position {
            shared: Arc::clone(&self.shared),
            tip,
            following,
            next: from,
            given: VecDeque::new(),
            outages,
            ended: false,
        };
        futures::stream::unfold(start, advance).boxed()
    }
}

struct Position {
    shared: Arc<Shared>,
    tip: watch::Receiver<Tip>,
    following: Following,
    /// The next number to give out; the newest one when it is not known yet.
    next: Option<Block>,
    /// The blocks given out last, oldest first.
    given: VecDeque<BlockHead>,
    outages: u64,
    ended: bool,
}

/// Blocks remembered, to find where a reorganisation began.
const MOST_GIVEN: usize = 256;

async fn advance(mut at: Position) -> Option<(Result<EventNotice>, Position)> {
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
        let newest = match at.following {
            Following::Best => tip.head,
            Following::Finalized => tip.finalised,
        };
        if let Some(newest) = newest {
            let next = *at.next.get_or_insert(newest);
            if next <= newest {
                match at.step(next, newest).await {
                    Ok(Some(notice)) => return Some((Ok(notice), at)),
                    Ok(None) => {}
                    Err(error) => {
                        at.ended = !error.is_retryable();
                        return Some((Err(error), at));
                    }
                }
            }
        }
        at.tip.changed().await.ok()?;
    }
}

/// A block on the way to being told.
enum Found {
    Events(BlockHead, Vec<(Option<usize>, ChainEvent)>),
    /// It does not continue what was told before.
    Broken,
    Discarded,
    /// The best chain fell back below it and will pass it again.
    Missing,
}

impl Position {
    async fn step(&mut self, next: Block, newest: Block) -> Result<Option<EventNotice>> {
        let shared = Arc::clone(&self.shared);
        let last = self.given.back().copied();
        let found = shared
            .retrying(|| block_events(&shared, next, last))
            .await?;
        match found {
            Found::Events(head, events) => {
                if self.given.len() >= MOST_GIVEN {
                    self.given.pop_front();
                }
                self.given.push_back(head);
                self.next = Some(Block(next.0 + 1));
                Ok(Some(EventNotice::Block(BlockEvents { head, events })))
            }
            Found::Broken => {
                let from = self.where_it_broke(next).await?;
                self.next = Some(from);
                Ok(Some(EventNotice::Reorganised { from }))
            }
            Found::Discarded => {
                let after = shared
                    .retrying(|| first_kept(&shared, next, newest))
                    .await?;
                self.given.clear();
                self.next = Some(after);
                Ok(Some(EventNotice::Gap {
                    first: next,
                    last: Block(after.0.saturating_sub(1)),
                }))
            }
            Found::Missing => Ok(None),
        }
    }

    /// Forgets the blocks that no longer count and answers with the first of them.
    async fn where_it_broke(&mut self, next: Block) -> Result<Block> {
        let mut from = next;
        while let Some(old) = self.given.back().copied() {
            let shared = &self.shared;
            let now = shared
                .retrying(|| async { shared.link.connection().await?.block_hash(old.number).await })
                .await?;
            if now == Some(old.hash) {
                break;
            }
            from = old.number;
            self.given.pop_back();
        }
        Ok(from)
    }
}

async fn block_events(shared: &Shared, number: Block, last: Option<BlockHead>) -> Result<Found> {
    let connection = shared.link.connection().await?;
    let Some(hash) = connection.block_hash(number).await? else {
        return Ok(Found::Missing);
    };
    let params = [hash.to_string().into()];
    let header = connection.request("chain_getHeader", &params).await?;
    let parent = if number == Block(0) || header == Value::Null {
        hash
    } else {
        Header::read(&header)?.parent
    };
    if last.is_some_and(|last| Block(last.number.0 + 1) == number && last.hash != parent) {
        return Ok(Found::Broken);
    }
    let head = BlockHead { number, hash };
    let mut read = events_on(shared, &connection, head, parent).await;
    if matches!(read, Err(Error::StateDiscarded { .. })) {
        match shared.link.archive().await? {
            Some(archive) => read = events_on(shared, &archive, head, parent).await,
            None => return Ok(Found::Discarded),
        }
    }
    match read {
        Ok(events) => Ok(Found::Events(head, events)),
        Err(Error::StateDiscarded { .. }) => Ok(Found::Discarded),
        Err(error) => Err(error),
    }
}

async fn events_on(
    shared: &Shared,
    connection: &Arc<Connection>,
    head: BlockHead,
    parent: BlockHash,
) -> Result<Vec<(Option<usize>, ChainEvent)>> {
    let once = async || {
        let runtime = shared.runtimes.at(connection, parent).await?;
        let bytes = stored_events(connection, head.hash).await?;
        events::decode(&runtime, &bytes)
    };
    match once().await {
        Err(Error::Decode { .. }) if shared.runtimes.refetch(connection, parent).await? => {
            once().await
        }
        other => other,
    }
}

/// `System.Events` lies under `twox128("System") ‖ twox128("Events")` on every Substrate chain.
const EVENTS_KEY: [u8; 32] = [
    0x26, 0xaa, 0x39, 0x4e, 0xea, 0x56, 0x30, 0xe0, 0x7c, 0x48, 0xae, 0x0c, 0x95, 0x58, 0xce, 0xf7,
    0x80, 0xd4, 0x1e, 0x5e, 0x16, 0x05, 0x67, 0x65, 0xbc, 0x84, 0x61, 0x85, 0x10, 0x72, 0xc9, 0xd7,
];

async fn stored_events(connection: &Connection, at: BlockHash) -> Result<Vec<u8>> {
    let mut values = connection.storage(&[EVENTS_KEY.to_vec()], at).await?;
    let bytes = values.pop().flatten();
    // No events at all is an empty list, one zero byte.
    Ok(bytes.unwrap_or_else(|| vec![0]))
}

/// The first block from which on states are kept, found by halving: nodes keep the newest ones.
async fn first_kept(shared: &Shared, discarded: Block, newest: Block) -> Result<Block> {
    let (mut gone, mut kept) = (discarded.0, newest.0.saturating_add(1));
    while kept - gone > 1 {
        let middle = Block(gone + (kept - gone) / 2);
        let connection = shared.link.connection().await?;
        let Some(hash) = connection.block_hash(middle).await? else {
            kept = middle.0;
            continue;
        };
        match stored_events(&connection, hash).await {
            Ok(_) => kept = middle.0,
            Err(Error::StateDiscarded { .. }) => gone = middle.0,
            Err(error) => return Err(error),
        }
    }
    // The block itself needs its parent's runtime, too.
    Ok(Block(kept.saturating_add(1)))
}

#[cfg(test)]
mod tests {
    use subxt::{
        Metadata,
        ext::{frame_decode::storage::encode_storage_key, scale_value::Value},
    };

    use super::EVENTS_KEY;

    #[test]
    fn events_lie_where_metadata_says() {
        let bytes = std::fs::read(adit_testkit::fixture("chain/finney-365.scale")).unwrap();
        let metadata = Metadata::decode_from(&bytes).unwrap();
        let keys = Vec::<Value>::new();
        let key = encode_storage_key("System", "Events", keys, &metadata, metadata.types());
        assert_eq!(key.unwrap(), EVENTS_KEY);
    }
}
