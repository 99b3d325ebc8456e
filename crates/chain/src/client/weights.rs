use adit_primitives::{AccountId, Block, MechId, NetUid, Rao, SubnetParameters, Uid, WeightVector};
use adit_wallet::Keypair;
use subxt::ext::scale_value::{Composite, Value};

use super::{
    Shared,
    metagraph::{ParameterSlots, StakeSlots},
    snapshot::{Snapshot, account_key, netuid_key, uid_key},
    submit::{Call, Included},
};
use crate::{
    Error, Result, WeightsOutcome, WeightsRefusal,
    preflight::{Standing, holds},
};

/// The mechanism whose weights these are; a subnet's first.
const MECHANISM: MechId = MechId(0);

/// Sets weights: asks the chain first, then signs, sends, waits and reads back.
pub(super) async fn set(
    shared: &Shared,
    hotkey: &Keypair,
    netuid: NetUid,
    weights: &WeightVector,
    version_key: u64,
) -> Result<WeightsOutcome> {
    let account = hotkey.account();
    let standing = shared
        .retrying(|| async { standing(&shared.snapshot().await?, netuid, account).await })
        .await?;
    let Some(standing) = standing else {
        let refusal = WeightsRefusal::NoSuchSubnet { netuid };
        return Ok(WeightsOutcome::Refused(refusal));
    };
    if let Some(refusal) = standing.refusal(weights, version_key) {
        return Ok(WeightsOutcome::Refused(refusal));
    }
    let Some(uid) = standing.uid else {
        let refusal = WeightsRefusal::NotRegistered {
            hotkey: hotkey.hotkey(),
        };
        return Ok(WeightsOutcome::Refused(refusal));
    };
    let call = call(netuid, weights, version_key);
    let refused = match shared.submit(&call, hotkey).await {
        Ok(included) => return read_back(shared, netuid, uid, weights, included).await,
        Err(Error::Pool { code, message, .. }) => WeightsRefusal::Pool { code, message },
        Err(Error::Refused { pallet, error, .. }) => WeightsRefusal::Dispatch { pallet, error },
        Err(error) => return Err(error),
    };
    let refused = explain(shared, netuid, account, weights, version_key, refused).await;
    Ok(WeightsOutcome::Refused(refused))
}

fn call(netuid: NetUid, weights: &WeightVector, version_key: u64) -> Call {
    let pairs = weights.pairs();
    let uids = pairs.iter().map(|(uid, _)| uid_key(*uid));
    let values = pairs
        .iter()
        .map(|(_, weight)| Value::u128((*weight).into()));
    Call {
        name: "SubtensorModule.set_weights",
        arguments: Composite::named([
            ("netuid", netuid_key(netuid)),
            ("dests", Value::unnamed_composite(uids)),
            ("weights", Value::unnamed_composite(values)),
            ("version_key", Value::u128(version_key.into())),
        ]),
    }
}

/// The chain said no although our own check passed, as after a change in between: check again and
/// prefer the reason that names its numbers.
async fn explain(
    shared: &Shared,
    netuid: NetUid,
    account: AccountId,
    weights: &WeightVector,
    version_key: u64,
    refused: WeightsRefusal,
) -> WeightsRefusal {
    tracing::warn!(refusal = %refused, "the chain refused weights that looked fine before");
    let again = async { standing(&shared.snapshot().await?, netuid, account).await };
    match again.await {
        Ok(Some(standing)) => standing.refusal(weights, version_key).unwrap_or(refused),
        _ => refused,
    }
}

async fn read_back(
    shared: &Shared,
    netuid: NetUid,
    uid: Uid,
    sent: &WeightVector,
    included: Included,
) -> Result<WeightsOutcome> {
    let found = shared
        .retrying(|| async { row(&shared.snapshot_at(included.head).await?, netuid, uid).await })
        .await?;
    if !holds(&found, sent) {
        return Err(Error::ReadBack { netuid, uid, found });
    }
    Ok(WeightsOutcome::OnChain {
        block: included.head.number,
        block_hash: included.head.hash,
        extrinsic: included.extrinsic.0,
        weights: found,
    })
}

/// One neuron's weights as stored.
pub(super) async fn row(snapshot: &Snapshot, netuid: NetUid, uid: Uid) -> Result<WeightVector> {
    let mut query = snapshot.query();
    let index = NetUid(MECHANISM.storage_index(netuid));
    let slot =
        query.subtensor::<Vec<(u16, u16)>>("Weights", vec![netuid_key(index), uid_key(uid)])?;
    let stored = query.fetch().await?.value(&slot)?;
    let pairs = stored.into_iter().map(|(uid, weight)| (Uid(uid), weight));
    Ok(WeightVector::new(pairs.collect())?)
}

/// Everything the chain looks at before it takes weights; `None` where there is no such subnet.
async fn standing(
    snapshot: &Snapshot,
    netuid: NetUid,
    account: AccountId,
) -> Result<Option<Standing>> {
    let mut query = snapshot.query();
    let subnet = || vec![netuid_key(netuid)];
    let index = NetUid(MECHANISM.storage_index(netuid));
    let exists = query.subtensor::<bool>("NetworksAdded", subnet())?;
    let neurons = query.subtensor::<u16>("SubnetworkN", subnet())?;
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
    Ok(Some(Standing {
        netuid,
        block: snapshot.head.number,
        parameters,
        neurons,
        hotkey: account.into(),
        uid,
        validator_permit: place
            .and_then(|at| permits.get(at).copied())
            .unwrap_or(false),
        is_owner: answers.optional(&owner)? == Some(*account.as_bytes()),
        last_update: Block(place.and_then(|at| updates.get(at).copied()).unwrap_or(0)),
        stake,
        stake_threshold: Rao(answers.value(&threshold)?),
    }))
}
