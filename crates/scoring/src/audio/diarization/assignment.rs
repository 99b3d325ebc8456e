//! The assignment problem.

/// For each of `rows` the column it is paired with, so that the sum of the paired cells is largest
/// (cells not negative, row after row); a pair whose cell is 0 is none.
///
/// The Hungarian method with potentials, by shortest augmenting paths (Jonker and Volgenant, 1987):
/// O(n²·m) for `n` the smaller side.
pub(super) fn best_pairs(cells: &[f64], rows: usize, columns: usize) -> Vec<Option<usize>> {
    let cell = |row: usize, column: usize| cells.get(row * columns + column).copied();
    let cell = |row, column| cell(row, column).unwrap_or(0.0);
    let mut pairs = vec![None; rows];
    if rows <= columns {
        for (row, column) in assign(rows, columns, |row, column| -cell(row, column)) {
            if let (Some(pair), true) = (pairs.get_mut(row), cell(row, column) > 0.0) {
                *pair = Some(column);
            }
        }
    } else {
        for (column, row) in assign(columns, rows, |column, row| -cell(row, column)) {
            if let (Some(pair), true) = (pairs.get_mut(row), cell(row, column) > 0.0) {
                *pair = Some(column);
            }
        }
    }
    pairs
}

/// The cheapest assignment of every row to a column of its own, for `rows ≤ columns`. Places are
/// numbered from 1; row 0 and column 0 mean none. Every index is at most its side's length.
fn assign(rows: usize, columns: usize, cost: impl Fn(usize, usize) -> f64) -> Vec<(usize, usize)> {
    let mut row_potential = vec![0.0; rows + 1];
    let mut column_potential = vec![0.0; columns + 1];
    let mut row_of = vec![0_usize; columns + 1];
    let mut way = vec![0_usize; columns + 1];
    for row in 1..=rows {
        row_of[0] = row;
        let mut last = 0_usize;
        let mut distance = vec![f64::INFINITY; columns + 1];
        let mut done = vec![false; columns + 1];
        loop {
            done[last] = true;
            let from = row_of[last];
            let (mut step, mut next) = (f64::INFINITY, 0_usize);
            for column in 1..=columns {
                if done[column] {
                    continue;
                }
                let reduced =
                    cost(from - 1, column - 1) - row_potential[from] - column_potential[column];
                if reduced < distance[column] {
                    distance[column] = reduced;
                    way[column] = last;
                }
                if distance[column] < step {
                    step = distance[column];
                    next = column;
                }
            }
            for column in 0..=columns {
                if done[column] {
                    row_potential[row_of[column]] += step;
                    column_potential[column] -= step;
                } else {
                    distance[column] -= step;
                }
            }
            last = next;
            // A free column ends the path; none is found only if a cost is not finite.
            if last == 0 || row_of[last] == 0 {
                break;
            }
        }
        while last != 0 {
            row_of[last] = row_of[way[last]];
            last = way[last];
        }
    }
    let columns = row_of.iter().enumerate().skip(1);
    columns
        .filter(|(_, row)| **row > 0)
        .map(|(column, row)| (row - 1, column - 1))
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn value(cells: &[f64], columns: usize, pairs: &[Option<usize>]) -> f64 {
        let pairs = pairs.iter().enumerate();
        pairs
            .filter_map(|(row, column)| column.map(|column| cells[row * columns + column]))
            .sum()
    }

    /// The best of all assignments, tried one by one.
    fn tried(cells: &[f64], rows: usize, columns: usize, used: &mut Vec<bool>, row: usize) -> f64 {
        if row == rows {
            return 0.0;
        }
        let mut best = tried(cells, rows, columns, used, row + 1);
        for column in 0..columns {
            if !used[column] {
                used[column] = true;
                let rest = tried(cells, rows, columns, used, row + 1);
                best = f64::max(best, cells[row * columns + column] + rest);
                used[column] = false;
            }
        }
        best
    }

    proptest! {
        #[test]
        fn no_assignment_is_better(
            (rows, columns, cells) in (0_usize..5, 0_usize..5).prop_flat_map(|(rows, columns)| {
                let cell = prop_oneof![2 => 0.0_f64..10.0, 1 => Just(0.0), 1 => Just(1.0)];
                (Just(rows), Just(columns), prop::collection::vec(cell, rows * columns))
            }),
        ) {
            let pairs = best_pairs(&cells, rows, columns);
            let mut columns_used: Vec<usize> = pairs.iter().flatten().copied().collect();
            columns_used.sort_unstable();
            prop_assert!(columns_used.windows(2).all(|two| two[0] < two[1]));
            let best = tried(&cells, rows, columns, &mut vec![false; columns], 0);
            prop_assert!((value(&cells, columns, &pairs) - best).abs() < 1e-9);
        }
    }
}
