use adit_primitives::{AccountId, Block, MechId, NetUid, Rao, SubnetParameters, Uid, WeightVector};

use super::{
    commit_state::{CommitSlots, Timelocked, block_time},
    metagraph::{ParameterSlots, StakeSlots},
    snapshot::{Slot, Snapshot, account_key, netuid_key, uid_key},
};
use crate::{Result, WeightsStanding};

/// One neuron's weights as stored.
pub(super) async fn row(snapshot: &Snapshot, netuid: NetUid, uid: Uid) -> Result<WeightVector> {
    let mut query = snapshot.query();
    let index = NetUid(MechId(0).storage_index(netuid));
    let slot: Slot<Row> = query.subtensor("Weights", vec![netuid_key(index), uid_key(uid)])?;
    read_row(query.fetch().await?.value(&slot)?)
}

type Row = Vec<(u16, u16)>;

fn read_row(stored: Row) -> Result<WeightVector> {
    let pairs = stored.into_iter().map(|(uid, weight)| (Uid(uid), weight));
    Ok(WeightVector::new(pairs.collect())?)
}

/// Everything the chain looks at before it takes weights; `None` where there is no such subnet.
///
/// Two requests for storage, the second for what hangs on our uid and on the epoch, and two for the
/// time between blocks.
pub(super) async fn standing(
    snapshot: &Snapshot,
    netuid: NetUid,
    mechid: MechId,
    account: AccountId,
) -> Result<Option<WeightsStanding>> {
    let mut query = snapshot.query();
    let subnet = || vec![netuid_key(netuid)];
    let index = NetUid(mechid.storage_index(netuid));
    let exists = query.subtensor::<bool>("NetworksAdded", subnet())?;
    let neurons = query.subtensor::<u16>("SubnetworkN", subnet())?;
    let mechanisms = query.subtensor::<u8>("MechanismCountCurrent", subnet())?;
    let uids = query.subtensor::<u16>("Uids", vec![netuid_key(netuid), account_key(account)])?;
    let permits = query.subtensor::<Vec<bool>>("ValidatorPermit", subnet())?;
    let updates = query.subtensor::<Vec<u64>>("LastUpdate", vec![netuid_key(index)])?;
    let owner = query.subtensor::<[u8; 32]>("SubnetOwnerHotkey", subnet())?;
    let threshold = query.subtensor::<u64>("StakeThreshold", vec![])?;
    let parents = vec![account_key(account), netuid_key(netuid)];
    let parents = query.subtensor::<()>("ParentKeys", parents)?;
    let children = vec![account_key(account), netuid_key(netuid)];
    let children = query.subtensor::<()>("ChildKeys", children)?;
    let parameters = ParameterSlots::add(&mut query, netuid)?;
    let stake = StakeSlots::add(&mut query, netuid, account)?;
    let commits = CommitSlots::add(&mut query, netuid, index, account)?;
    let answers = query.fetch().await?;

    let neurons = usize::from(answers.value(&neurons)?);
    if answers.is_known(&exists) && !answers.value(&exists)? && neurons == 0 {
        return Ok(None);
    }
    let parameters: SubnetParameters = parameters.read(&answers)?;
    let uid = answers.optional(&uids)?.map(Uid);
    let place = uid.map(|uid| usize::from(uid.0));
    let permits = answers.value(&permits)?;
    let updates = answers.value(&updates)?;
    // Stake that comes from or goes to other keys is the chain's to add up.
    let shared = answers.is_stored(&parents) || answers.is_stored(&children);
    let stake = if shared || !stake.is_known(&answers) {
        None
    } else {
        Some(stake.read(&answers)?)
    };
    let mut commit_reveal = commits.read(&answers, snapshot, netuid, parameters.tempo)?;

    let mut query = snapshot.query();
    let uid_keys = |netuid| uid.map(|uid| vec![netuid_key(netuid), uid_key(uid)]);
    let row: Option<Slot<Row>> = uid_keys(index)
        .map(|keys| query.subtensor("Weights", keys))
        .transpose()?;
    let registered: Option<Slot<u64>> = uid_keys(netuid)
        .map(|keys| query.subtensor("BlockAtRegistration", keys))
        .transpose()?;
    let timelocked = if parameters.commit_reveal {
        let epoch = commit_reveal.epochs.current(snapshot.head.number);
        Some(Timelocked::add(
            &mut query,
            index,
            epoch,
            commit_reveal.reveal_period,
        )?)
    } else {
        None
    };
    let more = query.fetch().await?;
    let row = row.map(|slot| more.value(&slot)).transpose()?;
    let registered = registered.map(|slot| more.value(&slot)).transpose()?;
    if let Some(timelocked) = timelocked {
        commit_reveal.timelocked = timelocked.read(&more, account)?;
        commit_reveal.block_time = block_time(snapshot, commit_reveal.now).await?;
    }
    Ok(Some(WeightsStanding {
        netuid,
        mechid,
        block: snapshot.head.number,
        block_hash: snapshot.head.hash,
        parameters,
        mechanisms: answers.optional(&mechanisms)?.unwrap_or(1).max(1),
        neurons,
        hotkey: account.into(),
        uid,
        registered_at: Block(registered.unwrap_or(0)),
        validator_permit: place
            .and_then(|at| permits.get(at).copied())
            .unwrap_or(false),
        is_owner: answers.optional(&owner)? == Some(*account.as_bytes()),
        last_update: Block(place.and_then(|at| updates.get(at).copied()).unwrap_or(0)),
        stake,
        stake_threshold: Rao(answers.value(&threshold)?),
        row: read_row(row.unwrap_or_default())?,
        commit_reveal,
    }))
}
