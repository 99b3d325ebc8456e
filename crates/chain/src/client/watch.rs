use std::time::Duration;

use adit_primitives::{Block, BlockHash};
use serde_json::Value;
use subxt::rpcs::client::RpcSubscription;
use tokio::time::Instant;

use super::{
    Shared,
    connection::{Connection, read_hash},
    determine::SETTLED,
    outcome::DropReason,
};

/// Where watching a transaction ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Watched {
    /// In this block, finalised or at least on the best chain when the node said so.
    InBlock { hash: BlockHash, finalized: bool },
    /// The node will not include it.
    GivenUp(DropReason),
    /// The node lost sight of it, or we of the node.
    Lost,
}

impl Shared {
    /// Follows what a node tells about a transaction. Always ends: on silence, and when the chain
    /// has moved past the last block that could hold it.
    pub(super) async fn watch(
        &self,
        connection: &Connection,
        mut statuses: RpcSubscription<Value>,
        expires: Block,
    ) -> Watched {
        let mut block = None;
        let mut tip = self.tip.clone();
        // However often the node says something, it is not believed for ever.
        let last = Instant::now() + self.options.determination_wait;
        let mut deadline = Instant::now() + self.options.stall;
        loop {
            let status = tokio::select! {
                status = statuses.next() => status,
                () = tokio::time::sleep_until(deadline.min(last)) => {
                    return block.map_or(Watched::Lost, unfinalised);
                }
                Ok(()) = tip.changed() => {
                    let head = tip.borrow_and_update().head.unwrap_or_default();
                    if block.is_none() && head.0 > expires.0.saturating_add(SETTLED) {
                        return Watched::Lost;
                    }
                    continue;
                }
            };
            let Some(Ok(status)) = status else {
                connection.retire();
                return Watched::Lost;
            };
            match Status::read(&status) {
                Status::Waiting => {}
                Status::InBlock(hash) => block = Some(hash),
                Status::Finalised(hash) => {
                    return Watched::InBlock {
                        hash,
                        finalized: true,
                    };
                }
                Status::Retracted => block = None,
                Status::FinalityTimeout => return block.map_or(Watched::Lost, unfinalised),
                Status::GivenUp(reason) => return Watched::GivenUp(reason),
                Status::Lost => return Watched::Lost,
            }
            let patience: Duration = match block {
                Some(_) => self.options.finality_wait,
                None => self.options.stall,
            };
            deadline = Instant::now() + patience;
        }
    }
}

const fn unfinalised(hash: BlockHash) -> Watched {
    Watched::InBlock {
        hash,
        finalized: false,
    }
}

/// One notification of `author_submitAndWatchExtrinsic`.
#[derive(Debug, PartialEq, Eq)]
enum Status {
    Waiting,
    InBlock(BlockHash),
    Finalised(BlockHash),
    Retracted,
    FinalityTimeout,
    GivenUp(DropReason),
    Lost,
}

impl Status {
    fn read(status: &Value) -> Self {
        let hash = |name: &str| {
            let value = status.get(name)?;
            read_hash(value, "a transaction's block").ok()
        };
        if let Some(hash) = hash("finalized") {
            return Self::Finalised(hash);
        }
        if let Some(hash) = hash("inBlock") {
            return Self::InBlock(hash);
        }
        if status.get("retracted").is_some() {
            return Self::Retracted;
        }
        if status.get("finalityTimeout").is_some() {
            return Self::FinalityTimeout;
        }
        if status.get("usurped").is_some() {
            return Self::GivenUp(DropReason::Usurped);
        }
        match status.as_str() {
            Some("invalid") => Self::GivenUp(DropReason::Invalid),
            Some("dropped") => Self::Lost,
            _ => Self::Waiting,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_status_of_a_pool_is_understood() {
        let hash = BlockHash([7; 32]);
        let text = hash.to_string();
        let cases = [
            (json!("ready"), Status::Waiting),
            (json!("future"), Status::Waiting),
            (json!({"broadcast": ["peer"]}), Status::Waiting),
            (json!({ "inBlock": text }), Status::InBlock(hash)),
            (json!({ "finalized": text }), Status::Finalised(hash)),
            (json!({ "retracted": text }), Status::Retracted),
            (json!({ "finalityTimeout": text }), Status::FinalityTimeout),
            (json!("invalid"), Status::GivenUp(DropReason::Invalid)),
            (
                json!({ "usurped": text }),
                Status::GivenUp(DropReason::Usurped),
            ),
            (json!("dropped"), Status::Lost),
            (json!(42), Status::Waiting),
            (json!({ "inBlock": "nonsense" }), Status::Waiting),
        ];
        for (status, expected) in cases {
            assert_eq!(Status::read(&status), expected, "{status}");
        }
    }
}
