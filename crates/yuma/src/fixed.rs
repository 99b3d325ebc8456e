use std::{cmp::Ordering, iter::Sum};

use crate::{divisor::Divisor, exponential, number::Number};

/// A number of 32 whole and 32 fractional bits in two's complement (I32F32), the chain's number.
///
/// Every operation saturates. A product is cut towards minus infinity and a quotient towards
/// zero, as the chain's library does; a quotient by zero is zero.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Fixed(i64);

impl Fixed {
    pub(crate) const ZERO: Self = Self(0);
    pub(crate) const HALF: Self = Self(1 << 31);
    pub(crate) const ONE: Self = Self(1 << 32);

    pub(crate) const fn from_bits(bits: i64) -> Self {
        Self(bits)
    }

    pub(crate) const fn bits(self) -> i64 {
        self.0
    }

    pub(crate) const fn integer(value: i32) -> Self {
        Self((value as i64) << 32)
    }

    /// `numerator / denominator` of whole numbers, cut towards zero; zero when divided by zero.
    pub(crate) const fn ratio(numerator: u64, denominator: u64) -> Self {
        match ((numerator as u128) << 32).checked_div(denominator as u128) {
            Some(bits) if bits <= i64::MAX as u128 => Self(bits as i64),
            Some(_) => Self(i64::MAX),
            None => Self::ZERO,
        }
    }

    /// A `u16` read as a proportion of 65,535.
    pub(crate) const fn proportion(value: u16) -> Self {
        Self((((value as u64) << 32) / u16::MAX as u64) as i64)
    }

    pub(crate) const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    pub(crate) const fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    pub(crate) const fn times(self, other: Self) -> Self {
        Self::saturated((self.0 as i128 * other.0 as i128) >> 32)
    }

    pub(crate) const fn over(self, other: Self) -> Self {
        // Most quotients of an epoch are of a proportion, or by a whole number: 64 bits do.
        if self.0 >= 0 && other.0 > 0 {
            if self.0 < 1 << 32 {
                let bits = ((self.0 as u64) << 32) / other.0 as u64;
                return if bits > i64::MAX as u64 {
                    Self(i64::MAX)
                } else {
                    Self(bits as i64)
                };
            }
            if other.0 & 0xffff_ffff == 0 {
                return Self(self.0 / (other.0 >> 32));
            }
        }
        match ((self.0 as i128) << 32).checked_div(other.0 as i128) {
            Some(bits) => Self::saturated(bits),
            None => Self::ZERO,
        }
    }

    /// To the nearest whole number, halves away from zero, as a `u16`.
    pub(crate) fn round_to_u16(self) -> u16 {
        let half = if self.0 < 0 { -1_i128 } else { 1 } << 31;
        let whole = (i128::from(self.0) + half) / (1 << 32);
        whole.clamp(0, i128::from(u16::MAX)) as u16
    }

    const fn saturated(bits: i128) -> Self {
        if bits > i64::MAX as i128 {
            Self(i64::MAX)
        } else if bits < i64::MIN as i128 {
            Self(i64::MIN)
        } else {
            Self(bits as i64)
        }
    }
}

impl Number for Fixed {
    type Divisor = Divisor;

    const ZERO: Self = Self::ZERO;
    const HALF: Self = Self::HALF;
    const ONE: Self = Self::ONE;

    fn integer(value: i32) -> Self {
        Self::integer(value)
    }

    fn ratio(numerator: u64, denominator: u64) -> Self {
        Self::ratio(numerator, denominator)
    }

    fn proportion(value: u16) -> Self {
        Self::proportion(value)
    }

    fn plus(self, other: Self) -> Self {
        self.plus(other)
    }

    fn minus(self, other: Self) -> Self {
        self.minus(other)
    }

    fn times(self, other: Self) -> Self {
        self.times(other)
    }

    fn over(self, other: Self) -> Self {
        self.over(other)
    }

    fn divisor(self) -> Divisor {
        Divisor::new(self)
    }

    fn by(self, divisor: Divisor) -> Self {
        divisor.divide(self)
    }

    fn exp(self) -> Self {
        exponential::exp(self)
    }

