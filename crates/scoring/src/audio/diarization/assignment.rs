//! The assignment problem.

/// Which rows and columns to pair so that the sum of the paired cells is largest (`cells` row after
/// row, `columns` to a row). Every row is paired if there are enough columns, else every column.
///
/// Shortest augmenting paths (Jonker and Volgenant, 1987) as Crouse extended them to oblong
/// matrices (2016): O(n²·m) for `n` the smaller side. Of equally good assignments it finds the one
/// that `scipy` finds, whose order of visits it keeps.
pub(super) fn best_pairs(cells: &[f64], rows: usize, columns: usize) -> Vec<(usize, usize)> {
    let cost = |row: usize, column: usize| match cells.get(row * columns + column) {
        Some(cell) => -cell,
        None => 0.0,
    };
    if columns < rows {
        let pairs = Search::new(columns, rows, |row, column| cost(column, row)).solve();
        pairs
            .into_iter()
            .map(|(row, column)| (column, row))
            .collect()
    } else {
        Search::new(rows, columns, cost).solve()
    }
}

/// The state of a search over at least as many columns as rows. Every index below is one of a row or
/// of a column, by construction.
struct Search<C> {
    rows: usize,
    columns: usize,
    cost: C,
    row_price: Vec<f64>,
    column_price: Vec<f64>,
    column_of: Vec<Option<usize>>,
    row_of: Vec<Option<usize>>,
}

/// The shortest path from one row to a free column.
struct Path {
    /// Its last column.
    free: usize,
    length: f64,
    /// For each column the row before it.
    before: Vec<usize>,
    /// Length of the shortest path to each column.
    distance: Vec<f64>,
    seen_rows: Vec<bool>,
    seen_columns: Vec<bool>,
}

impl<C: Fn(usize, usize) -> f64> Search<C> {
    fn new(rows: usize, columns: usize, cost: C) -> Self {
        Self {
            rows,
            columns,
            cost,
            row_price: vec![0.0; rows],
            column_price: vec![0.0; columns],
            column_of: vec![None; rows],
            row_of: vec![None; columns],
        }
    }

    fn solve(mut self) -> Vec<(usize, usize)> {
        for row in 0..self.rows {
            // Without a path some cell is not finite; what is paired so far stays.
            let Some(path) = self.shortest_path(row) else {
                break;
            };
            self.reprice(row, &path);
            let mut column = path.free;
            loop {
                let from = path.before[column];
                self.row_of[column] = Some(from);
                match self.column_of[from].replace(column) {
                    Some(next) if from != row => column = next,
                    _ => break,
                }
            }
        }
        let pairs = self.column_of.iter().enumerate();
        pairs
            .filter_map(|(row, column)| column.map(|column| (row, column)))
            .collect()
    }

    fn shortest_path(&self, start: usize) -> Option<Path> {
        let mut path = Path {
            free: 0,
            length: 0.0,
            before: vec![0; self.columns],
            distance: vec![f64::INFINITY; self.columns],
            seen_rows: vec![false; self.rows],
            seen_columns: vec![false; self.columns],
        };
        let mut left: Vec<usize> = (0..self.columns).rev().collect();
        let mut row = start;
        loop {
            path.seen_rows[row] = true;
            let mut nearest: Option<(usize, f64)> = None;
            for (place, column) in left.iter().copied().enumerate() {
                let length = path.length + (self.cost)(row, column)
                    - self.row_price[row]
                    - self.column_price[column];
                if length < path.distance[column] {
                    path.before[column] = row;
                    path.distance[column] = length;
                }
                let length = path.distance[column];
                // Of columns as near as each other, a free one ends the search.
                let nearer = nearest.is_none_or(|(_, least)| {
                    length < least || (length == least && self.row_of[column].is_none())
                });
                if nearer && length < f64::INFINITY {
                    nearest = Some((place, length));
                }
            }
            let (place, length) = nearest?;
            path.length = length;
            let column = left.swap_remove(place);
            path.seen_columns[column] = true;
            match self.row_of[column] {
                Some(next) => row = next,
                None => {
                    path.free = column;
                    return Some(path);
                }
            }
        }
    }

    fn reprice(&mut self, start: usize, path: &Path) {
        for row in 0..self.rows {
            if row == start {
                self.row_price[row] += path.length;
            } else if let (true, Some(column)) = (path.seen_rows[row], self.column_of[row]) {
                self.row_price[row] += path.length - path.distance[column];
            }
        }
        for column in 0..self.columns {
            if path.seen_columns[column] {
                self.column_price[column] -= path.length - path.distance[column];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

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
            prop_assert_eq!(pairs.len(), rows.min(columns));
            let once = |mut side: Vec<usize>| {
                side.sort_unstable();
                side.windows(2).all(|two| two[0] < two[1])
            };
            prop_assert!(once(pairs.iter().map(|pair| pair.0).collect()));
            prop_assert!(once(pairs.iter().map(|pair| pair.1).collect()));
            let value: f64 = pairs.iter().map(|(row, column)| cells[row * columns + column]).sum();
            let best = tried(&cells, rows, columns, &mut vec![false; columns], 0);
            prop_assert!((value - best).abs() < 1e-9);
        }
    }
}
