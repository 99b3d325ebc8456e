//! The committed rows of an index file, mapped into memory.

use std::{fs::File, path::Path};

use adit_embedding::{
    Embedding, kernels,
    nearest::{Neighbour, TopK, on_threads},
};
use half::{f16, slice::HalfBitsSliceExt as _};
use memmap2::{Mmap, MmapOptions};

use super::{ElementType, header::LENGTH};
use crate::{Error, Result, durable::failed};

#[cfg(target_endian = "big")]
compile_error!("index files are little-endian and read in place");

/// Rows at once: with 384 dimensions about 200 KiB of f32, which stays in the second-level cache
/// while every query of a batch passes over it.
const BLOCK_BYTES: usize = 256 << 10;

#[derive(Debug)]
pub(super) struct Rows {
    map: Option<Mmap>,
    element: ElementType,
    dimension: usize,
    count: usize,
}

impl Rows {
    pub(super) fn map(
        file: &File,
        path: &Path,
        element: ElementType,
        dimension: usize,
        count: usize,
    ) -> Result<Self> {
        let length = count * dimension * element.bytes();
        let map = match length {
            // An empty range cannot be mapped.
            0 => None,
            _ => Some(mapped(file, length).map_err(failed("map", path))?),
        };
        Ok(Self {
            map,
            element,
            dimension,
            count,
        })
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.map.as_deref().unwrap_or_default()
    }

    pub(super) fn row_bytes(&self) -> usize {
        self.dimension * self.element.bytes()
    }

    /// The bytes of one row; empty beyond the end.
    pub(super) fn row(&self, row: u32) -> &[u8] {
        let start = (row as usize).saturating_mul(self.row_bytes());
        self.bytes()
            .get(start..start.saturating_add(self.row_bytes()))
            .unwrap_or_default()
    }

    /// For each query the best `k` of the rows that `live` lets pass, on as many threads as the
    /// machine has where there is enough to do.
    pub(super) fn search(
        &self,
        queries: &[&Embedding],
        k: usize,
        live: &(dyn Fn(u32) -> bool + Sync),
    ) -> Result<Vec<TopK>> {
        let cost = self.dimension.saturating_mul(queries.len());
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let found = on_threads(self.count, cost, threads, |range| {
            self.search_range(queries, k, live, range)
        });
        let mut tops = vec![TopK::new(k); queries.len()];
        for part in found {
            tops.iter_mut()
                .zip(part?)
                .for_each(|(top, more)| top.merge(more));
        }
        Ok(tops)
    }

    fn search_range(
        &self,
        queries: &[&Embedding],
        k: usize,
        live: &dyn Fn(u32) -> bool,
        range: std::ops::Range<usize>,
    ) -> Result<Vec<TopK>> {
        let mut tops = vec![TopK::new(k); queries.len()];
        let block = (BLOCK_BYTES / self.row_bytes()).max(1);
        let mut products = vec![0.0_f32; block];
        let mut start = range.start;
        while start < range.end {
            let rows = block.min(range.end - start);
            let Some(products) = products.get_mut(..rows) else {
                break;
            };
            for (query, top) in queries.iter().zip(&mut tops) {
                self.products(query.values(), start, products)?;
                for (row, cosine) in (start as u32..).zip(products.iter()) {
                    if *cosine >= top.threshold() && live(row) {
                        top.offer(Neighbour {
                            similarity: *cosine,
                            row,
                        });
                    }
                }
            }
            start += rows;
        }
        Ok(tops)
    }

    /// The inner products of a query with `products.len()` rows from `start` on.
    fn products(&self, query: &[f32], start: usize, products: &mut [f32]) -> Result<()> {
        let from = start * self.row_bytes();
        let bytes = self
            .bytes()
            .get(from..from + products.len() * self.row_bytes())
            .unwrap_or_default();
        // The map starts on a page and rows have whole components, so that the casts always fit.
        match self.element {
            ElementType::F32 => {
                let rows: &[f32] = bytemuck::try_cast_slice(bytes).unwrap_or_default();
                kernels::dot_rows(query, rows, products)?;
            }
            ElementType::F16 => {
                let bits: &[u16] = bytemuck::try_cast_slice(bytes).unwrap_or_default();
                kernels::dot_rows_f16(query, bits.reinterpret_cast::<f16>(), products)?;
            }
        }
        Ok(())
    }
}

/// A vector's row as it is stored.
pub(super) fn encode(vector: &Embedding, element: ElementType) -> Vec<u8> {
    let values = vector.values().iter();
    match element {
        ElementType::F32 => values.flat_map(|value| value.to_le_bytes()).collect(),
        ElementType::F16 => values
            .flat_map(|value| f16::from_f32(*value).to_le_bytes())
            .collect(),
    }
}

#[expect(
    unsafe_code,
    reason = "a file's bytes can only be mapped unsafely: another process could change them"
)]
fn mapped(file: &File, length: usize) -> std::io::Result<Mmap> {
    let mut options = MmapOptions::new();
    options.offset(LENGTH as u64).len(length);
    // SAFETY: the index holds an exclusive lock on the file, committed rows are never written
    // again, and the length was checked against the file's. Any bit pattern is a valid component.
    unsafe { options.map(file) }
}

impl Rows {
    /// Refuses counts whose bytes would not fit the address space.
    pub(super) fn check(dimension: usize, element: ElementType, count: usize) -> Result<()> {
        let bytes = count
            .checked_mul(dimension)
            .and_then(|values| values.checked_mul(element.bytes()));
        let fits =
            bytes.is_some_and(|bytes| bytes < isize::MAX as usize) && u32::try_from(count).is_ok();
        if fits {
            return Ok(());
        }
        Err(Error::TooLarge {
            what: "the index",
            found: count as u64,
            bound: u64::from(u32::MAX),
            unit: "rows",
        })
    }
}
