use adit_primitives::{Uid, WeightVector};

use super::{WeightLimits, checked, largest, sort::sort_f64};
use crate::{Error, Result};

/// Turns scores into the weights of one `set_weights` call, by the rules of version 11 of the
/// field's SDK: clip each share to the subnet's maximum ([`clip_to_max_weight`]), scale by the
/// largest ([`normalise`]), drop zeros, demand the minimum count.
///
/// # Errors
/// [`Error::NotFinite`], [`Error::Negative`], [`Error::Primitives`] for a uid given twice,
/// [`Error::NoWeights`] when nothing is left, [`Error::TooFewWeights`] below the minimum.
pub fn quantise(scores: &[(Uid, f64)], limits: WeightLimits) -> Result<WeightVector> {
    checked(scores.iter().map(|(_, score)| *score))?;
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
    let largest = largest(weights.iter().copied());
    if largest <= 0.0 {
        return Err(Error::NoWeights);
    }
    let uids = scores.iter().map(|(uid, _)| *uid);
    let pairs = uids.zip(weights.iter().map(|weight| scaled(*weight, largest)));
    let vector = if scores.is_sorted_by(|(uid, _), (next, _)| uid < next) {
        // No uid is given twice, so that zeros need not be looked at any more.
        let mut kept = Vec::with_capacity(scores.len());
        kept.extend(pairs.filter(|(_, weight)| *weight > 0));
        WeightVector::new(kept)?
    } else {
        without_zeros(pairs.collect())?
    };
    enough(&vector, limits, lone_self)?;
    Ok(vector)
}

/// A row of integer ratios that is submitted as it is, for subnets whose consensus reads ratios:
/// without zeros, within the limits.
///
/// # Errors
/// [`Error::Primitives`] for a uid given twice, [`Error::NoWeights`] when nothing is left,
/// [`Error::Constant`] for a weight above its largest share, [`Error::TooFewWeights`].
pub fn ratio_row(ratios: &[(Uid, u16)], limits: WeightLimits) -> Result<WeightVector> {
    let lone_self = matches!(ratios, [(uid, _)] if Some(*uid) == limits.own_uid);
    let vector = without_zeros(ratios.to_vec())?;
    let values = || vector.pairs().iter().map(|(_, value)| u64::from(*value));
    let (largest, sum) = (values().max().unwrap_or_default(), values().sum::<u64>());
    if !lone_self && largest * u64::from(u16::MAX) > u64::from(limits.max_weight) * sum {
        return Err(Error::Constant {
            name: "the largest share",
            value: largest as f64 / sum as f64,
            least: 0.0,
            most: f64::from(limits.max_weight) / f64::from(u16::MAX),
        });
    }
    enough(&vector, limits, lone_self)?;
    Ok(vector)
}

/// The weights above zero; at least one.
fn without_zeros(pairs: Vec<(Uid, u16)>) -> Result<WeightVector> {
    // Before zeros go, so that a uid given twice is found even when one of its weights is zero.
    let vector = WeightVector::new(pairs)?;
    let vector = if vector.pairs().iter().all(|(_, weight)| *weight > 0) {
        vector
    } else {
        let kept = vector.pairs().iter().filter(|(_, weight)| *weight > 0);
        WeightVector::new(kept.copied().collect())?
    };
    if vector.is_empty() {
        return Err(Error::NoWeights);
    }
    Ok(vector)
}

fn enough(vector: &WeightVector, limits: WeightLimits, lone_self: bool) -> Result<()> {
    if vector.len() < usize::from(limits.min_allowed) && !lone_self {
        return Err(Error::TooFewWeights {
            required: limits.min_allowed,
            found: vector.len(),
        });
    }
    Ok(())
}

/// `w / max(w) · 65,535`, rounded half to even; all zeros stay zeros.
///
/// # Errors
/// [`Error::NotFinite`], [`Error::Negative`].
pub fn normalise(weights: &[f64]) -> Result<Vec<u16>> {
    checked(weights.iter().copied())?;
    let largest = largest(weights.iter().copied());
    if largest == 0.0 {
        return Ok(vec![0; weights.len()]);
    }
    let values = weights.iter().map(|weight| scaled(*weight, largest));
    Ok(values.collect())
}

/// `weight / largest · 65,535`, rounded half to even; `0 <= weight <= largest`, above zero.
pub(super) fn scaled(weight: f64, largest: f64) -> u16 {
    // From here on, neighbouring doubles are 1 apart: adding rounds half to even, and the number
    // stands in the lowest bits. A call to the maths library takes several times as long.
    const SHIFT: f64 = (1_u64 << 52) as f64;
    (weight / largest * f64::from(u16::MAX) + SHIFT).to_bits() as u16
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
    checked(weights.iter().copied().chain([limit]))?;
    let count = weights.len();
    // Scores near the largest f64 would sum to infinity; shares do not depend on the scale.
    let largest = largest(weights.iter().copied());
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
    sort_f64(&mut shares);
    if shares.last().is_none_or(|largest| *largest <= limit) {
        return Ok(weights.iter().map(|weight| weight / sum).collect());
    }
    let sums = shares.iter().scan(0.0, |sum, share| {
        *sum += share;
        Some(*sum)
    });
    let sums: Vec<f64> = sums.collect();
    let below = shares
        .iter()
        .zip(&sums)
        .enumerate()
        .map(|(place, (share, sum))| {
            let above = (count - place - 1) as f64;
            usize::from(share / (above * share + sum + EPSILON) < limit)
        });
    let below: usize = below.sum();
    let below_sum = below
        .checked_sub(1)
        .and_then(|last| sums.get(last))
        .copied();
    let below_sum = below_sum.unwrap_or(0.0);
    let cutoff_share = (limit * below_sum - EPSILON) / (1.0 - limit * (count - below) as f64);
    let cutoff = cutoff_share * sum;
    let clipped: Vec<f64> = weights.iter().map(|weight| weight.min(cutoff)).collect();
    let clipped_sum: f64 = clipped.iter().sum();
    if !clipped_sum.is_finite() || clipped_sum <= 0.0 {
        return Ok(vec![1.0 / count as f64; count]);
    }
    Ok(clipped.iter().map(|weight| weight / clipped_sum).collect())
}
