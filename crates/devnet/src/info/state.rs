//! The neurons of a subnet, column by column.

use codec::{Compact, Decode, Encode};
use scale_info::TypeInfo;

use super::{Columns, compact, exists};
use crate::runtime::AccountId;

/// The neurons of a subnet, column by column.
#[derive(Clone, Debug, Decode, Encode, PartialEq, TypeInfo)]
pub struct SubnetState {
    pub netuid: Compact<u16>,
    pub hotkeys: Vec<AccountId>,
    pub coldkeys: Vec<AccountId>,
    pub active: Vec<bool>,
    pub validator_permit: Vec<bool>,
    pub pruning_score: Vec<Compact<u16>>,
    pub last_update: Vec<Compact<u64>>,
    pub emission: Vec<Compact<u64>>,
    pub dividends: Vec<Compact<u16>>,
    pub incentives: Vec<Compact<u16>>,
    pub consensus: Vec<Compact<u16>>,
    pub trust: Vec<Compact<u16>>,
    pub rank: Vec<Compact<u16>>,
    pub block_at_registration: Vec<Compact<u64>>,
    pub alpha_stake: Vec<Compact<u64>>,
    pub tao_stake: Vec<Compact<u64>>,
    pub total_stake: Vec<Compact<u64>>,
    pub emission_history: Vec<Vec<Compact<u64>>>,
}

impl SubnetState {
    pub(crate) fn of(netuid: u16) -> Option<Self> {
        if !exists(netuid) {
            return None;
        }
        let columns = Columns::of(netuid, 0);
        Some(Self {
            netuid: Compact(netuid),
            pruning_score: columns.zeros(),
            trust: columns.zeros(),
            rank: columns.zeros(),
            alpha_stake: columns.alpha_stake(netuid),
            tao_stake: columns.tao_stake(netuid),
            total_stake: columns.total_stake(netuid),
            hotkeys: columns.hotkeys,
            coldkeys: columns.coldkeys,
            active: columns.active,
            validator_permit: columns.validator_permit,
            last_update: compact(columns.last_update),
            emission: compact(columns.emission),
            dividends: compact(columns.dividends),
            incentives: compact(columns.incentive),
            consensus: compact(columns.consensus),
            block_at_registration: compact(columns.registered_at),
            emission_history: Vec::new(),
        })
    }
}
