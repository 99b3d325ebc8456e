use adit_primitives::{Rao, Uid};

/// What an epoch decides. Every vector is in uid order and as long as the input's neurons; a
/// `u16` is a proportion of 65,535, cut.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EpochOutput {
    /// Whether the neuron set weights within the activity cutoff.
    pub active: Vec<bool>,
    /// Its share of all stake.
    pub stake_weight: Vec<u16>,
    /// Whether it holds a validator permit from now on.
    pub validator_permit: Vec<bool>,
    /// The highest weight that enough stake agrees on.
    pub consensus: Vec<u16>,
    /// Its share of the incentive.
    pub incentive: Vec<u16>,
    /// Its share of the dividends.
    pub dividends: Vec<u16>,
    /// How much of its weights survived clipping to the consensus.
    pub validator_trust: Vec<u16>,
    /// What it earns as a miner, in rao of the subnet's alpha.
    pub server_emission: Vec<Rao>,
    /// What it earns as a validator, in rao of the subnet's alpha.
    pub validator_emission: Vec<Rao>,
    /// What it earns, in rao of the subnet's alpha.
    pub emission: Vec<Rao>,
    /// Its bonds from now on; empty without a permit.
    pub bonds: Vec<Vec<(Uid, u16)>>,
}

/// The intermediate numbers of an epoch, as I32F32 bits (value · 2^32), for audits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EpochTrace {
    /// Normalised stake.
    pub stake: Vec<i64>,
    /// Normalised stake of active neurons that hold a permit.
    pub active_stake: Vec<i64>,
    /// Weights that count, each row normalised.
    pub weights: Vec<Vec<(Uid, i64)>>,
    /// The consensus weight of each neuron.
    pub consensus: Vec<i64>,
    /// Weights clipped to the consensus.
    pub clipped_weights: Vec<Vec<(Uid, i64)>>,
    /// The sum of each clipped row.
    pub validator_trust: Vec<i64>,
    /// Stake-weighted sum of each clipped column.
    pub ranks: Vec<i64>,
    /// Normalised ranks.
    pub incentive: Vec<i64>,
    /// Weights that buy bonds.
    pub bond_weights: Vec<Vec<(Uid, i64)>>,
    /// Bonds as they are stored: under the legacy rule upscaled to a column maximum of 1.
    pub bonds: Vec<Vec<(Uid, i64)>>,
    /// Normalised dividends.
    pub dividends: Vec<i64>,
}
