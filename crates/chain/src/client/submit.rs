use std::{sync::Arc, time::Duration};

use adit_primitives::{AccountId, Block, BlockHash};
use adit_wallet::Keypair;
use serde_json::Value;
use subxt::{
    SubstrateConfig, config::DefaultExtrinsicParamsBuilder, ext::scale_value::Composite,
    rpcs::client::RpcSubscription, transactions, utils::H256,
};
use tokio::time::{Instant, timeout};

use super::{
    Shared,
    connection::{Connection, hex_text, read_hash, unreadable},
    events::{Failure, name_pool_message, outcome},
    runtime::Runtime,
    signer::SigningKey,
    snapshot::Snapshot,
};
use crate::{BlockHead, Error, Result};

/// A call by name with arguments by name.
pub(super) struct Call {
    /// Pallet and call, with a dot between.
    pub(super) name: &'static str,
    pub(super) arguments: Composite<()>,
}

/// A transaction that is in a block and succeeded there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Included {
    pub(super) head: BlockHead,
    pub(super) extrinsic: BlockHash,
}

/// A signed transaction. Its bytes can be included at most once, and only up to a block.
pub(super) struct Signed {
    pub(super) call: &'static str,
    pub(super) text: String,
    pub(super) hash: BlockHash,
    pub(super) account: AccountId,
    pub(super) nonce: u64,
    /// It cannot be in this block or before.
    pub(super) anchor: Block,
    /// It cannot be after this block.
    pub(super) expires: Block,
}

/// Where watching a transaction ended.
enum Watched {
    /// In this block, finalised or at least on the best chain.
    InBlock(BlockHash),
    /// The node will not include it.
    Given { up: &'static str },
    /// The node lost sight of it.
    Lost,
}

impl Shared {
    /// Signs a call, sends it and waits until its fate is known.
    ///
    /// One account's transactions are signed one after the other, so that no two share a nonce.
    pub(super) async fn submit(&self, call: &Call, signer: &Keypair) -> Result<Included> {
        let turn = self.turn(signer.account()).await;
        let guard = turn.lock().await;
        let (snapshot, signed) = self
            .retrying(|| async {
                let snapshot = self.snapshot().await?;
                let nonce = snapshot.connection.next_nonce(signer.account()).await?;
                let signed = sign(&snapshot, call, signer, nonce, self.options.mortality)?;
                Ok((snapshot, signed))
            })
            .await?;
        let connection = &snapshot.connection;
        let sent = connection
            .subscribe(
                "author_submitAndWatchExtrinsic",
                &[signed.text.clone().into()],
                "author_unwatchExtrinsic",
            )
            .await;
        drop(guard);
        tracing::debug!(call = call.name, extrinsic = %signed.hash, nonce = signed.nonce, "sent");
        let watched = match sent {
            Ok(statuses) => self.watch(connection, statuses).await,
            Err(error) if error.is_retryable() => Watched::Lost,
            Err(Error::Rpc { code, message, .. }) => {
                return Err(Error::Pool {
                    call: call.name,
                    code,
                    message: name_pool_message(&message),
                });
            }
            Err(error) => return Err(error),
        };
        match watched {
            Watched::InBlock(hash) => match self.conclude(connection, hash, &signed).await {
                Ok(Some(included)) => Ok(included),
                Err(error) if !error.is_retryable() => Err(error),
                Ok(None) | Err(_) => self.determine(&signed).await,
            },
            Watched::Given { up } => self.given_up(&signed, up).await,
            Watched::Lost => self.determine(&signed).await,
        }
    }

    async fn turn(&self, account: AccountId) -> Arc<tokio::sync::Mutex<()>> {
        Arc::clone(self.nonces.lock().await.entry(account).or_default())
    }

    /// A block other than the newest one, to read back from.
    pub(super) async fn snapshot_at(&self, head: BlockHead) -> Result<Snapshot> {
        let connection = self.link.connection().await?;
        let runtime = self.runtimes.at(&connection, head.hash).await?;
        Ok(Snapshot {
            connection,
            runtime,
            head,
        })
    }

    async fn watch(
        &self,
        connection: &Connection,
        mut statuses: RpcSubscription<Value>,
    ) -> Watched {
        let mut block = None;
        let mut deadline = Instant::now() + self.options.stall;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(status) = timeout(left, statuses.next()).await else {
                return block.map_or(Watched::Lost, Watched::InBlock);
            };
            let Some(Ok(status)) = status else {
                connection.retire();
                return Watched::Lost;
            };
            let patience = |block: &Option<BlockHash>| -> Duration {
                if block.is_some() {
                    self.options.finality_wait
                } else {
                    self.options.stall
                }
            };
            match Status::read(&status) {
                Status::Waiting => {}
                Status::InBlock(hash) => block = Some(hash),
                Status::Finalised(hash) => return Watched::InBlock(hash),
                Status::Retracted => block = None,
                Status::FinalityTimeout => return block.map_or(Watched::Lost, Watched::InBlock),
                Status::GivenUp(up) => return Watched::Given { up },
                Status::Lost => return Watched::Lost,
            }
            deadline = Instant::now() + patience(&block);
        }
    }

