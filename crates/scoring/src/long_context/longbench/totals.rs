use serde::{Deserialize, Serialize};

/// Mean scores by length of the context, 0 to 100 with two decimals; nothing where no context has
/// that length.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct BucketScores {
    /// Contexts below 4,000 words (characters, in Chinese).
    #[serde(rename = "0-4k")]
    pub below_4k: Option<f64>,
    /// From 4,000 to below 8,000.
    #[serde(rename = "4-8k")]
    pub below_8k: Option<f64>,
    /// The rest.
    #[serde(rename = "8k+")]
    pub from_8k: Option<f64>,
}

/// The mean in hundredths, rounded as Python does: to the decimal nearest to the exact value of the
/// float, half to even.
pub(super) fn percent(sum: f64, count: usize) -> f64 {
    decimal(100.0 * sum / count as f64, 2)
}

pub(super) fn decimal(number: f64, places: usize) -> f64 {
    // The shortest way to the exact decimals of a float is its text.
    format!("{number:.places$}").parse().unwrap_or(number)
}

/// The mean in hundredths, summed and rounded as numpy does; nothing of nothing.
pub(super) fn bucket_percent(scores: &[f64]) -> Option<f64> {
    if scores.is_empty() {
        return None;
    }
    let mean = 100.0 * (pairwise_sum(scores) / scores.len() as f64);
    Some((mean * 100.0).round_ties_even() / 100.0)
}

/// Numpy's order of summation: blocks of at most 128 in eight lanes, and halves of what is longer.
fn pairwise_sum(numbers: &[f64]) -> f64 {
    const LANES: usize = 8;
    const BLOCK: usize = 128;
    if numbers.len() < LANES {
        return numbers.iter().sum();
    }
    if numbers.len() <= BLOCK {
        let mut lanes = [0.0; LANES];
        let mut rows = numbers.chunks_exact(LANES);
        if let Some(first) = rows.next().and_then(|row| row.first_chunk()) {
            lanes = *first;
        }
        for row in rows.by_ref() {
            for (lane, number) in lanes.iter_mut().zip(row) {
                *lane += number;
            }
        }
        let [a, b, c, d, e, f, g, h] = lanes;
        let sum = ((a + b) + (c + d)) + ((e + f) + (g + h));
        return rows
            .remainder()
            .iter()
            .fold(sum, |sum, number| sum + number);
    }
    let half = numbers.len() / 2;
    let (left, right) = numbers.split_at(half - half % LANES);
    pairwise_sum(left) + pairwise_sum(right)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn python_and_numpy_round_differently() {
        assert_eq!(percent(0.802_45, 1), 80.25);
        assert_eq!(bucket_percent(&[0.802_45]), Some(80.24));
        assert_eq!(
            [decimal(0.125, 2), decimal(0.375, 2), decimal(1.005, 2)],
            [0.12, 0.38, 1.0]
        );
        assert_eq!(bucket_percent(&[]), None);
    }

    #[test]
    fn sums_add_up() {
        for count in [0_u32, 1, 7, 8, 9, 128, 129, 1000] {
            let numbers: Vec<f64> = (0..count).map(f64::from).collect();
            assert_eq!(
                pairwise_sum(&numbers),
                f64::from(count) * (f64::from(count) - 1.0) / 2.0
            );
        }
    }
}
