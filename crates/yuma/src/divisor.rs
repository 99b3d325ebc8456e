use crate::fixed::Fixed;

/// A number that many are divided by: two products stand for each division.
///
/// With `m = ⌈2^128 / d⌉`, `⌊n / d⌋ = ⌊m · n / 2^128⌋` for all `n` and `d` of 64 bits (Lemire, Kaser
/// and Kurz, "Faster remainder by direct computation", 2019).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Divisor {
    value: Fixed,
    /// `m`; 0 where it does not fit, or the divisor is not positive.
    reciprocal: u128,
    /// The divisor is whole, and `d` what it counts; otherwise `d` is its bits.
    is_whole: bool,
}

impl Divisor {
    pub(crate) const fn new(value: Fixed) -> Self {
        let bits = value.bits();
        let is_whole = bits & 0xffff_ffff == 0;
        let d = if is_whole { bits >> 32 } else { bits };
        let reciprocal = if d > 1 { u128::MAX / d as u128 + 1 } else { 0 };
        Self {
            value,
            reciprocal,
            is_whole,
        }
    }

    /// `value` over this.
    pub(crate) const fn divide(self, value: Fixed) -> Fixed {
        let bits = value.bits();
        let fits = bits >= 0 && (self.is_whole || bits < 1 << 32);
        if self.reciprocal == 0 || !fits {
            return value.over(self.value);
        }
        let n = (if self.is_whole { bits } else { bits << 32 }) as u64 as u128;
        let low = ((self.reciprocal as u64 as u128) * n) >> 64;
        let quotient = ((self.reciprocal >> 64) * n + low) >> 64;
        // By 2 at least, so that it has 63 bits.
        Fixed::from_bits(quotient as i64)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_096))]

        #[test]
        fn divides_as_a_division_does(a: i64, b: i64, less in 0_u32..64, fewer in 0_u32..64) {
            let (a, b) = (a >> less.min(63), b >> fewer.min(63));
            for b in [b, (b >> 32) << 32, 1, 2, 1 << 32, 2 << 32, 0] {
                for a in [a, (1 << 32) - 1, 1 << 32, i64::MAX] {
                    let (a, b) = (Fixed::from_bits(a), Fixed::from_bits(b));
                    prop_assert_eq!(Divisor::new(b).divide(a), a.over(b), "{:?} / {:?}", a, b);
                }
            }
        }
    }
}
