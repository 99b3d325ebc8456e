//! What stands between two matrix products on the CPU, over plain memory.
//!
//! Every kernel runs at the widest instruction set of the machine, found at run time. The loops
//! are written so that the compiler vectorises them there: fixed groups of [`LANES`] and fused
//! multiply-adds. Row lengths are multiples of [`LANES`]; loading a model checks that.

mod attention;
mod gelu;
mod norm;

use pulp::Arch;

pub(crate) use attention::Attention;
pub(crate) use gelu::add_gelu;
pub(crate) use norm::LayerNorm;

/// Lanes of the widest registers; every row length is a multiple of it.
pub(crate) const LANES: usize = 16;

/// Writes each token's word and position embeddings, added, into `rows`.
pub(crate) fn embed(
    sequences: &[&[u32]],
    words: &[f32],
    positions: &[f32],
    hidden: usize,
    rows: &mut [f32],
) {
    let mut rows = rows.chunks_exact_mut(hidden);
    for sequence in sequences {
        for (id, position) in sequence.iter().zip(positions.chunks_exact(hidden)) {
            let word = words.get(*id as usize * hidden..).unwrap_or_default();
            let Some(row) = rows.next() else { return };
            for ((place, word), position) in row.iter_mut().zip(word).zip(position) {
                *place = word + position;
            }
        }
    }
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
    for group in row.as_chunks::<LANES>().0 {
        for (sum, value) in sums.iter_mut().zip(group) {
            *sum += part(*value);
        }
    }
    sums.iter().sum()
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
