use crate::fixed::Fixed;

/// Divides by the sum, if it is not zero.
pub(crate) fn normalize(values: &mut [Fixed]) {
    let sum: Fixed = values.iter().copied().sum();
    normalize_by(values, sum);
}

/// Divides by `sum`, if it is not zero.
pub(crate) fn normalize_by(values: &mut [Fixed], sum: Fixed) {
    if sum != Fixed::ZERO {
        for value in values {
            *value = value.over(sum);
        }
    }
}

/// Each value's share of the sum, cut; zeros when the sum is zero.
pub(crate) fn shares(values: &[u64]) -> Vec<Fixed> {
    let sum = values
        .iter()
        .fold(0_u64, |sum, &value| sum.saturating_add(value));
    values
        .iter()
        .map(|&value| Fixed::ratio(value, sum))
        .collect()
}

/// The `k` largest that are not zero; of equals, the later.
pub(crate) fn top_nonzero(values: &[Fixed], k: usize) -> Vec<bool> {
    let mut chosen: Vec<bool> = values.iter().map(|value| *value != Fixed::ZERO).collect();
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by_key(|&index| values[index]);
    for &index in &order[..values.len().saturating_sub(k)] {
        chosen[index] = false;
    }
    chosen
}
