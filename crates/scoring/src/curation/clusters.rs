//! k-means: clusters of vectors around their means.

use adit_embedding::kernels;
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Two centres nearer in single precision than this are compared again in double.
const DOUBT: f32 = 1e-4;

/// Vectors, each with the centre it is nearest to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Clustering {
    /// For each vector the number of its centre.
    pub labels: Vec<usize>,
    /// The centres, row after row: means of their vectors.
    pub centres: Vec<f32>,
    /// Sum of squared distances of the vectors from their centres.
    pub inertia: f64,
    /// Rounds until nothing changed.
    pub rounds: usize,
}

/// Lloyd's algorithm from given centres: vectors join the nearest centre (the first of several
/// equally near), centres move to the mean of their vectors, until no vector changes its centre or
/// no centre moves, or for `rounds_most` rounds. A centre without vectors moves to the vector farthest
/// from its own centre, which leaves the other, as scikit-learn does it.
///
/// Products in single precision by vector instructions, near ties decided and means taken in double.
/// O(rounds · vectors · centres · dimension).
///
/// # Errors
/// [`Error::Length`] unless vectors and centres fill whole rows, [`Error::NotFinite`] for a
/// component that is not, [`Error::Empty`] without centres or with fewer vectors than centres.
///
/// ```
/// use adit_scoring::curation::clusters::k_means;
///
/// let found = k_means(&[0.0, 1.0, 10.0, 11.0], &[0.0, 1.0], 1, 100)?;
/// assert_eq!(found.labels, [0, 0, 1, 1]);
/// assert_eq!(found.centres, [0.5, 10.5]);
/// assert_eq!(found.inertia, 1.0);
/// # Ok::<(), adit_scoring::Error>(())
/// ```
pub fn k_means(
    vectors: &[f32],
    centres: &[f32],
    dimension: usize,
    rounds_most: usize,
) -> Result<Clustering> {
    for numbers in [vectors, centres] {
        if dimension == 0 || !numbers.len().is_multiple_of(dimension) {
            return Err(Error::Length {
                left: numbers.len(),
                right: dimension,
            });
        }
        // Products of larger components overflow.
        if !numbers.iter().all(|number| number.abs() < 1e15) {
            return Err(Error::NotFinite {
                what: "a component of a vector",
            });
        }
    }
    if centres.is_empty() || vectors.len() < centres.len() {
        return Err(Error::Empty {
            what: "a cluster, of which there are more than vectors,",
        });
    }
    let mut centres = Centres::new(centres, dimension);
    let mut labels = vec![usize::MAX; vectors.len() / dimension];
    let mut rounds = 0;
    let mut settled = false;
    while rounds < rounds_most && !settled {
        rounds += 1;
        let unchanged = centres.label(vectors, &mut labels);
        let moved = centres.move_to_means(vectors, &labels);
        settled = unchanged;
        if !moved {
            break;
        }
    }
    if !settled {
        centres.label(vectors, &mut labels);
    }
    let rows = vectors.chunks_exact(dimension).zip(&labels);
    Ok(Clustering {
        inertia: rows.map(|(row, label)| centres.distance(row, *label)).sum(),
        labels,
        centres: centres.single,
        rounds,
    })
}

/// Centres in double precision, and in single for the products.
struct Centres {
    dimension: usize,
    double: Vec<f64>,
    single: Vec<f32>,
    /// Half of each centre's squared length.
    halves: Vec<f32>,
}

impl Centres {
    fn new(centres: &[f32], dimension: usize) -> Self {
        let mut made = Self {
            dimension,
            double: centres.iter().map(|number| f64::from(*number)).collect(),
            single: Vec::new(),
            halves: Vec::new(),
        };
        made.refresh();
        made
    }

    fn refresh(&mut self) {
        self.single = self.double.iter().map(|number| *number as f32).collect();
        let rows = self.double.chunks_exact(self.dimension);
        self.halves = rows
            .map(|row| (row.iter().map(|number| number * number).sum::<f64>() / 2.0) as f32)
            .collect();
    }

    fn row(&self, label: usize) -> &[f64] {
        let start = label.saturating_mul(self.dimension);
        let end = start.saturating_add(self.dimension);
        self.double.get(start..end).unwrap_or(&[])
    }

    /// Squared distance of a vector from a centre.
    fn distance(&self, vector: &[f32], label: usize) -> f64 {
        let pairs = vector.iter().zip(self.row(label));
        pairs
            .map(|(one, other)| (f64::from(*one) - other).powi(2))
            .sum()
    }

