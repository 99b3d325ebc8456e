//! How near tags lie to the ground truth: its neighbourhood, and cosines with it.

use adit_embedding::kernels;

use super::UnusableVector;
use crate::{Error, Result, sealed::Sealed};

/// A component of a vector: `f32` or `f64`.
pub trait TagComponent: Copy + Into<f64> + Sealed {
    /// `(Σ query_i · vector_i, Σ vector_i²)` in double precision; nothing for different lengths.
    fn dot_and_square(query: &[f64], vector: &[Self]) -> Option<(f64, f64)>;

    /// `Σ left_i · right_i`; nothing for different lengths.
    fn dot(left: &[Self], right: &[Self]) -> Option<f64>;
}

impl TagComponent for f64 {
    fn dot_and_square(query: &[f64], vector: &[Self]) -> Option<(f64, f64)> {
        kernels::dot_and_square(query, vector).ok()
    }

    fn dot(left: &[Self], right: &[Self]) -> Option<f64> {
        kernels::dot_and_square(left, right)
            .ok()
            .map(|(dot, _)| dot)
    }
}

impl TagComponent for f32 {
    fn dot_and_square(query: &[f64], vector: &[Self]) -> Option<(f64, f64)> {
        kernels::dot_and_square_f32(query, vector).ok()
    }

    fn dot(left: &[Self], right: &[Self]) -> Option<f64> {
        kernels::dot(left, right).ok().map(f64::from)
    }
}

/// The mean of vectors, component by component, as they are: `Σ v / n` over the first `most` of
/// them (none: all). Nothing of no vectors; a NaN stays where it is.
///
/// # Errors
/// [`Error::Length`] when two of them have different lengths.
pub fn semantic_neighbourhood<T: TagComponent>(
    vectors: &[&[T]],
    most: Option<usize>,
) -> Result<Option<Vec<f64>>> {
    let used = vectors.len().min(most.unwrap_or(usize::MAX));
    let mut vectors = vectors.iter().take(used);
    let Some(first) = vectors.next() else {
        return Ok(None);
    };
    let mut mean: Vec<f64> = first.iter().map(|value| (*value).into()).collect();
    for vector in vectors {
        if vector.len() != mean.len() {
            return Err(Error::Length {
                left: mean.len(),
                right: vector.len(),
            });
        }
        for (sum, value) in mean.iter_mut().zip(*vector) {
            *sum += (*value).into();
        }
    }
    for sum in &mut mean {
        *sum /= used as f64;
    }
    Ok(Some(mean))
}

/// A vector with its length, to which many others are compared.
#[derive(Debug, Clone, PartialEq)]
pub struct TagCentre {
    vector: Vec<f64>,
    length: f64,
}

impl TagCentre {
    /// Measures the vector's length once.
    pub fn new(vector: Vec<f64>) -> Self {
        let square = kernels::dot_and_square(&vector, &vector).map_or(0.0, |(_, square)| square);
        Self {
            length: square.sqrt(),
            vector,
        }
    }

    /// The vector.
    pub fn vector(&self) -> &[f64] {
        &self.vector
    }

    /// The cosine `c · v / (|c| |v|)` and the length `|v|`, reading `v` once. The cosine is 0 for an
    /// empty vector or one of another length, and by the rule where one of the two has no direction.
    pub(super) fn compare<T: TagComponent>(
        &self,
        vector: &[T],
        unusable: UnusableVector,
    ) -> (f64, f64) {
        let Some((dot, square)) = T::dot_and_square(&self.vector, vector) else {
            return (0.0, f64::NAN);
        };
        let length = square.sqrt();
        let cosine = dot / (self.length * length);
        let cosine = match unusable {
            _ if vector.is_empty() => 0.0,
            UnusableVector::CountsZero if cosine.is_finite() => cosine.clamp(-1.0, 1.0),
            UnusableVector::CountsZero => 0.0,
            // A square of zero can also be an underflow.
            UnusableVector::PoisonsUnlessZero
                if square == 0.0 && vector.iter().all(|value| (*value).into() == 0.0) =>
            {
                0.0
            }
            UnusableVector::Poisons | UnusableVector::PoisonsUnlessZero => cosine,
        };
        (cosine, length)
    }
}

/// How near a tag lies to the neighbourhood: their cosine, −1 to 1 up to rounding, in one pass over
/// the tag's vector. 0 without a neighbourhood, for an empty vector, and for one of another length;
/// where one of the two is zero or not finite, the rule decides. Squares are not scaled: of vectors
/// beyond 1e154 nothing is known.
///
/// ```
/// use adit_scoring::conversation::{TagCentre, UnusableVector, tag_similarity};
///
/// let centre = TagCentre::new(vec![1.0, 0.0]);
/// let cosine = |vector: &[f32]| tag_similarity(Some(&centre), vector, UnusableVector::CountsZero);
/// assert_eq!(cosine(&[3.0, 4.0]), 0.6);
/// assert_eq!(cosine(&[0.0, 0.0]), 0.0);
/// assert_eq!(cosine(&[1.0]), 0.0);
/// assert!(tag_similarity(Some(&centre), &[0.0, 0.0], UnusableVector::Poisons).is_nan());
/// ```
pub fn tag_similarity<T: TagComponent>(
    centre: Option<&TagCentre>,
    vector: &[T],
    unusable: UnusableVector,
) -> f64 {
    centre.map_or(0.0, |centre| centre.compare(vector, unusable).0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_neighbourhood_is_the_mean_of_the_first() {
        let vectors: [&[f64]; 3] = [&[1.0, 2.0], &[3.0, f64::NAN], &[100.0, 0.0]];
        let mean = semantic_neighbourhood(&vectors, Some(2)).unwrap().unwrap();
        assert!(mean[0] == 2.0 && mean[1].is_nan());
        assert_eq!(semantic_neighbourhood(&vectors, Some(0)), Ok(None));
        assert_eq!(semantic_neighbourhood::<f64>(&[], None), Ok(None));
        assert!(matches!(
            semantic_neighbourhood(&[&[1.0_f32][..], &[]], None),
            Err(Error::Length { left: 1, right: 0 })
        ));
    }

    #[test]
    fn vectors_without_a_direction_follow_the_rule() {
        let centre = TagCentre::new(vec![1.0, 2.0]);
        let cosine = |vector: &[f64], rule| tag_similarity(Some(&centre), vector, rule);
        for vector in [[0.0, 0.0], [f64::NAN, 1.0], [f64::INFINITY, 1.0]] {
            assert!(cosine(&vector, UnusableVector::Poisons).is_nan());
            assert_eq!(cosine(&vector, UnusableVector::CountsZero), 0.0);
        }
        assert_eq!(cosine(&[0.0, 0.0], UnusableVector::PoisonsUnlessZero), 0.0);
        assert!(!cosine(&[1e-200, 0.0], UnusableVector::PoisonsUnlessZero).is_finite());
        assert_eq!(cosine(&[], UnusableVector::Poisons), 0.0);
        assert_eq!(tag_similarity(None, &[1.0], UnusableVector::Poisons), 0.0);
        let nowhere = TagCentre::new(vec![0.0, 0.0]);
        assert!(
            tag_similarity(
                Some(&nowhere),
                &[1.0, 1.0],
                UnusableVector::PoisonsUnlessZero
            )
            .is_nan()
        );
    }
}
