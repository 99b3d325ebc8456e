//! Blocks of columns, each a piece of work of its own.

use crate::number::Number;

/// Columns in a block: 64 rows of them lie in the first cache, 256 in the second.
pub(super) const BLOCK: usize = 32;

/// Cells below which threads cost more than they give.
#[cfg(feature = "parallel")]
const PARALLEL: usize = 16_384;

/// What is found of a block of columns from its weights.
pub(super) struct WeightBlock<'matrix, N> {
    /// The first column.
    pub(super) start: usize,
    pub(super) weights: &'matrix mut [N],
    pub(super) marks: &'matrix mut [u8],
    pub(super) consensus: &'matrix mut [N],
    pub(super) ranks: &'matrix mut [N],
}

/// What becomes of a block of columns of bonds.
pub(super) struct BondBlock<'matrix, N> {
    /// The first column.
    pub(super) start: usize,
    pub(super) weights: &'matrix [N],
    pub(super) marks: &'matrix [u8],
    pub(super) bonds: &'matrix mut [N],
}

/// Cuts matrices of `rows` rows into blocks; `marks` may be empty. None without rows.
pub(super) fn of_weights<'matrix, N: Number>(
    rows: usize,
    weights: &'matrix mut [N],
    marks: &'matrix mut [u8],
    consensus: &'matrix mut [N],
    ranks: &'matrix mut [N],
) -> Vec<WeightBlock<'matrix, N>> {
    if rows == 0 {
        return Vec::new();
    }
    let mut marks = marks.chunks_mut(rows * BLOCK);
    weights
        .chunks_mut(rows * BLOCK)
        .zip(consensus.chunks_mut(BLOCK).zip(ranks.chunks_mut(BLOCK)))
        .enumerate()
        .map(|(block, (weights, (consensus, ranks)))| WeightBlock {
            start: block * BLOCK,
            weights,
            marks: marks.next().unwrap_or_default(),
            consensus,
            ranks,
        })
        .collect()
}

/// As [`of_weights`], for what follows from them.
pub(super) fn of_bonds<'matrix, N: Number>(
    rows: usize,
    weights: &'matrix [N],
    marks: &'matrix [u8],
    bonds: &'matrix mut [N],
) -> Vec<BondBlock<'matrix, N>> {
    if rows == 0 {
        return Vec::new();
    }
    let mut marks = marks.chunks(rows * BLOCK);
    weights
        .chunks(rows * BLOCK)
        .zip(bonds.chunks_mut(rows * BLOCK))
        .enumerate()
        .map(|(block, (weights, bonds))| BondBlock {
            start: block * BLOCK,
            weights,
            marks: marks.next().unwrap_or_default(),
            bonds,
        })
        .collect()
}

/// Does the work of each block and keeps the results in the blocks' order, whichever thread did
/// them.
pub(super) fn each_block<B: Send, T: Send>(
    cells: usize,
    blocks: Vec<B>,
    work: impl Fn(B) -> T + Send + Sync,
) -> Vec<T> {
    #[cfg(feature = "parallel")]
    if cells >= PARALLEL {
        use rayon::iter::{IntoParallelIterator, ParallelIterator};
        return blocks.into_par_iter().map(work).collect();
    }
    #[cfg(not(feature = "parallel"))]
    let _ = cells;
    blocks.into_iter().map(work).collect()
}
