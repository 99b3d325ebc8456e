use std::{collections::BTreeMap, sync::Arc};

use adit_primitives::BlockHash;
use serde_json::Value;
use subxt::{
    Metadata, OfflineClient, OfflineClientAtBlock, SubstrateConfig,
    config::substrate::SpecVersionForRange,
    ext::codec::{Decode as _, Encode as _},
    utils::H256,
};
use tokio::sync::Mutex;

use super::connection::{Connection, read_bytes, unreadable};
use crate::Result;

/// The newest version of metadata that subxt reads.
const NEWEST_METADATA: u32 = 16;

/// A runtime: what its transactions, storage and events look like.
#[derive(Clone)]
pub(super) struct Runtime {
    pub(super) spec_version: u32,
    /// Encodes and decodes without asking a node.
    pub(super) offline: OfflineClientAtBlock<SubstrateConfig>,
}

impl Runtime {
    pub(super) fn new(
        metadata: Metadata,
        genesis: BlockHash,
        spec_version: u32,
        transaction_version: u32,
    ) -> Result<Self> {
        let versions = SpecVersionForRange {
            block_range: 0..u64::MAX,
            spec_version,
            transaction_version,
        };
        let config = SubstrateConfig::builder()
            .set_genesis_hash(H256(genesis.0))
            .set_metadata_for_spec_versions([(spec_version, Arc::new(metadata))])
            .set_spec_version_for_block_ranges([versions])
            .build();
        let offline = OfflineClient::new_with_config(config).at_block(0_u64);
        let offline = offline.map_err(|error| unreadable("the runtime", &error.to_string()))?;
        Ok(Self {
            spec_version,
            offline,
        })
    }

    pub(super) fn metadata(&self) -> &Metadata {
        self.offline.metadata_ref()
    }
}

/// The runtimes met so far. A chain upgrades every week or two, so this stays small.
#[derive(Default)]
pub(super) struct Runtimes(Mutex<BTreeMap<u32, Arc<Runtime>>>);

impl Runtimes {
    /// The runtime that the state of a block belongs to.
    pub(super) async fn at(
        &self,
        connection: &Connection,
        block: BlockHash,
    ) -> Result<Arc<Runtime>> {
        let params = [block.to_string().into()];
        let version = connection
            .request("state_getRuntimeVersion", &params)
            .await?;
        let number = |name: &str| {
            let found = version.get(name).and_then(Value::as_u64);
            let found = found.and_then(|number| u32::try_from(number).ok());
            found.ok_or_else(|| unreadable("the runtime version", name))
        };
        let (spec_version, transaction_version) =
            (number("specVersion")?, number("transactionVersion")?);
        let mut known = self.0.lock().await;
        if let Some(runtime) = known.get(&spec_version) {
            return Ok(Arc::clone(runtime));
        }
        let metadata = fetch_metadata(connection, block).await?;
        let runtime = Runtime::new(
            metadata,
            connection.genesis(),
            spec_version,
            transaction_version,
        )?;
        tracing::info!(spec_version, "read the metadata of a runtime");
        let runtime = Arc::new(runtime);
        known.insert(spec_version, Arc::clone(&runtime));
        Ok(runtime)
    }
}

async fn fetch_metadata(connection: &Connection, at: BlockHash) -> Result<Metadata> {
    let versions = connection.call("Metadata_metadata_versions", &[], at).await;
    let versions = match versions {
        Ok(bytes) => Vec::<u32>::decode(&mut &*bytes).unwrap_or_default(),
        Err(error) if error.is_retryable() => return Err(error),
        Err(_) => Vec::new(),
    };
    let newest = versions
        .into_iter()
        .filter(|version| *version <= NEWEST_METADATA)
        .max();
    let bytes = match newest {
        Some(version) => {
            const CALL: &str = "Metadata_metadata_at_version";
            let answer = connection.call(CALL, &version.encode(), at).await?;
            Option::<Vec<u8>>::decode(&mut &*answer)
                .map_err(|error| unreadable("metadata", &error.to_string()))?
                .ok_or_else(|| unreadable("metadata", "the version offered is not given"))?
        }
        None => {
            let params = [at.to_string().into()];
            let answer = connection.request("state_getMetadata", &params).await?;
            read_bytes(&answer, "metadata")?
        }
    };
    Metadata::decode_from(&bytes).map_err(|error| unreadable("metadata", &error.to_string()))
}
