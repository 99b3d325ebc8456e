//! What storage says of commits, epochs, the beacon and the time.

use std::time::Duration;

use adit_primitives::{AccountId, Block, NetUid};
use subxt::ext::{
    codec::Decode as _,
    scale_value::{Composite, Primitive, Value, ValueDef},
};

use super::{
    runtime::Runtime,
    snapshot::{Answers, Query, SUBTENSOR, Slot, Snapshot, account_key, netuid_key},
};
use crate::{
    BeaconStanding, CommitRevealStanding, EpochState, Result, StoredHash, StoredTimelocked,
    commit_reveal::{Beacon, EpochSchedule, FixedTempo},
};

type Hashes = Vec<([u8; 32], u64, u64, u64)>;
type Sealed = Vec<([u8; 32], u64, Vec<u8>, u64)>;

/// Blocks over which the time between two is measured.
const MEASURED: u64 = 16;

/// The storage items of commit-reveal that need no epoch to be found.
pub(super) struct CommitSlots {
    period: Slot<u64>,
    version: Slot<u16>,
    last_epoch_block: Slot<u64>,
    pending_epoch_at: Slot<u64>,
    epoch_index: Slot<u64>,
    since_step: Slot<u64>,
    hashes: Slot<Hashes>,
    beacon: Slot<Value>,
    last_round: Slot<u64>,
    now: Slot<u64>,
}

impl CommitSlots {
    pub(super) fn add(
        query: &mut Query<'_>,
        netuid: NetUid,
        index: NetUid,
        account: AccountId,
    ) -> Result<Self> {
        let subnet = || vec![netuid_key(netuid)];
        Ok(Self {
            period: query.subtensor("RevealPeriodEpochs", subnet())?,
            version: query.subtensor("CommitRevealWeightsVersion", vec![])?,
            last_epoch_block: query.subtensor("LastEpochBlock", subnet())?,
            pending_epoch_at: query.subtensor("PendingEpochAt", subnet())?,
            epoch_index: query.subtensor("SubnetEpochIndex", subnet())?,
            since_step: query.subtensor("BlocksSinceLastStep", subnet())?,
            hashes: query.subtensor(
                "WeightCommits",
                vec![netuid_key(index), account_key(account)],
            )?,
            beacon: query.item("Drand", "BeaconConfig", vec![])?,
            last_round: query.item("Drand", "LastStoredRound", vec![])?,
            now: query.item("Timestamp", "Now", vec![])?,
        })
    }

    pub(super) fn read(
        &self,
        answers: &Answers<'_>,
        snapshot: &Snapshot,
        netuid: NetUid,
        tempo: u16,
    ) -> Result<CommitRevealStanding> {
        let stateful = answers.is_known(&self.epoch_index);
        let fixed = FixedTempo { netuid, tempo };
        let epochs = if stateful {
            EpochState::Stateful(EpochSchedule {
                tempo,
                last_epoch_block: Block(answers.value(&self.last_epoch_block)?),
                pending_epoch_at: Block(answers.value(&self.pending_epoch_at)?),
                subnet_epoch_index: answers.value(&self.epoch_index)?,
                blocks_since_last_step: answers.value(&self.since_step)?,
            })
        } else {
            EpochState::Fixed(fixed)
        };
        let hash = |(hash, first, second, _): ([u8; 32], u64, u64, u64)| {
            // Before epochs were stored, the first number was the block and the others the window.
            let (epoch, block) = if stateful {
                (first, Block(second))
            } else {
                (fixed.epoch(Block(first)), Block(first))
            };
            StoredHash { hash, epoch, block }
        };
        let beacon = answers.optional(&self.beacon)?.as_ref().and_then(beacon);
        let last_stored_round = answers.value(&self.last_round)?;
        let now = answers.optional(&self.now)?.map(Duration::from_millis);
        let runtime = &snapshot.runtime;
        Ok(CommitRevealStanding {
            reveal_period: answers.optional(&self.period)?.unwrap_or(1),
            version: answers.value(&self.version)?,
            takes_timelocked: runtime.has_call(SUBTENSOR, "commit_timelocked_weights"),
            epochs,
            now: now.filter(|now| !now.is_zero()),
            block_time: slot(runtime).unwrap_or(Duration::from_secs(12)),
            beacon: beacon.map(|beacon| BeaconStanding {
                beacon,
                last_stored_round,
            }),
            hashes: answers.value(&self.hashes)?.into_iter().map(hash).collect(),
            timelocked: Vec::new(),
        })
    }
}

/// The sealed commits of the running epoch and of the one that is revealed in it.
pub(super) struct Timelocked(Vec<(u64, Slot<Sealed>)>);

