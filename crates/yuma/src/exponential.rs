use crate::fixed::Fixed;

/// Largest argument; beyond it in either direction the argument is clamped.
const LIMIT: Fixed = Fixed::integer(20);

/// Terms of the series: the chain's library stops at the number of fractional bits.
const TERMS: i32 = 32;

/// `e`, cut at the 23 fractional bits the chain's library keeps of its constants.
const E: Fixed = Fixed::from_bits(22_802_600 << 9);

/// `e^x` as the chain computes it: `x` clamped to ±20, a series of 31 terms (so large results are
/// too small by up to a percent), negative arguments by the reciprocal. Source: `exp_safe` of the
/// runtime over `transcendental::exp` of its number library; the vectors pin every quirk.
pub(crate) fn exp(x: Fixed) -> Fixed {
    let x = x.clamp(Fixed::ZERO.minus(LIMIT), LIMIT);
    if x == Fixed::ONE {
        return E;
    }
    let magnitude = if x < Fixed::ZERO {
        Fixed::ZERO.minus(x)
    } else {
        x
    };
    let mut term = magnitude;
    let mut sum = magnitude.plus(Fixed::ONE);
    for index in 2..TERMS {
        term = term.times(magnitude).over(Fixed::integer(index));
        sum = sum.plus(term);
    }
    if x < Fixed::ZERO {
        Fixed::ONE.over(sum)
    } else {
        sum
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn is_close_to_the_true_function(x in -10.0_f64..10.0) {
            let bits = (x * 4_294_967_296.0) as i64;
            let computed = exp(Fixed::from_bits(bits)).bits() as f64 / 4_294_967_296.0;
            prop_assert!((computed - x.exp()).abs() <= 1e-6 * x.exp() + 1e-8, "{computed}");
        }
    }
}
