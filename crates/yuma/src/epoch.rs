use adit_primitives::{Rao, Uid};

use crate::{
    EpochInput, EpochOutput, EpochParameters, EpochTrace, Error, Result,
    bonds::{self, Bonds},
    fixed::Fixed,
    median,
    sparse::{self, Rows},
    vector::{normalize, normalize_by, shares, top_nonzero},
};

/// Computes one epoch of one mechanism of a subnet.
///
/// Source: `epoch_mechanism` of the subtensor runtime, spec 425; every output equals it to the
/// bit.
///
/// # Errors
/// An [`Error`] when the input contradicts itself; never for what a validator submitted.
pub fn epoch(input: &EpochInput, parameters: &EpochParameters) -> Result<EpochOutput> {
    epoch_traced(input, parameters).map(|(output, _)| output)
}

/// Like [`epoch`], and with the numbers in between.
///
/// # Errors
/// As [`epoch`].
pub fn epoch_traced(
    input: &EpochInput,
    parameters: &EpochParameters,
) -> Result<(EpochOutput, EpochTrace)> {
    input.check()?;
    let neurons = input.neurons.len();
    let owner = parameters.owner.map(|owner| usize::from(owner.0));
    if let Some(owner) = parameters.owner.filter(|uid| usize::from(uid.0) >= neurons) {
        return Err(Error::UnknownOwner { owner, neurons });
    }

    let standing = Standing::of(input, parameters, owner);
    let weights = counted_weights(input, &standing.permits, owner);
    let kappa = Fixed::proportion(parameters.kappa);
    let consensus = median::consensus(&standing.active_stake, &weights, neurons, kappa);
    let clipped = sparse::clip(&weights, &consensus);
    let trust = sparse::row_sums(&clipped);
    let ranks = sparse::weighted_column_sums(&clipped, &standing.active_stake, neurons);
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
            &standing.active_stake,
            parameters,
        )
    } else {
        let old = old_bonds(input, |bond| Fixed::integer(i32::from(bond)));
        bonds::legacy(
            &bond_weights,
            old,
            &incentive,
            &standing.active_stake,
            parameters,
        )
    };
    let shares = Emission::of(&incentive, &dividends, &standing);

    let output = EpochOutput {
        stake_weight: proportions(&standing.stake),
        consensus: proportions(&consensus),
        incentive: proportions(&incentive),
        dividends: proportions(&dividends),
        validator_trust: proportions(&trust),
        server_emission: paid(&shares.server, input.emission),
        validator_emission: paid(&shares.validator, input.emission),
        emission: paid(&shares.combined, input.emission),
        bonds: permitted_bonds(&stored, &standing.new_permits),
        active: standing.active,
        validator_permit: standing.new_permits,
    };
    let trace = EpochTrace {
        stake: bits(&standing.stake),
        active_stake: bits(&standing.active_stake),
        weights: cell_bits(&weights),
        consensus: bits(&consensus),
        clipped_weights: cell_bits(&clipped),
        validator_trust: bits(&trust),
        ranks: bits(&ranks),
        incentive: bits(&incentive),
        bond_weights: cell_bits(&bond_weights),
        bonds: cell_bits(&stored),
        dividends: bits(&dividends),
    };
    Ok((output, trace))
}

/// Who may speak, and how loudly.
struct Standing {
    active: Vec<bool>,
    stake: Vec<Fixed>,
    permits: Vec<bool>,
    new_permits: Vec<bool>,
    active_stake: Vec<Fixed>,
}

impl Standing {
    fn of(input: &EpochInput, parameters: &EpochParameters, owner: Option<usize>) -> Self {
        let neurons = &input.neurons;
        let active: Vec<bool> = neurons
            .iter()
            .map(|neuron| {
                let until = neuron
                    .last_update
                    .0
                    .saturating_add(parameters.activity_cutoff);
                until >= input.current_block.0
            })
            .collect();
        let counted: Vec<u64> = neurons
            .iter()
            .enumerate()
            .map(|(uid, neuron)| {
                let enough = neuron.stake >= parameters.stake_threshold || owner == Some(uid);
                if enough { neuron.stake.0 } else { 0 }
            })
            .collect();
        let stake = shares(&counted);
        let mut permits: Vec<bool> = neurons.iter().map(|n| n.validator_permit).collect();
        let mut new_permits = top_nonzero(&stake, usize::from(parameters.max_validators));
        if let Some(owner) = owner {
            permits[owner] = true;
            new_permits[owner] = true;
        }
        let mut active_stake: Vec<Fixed> = stake
            .iter()
            .zip(active.iter().zip(&permits))
            .map(|(stake, (active, permit))| {
                if *active && *permit {
                    *stake
                } else {
                    Fixed::ZERO
                }
            })
            .collect();
        normalize(&mut active_stake);
        Self {
            active,
            stake,
            permits,
            new_permits,
            active_stake,
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

/// Shares of the emission.
struct Emission {
    server: Vec<Fixed>,
    validator: Vec<Fixed>,
    combined: Vec<Fixed>,
}

impl Emission {
    fn of(incentive: &[Fixed], dividends: &[Fixed], standing: &Standing) -> Self {
        let mut server = incentive.to_vec();
        let mut validator = dividends.to_vec();
        let mut combined: Vec<Fixed> = incentive
            .iter()
            .zip(dividends)
            .map(|(incentive, dividend)| incentive.plus(*dividend))
            .collect();
        let sum: Fixed = combined.iter().copied().sum();
        normalize_by(&mut server, sum);
        normalize_by(&mut validator, sum);
        normalize_by(&mut combined, sum);
        if sum == Fixed::ZERO {
            // Nobody set weights that count: stake alone is paid.
            let is_zero = standing.active_stake.iter().all(|s| *s == Fixed::ZERO);
            let stake = if is_zero {
                &standing.stake
            } else {
                &standing.active_stake
            };
            validator.clone_from(stake);
            combined.clone_from(stake);
        }
        Self {
            server,
            validator,
            combined,
        }
    }
}

fn paid(shares: &[Fixed], emission: Rao) -> Vec<Rao> {
    shares
        .iter()
        .map(|share| Rao(share.share_of(emission.0)))
        .collect()
}

fn proportions(values: &[Fixed]) -> Vec<u16> {
    values.iter().map(|value| value.to_proportion()).collect()
}

fn permitted_bonds(bonds: &Rows, permits: &[bool]) -> Vec<Vec<(Uid, u16)>> {
    bonds
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

fn bits(values: &[Fixed]) -> Vec<i64> {
    values.iter().map(|value| value.bits()).collect()
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