impl Timelocked {
    pub(super) fn add(
        query: &mut Query<'_>,
        index: NetUid,
        epoch: u64,
        reveal_period: u64,
    ) -> Result<Self> {
        let mut epochs = vec![epoch.saturating_sub(reveal_period), epoch];
        epochs.dedup();
        let slots = epochs.into_iter().map(|epoch| {
            let keys = vec![netuid_key(index), Value::u128(epoch.into())];
            Ok((epoch, query.subtensor("TimelockedWeightCommits", keys)?))
        });
        slots.collect::<Result<_>>().map(Self)
    }

    pub(super) fn read(
        &self,
        answers: &Answers<'_>,
        account: AccountId,
    ) -> Result<Vec<StoredTimelocked>> {
        let mut ours = Vec::new();
        for (epoch, slot) in &self.0 {
            let stored = answers.value(slot)?.into_iter();
            let stored = stored.filter(|(who, ..)| who == account.as_bytes());
            ours.extend(stored.map(|(_, block, _, round)| StoredTimelocked {
                epoch: *epoch,
                block: Block(block),
                round,
            }));
        }
        Ok(ours)
    }
}

/// The time between two blocks: what the runtime says, or what was measured where that is far off,
/// as on local chains that are made to run faster.
pub(super) async fn block_time(snapshot: &Snapshot, now: Option<Duration>) -> Result<Duration> {
    let told = slot(&snapshot.runtime);
    let measured = match now {
        Some(now) => measure(snapshot, now).await?,
        None => None,
    };
    Ok(match (told, measured) {
        (Some(told), Some(measured)) if told.abs_diff(measured) <= told / 4 => told,
        (_, Some(measured)) => measured,
        (Some(told), None) => told,
        (None, None) => Duration::from_secs(12),
    })
}

async fn measure(snapshot: &Snapshot, now: Duration) -> Result<Option<Duration>> {
    let head = snapshot.head.number;
    let earlier = Block(head.0.saturating_sub(MEASURED).max(1));
    let blocks = head.since(earlier);
    let hash = snapshot.connection.block_hash(earlier).await?;
    let (Some(hash), true) = (hash, blocks > 0) else {
        return Ok(None);
    };
    let before = Snapshot {
        head: crate::BlockHead {
            number: earlier,
            hash,
        },
        ..snapshot.clone()
    };
    let mut query = before.query();
    let slot = query.item::<u64>("Timestamp", "Now", vec![])?;
    let then = query.fetch().await?.optional(&slot)?;
    let passed = then.and_then(|then| now.checked_sub(Duration::from_millis(then)));
    let blocks = u32::try_from(blocks).unwrap_or(u32::MAX);
    Ok(passed
        .map(|passed| passed / blocks)
        .filter(|time| !time.is_zero()))
}

/// The time between two blocks as the runtime has it.
fn slot(runtime: &Runtime) -> Option<Duration> {
    let constant = |pallet: &str, name: &str| {
        let pallet = runtime.metadata().pallet_by_name(pallet)?;
        let constant = pallet.constant_by_name(name)?;
        u64::decode(&mut constant.value()).ok()
    };
    let millis = constant("Aura", "SlotDuration")
        .or_else(|| constant("Timestamp", "MinimumPeriod")?.checked_mul(2))?;
    (millis > 0).then(|| Duration::from_millis(millis))
}

/// The beacon's facts, by the names of their fields.
fn beacon(config: &Value) -> Option<Beacon> {
    let ValueDef::Composite(Composite::Named(fields)) = &config.value else {
        return None;
    };
    let field = |name: &str| {
        let found = fields.iter().find(|(field, _)| field == name)?;
        let mut numbers = Vec::new();
        flatten(&found.1, &mut numbers);
        Some(numbers)
    };
    let number = |name: &str| u64::try_from(*field(name)?.first()?).ok();
    let key = field("public_key")?;
    let key: Vec<u8> = key
        .into_iter()
        .map(|byte| u8::try_from(byte).ok())
        .collect::<Option<_>>()?;
    Some(Beacon {
        public_key: key.try_into().ok()?,
        genesis: number("genesis_time")?,
        period: Duration::from_secs(number("period")?),
    })
    .filter(|beacon| !beacon.period.is_zero())
}

/// All numbers in a value, whatever wraps them.
fn flatten(value: &Value, into: &mut Vec<u128>) {
    match &value.value {
        ValueDef::Primitive(Primitive::U128(number)) => into.push(*number),
        ValueDef::Composite(inner) => inner.values().for_each(|value| flatten(value, into)),
        _ => {}
    }
}
