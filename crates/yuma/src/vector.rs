use crate::number::Number;

/// Divides by the sum, if it is not zero.
pub(crate) fn normalize<N: Number>(values: &mut [N]) {
    let sum: N = values.iter().copied().sum();
    normalize_by(values, sum);
}

/// Divides by `sum`, if it is not zero.
pub(crate) fn normalize_by<N: Number>(values: &mut [N], sum: N) {
    if sum != N::ZERO {
        let sum = sum.divisor();
        for value in values {
            *value = value.by(sum);
        }
    }
}

/// Each value's share of the sum, cut; zeros when the sum is zero.
pub(crate) fn shares<N: Number>(values: &[u64]) -> Vec<N> {
    let sum = values
        .iter()
        .fold(0_u64, |sum, &value| sum.saturating_add(value));
    values.iter().map(|&value| N::ratio(value, sum)).collect()
}

/// The `k` largest that are not zero; of equals, the later.
pub(crate) fn top_nonzero<N: Number>(values: &[N], k: usize) -> Vec<bool> {
    let mut chosen: Vec<bool> = values.iter().map(|value| *value != N::ZERO).collect();
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&left, &right| values[left].order(&values[right]));
    for &index in &order[..values.len().saturating_sub(k)] {
        chosen[index] = false;
    }
    chosen
}
