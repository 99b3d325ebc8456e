use adit_primitives::{Rao, Uid};

use crate::{
    EpochOutput, EpochTrace,
    emission::{Emission, paid},
    fixed::Fixed,
    number::Number,
    standing::Standing,
};

/// The vectors of an epoch, one value for each neuron.
pub(crate) struct Decided<N> {
    pub(crate) consensus: Vec<N>,
    pub(crate) trust: Vec<N>,
    pub(crate) ranks: Vec<N>,
    pub(crate) incentive: Vec<N>,
    pub(crate) dividends: Vec<N>,
}

impl<N: Number> Decided<N> {
    pub(crate) fn output(
        &self,
        standing: Standing<N>,
        emission: Rao,
        bonds: Vec<Vec<(Uid, u16)>>,
    ) -> EpochOutput {
        let shares = Emission::of(&self.incentive, &self.dividends, &standing);
        EpochOutput {
            stake_weight: proportions(&standing.stake),
            consensus: proportions(&self.consensus),
            incentive: proportions(&self.incentive),
            dividends: proportions(&self.dividends),
            validator_trust: proportions(&self.trust),
            server_emission: paid(&shares.server, emission),
            validator_emission: paid(&shares.validator, emission),
            emission: paid(&shares.combined, emission),
            bonds,
            active: standing.active,
            validator_permit: standing.new_permits,
        }
    }
}

impl Decided<Fixed> {
    /// The vectors' bits; the matrices are still empty.
    pub(crate) fn trace(&self, standing: &Standing<Fixed>) -> EpochTrace {
        EpochTrace {
            stake: bits(&standing.stake),
            active_stake: bits(&standing.active_stake),
            consensus: bits(&self.consensus),
            validator_trust: bits(&self.trust),
            ranks: bits(&self.ranks),
            incentive: bits(&self.incentive),
            dividends: bits(&self.dividends),
            ..EpochTrace::default()
        }
    }
}

fn proportions<N: Number>(values: &[N]) -> Vec<u16> {
    values.iter().map(|value| value.to_proportion()).collect()
}

fn bits(values: &[Fixed]) -> Vec<i64> {
    values.iter().map(|value| value.bits()).collect()
}
