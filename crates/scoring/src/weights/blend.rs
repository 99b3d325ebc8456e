use super::checked;
use crate::{Error, Result};

/// Smallest divisor of a normalisation, so that scores that are all zero stay zero.
const LEAST_NORM: f64 = 1e-12;

/// One kind of scores and its part in the weights.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BlendPart<'a> {
    /// One score per neuron, by uid.
    pub scores: &'a [f64],
    /// What this kind earns of the whole, 0 to 1.
    pub share: f64,
}

/// `Σₖ shareₖ · scoresₖ / max(Σ|scoresₖ|, 10⁻¹²)` per neuron, as the video system in the field mixes
/// its three kinds of scores. Shorter kinds end in zeros; the longest is cut at `neurons`. A
/// negative score stays negative and takes from the others of its kind by the divisor.
///
/// # Errors
/// [`Error::NotFinite`] for a score, a share or a sum that is not, [`Error::Negative`] for a share.
pub fn blend(parts: &[BlendPart<'_>], neurons: usize) -> Result<Vec<f64>> {
    checked(parts.iter().map(|part| part.share))?;
    let longest = parts.iter().map(|part| part.scores.len()).max();
    let mut mixed = vec![0.0; longest.unwrap_or(0).min(neurons)];
    for part in parts {
        let norm: f64 = part.scores.iter().map(|score| score.abs()).sum();
        if !norm.is_finite() {
            return Err(Error::NotFinite {
                what: "the sum of the scores",
            });
        }
        let norm = norm.max(LEAST_NORM);
        for (slot, score) in mixed.iter_mut().zip(part.scores) {
            *slot += score / norm * part.share;
        }
    }
    Ok(mixed)
}
