//! Neurons one by one.

use codec::{Compact, Decode, Encode};
use scale_info::TypeInfo;

use super::{Columns, CompactPair};
use crate::{
    runtime::{AccountId, Runtime},
    subtensor::{self, StoredAxon, StoredPrometheus, element},
};

/// A neuron without weights and bonds.
#[derive(Clone, Debug, Decode, Encode, PartialEq, TypeInfo)]
pub struct NeuronInfoLite {
    pub hotkey: AccountId,
    pub coldkey: AccountId,
    pub uid: Compact<u16>,
    pub netuid: Compact<u16>,
    pub active: bool,
    pub axon_info: StoredAxon,
    pub prometheus_info: StoredPrometheus,
    pub stake: Vec<(AccountId, Compact<u64>)>,
    pub rank: Compact<u16>,
    pub emission: Compact<u64>,
    pub incentive: Compact<u16>,
    pub consensus: Compact<u16>,
    pub trust: Compact<u16>,
    pub validator_trust: Compact<u16>,
    pub dividends: Compact<u16>,
    pub last_update: Compact<u64>,
    pub validator_permit: bool,
    pub pruning_score: Compact<u16>,
}

/// A neuron.
#[derive(Clone, Debug, Decode, Encode, PartialEq, TypeInfo)]
pub struct NeuronInfo {
    pub hotkey: AccountId,
    pub coldkey: AccountId,
    pub uid: Compact<u16>,
    pub netuid: Compact<u16>,
    pub active: bool,
    pub axon_info: StoredAxon,
    pub prometheus_info: StoredPrometheus,
    pub stake: Vec<(AccountId, Compact<u64>)>,
    pub rank: Compact<u16>,
    pub emission: Compact<u64>,
    pub incentive: Compact<u16>,
    pub consensus: Compact<u16>,
    pub trust: Compact<u16>,
    pub validator_trust: Compact<u16>,
    pub dividends: Compact<u16>,
    pub last_update: Compact<u64>,
    pub validator_permit: bool,
    pub weights: Vec<CompactPair>,
    pub bonds: Vec<CompactPair>,
    pub pruning_score: Compact<u16>,
}

impl NeuronInfoLite {
    /// Every neuron of a subnet, in uid order.
    pub(crate) fn every(netuid: u16) -> Vec<Self> {
        let columns = Columns::of(netuid, 0);
        let keys = columns.hotkeys.iter().zip(&columns.coldkeys);
        (0_u16..)
            .zip(keys)
            .map(|(uid, (hotkey, coldkey))| {
                let stake = subtensor::TotalHotkeyAlpha::<Runtime>::get(hotkey, netuid);
                Self {
                    hotkey: hotkey.clone(),
                    coldkey: coldkey.clone(),
                    uid: Compact(uid),
                    netuid: Compact(netuid),
                    active: element(&columns.active, uid),
                    axon_info: subtensor::Axons::<Runtime>::get(netuid, hotkey).unwrap_or_default(),
                    prometheus_info: subtensor::Prometheus::<Runtime>::get(netuid, hotkey)
                        .unwrap_or_default(),
                    stake: vec![(coldkey.clone(), Compact(stake))],
                    rank: Compact(0),
                    emission: Compact(element(&columns.emission, uid)),
                    incentive: Compact(element(&columns.incentive, uid)),
                    consensus: Compact(element(&columns.consensus, uid)),
                    trust: Compact(0),
                    validator_trust: Compact(element(&columns.validator_trust, uid)),
                    dividends: Compact(element(&columns.dividends, uid)),
                    last_update: Compact(element(&columns.last_update, uid)),
                    validator_permit: element(&columns.validator_permit, uid),
                    pruning_score: Compact(0),
                }
            })
            .collect()
    }
}

impl NeuronInfo {
    /// Every neuron of a subnet with weights and bonds, in uid order.
    pub(crate) fn every(netuid: u16) -> Vec<Self> {
        let lite = NeuronInfoLite::every(netuid).into_iter();
        lite.map(Self::from).collect()
    }
}

impl From<NeuronInfoLite> for NeuronInfo {
    fn from(lite: NeuronInfoLite) -> Self {
        let (netuid, uid) = (lite.netuid.0, lite.uid.0);
        Self {
            hotkey: lite.hotkey,
            coldkey: lite.coldkey,
            uid: lite.uid,
            netuid: lite.netuid,
            active: lite.active,
            axon_info: lite.axon_info,
            prometheus_info: lite.prometheus_info,
            stake: lite.stake,
            rank: lite.rank,
            emission: lite.emission,
            incentive: lite.incentive,
            consensus: lite.consensus,
            trust: lite.trust,
            validator_trust: lite.validator_trust,
            dividends: lite.dividends,
            last_update: lite.last_update,
            validator_permit: lite.validator_permit,
            weights: pairs(subtensor::Weights::<Runtime>::get(netuid, uid)),
            bonds: pairs(subtensor::Bonds::<Runtime>::get(netuid, uid)),
            pruning_score: lite.pruning_score,
        }
    }
}

fn pairs(row: Vec<(u16, u16)>) -> Vec<CompactPair> {
    row.into_iter()
        .map(|(uid, value)| (Compact(uid), Compact(value)))
        .collect()
}
