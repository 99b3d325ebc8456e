use std::{
    fs::{self, File},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use adit_primitives::{Block, BlockHash, Metagraph, MetagraphChange, NetUid};
use backon::BackoffBuilder as _;
use futures::StreamExt as _;
use serde::{Deserialize, Serialize};
use tokio::{
    sync::{broadcast, watch},
    task::AbortHandle,
};

use super::{Client, Following, event_stream::EventNotice, value::ChainEvent};
use crate::{Chain as _, Result};

/// When a [`MetagraphCache`] reads anew, and where it keeps what it read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetagraphCacheOptions {
    /// Blocks after which it reads anew, at least 1. It does so too after the block of an epoch,
    /// where epochs come at fixed blocks.
    pub refresh_blocks: u64,
    /// Whether it follows the chain's events and reads anew when one tells of a registration, an
    /// axon or a permit. Costs three requests a block.
    pub follow_events: bool,
    /// File in which the last picture is kept, so that the next start has one at once.
    pub file: Option<PathBuf>,
}

impl Default for MetagraphCacheOptions {
    fn default() -> Self {
        Self {
            refresh_blocks: 25,
            follow_events: true,
            file: None,
        }
    }
}

/// A picture of a subnet and how old it is.
#[derive(Debug, Clone)]
pub struct CachedMetagraph {
    /// The picture, shared and never changed.
    pub metagraph: Arc<Metagraph>,
    /// Blocks the chain is ahead of it, as far as is known; `None` before any block was seen.
    pub age: Option<u64>,
}

/// A new picture and what is different in it.
#[derive(Debug, Clone)]
pub struct MetagraphUpdate {
    /// The new picture.
    pub metagraph: Arc<Metagraph>,
    /// What changed since the one before; empty after the first one.
    pub changes: Vec<MetagraphChange>,
}

/// The newest picture of a subnet, kept up to date in the background and given out at once, with
/// its age, also while the chain cannot be reached. Ends when dropped.
///
/// ```no_run
/// # async fn example(client: adit_chain::client::Client) -> adit_chain::Result<()> {
/// use adit_chain::client::{MetagraphCache, MetagraphCacheOptions};
/// use adit_primitives::NetUid;
///
/// let cache = MetagraphCache::start(client, NetUid(1), MetagraphCacheOptions::default());
/// let mut updates = cache.updates();
/// let first = cache.ready().await;
/// println!("{} neurons, {:?} blocks old", first.metagraph.neurons().len(), first.age);
/// while let Ok(update) = updates.recv().await {
///     println!("{:?}", update.changes);
/// }
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct MetagraphCache {
    client: Client,
    current: watch::Receiver<Option<Arc<Metagraph>>>,
    updates: broadcast::Sender<MetagraphUpdate>,
    task: AbortHandle,
}

impl MetagraphCache {
    /// Begins to keep a subnet's metagraph. What an earlier run left in the file is there at once.
    ///
    /// Must be called inside of a tokio runtime.
    pub fn start(client: Client, netuid: NetUid, options: MetagraphCacheOptions) -> Self {
        let (sender, current) = watch::channel(None);
        let (updates, _) = broadcast::channel(64);
        let keeper = Keeper {
            client: client.clone(),
            netuid,
            options,
            current: sender,
            updates: updates.clone(),
        };
        let task = tokio::spawn(keeper.run()).abort_handle();
        Self {
            client,
            current,
            updates,
            task,
        }
    }

    /// The newest picture there is, `None` before the first one.
    pub fn current(&self) -> Option<CachedMetagraph> {
        let metagraph = self.current.borrow().clone()?;
        let head = self.client.progress().head;
        let age = head.map(|head| head.since(metagraph.block));
        Some(CachedMetagraph { metagraph, age })
    }

    /// The newest picture there is, waiting for the first one.
    pub async fn ready(&self) -> CachedMetagraph {
        let mut current = self.current.clone();
        loop {
            if let Some(cached) = self.current() {
                return cached;
            }
            if current.changed().await.is_err() {
                // The background task ends with this cache only.
                std::future::pending::<()>().await;
            }
        }
    }

    /// New pictures as they come, with what is different in them. A receiver that falls 64 behind
    /// is told how many it missed.
    pub fn updates(&self) -> broadcast::Receiver<MetagraphUpdate> {
        self.updates.subscribe()
    }
}

