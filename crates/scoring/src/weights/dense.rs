use adit_primitives::Uid;

use super::numpy::pairwise_sum;
use crate::{Error, Result};

/// One entry per neuron from entries per uid: what is not named is 0.
///
/// # Errors
/// [`Error::Count`] for a uid beyond the neurons, [`Error::Primitives`] for one given twice.
pub fn dense_scores(scores: &[(Uid, f64)], neurons: usize) -> Result<Vec<f64>> {
    let mut row: Vec<Option<f64>> = vec![None; neurons];
    for (uid, score) in scores {
        let slot = slot(&mut row, *uid, neurons)?;
        if slot.replace(*score).is_some() {
            return Err(adit_primitives::Error::DuplicateUid { uid: *uid }.into());
        }
    }
    Ok(row.into_iter().map(Option::unwrap_or_default).collect())
}

/// The entries that are not zero, by uid. Entries past the last uid (65,535) are left out.
pub fn sparse_scores(row: &[f64]) -> Vec<(Uid, f64)> {
    let entries = (0..=u16::MAX).map(Uid).zip(row.iter().copied());
    entries.filter(|(_, score)| *score != 0.0).collect()
}

/// The share of every neuron in a row of the chain, in single precision: `value / Σ values`
/// (`convert_weight_uids_and_vals_to_tensor`); all zeros stay zeros. The last value of a uid given
/// twice counts.
///
/// # Errors
/// [`Error::Count`] for a uid beyond the neurons.
pub fn row_shares(row: &[(Uid, u16)], neurons: usize) -> Result<Vec<f32>> {
    let mut shares = vec![0.0_f32; neurons];
    for (uid, value) in row {
        *slot(&mut shares, *uid, neurons)? = f32::from(*value);
    }
    let sum = pairwise_sum(&shares);
    if sum > 0.0 {
        shares.iter_mut().for_each(|share| *share /= sum);
    }
    Ok(shares)
}

fn slot<T>(row: &mut [T], uid: Uid, neurons: usize) -> Result<&mut T> {
    row.get_mut(usize::from(uid.0)).ok_or(Error::Count {
        what: "the row of neurons",
        expected: usize::from(uid.0) + 1,
        found: neurons,
    })
}
