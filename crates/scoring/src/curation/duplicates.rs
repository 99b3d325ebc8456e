//! Semantic duplicates: clips whose embeddings point the same way as one that is kept.
//!
//! Embeddings are clustered ([`super::clusters`]); within a cluster each is compared with those that
//! come before it in an order of preference, and dropped when it is too like one of them.

mod nearest;
mod policy;

pub use policy::{ComparedWith, DuplicatePolicy, KeepOrder};

use adit_embedding::kernels;
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// What became of the vectors of one cluster. All lists are in the order of preference.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct DuplicateReport {
    /// Places of the vectors in the input.
    pub order: Vec<usize>,
    /// For each the place, in the input, of the vector before it that it is most like; its own where
    /// there is none.
    pub nearest: Vec<usize>,
    /// Cosine with that; 0 for the first.
    pub score: Vec<f32>,
    /// Whether it is dropped.
    pub duplicate: Vec<bool>,
}

impl DuplicateReport {
    /// Places of the vectors that are kept, in the order of preference.
    pub fn kept(&self) -> impl Iterator<Item = usize> + '_ {
        let kept = self.order.iter().zip(&self.duplicate);
        kept.filter_map(|(place, duplicate)| (!duplicate).then_some(*place))
    }
}

/// Vectors, row after row, each divided by its length, so that inner products are cosines. Lengths
/// are taken in double precision.
///
/// # Errors
/// [`Error::Length`] unless the vectors fill whole rows of at least one component,
/// [`Error::NotFinite`] for a component that is not, [`Error::Empty`] for a vector of length 0.
pub fn unit_rows(vectors: &[f32], dimension: usize) -> Result<Vec<f32>> {
    if dimension == 0 || !vectors.len().is_multiple_of(dimension) {
        return Err(Error::Length {
            left: vectors.len(),
            right: dimension,
        });
    }
    let mut rows = Vec::with_capacity(vectors.len());
    for row in vectors.chunks_exact(dimension) {
        let square = |component: &f32| f64::from(*component) * f64::from(*component);
        let length = row.iter().map(square).sum::<f64>().sqrt();
        if !length.is_finite() {
            return Err(Error::NotFinite {
                what: "a component of a vector",
            });
        }
        if length == 0.0 {
            return Err(Error::Empty {
                what: "the direction of a vector",
            });
        }
        rows.extend(
            row.iter()
                .map(|component| (f64::from(*component) / length) as f32),
        );
    }
    Ok(rows)
}

/// `1 − cosine` of each unit row and the centre, which need not have length 1.
///
/// # Errors
/// As [`unit_rows`] for the centre, [`Error::Length`] unless rows and centre fit.
pub fn centre_distances(rows: &[f32], centre: &[f32]) -> Result<Vec<f32>> {
    let centre = unit_rows(centre, centre.len())?;
    let mut cosines = vec![0.0; rows.len() / centre.len()];
    kernels::dot_rows(&centre, rows, &mut cosines).map_err(|_| Error::Length {
        left: rows.len(),
        right: centre.len(),
    })?;
    Ok(cosines.into_iter().map(|cosine| 1.0 - cosine).collect())
}

/// Places of the vectors in the order of preference, by their distance from the centre; equal
/// distances in the order of the input. NaN counts as farthest.
pub fn preference(distances: &[f32], keep: KeepOrder) -> Vec<usize> {
    let mut order: Vec<usize> = (0..distances.len()).collect();
    let distance = |place: &usize| distances.get(*place).copied().unwrap_or_default();
    order.sort_by(|one, other| {
        let ascending = distance(one).total_cmp(&distance(other));
        match keep {
            KeepOrder::CentreFirst => ascending,
            KeepOrder::OutliersFirst => ascending.reverse(),
        }
    });
    order
}

/// Finds the duplicates within one cluster of `n` vectors of `dimension` components around `centre`.
///
/// Vectors are put in the order of preference; each one's score is its largest cosine with those
/// before it that [`ComparedWith`] names, the first's is 0. A vector is a duplicate when its score is
/// above `1 − epsilon`, or equal to it where the policy says so.
///
/// O(n² · dimension / 2) multiplications by vector instructions, block by block so that rows stay in
/// the cache; memory for one normalised copy of the vectors.
///
/// # Errors
/// As [`unit_rows`] and [`centre_distances`]; [`Error::Constant`] for a constant of the policy.
///
/// ```
/// use adit_scoring::curation::duplicates::{DuplicatePolicy, find_duplicates};
///
/// let vectors = [1.0, 0.0, 0.0, 1.0, 0.999, 0.001];
/// let report = find_duplicates(&DuplicatePolicy::hardened(), &vectors, 2, &[1.0, 0.5])?;
/// assert_eq!(report.kept().collect::<Vec<_>>(), [1, 0]);
/// # Ok::<(), adit_scoring::Error>(())
/// ```
pub fn find_duplicates(
    policy: &DuplicatePolicy,
    vectors: &[f32],
    dimension: usize,
    centre: &[f32],
) -> Result<DuplicateReport> {
    let rows = unit_rows(vectors, dimension)?;
    if centre.len() != dimension {
        return Err(Error::Length {
            left: centre.len(),
            right: dimension,
        });
    }
    let order = preference(&centre_distances(&rows, centre)?, policy.keep);
    scored(policy, &rows, dimension, order)
}

