use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    ops::RangeInclusive,
    sync::{Arc, PoisonError},
};

use adit_primitives::BlockHash;
use serde_json::Value;
use subxt::{
    Metadata, OfflineClient, OfflineClientAtBlock, SubstrateConfig,
    config::substrate::SpecVersionForRange,
    ext::codec::{Decode as _, Encode as _},
    utils::H256,
};
use tokio::sync::Mutex;

use super::{
    connection::{Connection, read_bytes, unreadable},
    metadata_folder::MetadataFolder,
    options::ClientOptions,
};
use crate::{Error, MetadataFault, Result};

/// The versions of metadata that describe their own types and that subxt reads.
const READABLE: RangeInclusive<u32> = 14..=16;

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
pub(super) struct Runtimes {
    known: Mutex<BTreeMap<u32, Arc<Runtime>>>,
    /// Spec versions of the blocks asked about last.
    recent: std::sync::Mutex<VecDeque<(BlockHash, RuntimeVersion)>>,
    /// Runtimes whose metadata was fetched a second time, because what it describes did not fit.
    refetched: std::sync::Mutex<BTreeSet<u32>>,
    kept: Option<Arc<MetadataFolder>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RuntimeVersion {
    pub(super) spec: u32,
    pub(super) transaction: u32,
}

/// Runtimes held in memory; a reader of history meets more of them than anyone else.
const MOST_KNOWN: usize = 16;

/// Blocks whose runtime is remembered.
const MOST_RECENT: usize = 64;

impl Runtimes {
    pub(super) fn new(options: &ClientOptions) -> Self {
        let folder = options.metadata_folder.clone();
        Self {
            kept: folder.map(|folder| Arc::new(MetadataFolder::new(folder))),
            ..Self::default()
        }
    }

    /// The runtime that the state of a block belongs to.
    pub(super) async fn at(
        &self,
        connection: &Connection,
        block: BlockHash,
    ) -> Result<Arc<Runtime>> {
        let version = self.version_at(connection, block).await?;
        let mut known = self.known.lock().await;
        if let Some(runtime) = known.get(&version.spec) {
            return Ok(Arc::clone(runtime));
        }
        let genesis = connection.genesis();
        let runtime = match self.read_kept(genesis, version).await {
            Some(runtime) => runtime,
            None => self.fetch(connection, block, version).await?,
        };
        while known.len() >= MOST_KNOWN {
            known.pop_first();
        }
        known.insert(version.spec, Arc::clone(&runtime));
        Ok(runtime)
    }

    /// Fetches a runtime's metadata once more, because something did not have the shape it
    /// describes: a development chain may change its runtime and keep the version. `false` when
    /// that was done before, so that it is not the metadata.
    pub(super) async fn refetch(&self, connection: &Connection, block: BlockHash) -> Result<bool> {
        let version = self.version_at(connection, block).await?;
        if !lock(&self.refetched).insert(version.spec) {
            return Ok(false);
        }
        tracing::warn!(
            spec_version = version.spec,
            "metadata does not fit what the node says; fetching it again"
        );
        let mut known = self.known.lock().await;
        let runtime = self.fetch(connection, block, version).await?;
        known.insert(version.spec, runtime);
        Ok(true)
    }

    async fn version_at(
        &self,
        connection: &Connection,
        block: BlockHash,
    ) -> Result<RuntimeVersion> {
        let same = |(seen, _): &&(BlockHash, RuntimeVersion)| *seen == block;
        let seen = lock(&self.recent).iter().find(same).copied();
        if let Some((_, version)) = seen {
            return Ok(version);
        }
        let params = [block.to_string().into()];
        let answer = connection
            .request("state_getRuntimeVersion", &params)
            .await?;
        let number = |name: &str| {
            let found = answer.get(name).and_then(Value::as_u64);
            let found = found.and_then(|number| u32::try_from(number).ok());
            found.ok_or_else(|| unreadable("the runtime version", name))
        };
        let version = RuntimeVersion {
            spec: number("specVersion")?,
            transaction: number("transactionVersion")?,
        };
        connection.record().has_runtime(version.spec);
        let mut recent = lock(&self.recent);
        if recent.len() >= MOST_RECENT {
            recent.pop_front();
        }
        recent.push_back((block, version));
        Ok(version)
    }

    async fn read_kept(&self, genesis: BlockHash, version: RuntimeVersion) -> Option<Arc<Runtime>> {
        let folder = Arc::clone(self.kept.as_ref()?);
        let read = move || {
            let bytes = folder.read(genesis, version)?;
            // What was written was read before, so this fails only after an upgrade of ours.
            let metadata = decode(&bytes, version.spec).ok()?;
            Runtime::new(metadata, genesis, version.spec, version.transaction).ok()
        };
        let runtime = tokio::task::spawn_blocking(read).await.ok()??;
        tracing::debug!(
            spec_version = version.spec,
            "took the metadata of a runtime from disk"
        );
        Some(Arc::new(runtime))
    }

