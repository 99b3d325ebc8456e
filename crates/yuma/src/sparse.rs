use adit_primitives::Uid;

use crate::{
    fixed::Fixed,
    median::{Median, Voters},
    number::Number,
};

/// A square matrix by rows; a row lists `(column, value)` in the order it was submitted, each
/// column at most once.
pub(crate) type Rows = Vec<Vec<(usize, Fixed)>>;

/// Reads rows of the chain, converting each value with `value`.
pub(crate) fn read<'a>(
    rows: impl Iterator<Item = &'a Vec<(Uid, u16)>>,
    value: impl Fn(u16) -> Fixed,
) -> Rows {
    rows.map(|row| {
        row.iter()
            .map(|&(column, raw)| (usize::from(column.0), value(raw)))
            .collect()
    })
    .collect()
}

/// Drops the cells for which `keep(row, column)` is false.
pub(crate) fn retain(rows: &mut Rows, keep: impl Fn(usize, usize) -> bool) {
    for (row, cells) in rows.iter_mut().enumerate() {
        cells.retain(|&(column, _)| keep(row, column));
    }
}

/// Divides each row by its sum, where that is positive.
pub(crate) fn normalize_rows(rows: &mut Rows) {
    for cells in rows {
        let sum: Fixed = cells.iter().map(|&(_, value)| value).sum();
        if sum.is_positive() {
            let sum = sum.divisor();
            for (_, value) in cells {
                *value = value.by(sum);
            }
        }
    }
}

/// Divides each column by its sum, where that is not zero.
pub(crate) fn normalize_columns(rows: &mut Rows, columns: usize) {
    let mut sums = vec![Fixed::ZERO; columns];
    for &(column, value) in rows.iter().flatten() {
        sums[column] = sums[column].plus(value);
    }
    divide_columns(rows, &sums);
}

/// Divides each column by its largest value, where that is not zero.
pub(crate) fn upscale_columns(rows: &mut Rows, columns: usize) {
    let mut largest = vec![Fixed::ZERO; columns];
    for &(column, value) in rows.iter().flatten() {
        largest[column] = largest[column].max(value);
    }
    divide_columns(rows, &largest);
}

fn divide_columns(rows: &mut Rows, divisors: &[Fixed]) {
    let divide: Vec<_> = divisors.iter().map(|divisor| divisor.divisor()).collect();
    for (column, value) in rows.iter_mut().flatten() {
        if divisors[*column] != Fixed::ZERO {
            *value = value.by(divide[*column]);
        }
    }
}

/// Lowers each cell to its column's limit; a cell above a limit of zero or less goes.
pub(crate) fn clip(rows: &Rows, limits: &[Fixed]) -> Rows {
    rows.iter()
        .map(|cells| {
            cells
                .iter()
                .filter_map(|&(column, value)| match limits[column] {
                    limit if value <= limit => Some((column, value)),
                    limit if limit.is_positive() => Some((column, limit)),
                    _ => None,
                })
                .collect()
        })
        .collect()
}

/// The sum of each row.
pub(crate) fn row_sums(rows: &Rows) -> Vec<Fixed> {
    rows.iter()
        .map(|cells| cells.iter().map(|&(_, value)| value).sum())
        .collect()
}

/// For each column, `Σ_row weight[row] · cell`, added in row order.
pub(crate) fn weighted_column_sums(rows: &Rows, weights: &[Fixed], columns: usize) -> Vec<Fixed> {
    let mut sums = vec![Fixed::ZERO; columns];
    for (cells, weight) in rows.iter().zip(weights) {
        for &(column, value) in cells {
            sums[column] = sums[column].plus(weight.times(value));
        }
    }
    sums
}

/// For each row, `Σ_column cell · weight[column]`.
pub(crate) fn weighted_row_sums(rows: &Rows, weights: &[Fixed]) -> Vec<Fixed> {
    rows.iter()
        .map(|cells| {
            cells
                .iter()
                .map(|&(column, value)| value.times(weights[column]))
                .sum()
        })
        .collect()
}

/// Multiplies each row by its factor.
pub(crate) fn scale_rows(rows: &Rows, factors: &[Fixed]) -> Rows {
    rows.iter()
        .zip(factors)
        .map(|(cells, factor)| {
            cells
                .iter()
                .map(|&(column, value)| (column, value.times(*factor)))
                .collect()
        })
        .collect()
}

/// The consensus of each column among the voters, absent cells counting as zero.
pub(crate) fn consensus(rows: &Rows, voters: &Voters<Fixed>, columns: usize) -> Vec<Fixed> {
    let mut by_column = vec![Vec::new(); columns];
    for (position, &row) in voters.rows.iter().enumerate() {
        for &(column, weight) in &rows[row] {
            by_column[column].push((position, weight));
        }
    }
    let mut scores = vec![Fixed::ZERO; voters.rows.len()];
    let mut median = Median::new();
    by_column
        .iter()
        .map(|cells| {
            scores.fill(Fixed::ZERO);
            for &(position, weight) in cells {
                scores[position] = weight;
            }
            voters.consensus(&mut median, scores.iter().copied())
        })
        .collect()
}

/// `from + ratio · (to − from)` for every cell, in column order, positive values only; the
/// matrix itself at either end.
pub(crate) fn interpolate(from: &Rows, to: &Rows, columns: usize, ratio: Fixed) -> Rows {
    if ratio == Fixed::ZERO {
        return from.clone();
    }
    if ratio == Fixed::ONE {
        return to.clone();
    }
    combine(from, to, columns, |from, to| {
        from.plus(ratio.times(to.minus(from)))
    })
}

/// `(1 − alpha) · old + alpha · new` for every cell, in column order, positive values only.
pub(crate) fn moving_average(new: &Rows, old: &Rows, columns: usize, alpha: Fixed) -> Rows {
    let keep = Fixed::ONE.minus(alpha);
    combine(new, old, columns, |new, old| {
        alpha.times(new).plus(keep.times(old))
    })
}

/// The positive values of `value(left, right)` in column order, over the cells that either has.
fn combine(
    left: &Rows,
    right: &Rows,
    columns: usize,
    value: impl Fn(Fixed, Fixed) -> Fixed,
) -> Rows {
    let mut cells = vec![(Fixed::ZERO, Fixed::ZERO); columns];
    left.iter()
        .zip(right)
        .map(|(left, right)| {
            for &(column, value) in left {
                cells[column].0 = value;
            }
            for &(column, value) in right {
                cells[column].1 = value;
            }
            let mut named: Vec<usize> = left.iter().chain(right).map(|cell| cell.0).collect();
            named.sort_unstable();
            named.dedup();
            named
                .into_iter()
                .map(|column| {
                    let (left, right) = std::mem::take(&mut cells[column]);
                    (column, value(left, right))
                })
                .filter(|(_, value)| value.is_positive())
                .collect()
        })
        .collect()
}
