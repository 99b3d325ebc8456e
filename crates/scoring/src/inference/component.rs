use adit_embedding::kernels;

use crate::{Error, Result, sealed::Sealed};

/// Sums that do not wait for each other, so that the processor can add several at a time.
const LANES: usize = 8;

/// A component of an embedding: `f32`, as encoders give them, or `f64`, as records hold them.
///
/// Inner products of `f32` are taken in single precision with the fastest instructions of the
/// machine ([`adit_embedding::kernels`]). Those of `f64` are summed one after the other with fused
/// products, as the field's linear algebra does, so that ties between records break as they did there;
/// that is slow, and meant for records.
pub trait Component: Sealed + Copy + Into<f64> {
    /// Half a unit in the last place of 1: the relative error of one operation.
    const ROUNDING: f64;

    /// The nearest component to a number.
    fn nearest(number: f64) -> Self;

    /// `Σ left_i · right_i` over vectors of the same length; of the shorter length otherwise.
    fn inner_product(left: &[Self], right: &[Self]) -> f64;
}

impl Component for f32 {
    const ROUNDING: f64 = 6e-8;

    fn nearest(number: f64) -> Self {
        number as Self
    }

    fn inner_product(left: &[Self], right: &[Self]) -> f64 {
        kernels::dot(left, right).map_or_else(|_| laned(left, right, product), f64::from)
    }
}

impl Component for f64 {
    const ROUNDING: f64 = 1.2e-16;

    fn nearest(number: f64) -> Self {
        number
    }

    fn inner_product(left: &[Self], right: &[Self]) -> f64 {
        left.iter()
            .zip(right)
            .fold(0.0, |sum, (left, right)| left.mul_add(*right, sum))
    }
}

fn product(left: f64, right: f64) -> f64 {
    left * right
}

/// `Σ (left_i − right_i)²` in double precision, so that equal vectors are at exactly 0.
pub(super) fn squared_distance<T: Component>(left: &[T], right: &[T]) -> f64 {
    laned(left, right, |left, right| {
        let difference = left - right;
        difference * difference
    })
}

fn laned<T: Component>(left: &[T], right: &[T], term: impl Fn(f64, f64) -> f64) -> f64 {
    let mut lanes = [0.0; LANES];
    let (left, left_rest) = left.as_chunks::<LANES>();
    let (right, right_rest) = right.as_chunks::<LANES>();
    for (left, right) in left.iter().zip(right) {
        for ((lane, left), right) in lanes.iter_mut().zip(left).zip(right) {
            *lane += term((*left).into(), (*right).into());
        }
    }
    let rest: f64 = left_rest
        .iter()
        .zip(right_rest)
        .map(|(left, right)| term((*left).into(), (*right).into()))
        .sum();
    lanes.iter().sum::<f64>() + rest
}

/// The length of a vector, 0 or more, whatever its scale.
///
/// # Errors
/// [`Error::NotFinite`] for a component that is not finite, or a length beyond `f64`.
pub(super) fn length<T: Component>(vector: &[T]) -> Result<f64> {
    let square = laned(vector, vector, product);
    if square.is_finite() && square >= f64::MIN_POSITIVE / f64::EPSILON {
        return Ok(square.sqrt());
    }
    // Squares beyond the range of f64, or poison.
    let largest = vector.iter().try_fold(0.0_f64, |largest, component| {
        let size: f64 = (*component).into();
        size.is_finite().then(|| largest.max(size.abs()))
    });
    let not_finite = Error::NotFinite {
        what: "an embedding",
    };
    let largest = largest.ok_or(not_finite.clone())?;
    if largest == 0.0 {
        return Ok(0.0);
    }
    let scaled = laned(vector, vector, |left, right| {
        (left / largest) * (right / largest)
    });
    let length = scaled.sqrt() * largest;
    if length.is_finite() {
        Ok(length)
    } else {
        Err(not_finite)
    }
}

/// The common length of rows.
///
/// # Errors
/// [`Error::Length`] when they have different ones.
pub(super) fn dimension<T, V: AsRef<[T]>>(rows: &[V]) -> Result<usize> {
    let dimension = rows.first().map_or(0, |row| row.as_ref().len());
    match rows.iter().find(|row| row.as_ref().len() != dimension) {
        None => Ok(dimension),
        Some(row) => Err(Error::Length {
            left: dimension,
            right: row.as_ref().len(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_any_scale() {
        assert_eq!(length(&[3.0_f64, 4.0]).unwrap(), 5.0);
        assert!((length(&[3e200_f64, 4e200]).unwrap() / 5e200 - 1.0).abs() < 1e-12);
        assert!((length(&[3e-200_f64, 4e-200]).unwrap() / 5e-200 - 1.0).abs() < 1e-12);
        assert_eq!(length::<f32>(&[]).unwrap(), 0.0);
        assert!(length(&[f32::NAN]).is_err());
        assert!(length(&[f64::MAX, f64::MAX]).is_err());
    }

    #[test]
    fn both_precisions_agree() {
        let left: Vec<f32> = (0..37).map(|i| (i as f32 * 0.7).sin()).collect();
        let right: Vec<f32> = (0..37).map(|i| (i as f32 * 1.3).cos()).collect();
        let wide = |row: &[f32]| -> Vec<f64> { row.iter().map(|x| f64::from(*x)).collect() };
        let found = f32::inner_product(&left, &right);
        assert!((found - f64::inner_product(&wide(&left), &wide(&right))).abs() < 1e-5);
        assert_eq!(
            squared_distance(&left, &right),
            squared_distance(&wide(&left), &wide(&right))
        );
        assert_eq!(squared_distance(&left, &left), 0.0);
    }
}