    async fn fetch(
        &self,
        connection: &Connection,
        block: BlockHash,
        version: RuntimeVersion,
    ) -> Result<Arc<Runtime>> {
        let genesis = connection.genesis();
        let (bytes, metadata) = fetch_metadata(connection, block, version.spec).await?;
        let runtime = Runtime::new(metadata, genesis, version.spec, version.transaction)?;
        tracing::info!(
            spec_version = version.spec,
            "read the metadata of a runtime"
        );
        if let Some(folder) = self.kept.clone() {
            let write = move || folder.write(genesis, version, &bytes);
            if let Ok(Err(error)) = tokio::task::spawn_blocking(write).await {
                tracing::warn!(%error, "cannot keep metadata for the next start");
            }
        }
        Ok(Arc::new(runtime))
    }
}

/// Fetches metadata in the newest version that both sides know; older ones follow where one cannot
/// be read.
async fn fetch_metadata(
    connection: &Connection,
    at: BlockHash,
    spec_version: u32,
) -> Result<(Vec<u8>, Metadata)> {
    let versions = connection.call("Metadata_metadata_versions", &[], at).await;
    let mut versions = match versions {
        Ok(bytes) => Vec::<u32>::decode(&mut &*bytes).unwrap_or_default(),
        Err(error) if is_passing(&error) => return Err(error),
        Err(_) => Vec::new(),
    };
    versions.sort_unstable_by(|left, right| right.cmp(left));
    versions.dedup();
    let oldest_offered = versions.last().copied();
    versions.retain(|version| READABLE.contains(version));
    if versions.is_empty() {
        return match oldest_offered {
            Some(version) if version > *READABLE.end() => Err(Error::Metadata {
                spec_version,
                fault: MetadataFault::TooNew { version },
            }),
            _ => fetch_plain(connection, at, spec_version).await,
        };
    }
    let mut worst = None;
    for version in versions {
        const CALL: &str = "Metadata_metadata_at_version";
        let answer = connection.call(CALL, &version.encode(), at).await?;
        let read = Option::<Vec<u8>>::decode(&mut &*answer)
            .map_err(|_| MetadataFault::Truncated)
            .and_then(|bytes| bytes.ok_or(MetadataFault::NotMetadata))
            .and_then(|bytes| check(&bytes).map(|metadata| (bytes, metadata)));
        match read {
            Ok(read) => return Ok(read),
            Err(fault) => {
                tracing::warn!(spec_version, version, %fault, "metadata cannot be used");
                worst.get_or_insert(fault);
            }
        }
    }
    Err(Error::Metadata {
        spec_version,
        fault: worst.unwrap_or(MetadataFault::NotMetadata),
    })
}

/// What nodes without a choice of versions hand out, which is version 14.
async fn fetch_plain(
    connection: &Connection,
    at: BlockHash,
    spec_version: u32,
) -> Result<(Vec<u8>, Metadata)> {
    let params = [at.to_string().into()];
    let answer = connection.request("state_getMetadata", &params).await?;
    let bytes = read_bytes(&answer, "metadata")?;
    let metadata = decode(&bytes, spec_version)?;
    Ok((bytes, metadata))
}

/// Whether asking again, or asking someone else, can help.
fn is_passing(error: &Error) -> bool {
    error.is_retryable() || matches!(error, Error::StateDiscarded { .. })
}

fn decode(bytes: &[u8], spec_version: u32) -> Result<Metadata> {
    check(bytes).map_err(|fault| Error::Metadata {
        spec_version,
        fault,
    })
}

/// Reads metadata and names what is wrong with it.
fn check(bytes: &[u8]) -> Result<Metadata, MetadataFault> {
    let rest = bytes
        .strip_prefix(b"meta")
        .ok_or(MetadataFault::NotMetadata)?;
    let version = *rest.first().ok_or(MetadataFault::Truncated)?;
    let version = u32::from(version);
    if version > *READABLE.end() {
        return Err(MetadataFault::TooNew { version });
    }
    if version < *READABLE.start() {
        return Err(MetadataFault::TooOld { version });
    }
    Metadata::decode_from(bytes).map_err(|error| {
        /// How the codec says that bytes are missing; its error has no kinds.
        const SHORT: &str = "Not enough data";
        let reason = error.to_string();
        if reason.contains(SHORT) {
            MetadataFault::Truncated
        } else {
            MetadataFault::Unreadable {
                reason: reason.chars().take(300).collect(),
            }
        }
    })
}

fn lock<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finney() -> Vec<u8> {
        std::fs::read(adit_testkit::fixture("chain/finney-365.scale")).unwrap()
    }

    #[test]
    fn what_is_wrong_with_metadata_is_named() {
        let good = finney();
        assert!(check(&good).is_ok());
        assert_eq!(check(b"nonsense").err(), Some(MetadataFault::NotMetadata));
        assert_eq!(check(b"meta").err(), Some(MetadataFault::Truncated));
        let half = good.get(..good.len() / 2).unwrap();
        assert_eq!(check(half).err(), Some(MetadataFault::Truncated));
        let with_version = |version: u8| {
            let mut bytes = good.clone();
            bytes[4] = version;
            check(&bytes).err()
        };
        assert_eq!(
            with_version(17),
            Some(MetadataFault::TooNew { version: 17 })
        );
        assert_eq!(with_version(9), Some(MetadataFault::TooOld { version: 9 }));
        // The layout of version 16 read as another one.
        assert!(with_version(15).is_some());
    }
}
