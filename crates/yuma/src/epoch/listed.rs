use adit_primitives::Uid;

use crate::{
    EpochInput, EpochParameters, EpochTrace,
    bonds::{self, Bonds},
    decided::Decided,
    fixed::Fixed,
    median::Voters,
    number::Number,
    sparse::{self, Rows},
    standing::Standing,
    vector::normalize,
};

/// An epoch over lists of cells.
pub(super) struct Listed {
    pub(super) decided: Decided<Fixed>,
    weights: Rows,
    clipped: Rows,
    bond_weights: Rows,
    bonds: Rows,
}

impl Listed {
    pub(super) fn of(
        input: &EpochInput,
        parameters: &EpochParameters,
        standing: &Standing<Fixed>,
        owner: Option<usize>,
    ) -> Self {
        let neurons = input.neurons.len();
        let stake = &standing.active_stake;
        let weights = counted_weights(input, &standing.permits, owner);
        let voters = Voters::of(stake, Fixed::proportion(parameters.kappa));
        let consensus = sparse::consensus(&weights, &voters, neurons);
        let clipped = sparse::clip(&weights, &consensus);
        let trust = sparse::row_sums(&clipped);
        let ranks = sparse::weighted_column_sums(&clipped, stake, neurons);
        let mut incentive = ranks.clone();
        normalize(&mut incentive);

        let penalty = Fixed::proportion(parameters.bonds_penalty);
        let bond_weights = sparse::interpolate(&weights, &clipped, neurons, penalty);
        let Bonds { stored, dividends } = if parameters.yuma3 {
            let old = old_bonds(input, Fixed::proportion);
            bonds::yuma3(
                &bond_weights,
                &old,
                &consensus,
                &incentive,
                stake,
                parameters,
            )
        } else {
            let old = old_bonds(input, |bond| Fixed::integer(i32::from(bond)));
            bonds::legacy(&bond_weights, old, &incentive, stake, parameters)
        };
        Self {
            decided: Decided {
                consensus,
                trust,
                ranks,
                incentive,
                dividends,
            },
            weights,
            clipped,
            bond_weights,
            bonds: stored,
        }
    }

    /// The bonds of those with a permit, as the chain stores them.
    pub(super) fn stored_bonds(&self, permits: &[bool]) -> Vec<Vec<(Uid, u16)>> {
        self.bonds
            .iter()
            .zip(permits)
            .map(|(cells, permit)| match permit {
                true => cells
                    .iter()
                    .map(|&(column, bond)| (Uid(column as u16), bond.to_proportion()))
                    .collect(),
                false => Vec::new(),
            })
            .collect()
    }

    pub(super) fn trace(&self, standing: &Standing<Fixed>) -> EpochTrace {
        EpochTrace {
            weights: cell_bits(&self.weights),
            clipped_weights: cell_bits(&self.clipped),
            bond_weights: cell_bits(&self.bond_weights),
            bonds: cell_bits(&self.bonds),
            ..self.decided.trace(standing)
        }
    }
}

/// The weights that count, each row normalised: of validators with a permit, not of oneself
/// (unless one owns the subnet), not set or committed before the target registered.
fn counted_weights(input: &EpochInput, permits: &[bool], owner: Option<usize>) -> Rows {
    let neurons = &input.neurons;
    let mut weights = sparse::read(neurons.iter().map(|neuron| &neuron.weights), |weight| {
        Fixed::integer(i32::from(weight))
    });
    sparse::retain(&mut weights, |row, column| {
        let (from, to) = (&neurons[row], &neurons[column]);
        permits[row]
            && (row != column || owner == Some(row))
            && from.last_update > to.registered_at
            && from
                .earliest_commit
                .is_none_or(|commit| commit >= to.registered_at)
    });
    sparse::normalize_rows(&mut weights);
    weights
}

/// The bonds of the last epoch, without those in neurons that registered since.
fn old_bonds(input: &EpochInput, value: impl Fn(u16) -> Fixed) -> Rows {
    let neurons = &input.neurons;
    let mut bonds = sparse::read(neurons.iter().map(|neuron| &neuron.bonds), value);
    sparse::retain(&mut bonds, |_, column| {
        input.last_epoch > neurons[column].registered_at
    });
    bonds
}

fn cell_bits(rows: &Rows) -> Vec<Vec<(Uid, i64)>> {
    rows.iter()
        .map(|cells| {
            cells
                .iter()
                .map(|&(column, value)| (Uid(column as u16), value.bits()))
                .collect()
        })
        .collect()
}
