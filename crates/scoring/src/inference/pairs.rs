use super::{SimilarityMatrix, clusters::check_weights};
use crate::{Error, Result, rules::within};

/// Mean and spread of the similarities of pairs.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct PairStatistics {
    /// The mean.
    pub mean: f64,
    /// The standard deviation of the population, 0 or more.
    pub deviation: f64,
}

/// Statistics over all pairs of different answers, each pair with the weight `w_i · w_j`, or all with
/// the same. Both 0 when there is no pair or all weigh nothing.
///
/// With confidences as weights, the mean is the original's confidence-weighted similarity.
///
/// # Errors
/// [`Error::Count`] unless there is a weight for each answer, [`Error::NotFinite`] or
/// [`Error::Negative`] for a weight that is no weight.
pub fn pair_statistics(
    similarities: &SimilarityMatrix,
    weights: Option<&[f64]>,
) -> Result<PairStatistics> {
    let found = pair_statistics_if(similarities, weights, |_, _| true)?;
    Ok(found.unwrap_or_default())
}

/// [`pair_statistics`] over the pairs that count; none when they weigh nothing.
pub(super) fn pair_statistics_if(
    similarities: &SimilarityMatrix,
    weights: Option<&[f64]>,
    counts: impl Fn(usize, usize) -> bool,
) -> Result<Option<PairStatistics>> {
    if let Some(weights) = weights {
        check_weights(similarities.len(), weights)?;
    }
    let weight = |answer: usize| match weights {
        Some(weights) => weights.get(answer).copied().unwrap_or(0.0),
        None => 1.0,
    };
    let pairs = || {
        let pairs = similarities.pairs();
        pairs
            .filter(|(first, second, _)| counts(*first, *second))
            .map(|(first, second, similarity)| (weight(first) * weight(second), similarity))
    };
    let total: f64 = pairs().map(|(weight, _)| weight).sum();
    if total <= 0.0 || !total.is_finite() {
        return Ok(None);
    }
    let average = |term: &dyn Fn(f64) -> f64| {
        let sum: f64 = pairs().map(|(weight, value)| weight * term(value)).sum();
        sum / total
    };
    let mean = average(&|similarity| similarity);
    let variance = average(&|similarity| (similarity - mean) * (similarity - mean));
    Ok(Some(PairStatistics {
        mean,
        deviation: variance.max(0.0).sqrt(),
    }))
}

/// The bonus of good answers that say it in another way: `min(most, (1 − m) · (q / least) · most)`
/// where `m` is the answer's mean similarity to the others; 0 unless its quality `q` is above `least`
/// and there are others.
///
/// The original has `least` 0.6 and `most` 0.15.
///
/// # Errors
/// [`Error::Count`] unless there is a quality for each answer, [`Error::NotFinite`] for one that is
/// no number, [`Error::Constant`] unless `least` and `most` lie in 0 to 1 and `least` is not 0.
pub fn diversity_bonus(
    similarities: &SimilarityMatrix,
    quality: &[f64],
    least: f64,
    most: f64,
) -> Result<Vec<f64>> {
    let constants = [("least", least, f64::MIN_POSITIVE), ("most", most, 0.0)];
    for (name, value, lowest) in constants {
        within(name, value, lowest, 1.0)?;
    }
    if quality.len() != similarities.len() {
        return Err(Error::Count {
            what: "the list of qualities",
            expected: similarities.len(),
            found: quality.len(),
        });
    }
    if quality.iter().any(|quality| !quality.is_finite()) {
        return Err(Error::NotFinite { what: "a quality" });
    }
    let rows = similarities.rows().zip(quality).enumerate();
    let bonuses = rows.map(|(answer, (row, quality))| {
        let others = row.len().saturating_sub(1);
        if *quality <= least || others == 0 {
            return 0.0;
        }
        let others_sum: f64 = row
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != answer)
            .map(|(_, similarity)| similarity)
            .sum();
        let apart = 1.0 - others_sum / others as f64;
        (apart * (quality / least) * most).min(most)
    });
    Ok(bonuses.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weighs_pairs() {
        let rows = [[1.0, 0.2, 0.4], [0.2, 1.0, 0.9], [0.4, 0.9, 1.0]];
        let matrix = SimilarityMatrix::from_rows(&rows).unwrap();
        let plain = pair_statistics(&matrix, None).unwrap();
        assert!((plain.mean - 0.5).abs() < 1e-12);
        assert!((plain.deviation - (0.26_f64 / 3.0).sqrt()).abs() < 1e-12);
        let weighted = pair_statistics(&matrix, Some(&[1.0, 1.0, 0.0])).unwrap();
        assert_eq!((weighted.mean, weighted.deviation), (0.2, 0.0));
        let nothing = pair_statistics(&matrix, Some(&[1.0, 0.0, 0.0])).unwrap();
        assert_eq!(nothing, PairStatistics::default());
        assert!(pair_statistics(&matrix, Some(&[1.0])).is_err());
    }

    #[test]
    fn only_good_answers_gain_by_being_different() {
        let matrix = SimilarityMatrix::from_rows(&[[1.0, 0.5], [0.5, 1.0]]).unwrap();
        let bonus = diversity_bonus(&matrix, &[0.6, 0.9], 0.6, 0.15).unwrap();
        assert_eq!(bonus[0], 0.0);
        assert!((bonus[1] - 0.5 * 1.5 * 0.15).abs() < 1e-12);
        let alone = SimilarityMatrix::from_rows(&[[1.0]]).unwrap();
        assert_eq!(diversity_bonus(&alone, &[1.0], 0.6, 0.15).unwrap(), [0.0]);
        assert!(diversity_bonus(&alone, &[f64::NAN], 0.6, 0.15).is_err());
        assert!(diversity_bonus(&alone, &[], 0.6, 0.15).is_err());
        assert!(diversity_bonus(&alone, &[1.0], 0.0, 0.15).is_err());
    }
}
