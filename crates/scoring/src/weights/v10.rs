//! Weights by the rules of versions 9 and 10 of the field's SDK (`bittensor.utils.weight_utils`),
//! which compute in numpy's single precision and fall back to uniform weights where the chain would
//! refuse. Equal to them to the bit, where they answer; the functions of [`super`] do better.
//!
//! ```
//! use adit_primitives::Uid;
//! use adit_scoring::weights::v10::{ProcessLimits, emit, process};
//!
//! let scores = [(Uid(3), 0.5_f32), (Uid(5), 0.0), (Uid(9), 0.25)];
//! let limits = ProcessLimits {
//!     neurons: 12,
//!     ..ProcessLimits::default()
//! };
//! let shares = process(&scores, &limits)?;
//! assert_eq!(emit(&shares)?, [(Uid(3), 65_535), (Uid(9), 32_768)]);
//! # Ok::<(), adit_scoring::Error>(())
//! ```

use adit_primitives::Uid;

use super::{
    checked,
    numpy::{Float, pairwise_sum, quantile},
    v11::scaled,
};
use crate::{Error, Result};

/// Keeps a difference of sums from being zero.
const EPSILON: f64 = 1e-7;
/// What every neuron has before the fallback for too few weights adds the weights.
const FLOOR: f64 = 1e-5;
/// More neurons than uids can name.
const MOST_NEURONS: usize = 1 << 16;

/// What [`process`] knows of the subnet.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ProcessLimits {
    /// Neurons of the subnet, at most 65,536.
    pub neurons: usize,
    /// Least number of weights above zero (`MinAllowedWeights`).
    pub min_allowed: usize,
    /// Largest share of one weight in the sum, 0 to 1 (`MaxWeightsLimit` over 65,535).
    pub max_share: f64,
    /// The lowest part of the weights that is dropped, as a part of 65,535.
    pub exclude_quantile: u16,
}

/// No limits and no neurons.
impl Default for ProcessLimits {
    fn default() -> Self {
        Self {
            neurons: 0,
            min_allowed: 0,
            max_share: 1.0,
            exclude_quantile: 0,
        }
    }
}

/// The shares that are submitted, in the order of `weights` (`process_weights_for_netuid`). Weights
/// that are zero, negative or NaN count as none.
///
/// - No weight above zero, or fewer neurons than `min_allowed`: `1/n` for every neuron 0 to n − 1.
/// - Fewer weights above zero than `min_allowed`: every neuron has 10⁻⁵, weights are added *at
///   their place in `weights`*, whatever their uid (a defect of the original, kept), and the row of
///   all neurons is clipped in double precision.
/// - Else: weights below the quantile `exclude_quantile` are dropped, as far as `min_allowed`
///   allows, and the others are clipped ([`clip_to_max_weight`]).
///
/// Shares are single precision in the last case, widened.
///
/// # Errors
/// [`Error::NotFinite`] for an infinite weight or limit, [`Error::OutOfStep`] for a weight beyond
/// the neurons in the second case, [`Error::Constant`] for more than 65,536 neurons.
pub fn process(weights: &[(Uid, f32)], limits: &ProcessLimits) -> Result<Vec<(Uid, f64)>> {
    if limits.neurons > MOST_NEURONS {
        return Err(Error::Constant {
            name: "neurons",
            value: limits.neurons as f64,
            least: 0.0,
            most: MOST_NEURONS as f64,
        });
    }
    if weights.iter().any(|(_, weight)| *weight == f32::INFINITY) {
        return Err(Error::NotFinite { what: "a weight" });
    }
    let mut positive: Vec<(Uid, f32)> = Vec::with_capacity(weights.len());
    positive.extend(weights.iter().filter(|(_, weight)| *weight > 0.0));
    if positive.is_empty() || limits.neurons < limits.min_allowed {
        let share = 1.0 / limits.neurons as f64;
        return Ok(every_uid(limits.neurons).map(|uid| (uid, share)).collect());
    }
    if positive.len() < limits.min_allowed {
        let row = clip_to_max_weight_f64(&lifted(weights, limits.neurons)?, limits.max_share)?;
        return Ok(every_uid(limits.neurons).zip(row).collect());
    }
    drop_lowest(&mut positive, limits);
    let row: Vec<f32> = positive.iter().map(|(_, weight)| *weight).collect();
    let shares = clip_to_max_weight(&row, limits.max_share)?;
    let uids = positive.iter().map(|(uid, _)| *uid);
    Ok(uids.zip(shares.into_iter().map(f64::from)).collect())
}

fn every_uid(neurons: usize) -> impl Iterator<Item = Uid> {
    (0..=u16::MAX).take(neurons).map(Uid)
}

/// The row of all neurons with weights laid over the floor, by place.
fn lifted(weights: &[(Uid, f32)], neurons: usize) -> Result<Vec<f64>> {
    let mut row = vec![FLOOR; neurons];
    for (place, (_, weight)) in weights.iter().enumerate() {
        if *weight > 0.0 {
            *row.get_mut(place).ok_or(Error::OutOfStep {
                what: "the weights",
                expected: neurons,
                found: weights.len(),
            })? += f64::from(*weight);
        }
    }
    Ok(row)
}

