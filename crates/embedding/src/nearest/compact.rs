use std::ops::Range;

use half::f16;

use super::{
    Neighbour, TopK,
    scan::{on_threads, row_count},
};
use crate::{Error, Result, kernels};

/// Rounding of single-precision sums of up to 2¹⁶ terms, relative to the product of the lengths: far
/// above what the kernels' few sums in parallel can lose, far below what the copies lose.
const ROUNDING: f32 = 1e-5;
/// The largest code of a component.
const MOST: f32 = 127.0;

/// How a copy holds its components.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantization {
    /// Half precision: half the bytes.
    F16,
    /// One signed byte, and a scale per row: a quarter of the bytes.
    Int8,
}

/// A smaller copy of rows that finds the same nearest rows with less reading.
///
/// For each row it knows the length of what rounding took away, so that by the Cauchy–Schwarz
/// inequality the true product lies within `‖query‖ · ‖lost‖` of the copy's (and the query's own
/// rounding is bounded in the same way). A row whose best case is worse than the worst case of `k`
/// others is passed over; the rest are computed in full from the rows themselves.
#[derive(Debug, Clone)]
pub struct CompactRows {
    dimension: usize,
    codes: Codes,
    /// Per row, the length of what its copy lost.
    lost: Vec<f32>,
    /// Per row, the length of its copy.
    lengths: Vec<f32>,
}

#[derive(Debug, Clone)]
enum Codes {
    F16(Vec<f16>),
    Int8 { codes: Vec<i8>, scales: Vec<f32> },
}

impl CompactRows {
    /// Copies rows of so many components each.
    ///
    /// # Errors
    /// [`Error::Length`] unless the rows are whole, of 1 to 65,536 components, and fewer than 2³².
    /// [`Error::Input`] for a component that is NaN, infinite or beyond what the copy can hold.
    pub fn new(rows: &[f32], dimension: usize, quantization: Quantization) -> Result<Self> {
        let count = row_count(rows.len(), dimension)?;
        if dimension > kernels::MOST_INT8_COMPONENTS {
            return Err(Error::Length {
                left: kernels::MOST_INT8_COMPONENTS,
                right: dimension,
            });
        }
        let mut compact = Self {
            dimension,
            codes: match quantization {
                Quantization::F16 => Codes::F16(Vec::with_capacity(rows.len())),
                Quantization::Int8 => Codes::Int8 {
                    codes: Vec::with_capacity(rows.len()),
                    scales: Vec::with_capacity(count),
                },
            },
            lost: Vec::with_capacity(count),
            lengths: Vec::with_capacity(count),
        };
        for row in rows.chunks_exact(dimension.max(1)) {
            compact.push(row)?;
        }
        Ok(compact)
    }

    /// Appends a row.
    ///
    /// # Errors
    /// As [`CompactRows::new`]; nothing is appended then.
    pub fn push(&mut self, row: &[f32]) -> Result<()> {
        if row.len() != self.dimension {
            return Err(Error::Length {
                left: self.dimension,
                right: row.len(),
            });
        }
        if row.iter().any(|value| !value.is_finite()) {
            return Err(unfit("a component is not finite"));
        }
        let measured = match &mut self.codes {
            Codes::F16(codes) => {
                let start = codes.len();
                codes.extend(row.iter().map(|value| f16::from_f32(*value)));
                let copied = codes.iter().skip(start).map(|code| code.to_f32());
                let measured = measure(row, copied);
                if !measured.lost.is_finite() {
                    codes.truncate(start);
                    return Err(unfit("a component is beyond half precision"));
                }
                measured
            }
            Codes::Int8 { codes, scales } => {
                let scale = scale_of(row);
                let start = codes.len();
                codes.extend(row.iter().map(|value| code(*value, scale)));
                let copied = codes
                    .iter()
                    .skip(start)
                    .map(|code| f32::from(*code) * scale);
                let measured = measure(row, copied);
                if !measured.lost.is_finite() {
                    codes.truncate(start);
                    return Err(unfit("its length is beyond single precision"));
                }
                scales.push(scale);
                measured
            }
        };
        self.lost.push(measured.lost);
        self.lengths.push(measured.length);
        Ok(())
    }

    /// How many rows it holds.
    pub fn len(&self) -> usize {
        self.lost.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.lost.is_empty()
    }

    /// Bytes of the copy.
    pub fn bytes(&self) -> usize {
        let rows = size_of_val(&*self.lost) + size_of_val(&*self.lengths);
        rows + match &self.codes {
            Codes::F16(codes) => size_of_val(&**codes),
            Codes::Int8 { codes, scales } => size_of_val(&**codes) + size_of_val(&**scales),
        }
    }

