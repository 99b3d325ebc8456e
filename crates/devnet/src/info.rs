//! What the live chain's runtime APIs answer about neurons, subnets and stake: the types, in its
//! field order, and how they are filled.

pub mod api;
mod dynamic;
mod hyperparameters;
mod metagraph;
mod neurons;
mod stakes;
mod state;
mod subnets;

use codec::Compact;
pub use dynamic::DynamicInfo;
pub use hyperparameters::{HyperparamEntry, SubnetHyperparams, SubnetHyperparamsV2};
pub(crate) use metagraph::Metagraph;
pub use metagraph::SelectiveMetagraph;
pub use neurons::{NeuronInfo, NeuronInfoLite};
pub use stakes::{SimSwapResult, StakeInfo};
pub use state::SubnetState;
pub use subnets::{SubnetInfo, SubnetInfoV2};

use crate::{
    runtime::{AccountId, Runtime},
    subtensor::{self, SubnetIdentityV3, element, storage_index},
};

pub(crate) type Pallet = subtensor::Pallet<Runtime>;
/// A pair as the runtime APIs encode one of a neuron's weights.
pub type CompactPair = (Compact<u16>, Compact<u16>);

/// Every neuron of a subnet, column by column; what all answers are filled from.
pub(crate) struct Columns {
    pub(crate) hotkeys: Vec<AccountId>,
    pub(crate) coldkeys: Vec<AccountId>,
    pub(crate) active: Vec<bool>,
    pub(crate) validator_permit: Vec<bool>,
    pub(crate) last_update: Vec<u64>,
    pub(crate) emission: Vec<u64>,
    pub(crate) dividends: Vec<u16>,
    pub(crate) incentive: Vec<u16>,
    pub(crate) consensus: Vec<u16>,
    pub(crate) validator_trust: Vec<u16>,
    pub(crate) registered_at: Vec<u64>,
}

impl Columns {
    pub(crate) fn of(netuid: u16, mecid: u8) -> Self {
        let index = storage_index(netuid, mecid);
        let count = subtensor::SubnetworkN::<Runtime>::get(netuid);
        let uids = 0..count;
        let hotkeys: Vec<AccountId> = uids
            .clone()
            .map(|uid| subtensor::Keys::<Runtime>::get(netuid, uid))
            .collect();
        let whole = |values: Vec<u16>| uids.clone().map(|uid| element(&values, uid)).collect();
        let long = |values: Vec<u64>| uids.clone().map(|uid| element(&values, uid)).collect();
        let flags = |values: Vec<bool>| uids.clone().map(|uid| element(&values, uid)).collect();
        Self {
            coldkeys: hotkeys
                .iter()
                .map(subtensor::Owner::<Runtime>::get)
                .collect(),
            active: flags(subtensor::Active::<Runtime>::get(netuid)),
            validator_permit: flags(subtensor::ValidatorPermit::<Runtime>::get(netuid)),
            last_update: long(subtensor::LastUpdate::<Runtime>::get(index)),
            emission: long(subtensor::Emission::<Runtime>::get(netuid)),
            dividends: whole(subtensor::Dividends::<Runtime>::get(netuid)),
            incentive: whole(subtensor::Incentive::<Runtime>::get(index)),
            consensus: whole(subtensor::Consensus::<Runtime>::get(netuid)),
            validator_trust: whole(subtensor::ValidatorTrust::<Runtime>::get(netuid)),
            registered_at: uids
                .clone()
                .map(|uid| subtensor::BlockAtRegistration::<Runtime>::get(netuid, uid))
                .collect(),
            hotkeys,
        }
    }

    /// A column of zeros: what the chain does not compute any more.
    pub(crate) fn zeros(&self) -> Vec<Compact<u16>> {
        vec![Compact(0); self.hotkeys.len()]
    }

    pub(crate) fn alpha_stake(&self, netuid: u16) -> Vec<Compact<u64>> {
        self.stakes(|hotkey| Pallet::inherited(hotkey, netuid, netuid))
    }

    pub(crate) fn tao_stake(&self, netuid: u16) -> Vec<Compact<u64>> {
        self.stakes(|hotkey| Pallet::inherited(hotkey, netuid, 0))
    }

    pub(crate) fn total_stake(&self, netuid: u16) -> Vec<Compact<u64>> {
        self.stakes(|hotkey| Pallet::total_stake(hotkey, netuid))
    }

    fn stakes(&self, of: impl Fn(&AccountId) -> u64) -> Vec<Compact<u64>> {
        self.hotkeys
            .iter()
            .map(|hotkey| Compact(of(hotkey)))
            .collect()
    }
}

/// A column of compact numbers.
pub(crate) fn compact<V>(values: Vec<V>) -> Vec<Compact<V>> {
    values.into_iter().map(Compact).collect()
}

/// Text as the runtime APIs encode names.
pub(crate) fn text(bytes: &[u8]) -> Vec<Compact<u8>> {
    bytes.iter().copied().map(Compact).collect()
}

pub(crate) fn identity(netuid: u16) -> Option<SubnetIdentityV3> {
    subtensor::SubnetIdentitiesV3::<Runtime>::get(netuid)
}

pub(crate) fn name(netuid: u16) -> Vec<Compact<u8>> {
    match (identity(netuid), netuid) {
        (Some(identity), _) => text(&identity.subnet_name),
        (None, 0) => text(b"root"),
        (None, _) => text(b"unknown"),
    }
}

/// Whether the network exists.
pub(crate) fn exists(netuid: u16) -> bool {
    subtensor::NetworksAdded::<Runtime>::get(netuid)
}

/// Every network's netuid, sorted.
pub(crate) fn networks() -> impl Iterator<Item = u16> {
    Pallet::networks().into_iter()
}

/// Every mechanism of every network.
pub(crate) fn mechanisms() -> impl Iterator<Item = (u16, u8)> {
    networks().flat_map(|netuid| {
        let count = subtensor::MechanismCountCurrent::<Runtime>::get(netuid);
        (0..count).map(move |mecid| (netuid, mecid))
    })
}
