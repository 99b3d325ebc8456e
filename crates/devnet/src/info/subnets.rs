//! A subnet's record.

use codec::{Compact, Decode, Encode};
use scale_info::TypeInfo;

use super::{exists, identity};
use crate::{
    runtime::{AccountId, Runtime},
    subtensor::{self as pallet, SubnetIdentityV3},
};

/// A subnet's record.
#[derive(Clone, Debug, Decode, Encode, PartialEq, TypeInfo)]
pub struct SubnetInfo {
    pub netuid: Compact<u16>,
    pub rho: Compact<u16>,
    pub kappa: Compact<u16>,
    pub difficulty: Compact<u64>,
    pub immunity_period: Compact<u16>,
    pub max_allowed_validators: Compact<u16>,
    pub min_allowed_weights: Compact<u16>,
    pub max_weights_limit: Compact<u16>,
    pub scaling_law_power: Compact<u16>,
    pub subnetwork_n: Compact<u16>,
    pub max_allowed_uids: Compact<u16>,
    pub blocks_since_last_step: Compact<u64>,
    pub tempo: Compact<u16>,
    pub network_modality: Compact<u16>,
    pub network_connect: Vec<[u16; 2]>,
    pub emission_values: Compact<u64>,
    pub burn: Compact<u64>,
    pub owner: AccountId,
}

/// A subnet's record with its identity.
#[derive(Clone, Debug, Decode, Encode, PartialEq, TypeInfo)]
pub struct SubnetInfoV2 {
    pub netuid: Compact<u16>,
    pub rho: Compact<u16>,
    pub kappa: Compact<u16>,
    pub difficulty: Compact<u64>,
    pub immunity_period: Compact<u16>,
    pub max_allowed_validators: Compact<u16>,
    pub min_allowed_weights: Compact<u16>,
    pub max_weights_limit: Compact<u16>,
    pub scaling_law_power: Compact<u16>,
    pub subnetwork_n: Compact<u16>,
    pub max_allowed_uids: Compact<u16>,
    pub blocks_since_last_step: Compact<u64>,
    pub tempo: Compact<u16>,
    pub network_modality: Compact<u16>,
    pub network_connect: Vec<[u16; 2]>,
    pub emission_value: Compact<u64>,
    pub burn: Compact<u64>,
    pub owner: AccountId,
    pub identity: Option<SubnetIdentityV3>,
}

impl SubnetInfo {
    pub(crate) fn of(netuid: u16) -> Option<Self> {
        exists(netuid).then(|| Self {
            netuid: Compact(netuid),
            rho: Compact(pallet::Rho::<Runtime>::get(netuid)),
            kappa: Compact(pallet::Kappa::<Runtime>::get(netuid)),
            difficulty: Compact(pallet::Difficulty::<Runtime>::get(netuid)),
            immunity_period: Compact(pallet::ImmunityPeriod::<Runtime>::get(netuid)),
            max_allowed_validators: Compact(pallet::MaxAllowedValidators::<Runtime>::get(netuid)),
            min_allowed_weights: Compact(pallet::MinAllowedWeights::<Runtime>::get(netuid)),
            max_weights_limit: Compact(pallet::MaxWeightsLimit::<Runtime>::get(netuid)),
            scaling_law_power: Compact(pallet::ScalingLawPower::<Runtime>::get(netuid)),
            subnetwork_n: Compact(pallet::SubnetworkN::<Runtime>::get(netuid)),
            max_allowed_uids: Compact(pallet::MaxAllowedUids::<Runtime>::get(netuid)),
            blocks_since_last_step: Compact(pallet::BlocksSinceLastStep::<Runtime>::get(netuid)),
            tempo: Compact(pallet::Tempo::<Runtime>::get(netuid)),
            network_modality: Compact(0),
            network_connect: Vec::new(),
            emission_values: Compact(0),
            burn: Compact(pallet::Burn::<Runtime>::get(netuid)),
            owner: pallet::SubnetOwner::<Runtime>::get(netuid),
        })
    }
}

impl SubnetInfoV2 {
    pub(crate) fn of(netuid: u16) -> Option<Self> {
        let info = SubnetInfo::of(netuid)?;
        Some(Self {
            netuid: info.netuid,
            rho: info.rho,
            kappa: info.kappa,
            difficulty: info.difficulty,
            immunity_period: info.immunity_period,
            max_allowed_validators: info.max_allowed_validators,
            min_allowed_weights: info.min_allowed_weights,
            max_weights_limit: info.max_weights_limit,
            scaling_law_power: info.scaling_law_power,
            subnetwork_n: info.subnetwork_n,
            max_allowed_uids: info.max_allowed_uids,
            blocks_since_last_step: info.blocks_since_last_step,
            tempo: info.tempo,
            network_modality: info.network_modality,
            network_connect: info.network_connect,
            emission_value: info.emission_values,
            burn: info.burn,
            owner: info.owner,
            identity: identity(netuid),
        })
    }
}
