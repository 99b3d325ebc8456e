//! From the rewards of single tasks to one number per miner.

use crate::{Error, Result};

/// How many past scores a miner needs before its consistency counts.
const HISTORY_LEAST: usize = 5;
/// How many of the newest are looked at.
const HISTORY_NEWEST: usize = 10;

/// Scores of a round, raised by consistency and scaled to a mean of 1, as in the field.
///
/// A miner with at least 5 past scores has a consistency of `1 − min(1, σ)`, σ being the population
/// standard deviation of its newest 10; its score becomes
/// `min(1, score · (1 + consistency_weight · consistency))`. If the sum of all is above 0, each is
/// divided by it and multiplied by their number.
///
/// `history` pairs an index into `scores` with that miner's past scores, oldest first; an index beyond
/// them is left out, and of an index given twice both count. The caller in the field mixes indices up
/// with uids here; ours must not.
///
/// # Errors
/// [`Error::NotFinite`] for a score, a past score or the weight; also when the sum overflows.
pub fn incentive_distribution<'history>(
    scores: &[f64],
    history: impl IntoIterator<Item = (usize, &'history [f64])>,
    consistency_weight: f64,
) -> Result<Vec<f64>> {
    let finite = |numbers: &[f64], what| {
        if numbers.iter().all(|number| number.is_finite()) {
            Ok(())
        } else {
            Err(Error::NotFinite { what })
        }
    };
    finite(scores, "a score")?;
    finite(&[consistency_weight], "the weight of consistency")?;
    let mut raised = scores.to_vec();
    for (index, past) in history {
        finite(past, "a past score")?;
        let Some(score) = raised.get_mut(index) else {
            continue;
        };
        if past.len() < HISTORY_LEAST {
            continue;
        }
        let newest = past.get(past.len().saturating_sub(HISTORY_NEWEST)..);
        let consistency = 1.0 - deviation(newest.unwrap_or(past)).min(1.0);
        *score = (*score * (1.0 + consistency_weight * consistency)).min(1.0);
    }
    let sum: f64 = raised.iter().sum();
    finite(&[sum], "the sum of the scores")?;
    if sum > 0.0 {
        let count = raised.len() as f64;
        for score in &mut raised {
            *score = *score / sum * count;
        }
    }
    Ok(raised)
}

/// Population standard deviation; 0 of nothing.
fn deviation(numbers: &[f64]) -> f64 {
    let count = numbers.len().max(1) as f64;
    let mean = numbers.iter().sum::<f64>() / count;
    let squares: f64 = numbers.iter().map(|number| (number - mean).powi(2)).sum();
    (squares / count).sqrt()
}

/// Mean reward of each of `miners` over `tasks`. Rewards come task by task, each with one per miner;
/// missing ones count as 0 and surplus ones are left out, as in the field.
///
/// # Errors
/// [`Error::Empty`] without tasks, [`Error::NotFinite`] for a reward.
pub fn mean_rewards(rewards: &[f64], miners: usize, tasks: usize) -> Result<Vec<f64>> {
    if tasks == 0 {
        return Err(Error::Empty { what: "the tasks" });
    }
    let mut means = vec![0.0; miners];
    if miners == 0 {
        return Ok(means);
    }
    for row in rewards.chunks(miners).take(tasks) {
        for (mean, reward) in means.iter_mut().zip(row) {
            *mean += reward;
        }
    }
    for mean in &mut means {
        *mean /= tasks as f64;
        if !mean.is_finite() {
            return Err(Error::NotFinite { what: "a reward" });
        }
    }
    Ok(means)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_is_one_and_zero_stays_zero() {
        let steady = [0.5; 12];
        let history = [(0, &steady[..]), (9, &steady[..])];
        let shares = incentive_distribution(&[0.0, 0.2, 0.4], history, 0.3).unwrap();
        assert_eq!(shares[0], 0.0);
        assert!((shares.iter().sum::<f64>() - 3.0).abs() < 1e-12);
        assert_eq!(incentive_distribution(&[], [], 0.3).unwrap(), [0.0; 0]);
        assert!(incentive_distribution(&[f64::NAN], [], 0.3).is_err());
    }

    #[test]
    fn rewards_are_padded_and_cut() {
        assert_eq!(mean_rewards(&[1.0], 2, 2).unwrap(), [0.5, 0.0]);
        assert_eq!(mean_rewards(&[1.0, 1.0, 9.0], 2, 1).unwrap(), [1.0, 1.0]);
        assert_eq!(mean_rewards(&[1.0], 0, usize::MAX).unwrap(), [0.0; 0]);
        assert!(mean_rewards(&[1.0], 1, 0).is_err());
    }
}
