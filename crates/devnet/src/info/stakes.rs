//! Stake by coldkey, and what a trade would give.

use codec::{Compact, Decode, Encode};
use scale_info::TypeInfo;

use super::Pallet;
use crate::{
    runtime::{AccountId, Runtime},
    subtensor,
};

/// A coldkey's stake on a hotkey in a subnet.
#[derive(Clone, Debug, Decode, Encode, PartialEq, TypeInfo)]
pub struct StakeInfo {
    pub hotkey: AccountId,
    pub coldkey: AccountId,
    pub netuid: Compact<u16>,
    pub stake: Compact<u64>,
    pub locked: Compact<u64>,
    pub emission: Compact<u64>,
    pub tao_emission: Compact<u64>,
    pub drain: Compact<u64>,
    pub is_registered: bool,
}

/// What a trade would give and cost.
#[derive(Clone, Debug, Decode, Encode, PartialEq, TypeInfo)]
pub struct SimSwapResult {
    pub tao_amount: u64,
    pub alpha_amount: u64,
    pub tao_fee: u64,
    pub alpha_fee: u64,
}

impl SimSwapResult {
    /// One for one, free.
    pub(crate) fn even(amount: u64) -> Self {
        Self {
            tao_amount: amount,
            alpha_amount: amount,
            tao_fee: 0,
            alpha_fee: 0,
        }
    }
}

impl StakeInfo {
    pub(crate) fn of(hotkey: &AccountId, coldkey: &AccountId, netuid: u16) -> Self {
        let uid = subtensor::Uids::<Runtime>::get(netuid, hotkey);
        let emission = uid.map_or(0, |uid| {
            subtensor::element(&subtensor::Emission::<Runtime>::get(netuid), uid)
        });
        Self {
            hotkey: hotkey.clone(),
            coldkey: coldkey.clone(),
            netuid: Compact(netuid),
            stake: Compact(Pallet::stake_of(coldkey, hotkey, netuid)),
            locked: Compact(0),
            emission: Compact(emission),
            tao_emission: Compact(0),
            drain: Compact(0),
            is_registered: uid.is_some(),
        }
    }

    /// All stake of a coldkey that is not zero.
    pub(crate) fn every(coldkey: &AccountId) -> Vec<Self> {
        let mut hotkeys = subtensor::StakingHotkeys::<Runtime>::get(coldkey);
        for owned in subtensor::OwnedHotkeys::<Runtime>::get(coldkey) {
            if !hotkeys.contains(&owned) {
                hotkeys.push(owned);
            }
        }
        let networks = Pallet::networks();
        hotkeys
            .iter()
            .flat_map(|hotkey| networks.iter().map(move |&netuid| (hotkey, netuid)))
            .map(|(hotkey, netuid)| Self::of(hotkey, coldkey, netuid))
            .filter(|stake| stake.stake.0 > 0)
            .collect()
    }
}
