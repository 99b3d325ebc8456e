use std::ops::Range;

use half::f16;

use super::{Neighbour, TopK};
use crate::{Error, Result, kernels};

/// Rows computed at once: their products stay in the first-level cache.
const BLOCK: usize = 64;
/// Multiplications below which a thread costs more than it brings.
const WORTH_A_THREAD: usize = 4 << 20;

/// Rows, one after the other, each as long as the query.
#[derive(Debug, Clone, Copy)]
pub enum RowSlice<'rows> {
    /// In single precision.
    F32(&'rows [f32]),
    /// In half precision; products are summed in single precision.
    F16(&'rows [f16]),
}

impl RowSlice<'_> {
    fn len(&self) -> usize {
        match self {
            Self::F32(rows) => rows.len(),
            Self::F16(rows) => rows.len(),
        }
    }

    fn products(&self, query: &[f32], rows: Range<usize>, products: &mut [f32]) -> Result<()> {
        let components = rows.start * query.len()..rows.end * query.len();
        match self {
            Self::F32(all) => {
                kernels::dot_rows(query, all.get(components).unwrap_or_default(), products)
            }
            Self::F16(all) => {
                kernels::dot_rows_f16(query, all.get(components).unwrap_or_default(), products)
            }
        }
    }
}

/// The `k` rows with the largest inner products with the query, nearest first; fewer where there are
/// fewer. Reads every row once, on up to `threads` threads (fewer where there is little to do).
///
/// # Errors
/// [`Error::Length`] unless the rows' components are a whole number of queries, or when there are
/// more rows than 2³²; an empty query has no rows.
pub fn nearest(
    query: &[f32],
    rows: RowSlice<'_>,
    k: usize,
    threads: usize,
) -> Result<Vec<Neighbour>> {
    let count = row_count(rows.len(), query.len())?;
    let scan = |range: Range<usize>| {
        let mut top = TopK::new(k);
        let mut products = [0.0_f32; BLOCK];
        let mut start = range.start;
        while start < range.end {
            let end = range.end.min(start + BLOCK);
            let Some(products) = products.get_mut(..end - start) else {
                break;
            };
            rows.products(query, start..end, products)?;
            for (row, similarity) in (start as u32..).zip(products.iter().copied()) {
                if similarity >= top.threshold() && similarity.is_finite() {
                    top.offer(Neighbour { similarity, row });
                }
            }
            start = end;
        }
        Ok(top)
    };
    let mut best = TopK::new(k);
    for found in on_threads(count, query.len(), threads, scan) {
        best.merge(found?);
    }
    Ok(best.into_sorted())
}

/// How many rows so many components are.
pub(super) fn row_count(components: usize, dimension: usize) -> Result<usize> {
    let count = components.checked_div(dimension).unwrap_or(0);
    if count * dimension != components || u32::try_from(count).is_err() {
        return Err(Error::Length {
            left: dimension,
            right: components,
        });
    }
    Ok(count)
}

/// Runs the work over equal shares of `count` rows, one per thread, and gives the results in the
/// rows' order. A row takes `cost` multiplications; where there is little to do, fewer than `threads`
/// threads do it. There is always one result, and a panic of the work is the caller's.
pub fn on_threads<T: Send>(
    count: usize,
    cost: usize,
    threads: usize,
    work: impl Fn(Range<usize>) -> T + Sync,
) -> Vec<T> {
    let most = count.saturating_mul(cost) / WORTH_A_THREAD;
    let threads = threads.min(most).max(1);
    if threads == 1 {
        return vec![work(0..count)];
    }
    let share = count.div_ceil(threads);
    std::thread::scope(|scope| {
        let work = &work;
        let ranges =
            (1..threads).map(|one| (one * share).min(count)..((one + 1) * share).min(count));
        let others: Vec<_> = ranges
            .map(|range| scope.spawn(move || work(range)))
            .collect();
        let mut results = vec![work(0..share.min(count))];
        for other in others {
            let found = other.join();
            results.push(found.unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        results
    })
}
