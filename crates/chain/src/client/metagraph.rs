use adit_primitives::{
    AccountId, Block, Coldkey, Hotkey, HotkeyStake, Metagraph, NetUid, Neuron, Rao,
    SubnetParameters, Uid,
};

use super::{
    axon::{self, AxonFields},
    selective::{self, NeuronIdentity},
    snapshot::{Answers, Query, Slot, Snapshot, account_key, netuid_key, uid_key},
};
use crate::{BlockHead, Error, Result};

/// The root network, whose stake counts on every subnet with the runtime's `TaoWeight`.
const ROOT: NetUid = NetUid(0);

/// Reads a subnet: its vectors from storage, and beside them who its neurons are, by one runtime
/// call where the runtime has it and else by two more requests to storage.
///
/// Storage is right on every runtime, but takes five keys for each neuron. The call is asked only
/// for fields that have been there for long; whatever goes wrong with it, storage is asked instead.
pub(super) async fn read(snapshot: &Snapshot, netuid: NetUid) -> Result<Metagraph> {
    let columns = read_columns(snapshot, netuid);
    let (columns, told) = futures::join!(columns, selective::identities(snapshot, netuid));
    let (parameters, columns) = columns?;
    let told = match told {
        Ok(Some(told)) if told.len() == usize::from(columns.neurons) => Some(told),
        Ok(_) => None,
        Err(error) if error.is_retryable() => return Err(error),
        Err(error) => {
            tracing::debug!(%error, %netuid, "the runtime's own metagraph cannot be used");
            None
        }
    };
    let identities = match told {
        Some(told) => told,
        None => identities_from_storage(snapshot, netuid, columns.neurons).await?,
    };
    put_together(snapshot, netuid, parameters, &columns, identities)
}

/// As [`read`], from storage alone.
pub(super) async fn read_from_storage(snapshot: &Snapshot, netuid: NetUid) -> Result<Metagraph> {
    let (parameters, columns) = read_columns(snapshot, netuid).await?;
    let identities = identities_from_storage(snapshot, netuid, columns.neurons).await?;
    put_together(snapshot, netuid, parameters, &columns, identities)
}

async fn read_columns(snapshot: &Snapshot, netuid: NetUid) -> Result<(SubnetParameters, Columns)> {
    let mut query = snapshot.query();
    let exists = query.subtensor::<bool>("NetworksAdded", vec![netuid_key(netuid)])?;
    let parameters = ParameterSlots::add(&mut query, netuid)?;
    let columns = ColumnSlots::add(&mut query, netuid)?;
    let answers = query.fetch().await?;
    let columns = columns.read(&answers)?;
    if answers.is_known(&exists) && !answers.value(&exists)? && columns.neurons == 0 {
        return Err(Error::NoSuchSubnet { netuid });
    }
    Ok((parameters.read(&answers)?, columns))
}

async fn identities_from_storage(
    snapshot: &Snapshot,
    netuid: NetUid,
    neurons: u16,
) -> Result<Vec<NeuronIdentity>> {
    let keys = read_keys(snapshot, netuid, neurons).await?;
    let mut query = snapshot.query();
    let mut slots = Vec::with_capacity(keys.len());
    for (hotkey, _) in &keys {
        let account = hotkey.account();
        let axon = vec![netuid_key(netuid), account_key(account)];
        slots.push((
            query.subtensor::<AxonFields>("Axons", axon)?,
            query.subtensor::<[u8; 32]>("Owner", vec![account_key(account)])?,
            StakeSlots::add(&mut query, netuid, account)?,
        ));
    }
    let answers = query.fetch().await?;
    let neurons = keys.into_iter().zip(&slots);
    let neurons = neurons.map(|((hotkey, registered_at), (axon, owner, stake))| {
        Ok(NeuronIdentity {
            hotkey,
            coldkey: Coldkey::new(answers.value(owner)?),
            axon: answers.optional(axon)?,
            stake: stake.read(&answers)?,
            registered_at,
        })
    });
    neurons.collect()
}

/// Hotkey and block of registration of every uid.
async fn read_keys(
    snapshot: &Snapshot,
    netuid: NetUid,
    neurons: u16,
) -> Result<Vec<(Hotkey, u64)>> {
    let mut query = snapshot.query();
    let mut slots = Vec::with_capacity(usize::from(neurons));
    for uid in (0..neurons).map(Uid) {
        let key = || vec![netuid_key(netuid), uid_key(uid)];
        slots.push((
            query.subtensor::<[u8; 32]>("Keys", key())?,
            query.subtensor::<u64>("BlockAtRegistration", key())?,
        ));
    }
    let answers = query.fetch().await?;
    let read = |(key, registered): &(Slot<[u8; 32]>, Slot<u64>)| {
        let hotkey = Hotkey::new(answers.value(key)?);
        Ok((hotkey, answers.value(registered)?))
    };
    slots.iter().map(read).collect()
}

fn put_together(
    snapshot: &Snapshot,
    netuid: NetUid,
    parameters: SubnetParameters,
    columns: &Columns,
    identities: Vec<NeuronIdentity>,
) -> Result<Metagraph> {
    let neurons = identities
        .into_iter()
        .enumerate()
        .map(|(place, who)| Neuron {
            uid: Uid(u16::try_from(place).unwrap_or(u16::MAX)),
            hotkey: who.hotkey,
            coldkey: who.coldkey,
            axon: who.axon.as_ref().and_then(axon::read),
            stake: who.stake,
            validator_permit: at(&columns.permits, place),
            active: at(&columns.active, place),
            incentive: at(&columns.incentive, place),
            dividends: at(&columns.dividends, place),
            consensus: at(&columns.consensus, place),
            validator_trust: at(&columns.validator_trust, place),
            emission: Rao(at(&columns.emission, place)),
            last_update: Block(at(&columns.last_update, place)),
            registered_at: Block(who.registered_at),
        });
    let BlockHead { number, hash } = snapshot.head;
    Ok(Metagraph::new(
        netuid,
        number,
        hash,
        parameters,
        neurons.collect(),
    )?)
}

