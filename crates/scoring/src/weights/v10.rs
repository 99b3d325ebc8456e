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
    checked, largest,
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
/// [`Error::NotFinite`] for an infinite weight or limit, [`Error::Count`] for a weight beyond
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
    let infinite = |found, (_, weight): &(Uid, f32)| found | (*weight == f32::INFINITY);
    if weights.iter().fold(false, infinite) {
        return Err(Error::NotFinite { what: "a weight" });
    }
    let (mut uids, mut row) = positive(weights);
    if row.is_empty() || limits.neurons < limits.min_allowed {
        let share = 1.0 / limits.neurons as f64;
        return Ok(every_uid(limits.neurons).map(|uid| (uid, share)).collect());
    }
    if row.len() < limits.min_allowed {
        let row = clip_to_max_weight_f64(&lifted(weights, limits.neurons)?, limits.max_share)?;
        return Ok(every_uid(limits.neurons).zip(row).collect());
    }
    if let Some(threshold) = threshold(&row, limits) {
        let kept: Vec<bool> = row.iter().map(|weight| *weight >= threshold).collect();
        let mut keep = kept.iter().copied();
        uids.retain(|_| keep.next().unwrap_or_default());
        row.retain(|weight| *weight >= threshold);
    }
    let shares = clip_to_max_weight(&row, limits.max_share)?;
    Ok(uids
        .into_iter()
        .zip(shares.into_iter().map(f64::from))
        .collect())
}

/// The weights above zero, and whose they are.
fn positive(weights: &[(Uid, f32)]) -> (Vec<Uid>, Vec<f32>) {
    let mut uids = vec![Uid(0); weights.len()];
    let mut row = vec![0.0; weights.len()];
    let mut count = 0;
    for (uid, weight) in weights {
        // Written in any case, and overwritten where it does not count: no branch to guess.
        if let (Some(uid_slot), Some(slot)) = (uids.get_mut(count), row.get_mut(count)) {
            (*uid_slot, *slot) = (*uid, *weight);
        }
        count += usize::from(*weight > 0.0);
    }
    uids.truncate(count);
    row.truncate(count);
    (uids, row)
}

fn every_uid(neurons: usize) -> impl Iterator<Item = Uid> {
    (0..=u16::MAX).take(neurons).map(Uid)
}

/// The row of all neurons with weights laid over the floor, by place.
fn lifted(weights: &[(Uid, f32)], neurons: usize) -> Result<Vec<f64>> {
    let mut row = vec![FLOOR; neurons];
    for (place, (_, weight)) in weights.iter().enumerate() {
        if *weight > 0.0 {
            *row.get_mut(place).ok_or(Error::Count {
                what: "the weights",
                expected: neurons,
                found: weights.len(),
            })? += f64::from(*weight);
        }
    }
    Ok(row)
}

/// What a weight has to reach; nothing where all do.
fn threshold(row: &[f32], limits: &ProcessLimits) -> Option<f32> {
    let count = row.len();
    let most = count.saturating_sub(limits.min_allowed) as f64 / count as f64;
    let share = (f64::from(limits.exclude_quantile) / f64::from(u16::MAX)).min(most);
    // The lowest is never below itself.
    if share <= 0.0 {
        return None;
    }
    let mut sorted = row.to_vec();
    f32::sort(&mut sorted);
    Some(quantile(&sorted, share))
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
    let cut = cutoff_share(&shares, limit) * sorted_sum.wide();
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

/// Where sorted shares are cut, as a part of the sum.
fn cutoff_share<T: Float>(shares: &[T], limit: f64) -> f64 {
    let (most, epsilon) = (T::rounded(limit), T::rounded(EPSILON));
    let count = shares.len();
    // Beginning with −0, to which adding changes nothing.
    let sums = shares.iter().scan(T::rounded(-0.0), |sum, share| {
        *sum = *sum + *share;
        Some(*sum)
    });
    let sums: Vec<T> = sums.collect();
    let kept = shares
        .iter()
        .zip(&sums)
        .enumerate()
        .map(|(place, (share, sum))| {
            let above = T::rounded((count - place - 1) as f64) * *share;
            usize::from(*share / (above + *sum + epsilon) < most)
        });
    let kept: usize = kept.sum();
    // With none kept, the original's index −1 reads the last sum.
    let kept_sum = match kept.checked_sub(1) {
        Some(last) => sums.get(last),
        None => sums.last(),
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
    let largest = largest(weights.iter().map(|(_, weight)| *weight));
    if largest == 0.0 {
        return Ok(Vec::new());
    }
    let pairs = weights
        .iter()
        .map(|(uid, weight)| (*uid, scaled(*weight, largest)));
    let mut emitted: Vec<(Uid, u16)> = pairs.collect();
    emitted.retain(|(_, value)| *value != 0);
    Ok(emitted)
}
