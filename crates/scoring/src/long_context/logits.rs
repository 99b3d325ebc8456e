//! Whether a miner ran the model it was to run: its logits against those of a reference.
//!
//! [`verify`] is the field's check of one captured step. [`verify_generation`] closes its holes.

mod fingerprint;
mod generation;

use serde::{Deserialize, Serialize};

pub(crate) use fingerprint::first_digits;
pub use fingerprint::{logits_fingerprint, text_fingerprint};
pub use generation::{
    CapturedStep, GenerationRefusal, GenerationRules, GenerationVerdict, verify_generation,
};

use crate::{Error, Result, rules::within};

/// Bounds of [`verify`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogitBounds {
    /// Least cosine.
    pub cosine_least: f64,
    /// Largest absolute difference of one logit.
    pub difference_most: f64,
}

/// The field's: 0.99 and 0.1.
impl Default for LogitBounds {
    fn default() -> Self {
        Self {
            cosine_least: 0.99,
            difference_most: 0.1,
        }
    }
}

/// How two vectors of logits compare.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LogitComparison {
    /// Cosine, −1 to 1 but for rounding in single precision; NaN when a logit is not finite.
    pub cosine: f32,
    /// Largest absolute difference of two logits; NaN when a logit is.
    pub largest_difference: f32,
}

/// Why logits are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogitRefusal {
    /// The vectors have different lengths.
    ShapeMismatch,
    /// One of them is shorter than 1e-9, or empty.
    ZeroNorm,
    /// They are too unlike.
    ThresholdFailed,
}

/// What [`verify`] found.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LogitVerdict {
    /// Why not, or nothing when they match.
    pub refusal: Option<LogitRefusal>,
    /// How they compare, where they can be compared.
    pub comparison: Option<LogitComparison>,
}

impl LogitVerdict {
    /// Whether the logits match.
    pub const fn verified(&self) -> bool {
        self.refusal.is_none()
    }

    const fn refused(refusal: LogitRefusal) -> Self {
        Self {
            refusal: Some(refusal),
            comparison: None,
        }
    }
}

/// The field's check of one captured step: `cos(miner, reference) ≥ 0.99` and
/// `max |miner − reference| ≤ 0.1`, bounds included. Logits that are not finite fail. One pass over
/// both vectors, without allocation.
///
/// Raw logits are compared, so that adding a constant to all of them, which changes no token, fails.
///
/// ```
/// use adit_scoring::long_context::logits::{LogitBounds, LogitRefusal, verify};
///
/// let verdict = verify(&LogitBounds::default(), &[1.0, 2.0], &[1.0, 2.05]);
/// assert!(verdict.verified());
/// let verdict = verify(&LogitBounds::default(), &[1.0, 2.0], &[1.0]);
/// assert_eq!(verdict.refusal, Some(LogitRefusal::ShapeMismatch));
/// ```
pub fn verify(bounds: &LogitBounds, miner: &[f32], reference: &[f32]) -> LogitVerdict {
    if miner.len() != reference.len() {
        return LogitVerdict::refused(LogitRefusal::ShapeMismatch);
    }
    let sums = Sums::of(miner, reference);
    let lengths = [sums.miner_square, sums.reference_square].map(|square| (square as f32).sqrt());
    let [miner_length, reference_length] = lengths;
    if miner_length < 1e-9 || reference_length < 1e-9 {
        return LogitVerdict::refused(LogitRefusal::ZeroNorm);
    }
    let comparison = LogitComparison {
        cosine: sums.product as f32 / (miner_length * reference_length),
        largest_difference: sums.largest_difference,
    };
    let matches = f64::from(comparison.cosine) >= bounds.cosine_least
        && f64::from(comparison.largest_difference) <= bounds.difference_most;
    LogitVerdict {
        refusal: (!matches).then_some(LogitRefusal::ThresholdFailed),
        comparison: Some(comparison),
    }
}

