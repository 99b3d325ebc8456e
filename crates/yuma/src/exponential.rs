use crate::fixed::Fixed;

/// Largest argument; beyond it in either direction the argument is clamped.
const LIMIT: Fixed = Fixed::integer(20);

/// Terms of the series: the chain's library stops at the number of fractional bits.
const TERMS: usize = 32;

/// The least whole numbers over `2^64 / index`, which turn a division by an index into a product.
const RECIPROCALS: [u64; TERMS] = {
    let mut reciprocals = [0; TERMS];
    let mut index = 2;
    while index < TERMS {
        reciprocals[index] = u64::MAX / index as u64 + 1;
        index += 1;
    }
    reciprocals
};

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
    for (index, reciprocal) in RECIPROCALS.iter().enumerate().skip(2) {
        term = divided(term.times(magnitude), index as u64, *reciprocal);
        if term == Fixed::ZERO {
            break;
        }
        sum = sum.plus(term);
    }
    if x < Fixed::ZERO {
        Fixed::ONE.over(sum)
    } else {
        sum
    }
}

/// `value / index` of a value that is not negative, cut.
fn divided(value: Fixed, index: u64, reciprocal: u64) -> Fixed {
    let bits = value.bits() as u64;
    // At most one too large, for `value` has fewer than 64 bits.
    let quotient = ((u128::from(bits) * u128::from(reciprocal)) >> 64) as u64;
    let excess = u64::from(quotient * index > bits);
    Fixed::from_bits((quotient - excess) as i64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_division_by_an_index_is_exact(bits in 0..=i64::MAX, less in 0_u32..63, index in 2..TERMS) {
            let value = Fixed::from_bits(bits >> less);
            let found = divided(value, index as u64, RECIPROCALS[index]);
            prop_assert_eq!(found, value.over(Fixed::integer(index as i32)));
        }

        #[test]
        fn is_close_to_the_true_function(x in -10.0_f64..10.0) {
            let bits = (x * 4_294_967_296.0) as i64;
            let computed = exp(Fixed::from_bits(bits)).bits() as f64 / 4_294_967_296.0;
            prop_assert!((computed - x.exp()).abs() <= 1e-6 * x.exp() + 1e-8, "{computed}");
        }
    }
}
