//! What stands between two matrix products on the CPU, over plain memory.
//!
//! Every kernel runs at the widest instruction set of the machine, found at run time. The loops
//! are written so that the compiler vectorises them there: fixed groups of [`LANES`] and fused
//! multiply-adds. Rows whose length is a multiple of [`LANES`] are the fast ones.

mod attention;
mod gelu;
mod norm;
mod product;

use pulp::Arch;

pub(crate) use attention::{Attention, Relative};
pub(crate) use gelu::add_gelu;
pub(crate) use norm::NormRows;
pub(crate) use product::Panels;

/// Lanes of the widest registers.
pub(crate) const LANES: usize = 16;

/// The sum of each token's word and position embeddings; `places` are the tokens' rows of `positions`.
pub(crate) fn embed(
    ids: &[&[u32]],
    places: &[Vec<usize>],
    words: &[f32],
    positions: &[f32],
    hidden: usize,
) -> Vec<f32> {
    let ids = ids.iter().copied().flatten();
    let mut rows = vec![0.0; ids.clone().count() * hidden];
    let tokens = ids.zip(places.iter().flatten());
    for (row, (id, place)) in rows.chunks_exact_mut(hidden).zip(tokens) {
        let word = words.get(*id as usize * hidden..).unwrap_or_default();
        let position = positions.get(place * hidden..).unwrap_or_default();
        for ((value, word), position) in row.iter_mut().zip(word).zip(position) {
            *value = word + position;
        }
    }
    rows
}

/// The first of each sequence's rows.
pub(crate) fn first_rows(rows: &[f32], lengths: &[usize], hidden: usize) -> Vec<Vec<f32>> {
    let mut start = 0;
    let mut first = |length: &usize| {
        let row = rows.get(start..start + hidden).unwrap_or_default().to_vec();
        start += length * hidden;
        row
    };
    lengths.iter().map(&mut first).collect()
}

/// The mean of each sequence's rows.
pub(crate) fn mean_rows(rows: &[f32], lengths: &[usize], hidden: usize) -> Vec<Vec<f32>> {
    let mut rows = rows.chunks_exact(hidden);
    let mut mean = |length: usize| {
        let mut mean = vec![0.0; hidden];
        Arch::new().dispatch(|| {
            for row in rows.by_ref().take(length) {
                for (sum, value) in mean.iter_mut().zip(row) {
                    *sum += value;
                }
            }
            let share = 1.0 / length.max(1) as f32;
            for sum in &mut mean {
                *sum *= share;
            }
        });
        mean
    };
    lengths.iter().map(|length| mean(*length)).collect()
}

/// `e^x` for `x ≤ 0`, to about 1e-7 relative; below −87 it is `e^-87`.
///
/// `x = n ln 2 + r` with a whole `n` and `|r| ≤ ln 2 / 2`; `e^r` by its Taylor polynomial, and `2^n`
/// by adding `n` to the exponent's bits (Cody and Waite, «Software Manual for the Elementary
/// Functions», 1980).
#[inline(always)]
pub(crate) fn exp_of_negative(x: f32) -> f32 {
    /// 1.5 · 2^23: adding it rounds to a whole number, which then stands in the lowest bits.
    const ROUNDING: f32 = 12_582_912.0;
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    let x = x.max(-87.0);
    let shifted = x.mul_add(std::f32::consts::LOG2_E, ROUNDING);
    let n = shifted - ROUNDING;
    let r = n.mul_add(-LN_2_LOW, n.mul_add(-LN_2_HIGH, x));
    let mut power = 1.0 / 5040.0;
    for coefficient in [
        1.0 / 720.0,
        1.0 / 120.0,
        1.0 / 24.0,
        1.0 / 6.0,
        0.5,
        1.0,
        1.0,
    ] {
        power = r.mul_add(power, coefficient);
    }
    f32::from_bits(power.to_bits().wrapping_add(shifted.to_bits() << 23))
}

/// The sum of `part(value)` over a row.
#[inline(always)]
fn sum(row: &[f32], part: impl Fn(f32) -> f32) -> f32 {
    let mut sums = [0.0; LANES];
    let (groups, rest) = row.as_chunks::<LANES>();
    for group in groups {
        for (sum, value) in sums.iter_mut().zip(group) {
            *sum += part(*value);
        }
    }
    sums.iter().sum::<f32>() + rest.iter().map(|value| part(*value)).sum::<f32>()
}

#[cfg(test)]
mod tests {
    use super::exp_of_negative;

    #[test]
    fn exponential_is_accurate() {
        for step in 0..87_000 {
            let x = -(step as f32) / 1000.0;
            let exact = f64::from(x).exp();
            let error = (f64::from(exp_of_negative(x)) - exact).abs() / exact;
            assert!(error < 3e-7, "exp({x}): relative error {error}");
        }
        assert!(exp_of_negative(f32::NEG_INFINITY) < 1e-37);
    }
}