/// Independent sums, so that the processor adds several numbers at a time.
const LANES: usize = 16;
/// Numbers summed in single precision before they enter a sum in double.
const BLOCK: usize = 16 * LANES;

struct Sums {
    product: f64,
    miner_square: f64,
    reference_square: f64,
    largest_difference: f32,
}

impl Sums {
    fn of(miner: &[f32], reference: &[f32]) -> Self {
        let mut sums = Self {
            product: 0.0,
            miner_square: 0.0,
            reference_square: 0.0,
            largest_difference: 0.0,
        };
        let mut largest = [0.0_f32; LANES];
        for (miner, reference) in miner.chunks(BLOCK).zip(reference.chunks(BLOCK)) {
            let mut product = [0.0_f32; LANES];
            let mut miner_square = [0.0_f32; LANES];
            let mut reference_square = [0.0_f32; LANES];
            let mut add = |miner: &[f32], reference: &[f32]| {
                let lanes = product.iter_mut().zip(&mut miner_square);
                let lanes = lanes.zip(&mut reference_square).zip(&mut largest);
                for ((((product, miner_square), reference_square), largest), (a, b)) in
                    lanes.zip(miner.iter().zip(reference))
                {
                    *product += a * b;
                    *miner_square += a * a;
                    *reference_square += b * b;
                    let difference = (a - b).abs();
                    *largest = if difference > *largest {
                        difference
                    } else {
                        *largest
                    };
                }
            };
            let (miner_lanes, miner_rest) = miner.as_chunks::<LANES>();
            let (reference_lanes, reference_rest) = reference.as_chunks::<LANES>();
            for (miner, reference) in miner_lanes.iter().zip(reference_lanes) {
                add(miner, reference);
            }
            add(miner_rest, reference_rest);
            let sum = |lanes: [f32; LANES]| lanes.iter().copied().map(f64::from).sum::<f64>();
            sums.product += sum(product);
            sums.miner_square += sum(miner_square);
            sums.reference_square += sum(reference_square);
        }
        sums.largest_difference = largest.into_iter().fold(0.0, f32::max);
        // Comparing passes over NaN; a NaN always shows in the squares.
        if sums.miner_square.is_nan() || sums.reference_square.is_nan() {
            sums.largest_difference = f32::NAN;
        } else if !(sums.miner_square.is_finite() && sums.reference_square.is_finite()) {
            // Infinities: equal ones differ by NaN.
            let differences = miner.iter().zip(reference).map(|(a, b)| (a - b).abs());
            if differences.into_iter().any(f32::is_nan) {
                sums.largest_difference = f32::NAN;
            }
        }
        sums
    }
}

/// `D(reference ‖ miner) = Σ p · ln(p / q)` in nats, `p` and `q` being the softmax at `temperature` of
/// the reference's and the miner's logits; 0 or more but for rounding, infinite where the miner
/// excludes (−∞) what the reference does not. Summed in double precision, in two passes without
/// allocation. A constant added to all logits of a side changes nothing.
///
/// # Errors
/// [`Error::Length`] for different lengths, [`Error::Empty`], [`Error::Constant`] unless the
/// temperature lies in 1e-6 to 1e6, [`Error::NotFinite`] for a logit that is NaN or +∞, or a side that
/// excludes everything.
pub fn kl_divergence(miner: &[f32], reference: &[f32], temperature: f64) -> Result<f64> {
    if miner.len() != reference.len() {
        return Err(Error::Length {
            left: miner.len(),
            right: reference.len(),
        });
    }
    if miner.is_empty() {
        return Err(Error::Empty { what: "the logits" });
    }
    within("temperature", temperature, 1e-6, 1e6)?;
    let miner_scale = LogSoftmax::of(miner, temperature)?;
    let reference_scale = LogSoftmax::of(reference, temperature)?;
    let mut divergence = 0.0;
    for (miner, reference) in miner.iter().zip(reference) {
        let expected = reference_scale.at(*reference);
        let share = expected.exp();
        if share > 0.0 {
            divergence += share * (expected - miner_scale.at(*miner));
        }
    }
    Ok(divergence)
}

