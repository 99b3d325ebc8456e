use adit_primitives::Uid;

use crate::{
    EpochInput, EpochParameters,
    decided::Decided,
    liquid::{Sigmoid, plain_alpha},
    median::{Median, Voters},
    number::Number,
    standing::Standing,
    vector::normalize,
};

use blocks::{BLOCK, each_block};
use bond_column::{BondRule, Penalty};
use row::Row;

mod blocks;
mod bond_column;
mod row;
mod trace;

/// A cell carries a weight that counts, be it zero.
const WEIGHED: u8 = 1;
/// The chain's search for α does not see the cell's weight.
const WEIGHT_UNSEEN: u8 = 2;
/// The chain's search for α does not see the cell's bond.
const BOND_UNSEEN: u8 = 4;

/// An epoch over columns: nearly every step looks at one neuron and all who judge it, so a
/// matrix is a column of the rows that matter for each neuron, and a block of columns is worked
/// through while it lies in the cache.
///
/// Sums are taken in another order than over lists. That changes no bit: the chain's numbers add
/// exactly, and where a sum saturates none of its terms is negative.
pub(crate) struct Dense<'input, N: Number> {
    pub(crate) decided: Decided<N>,
    rows: Vec<Row<'input, N>>,
    penalty: Penalty<N>,
    /// Whether the stored bonds of a row stand in the order of its weights.
    in_submitted_order: bool,
    weights: Vec<N>,
    bonds: Vec<N>,
}

impl<'input, N: Number> Dense<'input, N> {
    /// Whether at least half of the cells carry a weight or a bond, where lists become slower
    /// (`benches/RESULTS.md`).
    pub(crate) fn pays(input: &EpochInput, standing: &Standing<N>) -> bool {
        let (mut rows, mut cells) = (0_usize, 0_usize);
        for (uid, neuron) in input.neurons.iter().enumerate() {
            if row::matters(neuron, standing, uid) {
                rows += 1;
                cells += neuron.weights.len().max(neuron.bonds.len());
            }
        }
        cells >= rows * input.neurons.len() / 2
    }

    pub(crate) fn of(
        input: &'input EpochInput,
        parameters: &EpochParameters,
        standing: &Standing<N>,
        owner: Option<usize>,
    ) -> Self {
        let registered: Vec<u64> = input.neurons.iter().map(|n| n.registered_at.0).collect();
        let columns = registered.len();
        let rows = row::all(input, standing, owner, &registered);
        let stake: Vec<N> = rows.iter().map(|row| row.stake).collect();
        let liquid = parameters.liquid_alpha.filter(|_| parameters.yuma3);
        let cells = rows.len() * columns;
        let mut weights = vec![N::ZERO; cells];
        let mut marks = vec![0; if liquid.is_some() { cells } else { 0 }];
        let mut consensus = vec![N::ZERO; columns];
        let mut ranks = vec![N::ZERO; columns];

        let voters = Voters::of(&stake, N::proportion(parameters.kappa));
        let jobs = blocks::of_weights(
            rows.len(),
            &mut weights,
            &mut marks,
            &mut consensus,
            &mut ranks,
        );
        let trusts = each_block(cells, jobs, |block| {
            row::fill_weights(&rows, &registered, block.start, block.weights, block.marks);
            judge(block, &voters, &stake)
        });
        let trust = sum_by_row(trusts, rows.len());
        let mut incentive = ranks.clone();
        normalize(&mut incentive);

        let penalty = Penalty::of(parameters.bonds_penalty);
        let liquid = liquid.filter(|_| consensus.iter().any(|value| *value != N::ZERO));
        if liquid.is_some() {
            row::mark_unseen(
                &rows,
                &registered,
                input.last_epoch.0,
                &mut marks,
                |cell, column| penalty.keeps(weights[cell], consensus[column]),
            );
        }
        let rule = match liquid {
            Some(liquid) => BondRule::Liquid(Sigmoid::new(&liquid)),
            None if parameters.yuma3 => {
                BondRule::Yuma3(plain_alpha(parameters.bonds_moving_average))
            }
            None => BondRule::Legacy(plain_alpha(parameters.bonds_moving_average)),
        };
        let value = match rule {
            BondRule::Legacy(_) => |bond: u16| N::integer(i32::from(bond)),
            BondRule::Yuma3(_) | BondRule::Liquid(_) => N::proportion,
        };
        let mut bonds = vec![N::ZERO; cells];
        let jobs = blocks::of_bonds(rows.len(), &weights, &marks, &mut bonds);
        let earned = each_block(cells, jobs, |block| {
            let since = input.last_epoch.0;
            row::fill_bonds(&rows, &registered, since, block.start, block.bonds, value);
            let mut earned = vec![N::ZERO; rows.len()];
            let mut scratch = vec![N::ZERO; rows.len()];
            for (index, bonds) in block.bonds.chunks_exact_mut(rows.len()).enumerate() {
                let column = block.start + index;
                let cells = index * rows.len()..(index + 1) * rows.len();
                let weights = &block.weights[cells.clone()];
                let marks = block.marks.get(cells).unwrap_or_default();
                let judged = bond_column::Judged {
                    weights,
                    marks,
                    stake: &stake,
                    consensus: consensus[column],
                    incentive: incentive[column],
                };
                rule.advance(&penalty, &judged, bonds, &mut scratch, &mut earned);
            }
            earned
        });
        let mut earned = sum_by_row(earned, rows.len());
        if parameters.yuma3 {
            for (earned, stake) in earned.iter_mut().zip(&stake) {
                *earned = earned.times(*stake);
            }
        }
        let by_uid = |values: Vec<N>| {
            let mut all = vec![N::ZERO; columns];
            for (row, value) in rows.iter().zip(values) {
                all[row.uid] = value;
            }
            all
        };
        let (trust, mut dividends) = (by_uid(trust), by_uid(earned));
        normalize(&mut dividends);
        Self {
            decided: Decided {
                consensus,
                trust,
                ranks,
                incentive,
                dividends,
            },
            in_submitted_order: liquid.is_some() && !matches!(penalty, Penalty::Part(_)),
            penalty,
            rows,
            weights,
            bonds,
        }
    }

