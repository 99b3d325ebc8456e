use crate::{
    EpochParameters,
    fixed::Fixed,
    liquid::{Sigmoid, plain_alpha},
    number::Number,
    sparse::{self, Rows},
    vector::normalize,
};

/// What the bonds of an epoch come to.
pub(crate) struct Bonds {
    /// As they are stored.
    pub(crate) stored: Rows,
    /// What they pay, normalised.
    pub(crate) dividends: Vec<Fixed>,
}

/// Yuma 3: bonds are proportions that move towards the weights, each row on its own; a dividend
/// is a share of the miners' bonds times the validator's stake.
///
/// `old` are the stored bonds as proportions of 65,535.
pub(crate) fn yuma3(
    bond_weights: &Rows,
    old: &Rows,
    consensus: &[Fixed],
    incentive: &[Fixed],
    active_stake: &[Fixed],
    parameters: &EpochParameters,
) -> Bonds {
    let columns = consensus.len();
    let liquid = parameters
        .liquid_alpha
        .filter(|_| consensus.iter().any(|value| *value != Fixed::ZERO));
    let stored = match liquid {
        Some(liquid) => liquid_average(bond_weights, old, consensus, &Sigmoid::new(&liquid)),
        None => sparse::moving_average(
            bond_weights,
            old,
            columns,
            plain_alpha(parameters.bonds_moving_average),
        ),
    };
    let mut shares = stored.clone();
    sparse::normalize_columns(&mut shares, columns);
    let mut dividends: Vec<Fixed> = sparse::weighted_row_sums(&shares, incentive)
        .into_iter()
        .zip(active_stake)
        .map(|(bonds, stake)| bonds.times(*stake))
        .collect();
    normalize(&mut dividends);
    Bonds { stored, dividends }
}

/// Yuma 2: bonds are shares of a miner, bought with stake times weight.
///
/// `old` are the stored bonds as whole numbers; they come back scaled to a column maximum of 1.
pub(crate) fn legacy(
    bond_weights: &Rows,
    mut old: Rows,
    incentive: &[Fixed],
    active_stake: &[Fixed],
    parameters: &EpochParameters,
) -> Bonds {
    let columns = incentive.len();
    sparse::normalize_columns(&mut old, columns);
    let mut bought = sparse::scale_rows(bond_weights, active_stake);
    sparse::normalize_columns(&mut bought, columns);
    let mut stored = sparse::moving_average(
        &bought,
        &old,
        columns,
        plain_alpha(parameters.bonds_moving_average),
    );
    sparse::normalize_columns(&mut stored, columns);
    let mut dividends = sparse::weighted_row_sums(&stored, incentive);
    normalize(&mut dividends);
    sparse::upscale_columns(&mut stored, columns);
    Bonds { stored, dividends }
}

/// `min(1, (1 − α) · old + α · weight)` for the cells that have a weight, with an α of its own
/// for each; bonds without a weight vanish, and so do bonds that come to nothing.
fn liquid_average(
    weights: &Rows,
    old: &Rows,
    consensus: &[Fixed],
    sigmoid: &Sigmoid<Fixed>,
) -> Rows {
    let zeros = || vec![Fixed::ZERO; consensus.len()];
    let (mut seen_weights, mut seen_bonds, mut bonds) = (zeros(), zeros(), zeros());
    weights
        .iter()
        .zip(old)
        .map(|(weights, old)| {
            see_in_order(weights, &mut seen_weights);
            see_in_order(old, &mut seen_bonds);
            for &(column, bond) in old {
                bonds[column] = bond;
            }
            let row = weights
                .iter()
                .map(|&(column, weight)| {
                    let seen = (seen_weights[column], seen_bonds[column]);
                    (
                        column,
                        sigmoid.follow(consensus[column], weight, bonds[column], seen),
                    )
                })
                .filter(|(_, bond)| bond.is_positive())
                .collect();
            for &(column, _) in weights.iter().chain(old) {
                (seen_weights[column], seen_bonds[column]) = (Fixed::ZERO, Fixed::ZERO);
                bonds[column] = Fixed::ZERO;
            }
            row
        })
        .collect()
}

/// Notes a row as the chain's search for α sees it: a cursor that moves forward only, so in a row
/// that was not submitted in uid order a smaller uid after a larger one reads as zero.
fn see_in_order(cells: &[(usize, Fixed)], row: &mut [Fixed]) {
    let mut next = 0;
    for &(column, value) in cells {
        if column >= next {
            row[column] = value;
            next = column + 1;
        }
    }
}
