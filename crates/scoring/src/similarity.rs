//! Likeness of raw vectors, as miners of the field send them.

use crate::{Error, Result};

/// Sums that do not wait for each other, so that the processor can add several at a time.
const LANES: usize = 8;

/// Cosine of two raw vectors, −1 to 1, as the field's tensor library defines it: each side is divided
/// by the larger of its length and 1e-8, so that a zero vector is like nothing (0).
///
/// # Errors
/// [`Error::Length`] for different lengths, [`Error::NotFinite`] when a component is NaN or infinite.
pub fn cosine(left: &[f32], right: &[f32]) -> Result<f64> {
    if left.len() != right.len() {
        return Err(Error::Length {
            left: left.len(),
            right: right.len(),
        });
    }
    let (mut dot, mut left_square, mut right_square) =
        ([0.0_f64; LANES], [0.0_f64; LANES], [0.0_f64; LANES]);
    let (left_parts, right_parts) = (left.chunks(LANES), right.chunks(LANES));
    for (left, right) in left_parts.zip(right_parts) {
        let lanes = dot.iter_mut().zip(&mut left_square).zip(&mut right_square);
        for (((dot, left_square), right_square), (a, b)) in lanes.zip(left.iter().zip(right)) {
            let (a, b) = (f64::from(*a), f64::from(*b));
            *dot += a * b;
            *left_square += a * a;
            *right_square += b * b;
        }
    }
    let sum = |lanes: [f64; LANES]| lanes.iter().sum::<f64>();
    let (dot, left_square, right_square) = (sum(dot), sum(left_square), sum(right_square));
    // Squares of f32 cannot overflow f64, so that only a poisoned component can poison the sums.
    if !left_square.is_finite() || !right_square.is_finite() {
        return Err(Error::NotFinite { what: "a vector" });
    }
    Ok(dot / (left_square.sqrt().max(1e-8) * right_square.sqrt().max(1e-8)))
}