impl Drop for MetagraphCache {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Keeper {
    client: Client,
    netuid: NetUid,
    options: MetagraphCacheOptions,
    current: watch::Sender<Option<Arc<Metagraph>>>,
    updates: broadcast::Sender<MetagraphUpdate>,
}

impl Keeper {
    async fn run(self) {
        self.begin_with_file().await;
        let mut events = match self.options.follow_events {
            true => self.client.events(Following::Best, None),
            false => futures::stream::pending().boxed(),
        };
        let mut tip = self.client.shared.tip.clone();
        let mut pauses = self.client.shared.options.endless_backoff().build();
        let mut told = true;
        loop {
            let head = tip.borrow_and_update().head;
            if told || self.is_due(head) {
                match self.refresh().await {
                    Ok(()) => {
                        told = false;
                        pauses = self.client.shared.options.endless_backoff().build();
                    }
                    Err(error) => {
                        tracing::warn!(%error, netuid = %self.netuid, "the metagraph stays as it was");
                        told = true;
                        let longest = self.client.shared.options.longest_pause;
                        tokio::time::sleep(pauses.next().unwrap_or(longest)).await;
                        continue;
                    }
                }
            }
            tokio::select! {
                changed = tip.changed() => if changed.is_err() { return },
                notice = events.next() => match notice {
                    Some(Ok(EventNotice::Block(block))) => {
                        told |= block.events.iter().any(|(_, event)| concerns(event, self.netuid));
                    }
                    // Something may have been missed.
                    Some(Ok(_) | Err(_)) => told = true,
                    None => events = futures::stream::pending().boxed(),
                },
            }
        }
    }

    fn is_due(&self, head: Option<Block>) -> bool {
        let (Some(head), Some(current)) = (head, self.current.borrow().clone()) else {
            return false;
        };
        let age = head.since(current.block);
        age >= self.options.refresh_blocks.max(1)
            || (age > 0 && epoch_between(&current, current.block, head))
    }

    async fn refresh(&self) -> Result<()> {
        let new = Arc::new(self.client.metagraph(self.netuid).await?);
        let old = self.current.borrow().clone();
        let changes = old.map_or_else(Vec::new, |old| new.changes_since(&old));
        self.current.send_replace(Some(Arc::clone(&new)));
        if let Some(file) = self.options.file.clone() {
            let genesis = self.client.genesis().await?;
            let kept = Arc::clone(&new);
            let written = tokio::task::spawn_blocking(move || write(&file, genesis, &kept)).await;
            if let Ok(Err(error)) = written {
                tracing::warn!(%error, "cannot keep the metagraph for the next start");
            }
        }
        // Nobody may be listening.
        let _ = self.updates.send(MetagraphUpdate {
            metagraph: new,
            changes,
        });
        Ok(())
    }

