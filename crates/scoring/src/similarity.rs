//! Likeness of raw vectors, as miners of the field send them.

use adit_embedding::kernels;

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

/// A raw vector with its length, taken once for many cosines.
///
/// ```
/// use adit_scoring::similarity::{MeasuredVector, cosine};
///
/// let (left, right) = (MeasuredVector::new(&[1.0, 2.0])?, MeasuredVector::new(&[2.0, 1.0])?);
/// assert!((left.cosine(right)? - cosine(&[1.0, 2.0], &[2.0, 1.0])?).abs() < 1e-6);
/// # Ok::<(), adit_scoring::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct MeasuredVector<'a> {
    vector: &'a [f32],
    length: f64,
    /// Whether products of its components are safe in single precision.
    ordinary: bool,
}

impl<'a> MeasuredVector<'a> {
    /// Measures a vector.
    ///
    /// # Errors
    /// [`Error::NotFinite`] when a component is NaN or infinite.
    pub fn new(vector: &'a [f32]) -> Result<Self> {
        // Sums of ordinary squares neither overflow nor vanish, and NaN is not ordinary.
        let square = f64::from(kernels::dot(vector, vector).unwrap_or(f32::NAN));
        let ordinary = (1e-20..=1e30).contains(&square);
        let square = if ordinary {
            square
        } else {
            vector.iter().map(|value| f64::from(*value).powi(2)).sum()
        };
        if !square.is_finite() {
            return Err(Error::NotFinite { what: "a vector" });
        }
        Ok(Self {
            vector,
            length: square.sqrt(),
            ordinary,
        })
    }

    /// [`cosine`] of two measured vectors, in single precision as the field's tensor library has
    /// it: within about 1e-6. Vectors too long or too short for that are compared in double.
    ///
    /// # Errors
    /// [`Error::Length`] for different lengths.
    pub fn cosine(self, other: Self) -> Result<f64> {
        if !(self.ordinary && other.ordinary) {
            return cosine(self.vector, other.vector);
        }
        let dot = kernels::dot(self.vector, other.vector).map_err(|_| Error::Length {
            left: self.vector.len(),
            right: other.vector.len(),
        })?;
        Ok(f64::from(dot) / (self.length * other.length))
    }

    /// [`Self::cosine`] with several others, faster than one by one.
    ///
    /// # Errors
    /// [`Error::Length`] for different lengths.
    pub(crate) fn cosines<const N: usize>(self, others: [Self; N]) -> Result<[f64; N]> {
        let mut cosines = [0.0; N];
        let ordinary = self.ordinary && others.iter().all(|other| other.ordinary);
        let mut products = [0.0; N];
        let rows = others.map(|other| other.vector);
        if ordinary && kernels::dot_each(self.vector, &rows, &mut products).is_ok() {
            for ((cosine, product), other) in cosines.iter_mut().zip(products).zip(others) {
                *cosine = f64::from(product) / (self.length * other.length);
            }
        } else {
            for (cosine, other) in cosines.iter_mut().zip(others) {
                *cosine = self.cosine(other)?;
            }
        }
        Ok(cosines)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn measured_cosines_are_cosines(
            pairs in prop::collection::vec((-1.0_f32..1.0, -1.0_f32..1.0), 0..200),
            scale in prop_oneof![Just(1.0_f32), Just(1e-30), Just(1e25), Just(0.0)],
        ) {
            let (left, right): (Vec<f32>, Vec<f32>) = pairs.into_iter().unzip();
            let left: Vec<f32> = left.iter().map(|value| value * scale).collect();
            let expected = cosine(&left, &right).unwrap();
            let found = MeasuredVector::new(&left).unwrap().cosine(MeasuredVector::new(&right).unwrap());
            prop_assert!((found.unwrap() - expected).abs() < 2e-6);
        }

        #[test]
        fn any_vectors_are_measured(left in prop::collection::vec(any::<f32>(), 0..20),
                                    right in prop::collection::vec(any::<f32>(), 0..20)) {
            let finite = left.iter().all(|value| value.is_finite());
            prop_assert_eq!(MeasuredVector::new(&left).is_ok(), finite);
            if let (Ok(one), Ok(other)) = (MeasuredVector::new(&left), MeasuredVector::new(&right)) {
                let found = one.cosine(other);
                prop_assert_eq!(found.is_ok(), left.len() == right.len());
                prop_assert!(found.is_err() || found.is_ok_and(|cosine| cosine.abs() < 1.001));
            }
        }
    }
}
