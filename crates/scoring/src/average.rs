//! Exponential moving averages of scores.

use crate::{Error, Result, rules::within};

/// `alpha·score + (1 − alpha)·average`: the new average after one more score.
///
/// # Errors
/// [`Error::NotFinite`] when one of the two is NaN or infinite, [`Error::Constant`] unless `alpha`
/// lies in 0 to 1.
pub fn update_average(average: f64, score: f64, alpha: f64) -> Result<f64> {
    within("alpha", alpha, 0.0, 1.0)?;
    if !average.is_finite() {
        return Err(Error::NotFinite {
            what: "the average",
        });
    }
    if !score.is_finite() {
        return Err(Error::NotFinite { what: "the score" });
    }
    Ok(alpha * score + (1.0 - alpha) * average)
}

/// The averages of a whole subnet after one round, as the video system in the field updates them:
/// entries of `averages` whose index is among `uids` move towards their reward, all others stay. A
/// reward that is NaN counts as 0, the last reward of a uid given twice counts, and a round without
/// rewards, or with another number of them than of uids, changes nothing.
///
/// # Errors
/// [`Error::NotFinite`] for an infinite reward or a poisoned average, [`Error::OutOfStep`] for a uid
/// beyond the averages, [`Error::Constant`] for `alpha`. Nothing is changed then.
pub fn update_averages(
    averages: &mut [f64],
    uids: &[usize],
    rewards: &[f64],
    alpha: f64,
) -> Result<()> {
    if uids.is_empty() || uids.len() != rewards.len() {
        return Ok(());
    }
    let mut scattered = averages.to_vec();
    for (uid, reward) in uids.iter().zip(rewards) {
        let slot = scattered.get_mut(*uid).ok_or(Error::OutOfStep {
            what: "the averages",
            expected: *uid,
            found: averages.len(),
        })?;
        *slot = if reward.is_nan() { 0.0 } else { *reward };
    }
    for (slot, average) in scattered.iter_mut().zip(averages.iter()) {
        *slot = update_average(*average, *slot, alpha)?;
    }
    averages.copy_from_slice(&scattered);
    Ok(())
}

/// The averages of a whole subnet after one round, as the long-context system in the field updates
/// them, in single precision: `alpha·reward + (1 − alpha)·average`, where a uid that is not among
/// `uids` has a reward of 0, so that who is not asked decays. A reward that is NaN counts as 0, the
/// last reward of a uid given twice counts, and a round without rewards changes nothing.
///
/// # Errors
/// [`Error::Length`] for another number of rewards than of uids, [`Error::NotFinite`] for an infinite
/// reward or a poisoned average, [`Error::OutOfStep`] for a uid beyond the averages,
/// [`Error::Constant`] for `alpha`. Nothing is changed then.
pub fn decay_averages(
    averages: &mut [f32],
    uids: &[usize],
    rewards: &[f32],
    alpha: f64,
) -> Result<()> {
    if uids.is_empty() || rewards.is_empty() {
        return Ok(());
    }
    if uids.len() != rewards.len() {
        return Err(Error::Length {
            left: uids.len(),
            right: rewards.len(),
        });
    }
    within("alpha", alpha, 0.0, 1.0)?;
    let mut updated = vec![0.0_f32; averages.len()];
    for (uid, reward) in uids.iter().zip(rewards) {
        let slot = updated.get_mut(*uid).ok_or(Error::OutOfStep {
            what: "the averages",
            expected: *uid,
            found: averages.len(),
        })?;
        *slot = if reward.is_nan() { 0.0 } else { *reward };
    }
    let (fresh, kept) = (alpha as f32, (1.0 - alpha) as f32);
    for (slot, average) in updated.iter_mut().zip(averages.iter()) {
        *slot = fresh * *slot + kept * average;
        if !slot.is_finite() {
            return Err(Error::NotFinite {
                what: "an average or a reward",
            });
        }
    }
    averages.copy_from_slice(&updated);
    Ok(())
}