    /// The bonds of those with a permit, as the chain stores them.
    pub(crate) fn stored_bonds(
        &self,
        input: &EpochInput,
        permits: &[bool],
    ) -> Vec<Vec<(Uid, u16)>> {
        self.bond_rows(
            input.neurons.len(),
            |row| permits[row.uid],
            N::to_proportion,
        )
    }

    /// The positive bonds of the rows that `of` picks, in the order in which they are stored.
    fn bond_rows<T>(
        &self,
        columns: usize,
        of: impl Fn(&Row<'_, N>) -> bool,
        value: impl Fn(N) -> T,
    ) -> Vec<Vec<(Uid, T)>> {
        let height = self.rows.len();
        let mut rows: Vec<Vec<(Uid, T)>> = (0..columns).map(|_| Vec::new()).collect();
        let picked: Vec<(usize, &Row<'_, N>)> = self
            .rows
            .iter()
            .enumerate()
            .filter(|(_, row)| of(row))
            .collect();
        for start in (0..columns).step_by(BLOCK) {
            let block = start..columns.min(start + BLOCK);
            for &(index, row) in picked.iter().filter(|(_, row)| !self.reorders(row)) {
                let bonds = block.clone().map(|column| {
                    let bond = self.bonds[column * height + index];
                    (column, bond)
                });
                let positive = bonds.filter(|(_, bond)| bond.is_positive());
                rows[row.uid]
                    .extend(positive.map(|(column, bond)| (Uid(column as u16), value(bond))));
            }
        }
        for &(index, row) in picked.iter().filter(|(_, row)| self.reorders(row)) {
            for &(target, _) in row.submitted {
                let bond = self.bonds[usize::from(target.0) * height + index];
                if bond.is_positive() {
                    rows[row.uid].push((target, value(bond)));
                }
            }
        }
        rows
    }

    fn reorders(&self, row: &Row<'_, N>) -> bool {
        self.in_submitted_order && !row.is_sorted()
    }
}

/// Finds the consensus and the rank of each column of a block; gives each row's trust.
fn judge<N: Number>(block: blocks::WeightBlock<'_, N>, voters: &Voters<N>, stake: &[N]) -> Vec<N> {
    let mut trust = vec![N::ZERO; stake.len()];
    let mut median = Median::new();
    let columns = block.weights.chunks_exact(stake.len());
    let found = block.consensus.iter_mut().zip(block.ranks);
    for (weights, (consensus, rank)) in columns.zip(found) {
        // Mostly every row votes.
        *consensus = if voters.rows.len() == stake.len() {
            voters.consensus(&mut median, weights.iter().copied())
        } else {
            voters.consensus(&mut median, voters.rows.iter().map(|&row| weights[row]))
        };
        let limit = *consensus;
        let mut sum = N::ZERO;
        for ((weight, stake), trust) in weights.iter().zip(stake).zip(&mut trust) {
            let clipped = weight.least(limit);
            *trust = trust.plus(clipped);
            sum = sum.plus(stake.times(clipped));
        }
        *rank = sum;
    }
    trust
}

/// Adds up what the blocks found, in their order.
fn sum_by_row<N: Number>(blocks: Vec<Vec<N>>, rows: usize) -> Vec<N> {
    let mut sums = vec![N::ZERO; rows];
    for block in blocks {
        for (sum, value) in sums.iter_mut().zip(block) {
            *sum = sum.plus(value);
        }
    }
    sums
}
