use adit_primitives::Uid;

use crate::fixed::Fixed;

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
            for (_, value) in cells {
                *value = value.over(sum);
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
    for (column, value) in rows.iter_mut().flatten() {
        if divisors[*column] != Fixed::ZERO {
            *value = value.over(divisors[*column]);
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

/// `from + ratio · (to − from)` for every cell, in column order, positive values only; the
/// matrix itself at either end.
pub(crate) fn interpolate(from: &Rows, to: &Rows, columns: usize, ratio: Fixed) -> Rows {
    if ratio == Fixed::ZERO {
        return from.clone();
    }
    if ratio == Fixed::ONE {
        return to.clone();
    }
    from.iter()
        .zip(to)
        .map(|(from, to)| {
            let (from, to) = (dense(from, columns), dense(to, columns));
            positive_cells(
                from.iter()
                    .zip(&to)
                    .map(|(from, to)| from.plus(ratio.times(to.minus(*from)))),
            )
        })
        .collect()
}

/// `(1 − alpha) · old + alpha · new` for every cell, in column order, positive values only.
pub(crate) fn moving_average(new: &Rows, old: &Rows, columns: usize, alpha: Fixed) -> Rows {
    let keep = Fixed::ONE.minus(alpha);
    new.iter()
        .zip(old)
        .map(|(new, old)| {
            let (new, old) = (dense(new, columns), dense(old, columns));
            positive_cells(
                new.iter()
                    .zip(&old)
                    .map(|(new, old)| alpha.times(*new).plus(keep.times(*old))),
            )
        })
        .collect()
}

fn dense(cells: &[(usize, Fixed)], columns: usize) -> Vec<Fixed> {
    let mut row = vec![Fixed::ZERO; columns];
    for &(column, value) in cells {
        row[column] = value;
    }
    row
}

fn positive_cells(values: impl Iterator<Item = Fixed>) -> Vec<(usize, Fixed)> {
    values
        .enumerate()
        .filter(|(_, value)| value.is_positive())
        .collect()
}