    /// Labels every vector and says whether no label changed. Of `|v − c|²` only `|c|²/2 − v·c`
    /// differs from centre to centre.
    fn label(&self, vectors: &[f32], labels: &mut [usize]) -> bool {
        let mut products = vec![0.0; self.halves.len()];
        let mut unchanged = true;
        for (vector, label) in vectors.chunks_exact(self.dimension).zip(labels) {
            // Lengths fit: they were checked.
            let _ = kernels::dot_rows(vector, &self.single, &mut products);
            let mut nearest = 0;
            let mut least = f32::INFINITY;
            for (place, (half, product)) in self.halves.iter().zip(&mut products).enumerate() {
                *product = half - *product;
                if *product < least {
                    (nearest, least) = (place, *product);
                }
            }
            let doubtful = least + DOUBT * (1.0 + least.abs());
            if products
                .iter()
                .filter(|distance| **distance <= doubtful)
                .count()
                > 1
            {
                let near = products.iter().enumerate();
                let near = near.filter(|(_, distance)| **distance <= doubtful);
                let exact = near.map(|(place, _)| (place, self.distance(vector, place)));
                let first = exact.reduce(|best, next| if next.1 < best.1 { next } else { best });
                nearest = first.map_or(nearest, |(place, _)| place);
            }
            unchanged &= *label == nearest;
            *label = nearest;
        }
        unchanged
    }

    /// Moves every centre to the mean of its vectors and says whether any moved.
    fn move_to_means(&mut self, vectors: &[f32], labels: &[usize]) -> bool {
        let mut sums = vec![0.0_f64; self.double.len()];
        let mut counts = vec![0_usize; self.halves.len()];
        let dimension = self.dimension;
        let add = |sums: &mut [f64], label: usize, vector: &[f32], sign: f64| {
            let start = label * dimension;
            if let Some(sums) = sums.get_mut(start..start + dimension) {
                for (sum, component) in sums.iter_mut().zip(vector) {
                    *sum += sign * f64::from(*component);
                }
            }
        };
        for (vector, &label) in vectors.chunks_exact(dimension).zip(labels) {
            add(&mut sums, label, vector, 1.0);
            if let Some(count) = counts.get_mut(label) {
                *count += 1;
            }
        }
        let empty: Vec<usize> = (0..counts.len())
            .filter(|label| counts.get(*label) == Some(&0))
            .collect();
        if !empty.is_empty() {
            let rows = vectors.chunks_exact(dimension).zip(labels);
            let mut far: Vec<_> = rows
                .map(|(vector, &label)| (self.distance(vector, label), vector, label))
                .collect();
            far.sort_by(|one, other| other.0.total_cmp(&one.0));
            for (&label, &(_, vector, from)) in empty.iter().zip(&far) {
                add(&mut sums, from, vector, -1.0);
                add(&mut sums, label, vector, 1.0);
                if let Some(count) = counts.get_mut(from) {
                    *count = count.saturating_sub(1);
                }
                if let Some(count) = counts.get_mut(label) {
                    *count = 1;
                }
            }
        }
        let mut moved = false;
        let rows = self.double.chunks_exact_mut(dimension);
        for ((row, sums), &count) in rows.zip(sums.chunks_exact(dimension)).zip(&counts) {
            // One that lost its only vector stays.
            if count == 0 {
                continue;
            }
            for (component, sum) in row.iter_mut().zip(sums) {
                let mean = sum / count as f64;
                moved |= *component != mean;
                *component = mean;
            }
        }
        self.refresh();
        moved
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_cluster_takes_the_farthest_vector() {
        let found = k_means(&[0.0, 1.0, 2.0, 30.0], &[1.0, 500.0], 1, 100).unwrap();
        assert_eq!(found.labels, [0, 0, 0, 1]);
        assert_eq!(found.centres, [1.0, 30.0]);
    }

    #[test]
    fn hostile_vectors_are_refused() {
        assert!(k_means(&[f32::NAN, 1.0], &[1.0], 1, 9).is_err());
        assert!(k_means(&[f32::MAX, 1.0], &[1.0], 1, 9).is_err());
        assert!(k_means(&[1.0], &[1.0, 2.0], 1, 9).is_err());
        assert!(k_means(&[1.0], &[], 1, 9).is_err());
        assert!(k_means(&[1.0, 2.0, 3.0], &[1.0, 2.0], 2, 9).is_err());
        assert!(k_means(&[], &[], 0, 9).is_err());
        let none = k_means(&[1.0, 2.0], &[0.0], 1, 0).unwrap();
        assert_eq!((none.labels, none.rounds), (vec![0, 0], 0));
        // Vectors that are all the same, with a centre each.
        let same = k_means(&[3.0; 6], &[3.0; 2], 1, 9).unwrap();
        assert_eq!(same.inertia, 0.0);
    }
}