    async fn begin_with_file(&self) {
        let Some(file) = self.options.file.clone() else {
            return;
        };
        let (Ok(genesis), netuid) = (self.client.genesis().await, self.netuid) else {
            return;
        };
        let read = tokio::task::spawn_blocking(move || read(&file, genesis, netuid)).await;
        if let Ok(Some(kept)) = read {
            self.current.send_replace(Some(Arc::new(kept)));
        }
    }
}

/// Whether an event may have changed who a subnet's neurons are or where they listen.
fn concerns(event: &ChainEvent, netuid: NetUid) -> bool {
    const TELLING: [&str; 5] = [
        "NeuronRegistered",
        "BulkNeuronsRegistered",
        "AxonServed",
        "HotkeySwapped",
        "HotkeySwappedOnSubnet",
    ];
    let netuid = u128::from(netuid.0);
    let first = event.fields.item(0).and_then(super::ChainValue::number);
    event.pallet == "SubtensorModule"
        && TELLING.contains(&event.name.as_str())
        // Swaps name no subnet in first place.
        && (first.is_none() || first == Some(netuid))
}

/// Whether an epoch ran after `from` and up to `to`, where epochs come at fixed blocks: when
/// `block + netuid + 1` is a multiple of `tempo + 1`.
fn epoch_between(metagraph: &Metagraph, from: Block, to: Block) -> bool {
    let length = u64::from(metagraph.parameters.tempo) + 1;
    let phase = u64::from(metagraph.netuid.0) + 1;
    let epochs = |block: Block| block.0.saturating_add(phase) / length;
    metagraph.parameters.tempo > 0 && epochs(to) > epochs(from)
}

/// A picture as it is kept, with the chain it is of.
#[derive(Serialize, Deserialize)]
struct Kept<M> {
    genesis: BlockHash,
    metagraph: M,
}

/// Larger files are none of ours: 256 neurons take some 200 kilobytes.
const LARGEST: u64 = 64 << 20;

fn write(file: &Path, genesis: BlockHash, metagraph: &Metagraph) -> io::Result<()> {
    let kept = Kept { genesis, metagraph };
    let bytes = serde_json::to_vec(&kept)?;
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    let beside = file.with_extension(format!("{}.tmp", std::process::id()));
    let written = File::create(&beside).and_then(|mut out| {
        out.write_all(&bytes)?;
        out.sync_all()?;
        fs::rename(&beside, file)
    });
    if written.is_err() {
        let _ = fs::remove_file(&beside);
    }
    written
}

/// What an earlier run left, when it is whole and of the same subnet of the same chain.
fn read(file: &Path, genesis: BlockHash, netuid: NetUid) -> Option<Metagraph> {
    let mut bytes = Vec::new();
    File::open(file)
        .ok()?
        .take(LARGEST)
        .read_to_end(&mut bytes)
        .ok()?;
    let kept: Kept<Metagraph> = match serde_json::from_slice(&bytes) {
        Ok(kept) => kept,
        Err(error) => {
            tracing::warn!(file = %file.display(), %error, "the kept metagraph is damaged and will be read again");
            return None;
        }
    };
    let ours = kept.genesis == genesis && kept.metagraph.netuid == netuid;
    let neurons = kept.metagraph.neurons().iter().enumerate();
    let in_order = neurons
        .map(|(place, neuron)| (place, usize::from(neuron.uid.0)))
        .all(|(place, uid)| place == uid);
    (ours && in_order).then_some(kept.metagraph)
}

#[cfg(test)]
mod tests {
    use adit_primitives::SubnetParameters;

    use super::*;

    fn empty(netuid: u16, tempo: u16) -> Metagraph {
        let parameters = SubnetParameters {
            tempo,
            min_allowed_weights: 0,
            max_weights_limit: u16::MAX,
            weights_rate_limit: 0,
            weights_version: 0,
            commit_reveal: false,
        };
        let hash = BlockHash::default();
        Metagraph::new(NetUid(netuid), Block(0), hash, parameters, Vec::new()).unwrap()
    }

    #[test]
    fn epochs_are_where_the_chain_has_them() {
        // (block + 1 + 1) is a multiple of 361 at block 359.
        let metagraph = empty(1, 360);
        assert!(!epoch_between(&metagraph, Block(0), Block(358)));
        assert!(epoch_between(&metagraph, Block(358), Block(359)));
        assert!(!epoch_between(&metagraph, Block(359), Block(719)));
        assert!(epoch_between(&metagraph, Block(359), Block(720)));
        assert!(!epoch_between(&empty(1, 0), Block(0), Block(1_000)));
        assert!(!epoch_between(&metagraph, Block(u64::MAX), Block(u64::MAX)));
    }

    #[test]
    fn only_events_of_our_subnet_concern_it() {
        let event = |name: &str, first: u16| ChainEvent {
            pallet: "SubtensorModule".to_owned(),
            name: name.to_owned(),
            fields: super::super::ChainValue::list([first]),
        };
        assert!(concerns(&event("AxonServed", 1), NetUid(1)));
        assert!(!concerns(&event("AxonServed", 2), NetUid(1)));
        assert!(!concerns(&event("WeightsSet", 1), NetUid(1)));
    }

    #[test]
    fn a_kept_picture_is_only_read_for_its_own_subnet_and_chain() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("metagraph.json");
        let genesis = BlockHash([7; 32]);
        assert!(read(&file, genesis, NetUid(1)).is_none());
        write(&file, genesis, &empty(1, 360)).unwrap();
        assert_eq!(read(&file, genesis, NetUid(1)), Some(empty(1, 360)));
        assert!(read(&file, genesis, NetUid(2)).is_none());
        assert!(read(&file, BlockHash([8; 32]), NetUid(1)).is_none());
    }
}
