use crate::{
    EpochParameters, LiquidAlpha,
    exponential::exp,
    fixed::Fixed,
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
        Some(liquid) => liquid_average(bond_weights, old, consensus, &liquid),
        None => sparse::moving_average(bond_weights, old, columns, plain_alpha(parameters)),
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
    let mut stored = sparse::moving_average(&bought, &old, columns, plain_alpha(parameters));
    sparse::normalize_columns(&mut stored, columns);
    let mut dividends = sparse::weighted_row_sums(&stored, incentive);
    normalize(&mut dividends);
    sparse::upscale_columns(&mut stored, columns);
    Bonds { stored, dividends }
}

/// `1 − moving average / 10^6`.
fn plain_alpha(parameters: &EpochParameters) -> Fixed {
    Fixed::ONE.minus(Fixed::ratio(parameters.bonds_moving_average, 1_000_000))
}

/// `min(1, (1 − α) · old + α · weight)` for the cells that have a weight, with an α of its own
/// for each; bonds without a weight vanish, and so do bonds that come to nothing.
fn liquid_average(weights: &Rows, old: &Rows, consensus: &[Fixed], liquid: &LiquidAlpha) -> Rows {
    weights
        .iter()
        .zip(old)
        .map(|(weights, old)| {
            let seen_weights = seen_in_order(weights, consensus.len());
            let seen_bonds = seen_in_order(old, consensus.len());
            let mut bonds = vec![Fixed::ZERO; consensus.len()];
            for &(column, bond) in old {
                bonds[column] = bond;
            }
            weights
                .iter()
                .map(|&(column, weight)| {
                    let alpha = liquid_alpha(
                        consensus[column],
                        seen_weights[column],
                        seen_bonds[column],
                        liquid,
                    );
                    let kept = Fixed::ONE.minus(alpha).times(bonds[column]);
                    let bought = alpha.times(weight).max(Fixed::ZERO);
                    (column, kept.plus(bought).min(Fixed::ONE))
                })
                .filter(|(_, bond)| bond.is_positive())
                .collect()
        })
        .collect()
}

/// A row as the chain's search for α sees it: a cursor that moves forward only, so in a row that
/// was not submitted in uid order a smaller uid after a larger one reads as zero.
fn seen_in_order(cells: &[(usize, Fixed)], columns: usize) -> Vec<Fixed> {
    let mut row = vec![Fixed::ZERO; columns];
    let mut next = 0;
    for &(column, value) in cells {
        if column >= next {
            row[column] = value;
            next = column + 1;
        }
    }
    row
}

/// How fast one bond follows its weight: a sigmoid between `low` and `high` of how far the weight
/// is above the consensus (when buying) or below the bond (when selling).
pub(crate) fn liquid_alpha(
    consensus: Fixed,
    weight: Fixed,
    bond: Fixed,
    liquid: &LiquidAlpha,
) -> Fixed {
    let difference = if weight >= bond {
        weight.minus(consensus)
    } else {
        bond.minus(weight)
    };
    let difference = difference.clamp(Fixed::ZERO, Fixed::ONE);
    let steepness = Fixed::integer(i32::from(liquid.steepness)).over(Fixed::integer(-100));
    let exponent = steepness.times(difference.minus(Fixed::HALF));
    let sigmoid = Fixed::ONE.over(Fixed::ONE.plus(exp(exponent)));
    let low = Fixed::proportion(liquid.low);
    let high = Fixed::proportion(liquid.high);
    let alpha = low.plus(sigmoid.times(high.minus(low)));
    // Not `clamp`, which panics when the bounds are the wrong way round.
    alpha.min(high).max(low)
}
