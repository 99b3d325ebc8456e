use crate::{Error, Result};

/// Mechanisms are numbered with a byte.
const MOST_MECHANISMS: usize = 256;

/// Splits a subnet's emission among its mechanisms: `round(part / Σ parts · 65,535)` with half to
/// even, and what rounding leaves over or takes too much settled with the largest, so that the sum
/// is 65,535. The form of the chain's `MechanismEmissionSplit`.
///
/// ```
/// use adit_scoring::weights::split_u16;
///
/// assert_eq!(split_u16(&[0.5, 0.3, 0.2])?, [32_768, 19_660, 13_107]);
/// # Ok::<(), adit_scoring::Error>(())
/// ```
///
/// # Errors
/// [`Error::Empty`] without parts, [`Error::Constant`] for more than 256, [`Error::NotFinite`] also
/// for the sum, [`Error::Negative`], [`Error::NoWeights`] when all are zero.
pub fn split_u16(parts: &[f64]) -> Result<Vec<u16>> {
    super::checked(parts.iter().copied())?;
    counted(parts.len())?;
    let sum: f64 = parts.iter().sum();
    if sum == 0.0 {
        return Err(Error::NoWeights);
    }
    if !sum.is_finite() {
        return Err(Error::NotFinite {
            what: "the sum of the parts",
        });
    }
    let mut split: Vec<i64> = parts
        .iter()
        .map(|part| (part / sum * f64::from(u16::MAX)).round_ties_even() as i64)
        .collect();
    let excess = split.iter().sum::<i64>() - i64::from(u16::MAX);
    // The first of several largest.
    let largest = split.iter().copied().max().unwrap_or_default();
    if let Some(slot) = split.iter_mut().find(|value| **value == largest) {
        *slot -= excess;
    }
    // At most 128 are taken from a part of at least 255.
    Ok(split.into_iter().map(|value| value as u16).collect())
}

/// The same with equal parts as the chain makes them where no split is set: `⌊65,535 / n⌋` each, and
/// the rest to the first.
///
/// # Errors
/// [`Error::Empty`] for none, [`Error::Constant`] for more than 256.
pub fn even_split_u16(mechanisms: usize) -> Result<Vec<u16>> {
    counted(mechanisms)?;
    // At most 256.
    let count = mechanisms as u16;
    let mut split = vec![u16::MAX / count; mechanisms];
    if let Some(first) = split.first_mut() {
        *first += u16::MAX % count;
    }
    Ok(split)
}

fn counted(mechanisms: usize) -> Result<()> {
    match mechanisms {
        0 => Err(Error::Empty {
            what: "the mechanisms",
        }),
        1..=MOST_MECHANISMS => Ok(()),
        more => Err(Error::Constant {
            name: "mechanisms",
            value: more as f64,
            least: 1.0,
            most: MOST_MECHANISMS as f64,
        }),
    }
}
