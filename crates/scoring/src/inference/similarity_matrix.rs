use super::component::{Component, dimension, length};
use crate::{Error, Result};

/// How alike each answer of a round is to each other: a symmetric matrix, row after row.
#[derive(Debug, Clone, PartialEq)]
pub struct SimilarityMatrix {
    len: usize,
    values: Vec<f64>,
}

impl SimilarityMatrix {
    /// Cosines of all pairs of embeddings, −1 to 1 up to rounding, as scikit-learn's
    /// `cosine_similarity` defines them: rows are scaled to length 1, a zero row stays zero, so that
    /// it is like nothing, itself included.
    ///
    /// Takes n²/2 inner products and 8 n² bytes.
    ///
    /// ```
    /// use adit_scoring::inference::SimilarityMatrix;
    ///
    /// let matrix = SimilarityMatrix::cosines(&[[1.0_f32, 0.0], [2.0, 0.0], [0.0, 3.0], [0.0, 0.0]])?;
    /// assert_eq!(matrix.row(0), [1.0, 1.0, 0.0, 0.0]);
    /// assert_eq!(matrix.get(3, 3), Some(0.0));
    /// # Ok::<(), adit_scoring::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Length`] for rows of different lengths, [`Error::NotFinite`] for a component that is
    /// not finite.
    pub fn cosines<T: Component, V: AsRef<[T]>>(embeddings: &[V]) -> Result<Self> {
        let dimension = dimension(embeddings)?;
        let len = embeddings.len();
        let mut units: Vec<T> = Vec::with_capacity(len * dimension);
        for row in embeddings {
            let row = row.as_ref();
            let scale = match length(row)? {
                0.0 => 1.0,
                length => length,
            };
            units.extend(row.iter().map(|component| {
                let wide: f64 = (*component).into();
                T::nearest(wide / scale)
            }));
        }
        let mut values = vec![0.0; len * len];
        // Empty rows have no chunks, and all products are 0.
        let rows = || units.chunks_exact(dimension.max(1)).enumerate();
        for (first, left) in rows() {
            for (second, right) in rows().skip(first) {
                let product = T::inner_product(left, right);
                for place in [first * len + second, second * len + first] {
                    if let Some(value) = values.get_mut(place) {
                        *value = product;
                    }
                }
            }
        }
        Ok(Self { len, values })
    }

    /// A matrix of known similarities.
    ///
    /// # Errors
    /// [`Error::Count`] unless it is square, [`Error::NotFinite`] for a value that is not finite.
    pub fn from_rows<V: AsRef<[f64]>>(rows: &[V]) -> Result<Self> {
        let len = rows.len();
        let mut values = Vec::with_capacity(len * len);
        for row in rows {
            let row = row.as_ref();
            if row.len() != len {
                return Err(Error::Count {
                    what: "a row of a matrix",
                    expected: len,
                    found: row.len(),
                });
            }
            if row.iter().any(|value| !value.is_finite()) {
                return Err(Error::NotFinite {
                    what: "a similarity",
                });
            }
            values.extend_from_slice(row);
        }
        Ok(Self { len, values })
    }

    /// Number of answers.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The similarity of two answers, by their numbers.
    pub fn get(&self, first: usize, second: usize) -> Option<f64> {
        self.row(first).get(second).copied()
    }

    /// The similarities of one answer to all; empty beyond the last.
    pub fn row(&self, answer: usize) -> &[f64] {
        let start = answer.saturating_mul(self.len);
        self.values
            .get(start..start.saturating_add(self.len))
            .unwrap_or_default()
    }

    /// The rows, first to last.
    pub fn rows(&self) -> impl Iterator<Item = &[f64]> {
        self.values.chunks_exact(self.len.max(1))
    }

    /// The matrix of some of the answers, in the given order; numbers beyond the last are left out.
    pub fn select(&self, answers: &[usize]) -> Self {
        let answers: Vec<usize> = answers.iter().copied().filter(|i| *i < self.len).collect();
        let rows = answers.iter().map(|answer| self.row(*answer));
        let values = rows
            .flat_map(|row| answers.iter().filter_map(|other| row.get(*other).copied()))
            .collect();
        Self {
            len: answers.len(),
            values,
        }
    }

    /// All unordered pairs of different answers with their similarity, row by row.
    pub fn pairs(&self) -> impl Iterator<Item = (usize, usize, f64)> {
        self.rows().enumerate().flat_map(|(first, row)| {
            let later = row.iter().enumerate().skip(first + 1);
            later.map(move |(second, similarity)| (first, second, *similarity))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn precisions_agree_at_any_scale() {
        let wide: Vec<Vec<f64>> = (0..9)
            .map(|row| (0..40).map(|i| f64::from(row * 40 + i).sin()).collect())
            .collect();
        let narrow: Vec<Vec<f32>> = wide
            .iter()
            .map(|row| row.iter().map(|x| *x as f32 * 1e30).collect())
            .collect();
        let wide = SimilarityMatrix::cosines(&wide).unwrap();
        let narrow = SimilarityMatrix::cosines(&narrow).unwrap();
        for (a, b) in wide.pairs().zip(narrow.pairs()) {
            assert!((a.2 - b.2).abs() < 1e-6);
        }
    }

    #[test]
    fn refuses_ragged_and_poisoned_rows() {
        let ragged = SimilarityMatrix::cosines(&[vec![1.0_f32], vec![]]);
        assert_eq!(ragged, Err(Error::Length { left: 1, right: 0 }));
        assert!(SimilarityMatrix::cosines(&[[f32::INFINITY]]).is_err());
        assert!(SimilarityMatrix::from_rows(&[[1.0, 0.0]]).is_err());
        assert!(SimilarityMatrix::from_rows(&[[f64::NAN]]).is_err());
    }

    #[test]
    fn selects_and_pairs() {
        let rows = [[1.0, 0.1, 0.2], [0.1, 1.0, 0.3], [0.2, 0.3, 1.0]];
        let matrix = SimilarityMatrix::from_rows(&rows).unwrap();
        let pairs: Vec<_> = matrix.pairs().collect();
        assert_eq!(pairs, [(0, 1, 0.1), (0, 2, 0.2), (1, 2, 0.3)]);
        let some = matrix.select(&[2, 0, 7]);
        assert_eq!(some.row(0), [1.0, 0.2]);
        assert_eq!(
            (some.len(), some.get(2, 0), some.row(9).len()),
            (2, None, 0)
        );
        assert_eq!(
            SimilarityMatrix::cosines(&[[0.0_f32; 0]; 2])
                .unwrap()
                .pairs()
                .count(),
            1
        );
    }
}