    /// Reads what became of a transaction in a block; `None` when the block does not hold it or is
    /// no longer on the best chain.
    pub(super) async fn conclude(
        &self,
        connection: &Connection,
        hash: BlockHash,
        signed: &Signed,
    ) -> Result<Option<Included>> {
        let extrinsics = connection.extrinsics(hash).await?;
        let place = extrinsics
            .iter()
            .position(|text| text.eq_ignore_ascii_case(&signed.text));
        let Some(place) = place else { return Ok(None) };
        let number = connection.number_of(hash).await?;
        if connection.block_hash(number).await? != Some(hash) {
            return Ok(None);
        }
        // The block that applies an upgrade still speaks the old runtime's language in its events.
        let parent = connection.parent_of(hash).await?;
        let runtime = self.runtimes.at(connection, parent).await?;
        let failure = outcome(&runtime, &events(connection, &runtime, hash).await?, place)?;
        if let Some(Failure { pallet, error }) = failure {
            return Err(Error::Refused {
                call: signed.call,
                pallet,
                error,
            });
        }
        Ok(Some(Included {
            head: BlockHead { number, hash },
            extrinsic: signed.hash,
        }))
    }

    /// A pool that gave a transaction up may have done so because it is already in a block.
    async fn given_up(&self, signed: &Signed, reason: &'static str) -> Result<Included> {
        const INVALID: i64 = 1010;
        match self.find(signed).await {
            Ok(Some(included)) => Ok(included),
            Ok(None) => Err(Error::Pool {
                call: signed.call,
                code: INVALID,
                message: reason.to_owned(),
            }),
            Err(error) if error.is_retryable() => self.determine(signed).await,
            Err(error) => Err(error),
        }
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
    GivenUp(&'static str),
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
            return Self::GivenUp("another transaction with the same nonce took its place");
        }
        match status.as_str() {
            Some("invalid") => Self::GivenUp("the transaction became invalid in the pool"),
            Some("dropped") => Self::Lost,
            _ => Self::Waiting,
        }
    }
}

async fn events(connection: &Connection, runtime: &Runtime, at: BlockHash) -> Result<Vec<u8>> {
    let offline = &runtime.offline;
    let key = subxt::dynamic::storage::<(), subxt::ext::scale_value::Value>("System", "Events");
    let key = offline.storage().entry(key).map(|entry| entry.key_prefix());
    let key = key.map_err(|error| unreadable("System.Events", &error.to_string()))?;
    let mut values = connection.storage(&[key.to_vec()], at).await?;
    Ok(values.pop().flatten().unwrap_or_default())
}

/// Builds and signs, with everything the signature covers taken from one block.
pub(super) fn sign(
    snapshot: &Snapshot,
    call: &Call,
    signer: &Keypair,
    nonce: u64,
    mortality: u64,
) -> Result<Signed> {
    let BlockHead { number, hash } = snapshot.head;
    // Up to 4096 blocks an era can begin at any block; beyond, only at some.
    let mortality = mortality.clamp(4, 4096).next_power_of_two();
    let build = |source: subxt::error::ExtrinsicError| Error::Build {
        call: call.name,
        source: source.into(),
    };
    let (pallet, name) = call.name.split_once('.').unwrap_or((call.name, ""));
    let payload = transactions::dynamic(pallet, name, call.arguments.clone());
    let params = DefaultExtrinsicParamsBuilder::<SubstrateConfig>::new()
        .nonce(nonce)
        .mortal_from_unchecked(mortality, number.0, H256(hash.0))
        .build();
    let transactions = snapshot.runtime.offline.transactions();
    let mut signable = transactions
        .create_signable_offline(&payload, params)
        .map_err(build)?;
    let transaction = signable.sign(&SigningKey(signer)).map_err(build)?;
    Ok(Signed {
        call: call.name,
        text: hex_text(transaction.encoded()),
        hash: BlockHash(transaction.hash().0),
        account: signer.account(),
        nonce,
        anchor: number,
        expires: Block(number.0.saturating_add(mortality)),
    })
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
            (json!("dropped"), Status::Lost),
            (json!(42), Status::Waiting),
        ];
        for (status, expected) in cases {
            assert_eq!(Status::read(&status), expected, "{status}");
        }
        assert!(matches!(
            Status::read(&json!("invalid")),
            Status::GivenUp(_)
        ));
        assert!(matches!(
            Status::read(&json!({ "usurped": text })),
            Status::GivenUp(_)
        ));
    }
}
