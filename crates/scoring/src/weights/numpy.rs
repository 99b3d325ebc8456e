use std::ops::{Add, Div, Mul, Sub};

use super::sort::{sort_f32, sort_f64};

/// A float in which the field's SDK computes: numpy's `float32` or `float64`.
pub(crate) trait Float:
    Copy
    + PartialOrd
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
{
    const ZERO: Self;
    const INFINITY: Self;

    /// Rounds to this precision, as numpy does with a plain Python number beside an array.
    fn rounded(number: f64) -> Self;

    /// Widens; exact.
    fn wide(self) -> f64;

    /// Sorts numbers that are not negative, smallest first.
    fn sort(numbers: &mut [Self]);
}

impl Float for f32 {
    const ZERO: Self = 0.0;
    const INFINITY: Self = Self::INFINITY;

    fn rounded(number: f64) -> Self {
        number as Self
    }

    fn wide(self) -> f64 {
        f64::from(self)
    }

    fn sort(numbers: &mut [Self]) {
        sort_f32(numbers);
    }
}

impl Float for f64 {
    const ZERO: Self = 0.0;
    const INFINITY: Self = Self::INFINITY;

    fn rounded(number: f64) -> Self {
        number
    }

    fn wide(self) -> f64 {
        self
    }

    fn sort(numbers: &mut [Self]) {
        sort_f64(numbers);
    }
}

/// The sum in numpy's order: blocks of at most 128 in eight lanes, blocks added pairwise. Another
/// order rounds differently, and a weight at the edge of a limit would then fall on the other side.
pub(crate) fn pairwise_sum<T: Float>(numbers: &[T]) -> T {
    if numbers.len() <= 128 {
        return block_sum(numbers);
    }
    let half = numbers.len() / 2;
    let (left, right) = numbers.split_at(half - half % 8);
    pairwise_sum(left) + pairwise_sum(right)
}

fn block_sum<T: Float>(numbers: &[T]) -> T {
    let (eights, rest) = numbers.as_chunks::<8>();
    let Some((first, others)) = eights.split_first() else {
        return rest.iter().fold(T::ZERO, |sum, number| sum + *number);
    };
    let mut lanes = *first;
    for eight in others {
        for (lane, number) in lanes.iter_mut().zip(eight) {
            *lane = *lane + *number;
        }
    }
    let [a, b, c, d, e, f, g, h] = lanes;
    let sum = ((a + b) + (c + d)) + ((e + f) + (g + h));
    rest.iter().fold(sum, |sum, number| sum + *number)
}

/// The quantile `share` (0 to 1) of the sorted numbers with linear interpolation, as
/// `numpy.quantile` computes it in single precision. Infinity where there are none.
pub(super) fn quantile(sorted: &[f32], share: f64) -> f32 {
    let Some(last) = sorted.len().checked_sub(1) else {
        return f32::INFINITY;
    };
    let at = last as f64 * share;
    if at >= last as f64 {
        return sorted.get(last).copied().unwrap_or(f32::INFINITY);
    }
    // Not negative and below `last`.
    let below = at.floor() as usize;
    let part = at - below as f64;
    let (Some(low), Some(high)) = (sorted.get(below), sorted.get(below + 1)) else {
        return f32::INFINITY;
    };
    let step = high - low;
    if part >= 0.5 {
        high - step * (1.0 - part) as f32
    } else {
        low + step * part as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Recorded from numpy 2.4.6: `a = (arange(1, n + 1, dtype=float32) ** 2 % 977) / 7`, its
    /// `sum()`.
    #[test]
    fn sums_as_numpy_does() {
        let numbers = |count: u32| -> Vec<f32> {
            (1..=count)
                .map(|number| (number * number % 977) as f32 / 7.0)
                .collect()
        };
        for (count, sum) in SUMS {
            assert_eq!(pairwise_sum(&numbers(count)), sum, "of {count}");
        }
    }

    const SUMS: [(u32, f32); 10] = [
        (0, 0.0),
        (1, 0.142_857_15),
        (7, 20.0),
        (9, 40.714_287),
        (127, 7_975.714_4),
        (128, 8_083.142_6),
        (129, 8_087.714_4),
        (200, 13_252.143),
        (1_000, 68_728.57),
        (1_031, 71_212.86),
    ];

    #[test]
    fn interpolates_between_the_neighbours() {
        assert_eq!(quantile(&[1.0, 2.0, 4.0], 0.25), 1.5);
        assert_eq!(quantile(&[1.0, 2.0, 4.0], 0.75), 3.0);
        assert_eq!(quantile(&[1.0, 2.0, 4.0], 1.0), 4.0);
        assert_eq!(quantile(&[7.0], 0.3), 7.0);
        assert_eq!(quantile(&[], 0.3), f32::INFINITY);
    }
}