fn drop_lowest(positive: &mut Vec<(Uid, f32)>, limits: &ProcessLimits) {
    let count = positive.len();
    let most = count.saturating_sub(limits.min_allowed) as f64 / count as f64;
    let share = (f64::from(limits.exclude_quantile) / f64::from(u16::MAX)).min(most);
    // The lowest is never below itself.
    if share <= 0.0 {
        return;
    }
    let mut sorted: Vec<f32> = positive.iter().map(|(_, weight)| *weight).collect();
    f32::sort(&mut sorted);
    let threshold = quantile(&sorted, share);
    positive.retain(|(_, weight)| *weight >= threshold);
}

/// Shares of the weights, none above `limit` as far as that can be met (`normalize_max_weight` in
/// single precision): uniform when all are zero or `n · limit ≤ 1`. With sorted shares `s` and
/// their sums `c`, those with `sᵢ / ((n − i − 1)·sᵢ + cᵢ + 10⁻⁷) < limit`, `k` in number, stay;
/// the others are cut to `(limit·cₖ − 10⁻⁷) / (1 − limit·(n − k))` of the sum, and all are divided
/// by the new sum. `O(n log n)`; `O(n)` from a limit of 1.
///
/// # Errors
/// [`Error::NotFinite`] also when the sum overflows, [`Error::Negative`].
pub fn clip_to_max_weight(weights: &[f32], limit: f64) -> Result<Vec<f32>> {
    clip(weights, limit)
}

/// [`clip_to_max_weight`] in double precision, as the original computes when given that.
///
/// # Errors
/// As [`clip_to_max_weight`].
pub fn clip_to_max_weight_f64(weights: &[f64], limit: f64) -> Result<Vec<f64>> {
    clip(weights, limit)
}

fn clip<T: Float>(weights: &[T], limit: f64) -> Result<Vec<T>> {
    checked(weights.iter().map(|weight| weight.wide()))?;
    if !limit.is_finite() {
        return Err(Error::NotFinite {
            what: "the largest share",
        });
    }
    let count = weights.len();
    let sum = pairwise_sum(weights);
    if sum == T::ZERO || count as f64 * limit <= 1.0 {
        let share = T::rounded(1.0) / T::rounded(count as f64);
        return Ok(vec![share; count]);
    }
    if sum == T::INFINITY {
        return Err(Error::NotFinite {
            what: "the sum of the weights",
        });
    }
    // No number exceeds a sum that it is part of, not even a rounded one.
    if limit >= 1.0 {
        return Ok(weights.iter().map(|weight| *weight / sum).collect());
    }
    let mut shares = weights.to_vec();
    T::sort(&mut shares);
    // Not `sum`: sorted numbers round differently on the way.
    let sorted_sum = pairwise_sum(&shares);
    for share in &mut shares {
        *share = *share / sorted_sum;
    }
    let most = T::rounded(limit);
    if shares.last().is_none_or(|largest| *largest <= most) {
        return Ok(weights.iter().map(|weight| *weight / sum).collect());
    }
    let cut = cutoff_share(&mut shares, limit) * sorted_sum.wide();
    let clipped: Vec<T> = weights
        .iter()
        .map(|weight| {
            if weight.wide() > cut {
                T::rounded(cut)
            } else {
                *weight
            }
        })
        .collect();
    let sum = pairwise_sum(&clipped);
    if sum == T::ZERO || !sum.wide().is_finite() {
        return Err(Error::NoWeights);
    }
    Ok(clipped.iter().map(|weight| *weight / sum).collect())
}

/// Where shares are cut, as a part of the sum. Leaves the sums of the sorted shares in `shares`.
fn cutoff_share<T: Float>(shares: &mut [T], limit: f64) -> f64 {
    let (most, epsilon) = (T::rounded(limit), T::rounded(EPSILON));
    let count = shares.len();
    let mut kept = 0_usize;
    let mut cumulative: Option<T> = None;
    for (place, slot) in shares.iter_mut().enumerate() {
        let share = *slot;
        let sum = cumulative.map_or(share, |sum| sum + share);
        let above = T::rounded((count - place - 1) as f64) * share;
        if share / (above + sum + epsilon) < most {
            kept += 1;
        }
        *slot = sum;
        cumulative = Some(sum);
    }
    // With none kept, the original's index −1 reads the last sum.
    let kept_sum = match kept.checked_sub(1) {
        Some(last) => shares.get(last),
        None => shares.last(),
    };
    let kept_sum = kept_sum.copied().unwrap_or(T::ZERO);
    (most * kept_sum - epsilon).wide() / (1.0 - limit * (count - kept) as f64)
}

/// `w / max(w) · 65,535` rounded half to even, without those that round to zero, in the order given
/// (`convert_weights_and_uids_for_emit`). Nothing when all are zero. A uid given twice stays twice:
/// [`adit_primitives::WeightVector`] refuses it.
///
/// # Errors
/// [`Error::Empty`] without weights, [`Error::NotFinite`], [`Error::Negative`].
pub fn emit(weights: &[(Uid, f64)]) -> Result<Vec<(Uid, u16)>> {
    if weights.is_empty() {
        return Err(Error::Empty {
            what: "the weights",
        });
    }
    checked(weights.iter().map(|(_, weight)| *weight))?;
    let largest = weights
        .iter()
        .map(|(_, weight)| *weight)
        .fold(0.0, f64::max);
    if largest == 0.0 {
        return Ok(Vec::new());
    }
    let mut emitted: Vec<(Uid, u16)> = Vec::with_capacity(weights.len());
    emitted.extend(
        weights
            .iter()
            .map(|(uid, weight)| (*uid, scaled(*weight, largest)))
            .filter(|(_, value)| *value != 0),
    );
    Ok(emitted)
}