/// [`find_duplicates`] of unit rows that are in the order of preference already.
///
/// # Errors
/// [`Error::Length`] unless the rows fill whole rows, [`Error::NotFinite`] for a component that is
/// not, [`Error::Constant`] for a constant of the policy.
pub fn find_ranked_duplicates(
    policy: &DuplicatePolicy,
    rows: &[f32],
    dimension: usize,
) -> Result<DuplicateReport> {
    if dimension == 0 || !rows.len().is_multiple_of(dimension) {
        return Err(Error::Length {
            left: rows.len(),
            right: dimension,
        });
    }
    if !rows.iter().all(|component| component.is_finite()) {
        return Err(Error::NotFinite {
            what: "a component of a vector",
        });
    }
    scored(
        policy,
        rows,
        dimension,
        (0..rows.len() / dimension).collect(),
    )
}

fn scored(
    policy: &DuplicatePolicy,
    rows: &[f32],
    dimension: usize,
    order: Vec<usize>,
) -> Result<DuplicateReport> {
    policy.validate()?;
    let found = nearest::among_earlier(policy, rows, dimension, &order);
    Ok(DuplicateReport {
        nearest: found.iter().map(|found| found.place).collect(),
        score: found.iter().map(|found| found.score).collect(),
        duplicate: found
            .iter()
            .map(|found| policy.drops(found.score))
            .collect(),
        order,
    })
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};

    use super::*;

    fn random_rows(count: usize, dimension: usize) -> Vec<f32> {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(7);
        (0..count * dimension)
            .map(|_| rng.random_range(-1.0..1.0))
            .collect()
    }

    #[test]
    fn blocks_do_not_show_in_the_scores() {
        let dimension = 24;
        let rows = unit_rows(&random_rows(200, dimension), dimension).unwrap();
        let report =
            find_ranked_duplicates(&DuplicatePolicy::original(), &rows, dimension).unwrap();
        for later in 1..200 {
            let row = |place: usize| &rows[place * dimension..(place + 1) * dimension];
            let cosines = (0..later).map(|earlier| kernels::dot(row(earlier), row(later)).unwrap());
            let (place, best) = cosines
                .enumerate()
                .reduce(|best, next| if next.1 > best.1 { next } else { best })
                .unwrap();
            assert_eq!((report.nearest[later], report.score[later]), (place, best));
        }
        assert_eq!((report.nearest[0], report.score[0]), (0, 0.0));
    }

    #[test]
    fn chains_are_cut_only_by_the_original() {
        // Each is 0.2 radians from the one before: too like it, and unlike the one before that.
        let rows: Vec<f32> = (0..8)
            .flat_map(|step| {
                [
                    (0.2 * f64::from(step)).cos() as f32,
                    (0.2 * f64::from(step)).sin() as f32,
                ]
            })
            .collect();
        let dropped = |policy: DuplicatePolicy| {
            let policy = DuplicatePolicy {
                epsilon: 0.05,
                ..policy
            };
            find_ranked_duplicates(&policy, &rows, 2).unwrap().duplicate
        };
        assert_eq!(
            dropped(DuplicatePolicy::original())
                .iter()
                .filter(|it| **it)
                .count(),
            7
        );
        let hardened = dropped(DuplicatePolicy::hardened());
        assert!(
            hardened
                .iter()
                .enumerate()
                .all(|(place, dropped)| *dropped == (place % 2 == 1))
        );
    }

    #[test]
    fn what_is_dropped_is_like_something_kept() {
        let dimension = 3;
        let rows = unit_rows(&random_rows(300, dimension), dimension).unwrap();
        let policy = DuplicatePolicy::hardened();
        let report = find_ranked_duplicates(&policy, &rows, dimension).unwrap();
        let kept: std::collections::BTreeSet<_> = report.kept().collect();
        for (place, duplicate) in report.duplicate.iter().enumerate() {
            assert_eq!(*duplicate, report.score[place] >= 0.99);
            assert!(place == 0 || kept.contains(&report.nearest[place]));
        }
        assert!(kept.len() < 300);
    }

    #[test]
    fn the_bound_itself_is_told_apart() {
        // 0.75 is the cosine, exactly.
        let rows = [1.0, 0.0, 0.0, 0.75, 0.5, 0.433_012_7];
        let duplicate = |policy: DuplicatePolicy| {
            let policy = DuplicatePolicy {
                epsilon: 0.25,
                ..policy
            };
            find_ranked_duplicates(&policy, &rows, 3).unwrap().duplicate[1]
        };
        assert!(!duplicate(DuplicatePolicy::original()));
        assert!(duplicate(DuplicatePolicy::original_nemo()));
        assert!(duplicate(DuplicatePolicy::hardened()));
    }

    #[test]
    fn hostile_vectors_are_refused() {
        let policy = DuplicatePolicy::hardened();
        let find = |vectors: &[f32], dimension, centre: &[f32]| {
            find_duplicates(&policy, vectors, dimension, centre)
        };
        assert!(find(&[f32::NAN, 1.0], 2, &[1.0, 0.0]).is_err());
        assert!(find(&[0.0, 0.0], 2, &[1.0, 0.0]).is_err());
        assert!(find(&[1.0, 0.0, 1.0], 2, &[1.0, 0.0]).is_err());
        assert!(find(&[1.0, 0.0], 0, &[]).is_err());
        assert!(find(&[1.0, 0.0], 2, &[1.0]).is_err());
        assert!(find(&[1.0, 0.0], 2, &[0.0, 0.0]).is_err());
        assert_eq!(
            find(&[], 2, &[1.0, 0.0]).unwrap(),
            DuplicateReport::default()
        );
        let large = find(&[f32::MAX, 0.0, f32::MIN_POSITIVE, 0.0], 2, &[1.0, 0.0]).unwrap();
        assert_eq!(large.duplicate, [false, true]);
        assert!(find_ranked_duplicates(&policy, &[f32::INFINITY], 1).is_err());
        let no_epsilon = DuplicatePolicy {
            epsilon: f32::NAN,
            ..policy.clone()
        };
        assert!(find_ranked_duplicates(&no_epsilon, &[1.0], 1).is_err());
    }
}
