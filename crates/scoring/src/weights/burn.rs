use adit_primitives::Uid;

use super::checked;
use crate::{Error, Result, rules::within};

/// Shares of the scores with `burned` (0 to 1) of the whole on the uid whose emission is burned:
/// `(1 − burned)·score / Σ scores` for the others, `burned` for that uid, whatever its own score.
/// When nobody else has a score, that uid has everything, as it has in the row's proportions.
///
/// ```
/// use adit_primitives::Uid;
/// use adit_scoring::weights::burn;
///
/// let shares = burn(&[(Uid(1), 3.0), (Uid(2), 1.0)], Uid(0), 0.5)?;
/// assert_eq!(shares, [(Uid(1), 0.375), (Uid(2), 0.125), (Uid(0), 0.5)]);
/// # Ok::<(), adit_scoring::Error>(())
/// ```
///
/// # Errors
/// [`Error::NotFinite`], [`Error::Negative`], [`Error::Constant`] unless `burned` lies in 0 to 1,
/// [`Error::NoWeights`] when nothing is burned and nobody has a score.
pub fn burn(scores: &[(Uid, f64)], uid: Uid, burned: f64) -> Result<Vec<(Uid, f64)>> {
    checked(scores.iter().map(|(_, score)| *score))?;
    within("burned", burned, 0.0, 1.0)?;
    let others = || scores.iter().filter(|(other, _)| *other != uid);
    let sum: f64 = others().map(|(_, score)| score).sum();
    if !sum.is_finite() {
        return Err(Error::NotFinite {
            what: "the sum of the scores",
        });
    }
    if sum == 0.0 {
        return if burned > 0.0 {
            Ok(vec![(uid, 1.0)])
        } else {
            Err(Error::NoWeights)
        };
    }
    let mut shares: Vec<(Uid, f64)> = others()
        .map(|(other, score)| (*other, score / sum * (1.0 - burned)))
        .collect();
    if burned > 0.0 {
        shares.push((uid, burned));
    }
    Ok(shares)
}