    /// The `k` rows with the largest inner products with the query, nearest first: what
    /// [`nearest`](super::nearest()) finds in `rows`, the same rows that were copied. Reads the copy
    /// once, on up to `threads` threads, and few of the rows.
    ///
    /// # Errors
    /// [`Error::Length`] when query or rows do not fit the copy, [`Error::Input`] for a query that is
    /// not finite.
    pub fn nearest(
        &self,
        query: &[f32],
        rows: &[f32],
        k: usize,
        threads: usize,
    ) -> Result<Vec<Neighbour>> {
        if query.len() != self.dimension {
            return Err(Error::Length {
                left: self.dimension,
                right: query.len(),
            });
        }
        if row_count(rows.len(), self.dimension)? != self.len() {
            return Err(Error::Length {
                left: self.len() * self.dimension,
                right: rows.len(),
            });
        }
        if query.iter().any(|value| !value.is_finite()) {
            return Err(unfit("a component of the query is not finite"));
        }
        let query = Query::new(query);
        let found = on_threads(self.len(), self.dimension, threads, |range| {
            self.candidates(&query, k, range)
        });
        // The worst case of the k best, over all threads.
        let mut surely = TopK::new(k);
        let mut candidates = Vec::new();
        for found in found {
            let (certain, possible) = found?;
            surely.merge(certain);
            candidates.extend(possible);
        }
        let threshold = surely.threshold();
        let mut best = TopK::new(k);
        for candidate in candidates {
            if candidate.similarity < threshold {
                continue;
            }
            let start = candidate.row as usize * self.dimension;
            let row = rows.get(start..start + self.dimension).unwrap_or_default();
            let similarity = kernels::dot(query.values, row)?;
            if similarity.is_finite() {
                let row = candidate.row;
                best.offer(Neighbour { similarity, row });
            }
        }
        Ok(best.into_sorted())
    }

    /// The worst cases of the best rows of a range, and all rows whose best case may beat them (with
    /// that best case as their similarity).
    fn candidates(
        &self,
        query: &Query<'_>,
        k: usize,
        range: Range<usize>,
    ) -> Result<(TopK, Vec<Neighbour>)> {
        let mut surely = TopK::new(k);
        let mut possible = Vec::new();
        let bounds = self.lost.iter().zip(&self.lengths);
        let bounds = bounds.enumerate().take(range.end).skip(range.start);
        for (row, (lost, length)) in bounds {
            let (product, own) = self.product(query, row)?;
            let slack = query.length * (lost + ROUNDING * (length + lost)) + own * length;
            let (row, best) = (row as u32, product + slack);
            // Not `>=`: where a sum overflowed to NaN, the row itself must decide.
            if best < surely.threshold() {
                continue;
            }
            possible.push(Neighbour {
                similarity: best,
                row,
            });
            let worst = product - slack;
            if worst.is_finite() {
                surely.offer(Neighbour {
                    similarity: worst,
                    row,
                });
            }
        }
        Ok((surely, possible))
    }

    /// The product of the copies, and the length of what the query's copy lost.
    fn product(&self, query: &Query<'_>, row: usize) -> Result<(f32, f32)> {
        let components = row * self.dimension..(row + 1) * self.dimension;
        match &self.codes {
            Codes::F16(codes) => {
                let codes = codes.get(components).unwrap_or_default();
                Ok((kernels::dot_f16(query.values, codes)?, 0.0))
            }
            Codes::Int8 { codes, scales } => {
                let codes = codes.get(components).unwrap_or_default();
                let scale = scales.get(row).copied().unwrap_or_default();
                let product = kernels::dot_int8(&query.codes, codes)?;
                Ok((product as f32 * (scale * query.scale), query.lost))
            }
        }
    }
}

/// A query and its copy.
struct Query<'query> {
    values: &'query [f32],
    codes: Vec<i8>,
    scale: f32,
    lost: f32,
    length: f32,
}

impl<'query> Query<'query> {
    fn new(values: &'query [f32]) -> Self {
        let scale = scale_of(values);
        let codes: Vec<i8> = values.iter().map(|value| code(*value, scale)).collect();
        let copied = codes.iter().map(|code| f32::from(*code) * scale);
        let measured = measure(values, copied);
        Self {
            values,
            codes,
            scale,
            lost: measured.lost,
            // Of the full query; at least that, after rounding.
            length: measured.length + measured.lost,
        }
    }
}

struct Measured {
    lost: f32,
    length: f32,
}

/// The length of the copy and of what it lost, both rounded up.
fn measure(row: &[f32], copied: impl Iterator<Item = f32>) -> Measured {
    let (mut lost, mut length) = (0.0_f64, 0.0_f64);
    for (value, copy) in row.iter().zip(copied) {
        lost += f64::from(value - copy).powi(2);
        length += f64::from(copy).powi(2);
    }
    let up = |square: f64| (square.sqrt() * (1.0 + 1e-6)) as f32;
    Measured {
        lost: up(lost),
        length: up(length),
    }
}

fn scale_of(row: &[f32]) -> f32 {
    let largest = row
        .iter()
        .fold(0.0_f32, |most, value| most.max(value.abs()));
    largest / MOST
}

fn code(value: f32, scale: f32) -> i8 {
    if scale > 0.0 {
        // Saturates; what a tiny scale's rounding costs is measured like all else that is lost.
        (value / scale).round() as i8
    } else {
        0
    }
}

fn unfit(reason: &str) -> Error {
    Error::Input {
        what: "a row",
        reason: reason.to_owned(),
    }
}
