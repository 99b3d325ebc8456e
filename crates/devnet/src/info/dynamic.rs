//! A subnet's pool and emission.

use codec::{Compact, Decode, Encode};
use scale_info::TypeInfo;

use super::Metagraph;
use crate::{
    runtime::AccountId,
    subtensor::{I96F32, SubnetIdentityV3},
};

/// A subnet's pool and emission.
#[derive(Clone, Debug, Decode, Encode, PartialEq, TypeInfo)]
pub struct DynamicInfo {
    pub netuid: Compact<u16>,
    pub owner_hotkey: AccountId,
    pub owner_coldkey: AccountId,
    pub subnet_name: Vec<Compact<u8>>,
    pub token_symbol: Vec<Compact<u8>>,
    pub tempo: Compact<u16>,
    pub last_step: Compact<u64>,
    pub blocks_since_last_step: Compact<u64>,
    pub emission: Compact<u64>,
    pub alpha_in: Compact<u64>,
    pub alpha_out: Compact<u64>,
    pub tao_in: Compact<u64>,
    pub alpha_out_emission: Compact<u64>,
    pub alpha_in_emission: Compact<u64>,
    pub tao_in_emission: Compact<u64>,
    pub pending_alpha_emission: Compact<u64>,
    pub pending_root_emission: Compact<u64>,
    pub subnet_volume: Compact<u128>,
    pub network_registered_at: Compact<u64>,
    pub subnet_identity: Option<SubnetIdentityV3>,
    pub moving_price: I96F32,
}

impl DynamicInfo {
    pub(crate) fn of(netuid: u16) -> Option<Self> {
        let graph = Metagraph::of(netuid, 0)?;
        Some(Self {
            netuid: graph.netuid,
            owner_hotkey: graph.owner_hotkey,
            owner_coldkey: graph.owner_coldkey,
            subnet_name: graph.name,
            token_symbol: graph.symbol,
            tempo: graph.tempo,
            last_step: graph.last_step,
            blocks_since_last_step: graph.blocks_since_last_step,
            emission: graph.subnet_emission,
            alpha_in: graph.alpha_in,
            alpha_out: graph.alpha_out,
            tao_in: graph.tao_in,
            alpha_out_emission: graph.alpha_out_emission,
            alpha_in_emission: graph.alpha_in_emission,
            tao_in_emission: graph.tao_in_emission,
            pending_alpha_emission: graph.pending_alpha_emission,
            pending_root_emission: graph.pending_root_emission,
            subnet_volume: graph.subnet_volume,
            network_registered_at: graph.network_registered_at,
            subnet_identity: graph.identity,
            moving_price: graph.moving_price,
        })
    }
}