/// What turns one logit into the logarithm of its share.
#[derive(Debug, Clone, Copy)]
struct LogSoftmax {
    temperature: f64,
    normaliser: f64,
}

impl LogSoftmax {
    /// Reads the logits twice.
    fn of(logits: &[f32], temperature: f64) -> Result<Self> {
        let refused = Err(Error::NotFinite { what: "a logit" });
        let mut largest = f32::NEG_INFINITY;
        for logit in logits {
            if logit.is_nan() || *logit == f32::INFINITY {
                return refused;
            }
            largest = largest.max(*logit);
        }
        if largest == f32::NEG_INFINITY {
            return refused;
        }
        let largest = f64::from(largest) / temperature;
        let shares = logits.iter();
        let sum: f64 = shares
            .map(|logit| (f64::from(*logit) / temperature - largest).exp())
            .sum();
        Ok(Self {
            temperature,
            normaliser: largest + sum.ln(),
        })
    }

    fn at(self, logit: f32) -> f64 {
        f64::from(logit) / self.temperature - self.normaliser
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_finite_fails() {
        let verdict = |miner: &[f32]| verify(&LogitBounds::default(), miner, &[1.0, 2.0]);
        for miner in [[f32::NAN, 2.0], [f32::INFINITY, 2.0], [3e38, 3e38]] {
            let verdict = verdict(&miner);
            assert_eq!(verdict.refusal, Some(LogitRefusal::ThresholdFailed));
            assert!(verdict.comparison.unwrap().cosine.is_nan());
        }
        assert_eq!(verdict(&[0.0, 0.0]).refusal, Some(LogitRefusal::ZeroNorm));
        let empty = verify(&LogitBounds::default(), &[], &[]);
        assert_eq!(empty.refusal, Some(LogitRefusal::ZeroNorm));
        let infinite = [f32::INFINITY, 1.0];
        let both = verify(&LogitBounds::default(), &infinite, &infinite);
        assert!(both.comparison.unwrap().largest_difference.is_nan());
    }

    #[test]
    fn long_vectors_lose_no_precision() {
        let reference: Vec<f32> = (0..151_936)
            .map(|i| ((i * 37 % 1_009) as f32) / 50.0 - 10.0)
            .collect();
        let miner: Vec<f32> = reference.iter().map(|logit| logit + 0.01).collect();
        let exact = {
            let pairs = || miner.iter().zip(&reference);
            let dot: f64 = pairs().map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
            let square = |side: &[f32]| -> f64 { side.iter().map(|x| f64::from(*x).powi(2)).sum() };
            dot / (square(&miner) * square(&reference)).sqrt()
        };
        let found = verify(&LogitBounds::default(), &miner, &reference);
        let comparison = found.comparison.unwrap();
        assert!(
            (f64::from(comparison.cosine) - exact).abs() < 3e-7,
            "{comparison:?} {exact}"
        );
        assert!((comparison.largest_difference - 0.01).abs() < 1e-5);
        assert!(found.verified());
    }

    #[test]
    fn divergence_knows_excluded_tokens() {
        let none = f32::NEG_INFINITY;
        assert_eq!(kl_divergence(&[0.0, none], &[0.0, none], 1.0).unwrap(), 0.0);
        assert_eq!(
            kl_divergence(&[0.0, none], &[0.0, 0.0], 1.0).unwrap(),
            f64::INFINITY
        );
        let shifted = kl_divergence(&[5.0, 6.0], &[0.0, 1.0], 0.5).unwrap();
        assert!(shifted.abs() < 1e-12, "{shifted}");
        assert!(kl_divergence(&[none], &[0.0], 1.0).is_err());
        assert!(kl_divergence(&[f32::NAN], &[0.0], 1.0).is_err());
        assert!(kl_divergence(&[], &[], 1.0).is_err());
        assert!(kl_divergence(&[0.0], &[0.0], 0.0).is_err());
    }
}
