use adit_primitives::BlockHash;

use super::{
    Shared,
    connection::{Connection, unreadable},
    events::{Effects, effects},
    outcome::{TransactionReceipt, TransactionReport},
    runtime::Runtime,
    snapshot::Snapshot,
    submit::Signed,
};
use crate::{BlockHead, Result};

impl Shared {
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

    /// Reads what became of a transaction in a block; `None` when the block does not hold it or is
    /// not on the best chain.
    pub(super) async fn conclude(
        &self,
        connection: &Connection,
        hash: BlockHash,
        signed: &Signed,
    ) -> Result<Option<TransactionReport>> {
        let extrinsics = connection.extrinsics(hash).await?;
        let ours = |text: &String| {
            let mut signed = signed.texts.iter();
            signed.find(|(ours, _)| text.eq_ignore_ascii_case(ours))
        };
        let mut found = extrinsics.iter().enumerate();
        let found = found.find_map(|(place, text)| Some((place, ours(text)?.1)));
        let Some((place, extrinsic)) = found else {
            return Ok(None);
        };
        let number = connection.number_of(hash).await?;
        if connection.block_hash(number).await? != Some(hash) {
            return Ok(None);
        }
        // The block that applies an upgrade still speaks the old runtime's language in its events.
        let parent = connection.parent_of(hash).await?;
        let runtime = self.runtimes.at(connection, parent).await?;
        let bytes = events(connection, &runtime, hash).await?;
        let effects = effects(&runtime, &bytes, place)?;
        let failure = effects.failure();
        let Effects { events, inner, .. } = effects;
        Ok(Some(TransactionReport {
            receipt: TransactionReceipt {
                block: number,
                block_hash: hash,
                extrinsic: extrinsic.0,
            },
            events,
            failure,
            inner,
        }))
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
