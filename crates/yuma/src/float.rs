use adit_primitives::Uid;

use crate::{EpochInput, EpochOutput, decided::Decided, emission::Emission, standing::Standing};

/// An epoch in doubles: what it decides, and the proportions before they are cut to `u16`. Every
/// vector is in uid order; proportions lie between 0 and 1.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FloatEpoch {
    /// What the epoch decides, in the chain's units.
    pub output: EpochOutput,
    /// Share of all stake.
    pub stake: Vec<f64>,
    /// Share of the stake of active neurons that hold a permit.
    pub active_stake: Vec<f64>,
    /// The highest weight that enough stake agrees on.
    pub consensus: Vec<f64>,
    /// How much of its weights survived clipping to the consensus.
    pub validator_trust: Vec<f64>,
    /// Share of the incentive.
    pub incentive: Vec<f64>,
    /// Share of the dividends.
    pub dividends: Vec<f64>,
    /// Share of the epoch's emission, as a miner.
    pub server_share: Vec<f64>,
    /// Share of the epoch's emission, as a validator.
    pub validator_share: Vec<f64>,
}

impl FloatEpoch {
    pub(crate) fn new(
        decided: Decided<f64>,
        standing: Standing<f64>,
        input: &EpochInput,
        bonds: Vec<Vec<(Uid, u16)>>,
    ) -> Self {
        let shares = Emission::of(&decided.incentive, &decided.dividends, &standing);
        let (stake, active_stake) = (standing.stake.clone(), standing.active_stake.clone());
        Self {
            output: decided.output(standing, input.emission, bonds),
            stake,
            active_stake,
            consensus: decided.consensus,
            validator_trust: decided.trust,
            incentive: decided.incentive,
            dividends: decided.dividends,
            server_share: shares.server,
            validator_share: shares.validator,
        }
    }
}
