use crate::{fixed::Fixed, vector::normalize};

/// Scales weights so that the largest is 65,535, rounding to the nearest, as the chain does with
/// what `set_weights` submits. All zeros stay zeros.
///
/// ```
/// assert_eq!(adit_yuma::max_upscale(&[1, 2, 3]), [21_845, 43_690, 65_535]);
/// ```
pub fn max_upscale(weights: &[u16]) -> Vec<u16> {
    let weights: Vec<Fixed> = weights
        .iter()
        .map(|&weight| Fixed::integer(i32::from(weight)))
        .collect();
    upscale(&weights)
}

/// Whether no weight is more than `limit` (a proportion of 65,535) of the sum, as the chain
/// checks it after [`max_upscale`]. No weights are within every limit.
///
/// ```
/// assert!(adit_yuma::within_max_weight(&[10, 10], 32_768));
/// assert!(!adit_yuma::within_max_weight(&[10, 10], 32_767));
/// ```
pub fn within_max_weight(weights: &[u16], limit: u16) -> bool {
    let mut shares: Vec<Fixed> = weights
        .iter()
        .map(|&weight| Fixed::integer(i32::from(weight)))
        .collect();
    normalize(&mut shares);
    let limit = Fixed::proportion(limit);
    shares.iter().all(|share| *share <= limit)
}

pub(crate) fn upscale(values: &[Fixed]) -> Vec<u16> {
    let full = Fixed::integer(i32::from(u16::MAX));
    let largest = values.iter().copied().max().unwrap_or_default();
    values
        .iter()
        .map(|value| {
            // Above half the number's range the product comes last, so that it cannot overflow.
            if largest > Fixed::integer(32_768) {
                value.times(full.over(largest)).round_to_u16()
            } else {
                value.times(full).over(largest).round_to_u16()
            }
        })
        .collect()
}
