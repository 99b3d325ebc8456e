use crate::{Error, Result};

/// The middle of the sorted numbers, or the mean of the two in the middle. `O(n)`.
///
/// # Errors
/// [`Error::Empty`], [`Error::NotFinite`].
pub fn median(numbers: &[f64]) -> Result<f64> {
    middle(finite(numbers)?)
}

/// The median of the distances from the median, unscaled; times 1.4826 it estimates the standard
/// deviation of normal numbers. `O(n)`.
///
/// # Errors
/// [`Error::Empty`], [`Error::NotFinite`] also for a distance that overflows.
pub fn median_absolute_deviation(numbers: &[f64]) -> Result<f64> {
    let median = median(numbers)?;
    let distances: Vec<f64> = numbers
        .iter()
        .map(|number| (number - median).abs())
        .collect();
    middle(finite(&distances)?)
}

/// The mean without the lowest and the highest `⌊cut · n⌋` numbers, `0 ≤ cut < 0.5` (as
/// `scipy.stats.trim_mean`). Does not depend on the order of the numbers. `O(n log n)`.
///
/// ```
/// use adit_scoring::rank::trimmed_mean;
///
/// assert_eq!(trimmed_mean(&[1.0, 2.0, 3.0, 1_000.0], 0.25)?, 2.5);
/// # Ok::<(), adit_scoring::Error>(())
/// ```
///
/// # Errors
/// [`Error::Empty`], [`Error::NotFinite`], [`Error::Constant`] for the cut.
pub fn trimmed_mean(numbers: &[f64], cut: f64) -> Result<f64> {
    let (sorted, cut) = cut_ends(numbers, cut)?;
    let kept = sorted.len() - 2 * cut;
    mean(sorted.iter().skip(cut).take(kept).copied(), kept)
}

/// The mean with the lowest and the highest `⌊cut · n⌋` numbers replaced by the next that stays,
/// `0 ≤ cut < 0.5` (as `scipy.stats.mstats.winsorize`). Does not depend on the order of the
/// numbers. `O(n log n)`.
///
/// # Errors
/// As [`trimmed_mean`].
pub fn winsorised_mean(numbers: &[f64], cut: f64) -> Result<f64> {
    let (sorted, cut) = cut_ends(numbers, cut)?;
    let count = sorted.len();
    let (Some(low), Some(high)) = (sorted.get(cut), sorted.get(count - cut - 1)) else {
        return Err(Error::Empty {
            what: "the numbers",
        });
    };
    mean(sorted.iter().map(|number| number.clamp(*low, *high)), count)
}

fn finite(numbers: &[f64]) -> Result<Vec<f64>> {
    if numbers.is_empty() {
        return Err(Error::Empty {
            what: "the numbers",
        });
    }
    if !numbers.iter().all(|number| number.is_finite()) {
        return Err(Error::NotFinite { what: "a number" });
    }
    Ok(numbers.to_vec())
}

fn middle(mut numbers: Vec<f64>) -> Result<f64> {
    let half = numbers.len() / 2;
    let even = numbers.len().is_multiple_of(2);
    let (below, upper, _) = numbers.select_nth_unstable_by(half, f64::total_cmp);
    let upper = *upper;
    if !even {
        return Ok(upper);
    }
    let lower = below.iter().copied().max_by(f64::total_cmp);
    // Halves before the sum: two large numbers would overflow.
    Ok(lower.map_or(upper, |lower| lower / 2.0 + upper / 2.0))
}

/// The sorted numbers and how many go at each end; at least one stays.
fn cut_ends(numbers: &[f64], cut: f64) -> Result<(Vec<f64>, usize)> {
    let mut sorted = finite(numbers)?;
    if !(0.0..0.5).contains(&cut) {
        return Err(Error::Constant {
            name: "cut",
            value: cut,
            least: 0.0,
            most: 0.5,
        });
    }
    sorted.sort_unstable_by(f64::total_cmp);
    let most = (sorted.len() - 1) / 2;
    let cut = (cut * sorted.len() as f64) as usize;
    Ok((sorted, cut.min(most)))
}

fn mean(numbers: impl Iterator<Item = f64> + Clone, count: usize) -> Result<f64> {
    let count = count as f64;
    let sum: f64 = numbers.clone().sum();
    if sum.is_finite() {
        return Ok(sum / count);
    }
    Ok(numbers.map(|number| number / count).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_liars_move_no_robust_mean() {
        let honest = [0.4, 0.5, 0.6, 0.5, 0.45, 0.55, 0.5, 0.5];
        let mut lied = honest.to_vec();
        lied.extend([1e9, -1e9]);
        for (mean, bound) in [
            (trimmed_mean(&lied, 0.1).unwrap(), 0.01),
            (winsorised_mean(&lied, 0.1).unwrap(), 0.01),
            (median(&lied).unwrap(), 0.01),
            (median_absolute_deviation(&lied).unwrap() + 0.5, 0.06),
        ] {
            assert!((mean - 0.5).abs() < bound, "{mean}");
        }
    }

    /// Recorded from scipy 1.17.1: `trim_mean(x, 0.2)`, `winsorize(x, (0.2, 0.2)).mean()`,
    /// `median_abs_deviation(x)`.
    #[test]
    fn equals_scipy() {
        let numbers = [3.0, -1.0, 8.5, 2.0, 2.5, 40.0, 0.0];
        assert!((trimmed_mean(&numbers, 0.2).unwrap() - 3.2).abs() < 1e-12);
        assert!((winsorised_mean(&numbers, 0.2).unwrap() - 24.5 / 7.0).abs() < 1e-12);
        assert_eq!(median(&numbers).unwrap(), 2.5);
        assert_eq!(median_absolute_deviation(&numbers).unwrap(), 2.5);
    }

    #[test]
    fn means_refuse_what_has_none() {
        for numbers in [&[][..], &[f64::NAN], &[1.0, f64::INFINITY]] {
            assert!(median(numbers).is_err());
            assert!(median_absolute_deviation(numbers).is_err());
            assert!(trimmed_mean(numbers, 0.1).is_err());
            assert!(winsorised_mean(numbers, 0.1).is_err());
        }
        for cut in [-0.1, 0.5, f64::NAN] {
            assert!(trimmed_mean(&[1.0], cut).is_err());
        }
        assert_eq!(trimmed_mean(&[f64::MAX, f64::MAX], 0.1), Ok(f64::MAX));
        assert_eq!(median(&[f64::MAX, f64::MAX]), Ok(f64::MAX));
    }
}
