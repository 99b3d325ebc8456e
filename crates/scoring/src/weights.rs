//! From scores to the u16 weights that the chain takes.

use adit_primitives::{Uid, WeightVector};

use crate::{Error, Result};

/// What the subnet allows of a weight row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WeightLimits {
    /// Least number of nonzero weights (`MinAllowedWeights`).
    pub min_allowed: u16,
    /// Largest share of one weight in the row's sum, as a part of 65,535 (`MaxWeightsLimit`).
    pub max_weight: u16,
    /// The caller's own uid. A row with a single weight, on itself, is exempt from both limits.
    pub own_uid: Option<Uid>,
}

/// No limits: one weight is enough and may have everything.
impl Default for WeightLimits {
    fn default() -> Self {
        Self {
            min_allowed: 1,
            max_weight: u16::MAX,
            own_uid: None,
        }
    }
}

/// Turns scores into the weights of one `set_weights` call, by the rules of version 11 of the
/// field's SDK: clip each share to the subnet's maximum ([`clip_to_max_weight`]), scale by the
/// largest ([`normalise`]), drop zeros, demand the minimum count.
///
/// # Errors
/// [`Error::NotFinite`], [`Error::Negative`], [`Error::Primitives`] for a uid given twice,
/// [`Error::NoWeights`] when nothing is left, [`Error::TooFewWeights`] below the minimum.
pub fn quantise(scores: &[(Uid, f64)], limits: WeightLimits) -> Result<WeightVector> {
    check(scores.iter().map(|(_, score)| *score))?;
    let lone_self = matches!(scores, [(uid, _)] if Some(*uid) == limits.own_uid);
    let weights: Vec<f64> = scores.iter().map(|(_, score)| *score).collect();
    if weights.iter().all(|weight| *weight == 0.0) {
        return Err(Error::NoWeights);
    }
    let weights = if limits.max_weight < u16::MAX && !lone_self {
        clip_to_max_weight(&weights, f64::from(limits.max_weight) / f64::from(u16::MAX))?
    } else {
        weights
    };
    let pairs: Vec<(Uid, u16)> = scores
        .iter()
        .zip(normalise(&weights)?)
        .map(|((uid, _), weight)| (*uid, weight))
        .collect();
    // Before zeros go, so that a uid given twice is found even when one of its scores is zero.
    WeightVector::new(pairs.clone())?;
    let vector = WeightVector::new(
        pairs
            .into_iter()
            .filter(|(_, weight)| *weight > 0)
            .collect(),
    )?;
    if vector.is_empty() {
        return Err(Error::NoWeights);
    }
    if vector.len() < usize::from(limits.min_allowed) && !lone_self {
        return Err(Error::TooFewWeights {
            required: limits.min_allowed,
            found: vector.len(),
        });
    }
    Ok(vector)
}

/// `w / max(w) · 65,535`, rounded half to even; all zeros stay zeros.
///
/// # Errors
/// [`Error::NotFinite`], [`Error::Negative`].
pub fn normalise(weights: &[f64]) -> Result<Vec<u16>> {
    check(weights.iter().copied())?;
    let largest = weights.iter().copied().fold(0.0, f64::max);
    let scale = |weight: &f64| {
        if largest > 0.0 {
            // In 0 to 65,535 by construction.
            (weight / largest * f64::from(u16::MAX)).round_ties_even() as u16
        } else {
            0
        }
    };
    Ok(weights.iter().map(scale).collect())
}

/// Shares of the weights, none above `limit` (0 to 1): what lies above is cut, and the cut-off is
/// chosen so that after dividing by the new sum the largest share is `limit`. Uniform when `limit`
/// cannot be met (`n · limit ≤ 1`).
///
/// # Errors
/// [`Error::NotFinite`], [`Error::Negative`], [`Error::NoWeights`] when there are none or all are
/// zero.
pub fn clip_to_max_weight(weights: &[f64], limit: f64) -> Result<Vec<f64>> {
    const EPSILON: f64 = 1e-7;
    check(weights.iter().copied().chain([limit]))?;
    let count = weights.len();
    // Scores near the largest f64 would sum to infinity; shares do not depend on the scale.
    let largest = weights.iter().copied().fold(0.0, f64::max);
    let rescale = if largest > f64::MAX / 1e6 {
        largest
    } else {
        1.0
    };
    let weights: Vec<f64> = weights.iter().map(|weight| weight / rescale).collect();
    let sum: f64 = weights.iter().sum();
    if sum == 0.0 {
        return Err(Error::NoWeights);
    }
    if count as f64 * limit <= 1.0 {
        return Ok(vec![1.0 / count as f64; count]);
    }
    let mut shares: Vec<f64> = weights.iter().map(|weight| weight / sum).collect();
    shares.sort_by(f64::total_cmp);
    if shares.last().is_none_or(|largest| *largest <= limit) {
        return Ok(weights.iter().map(|weight| weight / sum).collect());
    }
    let mut cumulative = 0.0;
    let mut below = 0_usize;
    let mut below_sum = 0.0;
    let mut sums = Vec::with_capacity(count);
    for (index, share) in shares.iter().enumerate() {
        cumulative += share;
        sums.push(cumulative);
        let above = (count - index - 1) as f64;
        if share / (above * share + cumulative + EPSILON) < limit {
            below += 1;
        }
    }
    if let Some(sum) = below.checked_sub(1).and_then(|last| sums.get(last)) {
        below_sum = *sum;
    }
    let cutoff_share = (limit * below_sum - EPSILON) / (1.0 - limit * (count - below) as f64);
    let cutoff = cutoff_share * sum;
    let clipped: Vec<f64> = weights.iter().map(|weight| weight.min(cutoff)).collect();
    let clipped_sum: f64 = clipped.iter().sum();
    if !clipped_sum.is_finite() || clipped_sum <= 0.0 {
        return Ok(vec![1.0 / count as f64; count]);
    }
    Ok(clipped.iter().map(|weight| weight / clipped_sum).collect())
}

fn check(mut numbers: impl Iterator<Item = f64>) -> Result<()> {
    numbers.try_for_each(|number| {
        if !number.is_finite() {
            Err(Error::NotFinite { what: "a weight" })
        } else if number < 0.0 {
            Err(Error::Negative { what: "a weight" })
        } else {
            Ok(())
        }
    })
}
