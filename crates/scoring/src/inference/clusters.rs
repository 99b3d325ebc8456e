mod cut;
mod dominant;

pub(super) use dominant::check_weights;
pub use dominant::dominant_cluster;

use crate::{Error, Result};

/// Two clusters become one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Merge {
    /// The node with the smaller number: a point, or a cluster as [`Dendrogram`] numbers them.
    pub first: usize,
    /// The node with the larger number.
    pub second: usize,
    /// The distance between the two.
    pub height: f64,
}

/// The tree of a hierarchical clustering. Points are numbered from 0, then the merges in order of
/// height: of n points, the first merge is node n.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Dendrogram {
    points: usize,
    merges: Vec<Merge>,
}

impl Dendrogram {
    /// Number of points.
    pub fn points(&self) -> usize {
        self.points
    }

    /// The merges, by height; one less than points.
    pub fn merges(&self) -> &[Merge] {
        &self.merges
    }
}

/// Hierarchical clustering with average linkage (UPGMA): the distance of two clusters is the mean
/// distance of their points. The nearest-neighbour chain algorithm in the order that `SciPy` uses it,
/// so that ties are resolved alike: chains start at the first remaining point, a tie goes to the point
/// before in the chain, then to the first; merges of the same height stay in the order found.
///
/// Asks for the distance of each pair `first < second` once; O(n²) time, 8 n² bytes.
///
/// # Errors
/// [`Error::NotFinite`] for a distance that is not finite.
pub fn average_linkage(
    points: usize,
    mut distance: impl FnMut(usize, usize) -> f64,
) -> Result<Dendrogram> {
    // Infinite on the diagonal and for clusters that are no more, so that a search passes over them.
    let mut distances = vec![f64::INFINITY; points.saturating_mul(points)];
    for first in 0..points {
        for second in first + 1..points {
            let found = distance(first, second);
            if !found.is_finite() {
                return Err(Error::NotFinite { what: "a distance" });
            }
            set(&mut distances, points, first, second, found);
        }
    }
    let mut sizes = vec![1_usize; points];
    let mut chain: Vec<usize> = Vec::with_capacity(points);
    let mut merges: Vec<Merge> = Vec::with_capacity(points.saturating_sub(1));
    while merges.len() + 1 < points {
        if chain.is_empty() {
            chain.extend(sizes.iter().position(|size| *size > 0));
        }
        let Some((first, second, height)) = mutual_neighbours(&distances, points, &mut chain)
        else {
            break;
        };
        merges.push(Merge {
            first,
            second,
            height,
        });
        join(&mut distances, &mut sizes, points, first, second);
    }
    Ok(Dendrogram {
        points,
        merges: numbered(points, merges),
    })
}

fn set(distances: &mut [f64], points: usize, first: usize, second: usize, value: f64) {
    for place in [first * points + second, second * points + first] {
        if let Some(slot) = distances.get_mut(place) {
            *slot = value;
        }
    }
}

fn row(distances: &[f64], points: usize, of: usize) -> &[f64] {
    distances
        .get(of * points..(of + 1) * points)
        .unwrap_or_default()
}

/// Follows nearest neighbours until two are each other's, takes both off the chain, and gives them,
/// the smaller first, with their distance.
fn mutual_neighbours(
    distances: &[f64],
    points: usize,
    chain: &mut Vec<usize>,
) -> Option<(usize, usize, f64)> {
    loop {
        let end = *chain.last()?;
        let own = row(distances, points, end);
        let before = chain
            .len()
            .checked_sub(2)
            .and_then(|place| chain.get(place));
        let before = before.copied();
        let mut height = before
            .and_then(|point| own.get(point).copied())
            .unwrap_or(f64::INFINITY);
        let mut nearest = before;
        for (point, distance) in own.iter().enumerate() {
            if *distance < height {
                height = *distance;
                nearest = Some(point);
            }
        }
        let nearest = nearest?;
        if before == Some(nearest) {
            chain.truncate(chain.len().saturating_sub(2));
            return Some((end.min(nearest), end.max(nearest), height));
        }
        chain.push(nearest);
    }
}

/// The cluster of `first` joins that of `second`.
fn join(distances: &mut [f64], sizes: &mut [usize], points: usize, first: usize, second: usize) {
    let size = |point: usize| sizes.get(point).copied().unwrap_or(0);
    let (first_size, second_size) = (size(first), size(second));
    for other in (0..points).filter(|other| size(*other) > 0) {
        if other == first || other == second {
            continue;
        }
        let of = |point: usize| {
            let found = row(distances, points, other).get(point).copied();
            found.unwrap_or(f64::INFINITY)
        };
        let (first_weight, second_weight) = (first_size as f64, second_size as f64);
        let mean = (first_weight * of(first) + second_weight * of(second))
            / (first_weight + second_weight);
        set(distances, points, other, second, mean);
    }
    for other in 0..points {
        set(distances, points, first, other, f64::INFINITY);
    }
    for (point, size) in [(first, 0), (second, first_size + second_size)] {
        if let Some(slot) = sizes.get_mut(point) {
            *slot = size;
        }
    }
}

/// Merges of representative points become merges of nodes, sorted by height.
fn numbered(points: usize, mut merges: Vec<Merge>) -> Vec<Merge> {
    merges.sort_by(|left, right| left.height.total_cmp(&right.height));
    let mut parents: Vec<usize> = (0..points + merges.len()).collect();
    for (place, merge) in merges.iter_mut().enumerate() {
        let (left, right) = (
            root(&mut parents, merge.first),
            root(&mut parents, merge.second),
        );
        for node in [left, right] {
            if let Some(parent) = parents.get_mut(node) {
                *parent = points + place;
            }
        }
        (merge.first, merge.second) = (left.min(right), left.max(right));
    }
    merges
}

fn root(parents: &mut [usize], mut node: usize) -> usize {
    while let Some(parent) = parents.get(node).copied().filter(|parent| *parent != node) {
        // Halving the path keeps every later way short.
        let grandparent = parents.get(parent).copied().unwrap_or(parent);
        if let Some(slot) = parents.get_mut(node) {
            *slot = grandparent;
        }
        node = parent;
    }
    node
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on_a_line(places: &[f64]) -> Dendrogram {
        average_linkage(places.len(), |i, j| (places[i] - places[j]).abs()).unwrap()
    }

    #[test]
    fn merges_by_mean_distance() {
        let tree = on_a_line(&[0.0, 1.0, 5.0, 7.0]);
        let merge = |first, second, height| Merge {
            first,
            second,
            height,
        };
        assert_eq!(
            tree.merges(),
            [merge(0, 1, 1.0), merge(2, 3, 2.0), merge(4, 5, 5.5)]
        );
        assert_eq!(tree.points(), 4);
    }

    #[test]
    fn few_points_and_poison() {
        assert_eq!(on_a_line(&[]), Dendrogram::default());
        assert_eq!(on_a_line(&[3.0]).merges(), []);
        assert!(average_linkage(2, |_, _| f64::NAN).is_err());
        assert!(average_linkage(2, |_, _| f64::INFINITY).is_err());
    }

    #[test]
    fn many_equal_distances_take_no_longer() {
        let tree = average_linkage(400, |_, _| 1.0).unwrap();
        assert_eq!(tree.merges().len(), 399);
        assert!(tree.merges().iter().all(|merge| merge.height == 1.0));
    }
}
