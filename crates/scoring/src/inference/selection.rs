use rand::{Rng, seq::index};

use super::clusters::check_weights;
use crate::Result;

/// Which miners are asked: all when there are at most `count`, else `count` of them drawn by weight
/// ([`draw_without_replacement`]); by chance alone when all weights are 0. Numbers in the order drawn.
///
/// # Errors
/// [`crate::Error::NotFinite`] or [`crate::Error::Negative`] for a weight that is no weight.
pub fn select_miners(weights: &[f64], count: usize, rng: &mut impl Rng) -> Result<Vec<usize>> {
    check_weights(weights.len(), weights)?;
    if weights.len() <= count {
        return Ok((0..weights.len()).collect());
    }
    if weights.iter().all(|weight| *weight == 0.0) {
        return Ok(index::sample(rng, weights.len(), count).into_vec());
    }
    draw_without_replacement(weights, count, rng)
}

/// Draws numbers one after the other, each with a probability proportional to its weight among those
/// left; fewer than `count` when the rest weighs nothing. Takes `count` passes over the weights.
///
/// # Errors
/// [`crate::Error::NotFinite`] or [`crate::Error::Negative`] for a weight that is no weight.
pub fn draw_without_replacement(
    weights: &[f64],
    count: usize,
    rng: &mut impl Rng,
) -> Result<Vec<usize>> {
    check_weights(weights.len(), weights)?;
    // Shares do not depend on the scale, and a sum of weights near the largest f64 would be infinite.
    let largest = weights.iter().copied().fold(0.0, f64::max);
    let mut left: Vec<f64> = weights.iter().map(|weight| weight / largest).collect();
    let mut drawn = Vec::with_capacity(count.min(weights.len()));
    while largest > 0.0 && drawn.len() < count {
        let mut point = rng.random::<f64>() * left.iter().sum::<f64>();
        let positive = || left.iter().enumerate().filter(|(_, weight)| **weight > 0.0);
        let hit = positive().find(|(_, weight)| {
            point -= **weight;
            point < 0.0
        });
        // Rounding can leave the point just beyond the last.
        let Some((place, _)) = hit.or_else(|| positive().next_back()) else {
            break;
        };
        drawn.push(place);
        if let Some(weight) = left.get_mut(place) {
            *weight = 0.0;
        }
    }
    Ok(drawn)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn selects_without_replacement() {
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        assert_eq!(select_miners(&[0.0, 2.0], 7, &mut rng).unwrap(), [0, 1]);
        assert_eq!(select_miners(&[], 7, &mut rng).unwrap(), []);
        let mut uniform = select_miners(&[0.0; 9], 7, &mut rng).unwrap();
        uniform.sort_unstable();
        uniform.dedup();
        assert_eq!(uniform.len(), 7);
        // Stops early rather than draw one that weighs nothing.
        let mut some = select_miners(&[1.0, 0.0, f64::MAX, 0.0, f64::MAX], 4, &mut rng).unwrap();
        some.sort_unstable();
        assert!(some == [0, 2, 4] || some == [2, 4]);
        assert!(select_miners(&[f64::NAN], 1, &mut rng).is_err());
        assert!(draw_without_replacement(&[-1.0], 1, &mut rng).is_err());
    }
}
