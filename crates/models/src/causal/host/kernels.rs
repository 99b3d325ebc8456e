//! What stands between the products, at the widest instruction set of the machine.

use pulp::Arch;
use rayon::prelude::*;

use crate::bert::kernels::exp_of_negative;

/// Sums kept apart so that they do not wait for each other.
const LANES: usize = 16;
const WAYS: usize = 4;
/// Values that one thread works on at a time.
const TASK: usize = 1 << 14;

/// The products of `row` with as many rows of weights as there are outputs.
pub(super) fn dot(row: &[f32], weights: &[f32], outputs: &mut [f32]) {
    Arch::new().dispatch(|| {
        let rows = weights.chunks_exact(row.len().max(1));
        for (output, weights) in outputs.iter_mut().zip(rows) {
            *output = dot_by(row, weights, |weight| weight);
        }
    });
}

/// The same over the bits of bf16.
pub(super) fn dot_bf16(row: &[f32], weights: &[u16], outputs: &mut [f32]) {
    Arch::new().dispatch(|| {
        let rows = weights.chunks_exact(row.len().max(1));
        for (output, weights) in outputs.iter_mut().zip(rows) {
            *output = dot_by(row, weights, |bits| f32::from_bits(u32::from(bits) << 16));
        }
    });
}

#[inline(always)]
pub(super) fn dot_by<T: Copy>(row: &[f32], weights: &[T], value: impl Fn(T) -> f32) -> f32 {
    const GROUP: usize = LANES * WAYS;
    let (rows, row_rest) = row.as_chunks::<GROUP>();
    let (groups, rest) = weights.as_chunks::<GROUP>();
    let mut sums = [0.0_f32; GROUP];
    for (row, weights) in rows.iter().zip(groups) {
        for ((sum, row), weight) in sums.iter_mut().zip(row).zip(weights) {
            *sum = row.mul_add(value(*weight), *sum);
        }
    }
    let mut total = 0.0;
    for (row, weight) in row_rest.iter().zip(rest) {
        total = row.mul_add(value(*weight), total);
    }
    // Halved until one is left, so that the compiler needs no order of its own.
    let mut left = GROUP;
    while left > 1 {
        left /= 2;
        let (few, more) = sums.split_at_mut(left);
        for (few, more) in few.iter_mut().zip(more) {
            *few += *more;
        }
    }
    total + sums.first().copied().unwrap_or_default()
}

/// Divides each row by its root mean square and scales its components (Zhang and Sennrich, 2019).
pub(super) fn normalise(rows: &mut [f32], scale: &[f32], epsilon: f32) {
    let width = scale.len().max(1);
    let task = width * (TASK / width).max(1);
    let normalise = |rows: &mut [f32]| {
        Arch::new().dispatch(|| {
            for row in rows.chunks_exact_mut(width) {
                let squares = dot_by(row, row, |value| value);
                let factor = 1.0 / (squares / width as f32 + epsilon).sqrt();
                for (value, scale) in row.iter_mut().zip(scale) {
                    *value = *value * factor * scale;
                }
            }
        });
    };
    if rows.len() <= task {
        normalise(rows);
    } else {
        rows.par_chunks_mut(task).for_each(normalise);
    }
}

/// Turns heads to a token's position: the first half of a head's components with the second.
pub(super) fn turn(heads: &mut [f32], cosines: &[f32], sines: &[f32]) {
    let pairs = cosines.len().max(1);
    for head in heads.chunks_exact_mut(2 * pairs) {
        let (left, right) = head.split_at_mut(pairs);
        let angles = cosines.iter().zip(sines);
        for ((left, right), (cosine, sine)) in left.iter_mut().zip(right).zip(angles) {
            (*left, *right) = (
                *left * cosine - *right * sine,
                *right * cosine + *left * sine,
            );
        }
    }
}

/// `silu(gate) · passed` of rows that hold both, `wide` values each.
pub(super) fn gate(mut rows: Vec<f32>, wide: usize) -> Vec<f32> {
    let count = rows.len() / (2 * wide);
    let mut gated = vec![0.0; count * wide];
    rows.par_chunks_mut(2 * wide)
        .zip(gated.par_chunks_mut(wide))
        .for_each(|(row, gated)| {
            let (gates, passed) = row.split_at(wide);
            Arch::new().dispatch(|| {
                for ((gated, gate), passed) in gated.iter_mut().zip(gates).zip(passed) {
                    let power = exp_of_negative(-gate.abs());
                    let share = if *gate < 0.0 { power } else { 1.0 } / (1.0 + power);
                    *gated = gate * share * passed;
                }
            });
        });
    gated
}

/// Weights of one row of scores in the place of the scores, and what changes in the sums over the keys
/// before: only scores in `seen` count. `greatest` and `sum` are those of the keys before, and then of
/// all; the answer is the factor of everything summed up before.
#[inline(always)]
pub(super) fn weigh(
    scores: &mut [f32],
    seen: std::ops::Range<usize>,
    greatest: &mut f32,
    sum: &mut f32,
) -> f32 {
    scores[..seen.start].fill(0.0);
    scores[seen.end..].fill(0.0);
    let scores = &mut scores[seen];
    if scores.is_empty() {
        return 1.0;
    }
    let mut lanes = [*greatest; LANES];
    let (groups, rest) = scores.as_chunks::<LANES>();
    for group in groups {
        for (lane, score) in lanes.iter_mut().zip(group) {
            *lane = if *score > *lane { *score } else { *lane };
        }
    }
    let top = lanes.iter().chain(rest).copied().fold(*greatest, f32::max);
    let mut sums = [0.0; LANES];
    let (groups, rest) = scores.as_chunks_mut::<LANES>();
    for group in groups {
        for (lane, score) in sums.iter_mut().zip(group) {
            *score = exp_of_negative(*score - top);
            *lane += *score;
        }
    }
    let mut more = sums.iter().sum::<f32>();
    for score in rest {
        *score = exp_of_negative(*score - top);
        more += *score;
    }
    let factor = exp_of_negative(*greatest - top);
    *sum = sum.mul_add(factor, more);
    *greatest = top;
    factor
}