fn at<T: Copy + Default>(column: &[T], place: usize) -> T {
    column.get(place).copied().unwrap_or_default()
}

/// The vectors of a subnet, one entry a uid.
struct Columns {
    neurons: u16,
    active: Vec<bool>,
    permits: Vec<bool>,
    incentive: Vec<u16>,
    dividends: Vec<u16>,
    consensus: Vec<u16>,
    validator_trust: Vec<u16>,
    emission: Vec<u64>,
    last_update: Vec<u64>,
}

struct ColumnSlots {
    neurons: Slot<u16>,
    active: Slot<Vec<bool>>,
    permits: Slot<Vec<bool>>,
    incentive: Slot<Vec<u16>>,
    dividends: Slot<Vec<u16>>,
    consensus: Slot<Vec<u16>>,
    validator_trust: Slot<Vec<u16>>,
    emission: Slot<Vec<u64>>,
    last_update: Slot<Vec<u64>>,
}

impl ColumnSlots {
    fn add(query: &mut Query<'_>, netuid: NetUid) -> Result<Self> {
        let key = || vec![netuid_key(netuid)];
        Ok(Self {
            neurons: query.subtensor("SubnetworkN", key())?,
            active: query.subtensor("Active", key())?,
            permits: query.subtensor("ValidatorPermit", key())?,
            incentive: query.subtensor("Incentive", key())?,
            dividends: query.subtensor("Dividends", key())?,
            consensus: query.subtensor("Consensus", key())?,
            validator_trust: query.subtensor("ValidatorTrust", key())?,
            emission: query.subtensor("Emission", key())?,
            last_update: query.subtensor("LastUpdate", key())?,
        })
    }

    fn read(&self, answers: &Answers<'_>) -> Result<Columns> {
        Ok(Columns {
            neurons: answers.value(&self.neurons)?,
            active: answers.value(&self.active)?,
            permits: answers.value(&self.permits)?,
            incentive: answers.value(&self.incentive)?,
            dividends: answers.value(&self.dividends)?,
            consensus: answers.value(&self.consensus)?,
            validator_trust: answers.value(&self.validator_trust)?,
            emission: answers.value(&self.emission)?,
            last_update: answers.value(&self.last_update)?,
        })
    }
}

/// The hyperparameters, to be read with other things in one request.
pub(super) struct ParameterSlots {
    tempo: Slot<u16>,
    min_allowed_weights: Slot<u16>,
    max_weights_limit: Slot<u16>,
    weights_rate_limit: Slot<u64>,
    weights_version: Slot<u64>,
    commit_reveal: Slot<bool>,
}

impl ParameterSlots {
    pub(super) fn add(query: &mut Query<'_>, netuid: NetUid) -> Result<Self> {
        let key = || vec![netuid_key(netuid)];
        Ok(Self {
            tempo: query.subtensor("Tempo", key())?,
            min_allowed_weights: query.subtensor("MinAllowedWeights", key())?,
            max_weights_limit: query.subtensor("MaxWeightsLimit", key())?,
            weights_rate_limit: query.subtensor("WeightsSetRateLimit", key())?,
            weights_version: query.subtensor("WeightsVersionKey", key())?,
            commit_reveal: query.subtensor("CommitRevealWeightsEnabled", key())?,
        })
    }

    pub(super) fn read(&self, answers: &Answers<'_>) -> Result<SubnetParameters> {
        let limit = answers.optional(&self.max_weights_limit)?;
        Ok(SubnetParameters {
            tempo: answers.value(&self.tempo)?,
            min_allowed_weights: answers.value(&self.min_allowed_weights)?,
            // A runtime without the limit has none.
            max_weights_limit: limit.unwrap_or(u16::MAX),
            weights_rate_limit: answers.value(&self.weights_rate_limit)?,
            weights_version: answers.value(&self.weights_version)?,
            commit_reveal: answers.value(&self.commit_reveal)?,
        })
    }
}

/// A neuron's stake: its alpha on the subnet, and its root stake times `TaoWeight / 2⁶⁴`.
///
/// Stake that child keys bring or take is not in it.
pub(super) struct StakeSlots {
    alpha: Slot<u64>,
    root: Slot<u64>,
    tao_weight: Slot<u64>,
}

impl StakeSlots {
    pub(super) fn add(query: &mut Query<'_>, netuid: NetUid, hotkey: AccountId) -> Result<Self> {
        let key = |netuid| vec![account_key(hotkey), netuid_key(netuid)];
        Ok(Self {
            alpha: query.subtensor("TotalHotkeyAlpha", key(netuid))?,
            root: query.subtensor("TotalHotkeyAlpha", key(ROOT))?,
            tao_weight: query.subtensor("TaoWeight", vec![])?,
        })
    }

    pub(super) fn is_known(&self, answers: &Answers<'_>) -> bool {
        answers.is_known(&self.alpha)
    }

    pub(super) fn read(&self, answers: &Answers<'_>) -> Result<Rao> {
        self.read_parts(answers).map(|stake| stake.total())
    }

    pub(super) fn read_parts(&self, answers: &Answers<'_>) -> Result<HotkeyStake> {
        Ok(HotkeyStake {
            alpha: Rao(answers.value(&self.alpha)?),
            tao: Rao(answers.value(&self.root)?),
            tao_weight: answers.value(&self.tao_weight)?,
        })
    }
}
