//! The rows of the matrices: who judges, and what of it counts.

use std::borrow::Cow;

use adit_primitives::Uid;

use crate::{EpochInput, EpochNeuron, number::Number, standing::Standing};

use super::{BLOCK, BOND_UNSEEN, WEIGHED, WEIGHT_UNSEEN};

/// A neuron whose stake, weights or bonds have a say.
pub(super) struct Row<'input, N: Number> {
    pub(super) uid: usize,
    /// Its share of the active stake.
    pub(super) stake: N,
    /// Weights as they were submitted.
    pub(super) submitted: &'input [(Uid, u16)],
    /// Bonds as they were stored.
    stored: &'input [(Uid, u16)],
    /// Weights by uid; borrowed where they were submitted so.
    weights: Cow<'input, [(Uid, u16)]>,
    bonds: Cow<'input, [(Uid, u16)]>,
    /// Its weights count for neurons that registered before this block.
    horizon: u64,
    owns_subnet: bool,
    /// The sum of the weights that count.
    total: N::Divisor,
}

/// Whether a neuron needs a row: its stake votes, or what it says or holds counts.
pub(super) fn matters<N: Number>(neuron: &EpochNeuron, standing: &Standing<N>, uid: usize) -> bool {
    standing.active_stake[uid].is_positive()
        || (standing.permits[uid] && !neuron.weights.is_empty())
        || !neuron.bonds.is_empty()
}

pub(super) fn all<'input, N: Number>(
    input: &'input EpochInput,
    standing: &Standing<N>,
    owner: Option<usize>,
    registered: &[u64],
) -> Vec<Row<'input, N>> {
    let neurons = input.neurons.iter().enumerate();
    neurons
        .filter(|(uid, neuron)| matters(neuron, standing, *uid))
        .map(|(uid, neuron)| {
            let committed = neuron
                .earliest_commit
                .map_or(u64::MAX, |commit| commit.0.saturating_add(1));
            let mut row = Row {
                uid,
                stake: standing.active_stake[uid],
                submitted: &neuron.weights,
                stored: &neuron.bonds,
                weights: by_uid(&neuron.weights),
                bonds: by_uid(&neuron.bonds),
                horizon: match standing.permits[uid] {
                    true => neuron.last_update.0.min(committed),
                    false => 0,
                },
                owns_subnet: owner == Some(uid),
                total: N::ZERO.divisor(),
            };
            let counted = row
                .weights
                .iter()
                .filter(|cell| row.counts(cell.0, registered));
            let total: N = counted.map(|&(_, weight)| whole::<N>(weight)).sum();
            row.total = total.divisor();
            row
        })
        .collect()
}

/// The weights of the columns from `start` on that `weights` has room for, each a share of its
/// row, and marks on those that were given.
pub(super) fn fill_weights<N: Number>(
    rows: &[Row<'_, N>],
    registered: &[u64],
    start: usize,
    weights: &mut [N],
    marks: &mut [u8],
) {
    let end = start + weights.len() / rows.len().max(1);
    for (index, row) in rows.iter().enumerate() {
        for &(target, weight) in within(&row.weights, start, end) {
            if !row.counts(target, registered) {
                continue;
            }
            let cell = (usize::from(target.0) - start) * rows.len() + index;
            weights[cell] = whole::<N>(weight).by(row.total);
            if let Some(mark) = marks.get_mut(cell) {
                *mark = WEIGHED;
            }
        }
    }
}

/// The old bonds of the columns from `start` on that `bonds` has room for, without those in
/// neurons that registered at or after the block `since`.
pub(super) fn fill_bonds<N: Number>(
    rows: &[Row<'_, N>],
    registered: &[u64],
    since: u64,
    start: usize,
    bonds: &mut [N],
    value: impl Fn(u16) -> N,
) {
    let end = start + bonds.len() / rows.len().max(1);
    for (index, row) in rows.iter().enumerate() {
        for &(target, bond) in within(&row.bonds, start, end) {
            let column = usize::from(target.0);
            if since > registered[column] {
                bonds[(column - start) * rows.len() + index] = value(bond);
            }
        }
    }
}

/// Marks what the chain's search for α misses: its cursor moves forward only, so in a row that is
/// not in uid order a smaller uid after a larger one reads as zero. `keeps(cell, column)` says
/// whether a weight is still there when the search comes, and in which order; nothing where the
/// row was sorted since.
pub(super) fn mark_unseen<N: Number>(
    rows: &[Row<'_, N>],
    registered: &[u64],
    since: u64,
    marks: &mut [u8],
    keeps: impl Fn(usize, usize) -> Option<bool>,
) {
    for (index, row) in rows.iter().enumerate() {
        let cell = |target: Uid| usize::from(target.0) * rows.len() + index;
        if !row.is_sorted() {
            let mut next = 0;
            for &(target, _) in row.submitted {
                let kept = row.counts(target, registered)
                    && keeps(cell(target), usize::from(target.0)).unwrap_or(false);
                if kept && target.0 >= next {
                    next = target.0.saturating_add(1);
                } else if kept {
                    marks[cell(target)] |= WEIGHT_UNSEEN;
                }
            }
        }
        if matches!(row.bonds, Cow::Owned(_)) {
            let mut next = 0;
            for &(target, _) in row.stored {
                let kept = since > registered[usize::from(target.0)];
                if kept && target.0 >= next {
                    next = target.0.saturating_add(1);
                } else if kept {
                    marks[cell(target)] |= BOND_UNSEEN;
                }
            }
        }
    }
}

impl<N: Number> Row<'_, N> {
    /// Whether a weight on `target` counts: not of oneself (unless one owns the subnet), not set
    /// or committed before the target registered, and of none without a permit.
    pub(super) fn counts(&self, target: Uid, registered: &[u64]) -> bool {
        let target = usize::from(target.0);
        registered[target] < self.horizon && (target != self.uid || self.owns_subnet)
    }

    /// Whether the weights were submitted in uid order.
    pub(super) fn is_sorted(&self) -> bool {
        matches!(self.weights, Cow::Borrowed(_))
    }
}

fn whole<N: Number>(value: u16) -> N {
    N::integer(i32::from(value))
}

fn by_uid(cells: &[(Uid, u16)]) -> Cow<'_, [(Uid, u16)]> {
    if cells.is_sorted_by_key(|cell| cell.0.0) {
        return Cow::Borrowed(cells);
    }
    let mut cells = cells.to_vec();
    cells.sort_unstable_by_key(|cell| cell.0.0);
    Cow::Owned(cells)
}

/// The cells of the columns from `start` to before `end`.
fn within(cells: &[(Uid, u16)], start: usize, end: usize) -> &[(Uid, u16)] {
    let first = cells.partition_point(|cell| usize::from(cell.0.0) < start);
    let rest = cells.get(first..).unwrap_or_default();
    // No uid comes twice, so a block has no more cells than columns.
    let near = rest.get(..rest.len().min(BLOCK)).unwrap_or_default();
    &near[..near.partition_point(|cell| usize::from(cell.0.0) < end)]
}