    fn to_proportion(self) -> u16 {
        let scaled = self.times(Self::integer(i32::from(u16::MAX)));
        (scaled.0 >> 32).clamp(0, i64::from(u16::MAX)) as u16
    }

    fn share_of(self, amount: u64) -> u64 {
        // The chain computes it with 96 whole bits.
        let share = (i128::from(self.0).max(0) * i128::from(amount)) >> 32;
        u64::try_from(share).unwrap_or(u64::MAX)
    }

    fn order(&self, other: &Self) -> Ordering {
        self.cmp(other)
    }
}

impl Sum for Fixed {
    fn sum<I: Iterator<Item = Self>>(values: I) -> Self {
        values.fold(Self::ZERO, Self::plus)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rounds_as_the_chain_does() {
        let tiny = Fixed::from_bits(1);
        let minus_tiny = Fixed::from_bits(-1);
        // A product of a negative number is cut downwards, a quotient towards zero.
        assert_eq!(minus_tiny.times(Fixed::HALF), minus_tiny);
        assert_eq!(tiny.times(Fixed::HALF), Fixed::ZERO);
        assert_eq!(minus_tiny.over(Fixed::integer(2)), Fixed::ZERO);
        assert_eq!(Fixed::ONE.over(Fixed::ZERO), Fixed::ZERO);
        assert_eq!(Fixed::ratio(1, 0), Fixed::ZERO);
        assert_eq!(Fixed::ratio(u64::MAX, 1), Fixed::from_bits(i64::MAX));
        assert_eq!(Fixed::proportion(u16::MAX), Fixed::ONE);
        assert_eq!(Fixed::ONE.to_proportion(), u16::MAX);
        assert_eq!(
            Fixed::from_bits((1 << 32) - 1).to_proportion(),
            u16::MAX - 1
        );
        assert_eq!(Fixed::integer(-1).to_proportion(), 0);
        assert_eq!(Fixed::HALF.round_to_u16(), 1);
        assert_eq!(Fixed::from_bits((1 << 31) - 1).round_to_u16(), 0);
        assert_eq!(Fixed::ONE.share_of(u64::MAX), u64::MAX);
        assert_eq!(Fixed::integer(2).share_of(u64::MAX), u64::MAX);
    }

    proptest! {
        #[test]
        fn saturates_and_never_wraps(a: i64, b: i64) {
            let (x, y) = (Fixed::from_bits(a), Fixed::from_bits(b));
            let exact = |bits: i128| bits.clamp(i64::MIN.into(), i64::MAX.into()) as i64;
            prop_assert_eq!(x.plus(y).bits(), exact(i128::from(a) + i128::from(b)));
            prop_assert_eq!(x.minus(y).bits(), exact(i128::from(a) - i128::from(b)));
            let product = (i128::from(a) * i128::from(b)).div_euclid(1 << 32);
            prop_assert_eq!(x.times(y).bits(), exact(product));
            if b != 0 {
                prop_assert_eq!(x.over(y).bits(), exact((i128::from(a) << 32) / i128::from(b)));
            }
        }

        #[test]
        fn quotients_of_every_size_are_exact(a: i64, b: i64, less in 0_u32..63, fewer in 0_u32..63) {
            // The shorter ways: proportions, whole divisors, and what lies at their edges.
            let exact = |bits: i128| bits.clamp(i64::MIN.into(), i64::MAX.into()) as i64;
            let (a, b) = (a >> less, b >> fewer);
            for b in [b, (b >> 32) << 32].into_iter().filter(|b| *b != 0) {
                let quotient = Fixed::from_bits(a).over(Fixed::from_bits(b)).bits();
                prop_assert_eq!(quotient, exact((i128::from(a) << 32) / i128::from(b)));
            }
        }

        #[test]
        fn a_proportion_is_a_ratio(value: u16) {
            let ratio = Fixed::ratio(value.into(), u16::MAX.into());
            prop_assert_eq!(Fixed::proportion(value), ratio);
        }

        #[test]
        fn a_ratio_is_the_quotient_of_whole_numbers(a: u32, b in 1_u32..=i32::MAX as u32) {
            let whole = Fixed::integer((a / 2) as i32).over(Fixed::integer(b as i32));
            prop_assert_eq!(Fixed::ratio(u64::from(a / 2), u64::from(b)), whole);
        }
    }
}
