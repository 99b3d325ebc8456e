//! The twin that every machine can run; compilers turn its independent lanes into vector code.

use half::{f16, slice::HalfFloatSliceExt};

const LANES: usize = 16;

/// Components past the shorter slice's end are left out; callers have checked the lengths.
pub(super) fn dot(left: &[f32], right: &[f32]) -> f32 {
    let mut lanes = [0.0_f32; LANES];
    let (left_chunks, right_chunks) = (left.chunks_exact(LANES), right.chunks_exact(LANES));
    let tail = tail(left_chunks.remainder(), right_chunks.remainder());
    for (a, b) in left_chunks.zip(right_chunks) {
        for ((lane, a), b) in lanes.iter_mut().zip(a).zip(b) {
            *lane += a * b;
        }
    }
    lanes.iter().sum::<f32>() + tail
}

/// As [`dot`], widening 64 halves at a time on the stack.
pub(super) fn dot_f16(left: &[f32], right: &[f16]) -> f32 {
    let mut wide = [0.0_f32; 64];
    let mut sum = 0.0;
    for (a, b) in left.chunks(wide.len()).zip(right.chunks(wide.len())) {
        if let Some(wide) = wide.get_mut(..b.len()) {
            b.convert_to_f32_slice(wide);
            sum += dot(a, wide);
        }
    }
    sum
}

fn tail(left: &[f32], right: &[f32]) -> f32 {
    left.iter().zip(right).map(|(a, b)| a * b).sum()
}

/// Inner product of the two and the square of `vector`, in one pass.
pub(super) fn dot_and_square<T: Copy + Into<f64>>(query: &[f64], vector: &[T]) -> (f64, f64) {
    const LANES: usize = 8;
    let (mut dots, mut squares) = ([0.0_f64; LANES], [0.0_f64; LANES]);
    for (query, vector) in query.chunks(LANES).zip(vector.chunks(LANES)) {
        let lanes = dots.iter_mut().zip(&mut squares);
        for ((dot, square), (a, b)) in lanes.zip(query.iter().zip(vector)) {
            let b: f64 = (*b).into();
            *dot += a * b;
            *square += b * b;
        }
    }
    (dots.iter().sum(), squares.iter().sum())
}

/// Exact; callers have checked that the sum fits.
pub(super) fn dot_int8(left: &[i8], right: &[i8]) -> i32 {
    let pairs = left.iter().zip(right);
    pairs.map(|(a, b)| i32::from(*a) * i32::from(*b)).sum()
}
