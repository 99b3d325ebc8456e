use super::component::{Component, dimension, length, squared_distance};
use crate::{Error, Result};

/// Keeps a density finite where all neighbours are at the same place; scikit-learn's constant.
const DENSITY_FLOOR: f64 = 1e-10;

/// Local outlier factors by Euclidean distance (Breunig et al., 2000), as scikit-learn's
/// `LocalOutlierFactor` computes them, which stores them negated: about 1 within a cluster, the
/// higher the lonelier.
///
/// `density_i = 1 / (mean over i's neighbours j of max(reach_j, distance_ij) + 1e-10)`, where
/// `reach_j` is j's distance to its last neighbour, and
/// `factor_i = mean density of i's neighbours / density_i`. The number of neighbours is at least 1
/// and at most all others; fewer than two points have factor 1. Of points equally far, the earlier is
/// the nearer. Exact copies are at distance 0, so that a point outside three copies of another, with
/// two neighbours, has a factor of thousands of millions, as it has in the original.
///
/// Takes n²/2 inner products, and an exact distance for each point that those cannot tell from a
/// neighbour: for n points that are all the same, n² distances.
///
/// # Errors
/// [`Error::Length`] for rows of different lengths, [`Error::NotFinite`] for a component or a distance
/// that is not finite.
pub fn local_outlier_factors<T: Component, V: AsRef<[T]>>(
    points: &[V],
    neighbours: usize,
) -> Result<Vec<f64>> {
    let dimension = dimension(points)?;
    let count = points.len();
    let lengths = points
        .iter()
        .map(|point| length(point.as_ref()))
        .collect::<Result<Vec<f64>>>()?;
    if count < 2 {
        return Ok(vec![1.0; count]);
    }
    let mut squares = vec![0.0; count * count];
    for (first, left) in points.iter().enumerate() {
        for (second, right) in points.iter().enumerate().skip(first + 1) {
            let product = T::inner_product(left.as_ref(), right.as_ref());
            let square = [first, second]
                .iter()
                .filter_map(|point| lengths.get(*point))
                .map(|length| length * length)
                .sum::<f64>()
                - 2.0 * product;
            for place in [first * count + second, second * count + first] {
                if let Some(slot) = squares.get_mut(place) {
                    *slot = square;
                }
            }
        }
    }
    let longest = lengths.iter().copied().fold(0.0, f64::max);
    // The worst rounding of a sum in any order, on both sides of a comparison.
    let margin = 8.0 * T::ROUNDING * (dimension + 8) as f64 * longest * longest;
    let neighbours = neighbours.clamp(1, count - 1);
    let nearest = squares
        .chunks_exact(count)
        .enumerate()
        .map(|(point, squares)| nearest(points, point, squares, margin, neighbours))
        .collect::<Result<Vec<_>>>()?;
    Ok(factors(&nearest))
}

/// The nearest other points of one, with their distances, nearest first. `squares` has the squared
/// distances up to `margin`, or no number.
fn nearest<T: Component, V: AsRef<[T]>>(
    points: &[V],
    point: usize,
    squares: &[f64],
    margin: f64,
    neighbours: usize,
) -> Result<Vec<(f64, usize)>> {
    let others = || {
        let all = squares.iter().copied().enumerate();
        all.filter(|(other, _)| *other != point)
    };
    let mut sorted: Vec<f64> = others()
        .map(|(_, square)| {
            if square.is_nan() {
                f64::NEG_INFINITY
            } else {
                square
            }
        })
        .collect();
    let last = neighbours
        .saturating_sub(1)
        .min(sorted.len().saturating_sub(1));
    let (_, bound, _) = sorted.select_nth_unstable_by(last, f64::total_cmp);
    let bound = *bound + margin;
    let own = points.get(point).map(AsRef::as_ref).unwrap_or_default();
    // A bound that is not finite tells nothing: every point could be a neighbour.
    let mut found = others()
        .filter(|(_, square)| !(*square > bound && bound.is_finite()))
        .map(|(other, _)| {
            let theirs = points.get(other).map(AsRef::as_ref).unwrap_or_default();
            let distance = squared_distance(own, theirs).sqrt();
            if distance.is_finite() {
                Ok((distance, other))
            } else {
                Err(Error::NotFinite { what: "a distance" })
            }
        })
        .collect::<Result<Vec<_>>>()?;
    found.sort_by(|left, right| left.0.total_cmp(&right.0).then(left.1.cmp(&right.1)));
    found.truncate(neighbours);
    Ok(found)
}

fn factors(nearest: &[Vec<(f64, usize)>]) -> Vec<f64> {
    let reach = |point: usize| {
        let last = nearest.get(point).and_then(|found| found.last());
        last.map_or(0.0, |(distance, _)| *distance)
    };
    let mean = |numbers: &mut dyn Iterator<Item = f64>, count: usize| {
        numbers.sum::<f64>() / count.max(1) as f64
    };
    let densities: Vec<f64> = nearest
        .iter()
        .map(|found| {
            let mut reached = found
                .iter()
                .map(|(distance, other)| distance.max(reach(*other)));
            1.0 / (mean(&mut reached, found.len()) + DENSITY_FLOOR)
        })
        .collect();
    let each = nearest.iter().zip(&densities);
    each.map(|(found, own)| {
        let mut theirs = found
            .iter()
            .filter_map(|(_, other)| densities.get(*other))
            .map(|density| density / own);
        mean(&mut theirs, found.len())
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lonely_point_stands_out() {
        let points = [
            [0.0_f32, 0.0],
            [0.1, 0.0],
            [0.0, 0.1],
            [0.1, 0.1],
            [3.0, 3.0],
        ];
        let factors = local_outlier_factors(&points, 2).unwrap();
        assert!(factors[..4].iter().all(|factor| *factor < 1.2));
        assert!(factors[4] > 10.0);
    }

    #[test]
    fn three_copies_make_all_others_outliers() {
        let points = [
            [1.0_f64, 0.0],
            [1.0, 0.0],
            [1.0, 0.0],
            [0.9, 0.1],
            [0.8, 0.2],
        ];
        let factors = local_outlier_factors(&points, 2).unwrap();
        assert_eq!(factors[..3], [1.0; 3]);
        assert!(factors[3] > 1e8 && factors[4] > 1e8);
    }

    #[test]
    fn few_points_and_hostile_ones() {
        assert_eq!(local_outlier_factors::<f32, [f32; 1]>(&[], 2).unwrap(), []);
        assert_eq!(local_outlier_factors(&[[1.0_f32]], 2).unwrap(), [1.0]);
        assert_eq!(
            local_outlier_factors(&[[1.0_f32], [7.0]], 9).unwrap(),
            [1.0, 1.0]
        );
        assert!(local_outlier_factors(&[[f32::NAN], [1.0]], 2).is_err());
        assert!(local_outlier_factors(&[[1e300_f64], [-1e300]], 2).is_err());
        // Squares beyond f32 do not hide who is near.
        let far = [[3e38_f32, 0.0], [3e38, 1e30], [-3e38, 0.0], [-3e38, 1e31]];
        assert!(
            local_outlier_factors(&far, 1)
                .unwrap()
                .iter()
                .all(|factor| factor.is_finite())
        );
    }
}
