use std::{cmp::Ordering, fmt::Debug, iter::Sum};

/// What an epoch is computed in: the chain's fixed-point number, or a double.
///
/// A quotient by zero is zero.
pub(crate) trait Number: Copy + Debug + PartialEq + PartialOrd + Send + Sync + Sum {
    /// A number that many are divided by.
    type Divisor: Copy + Send + Sync;

    const ZERO: Self;
    const HALF: Self;
    const ONE: Self;

    fn integer(value: i32) -> Self;
    /// `numerator / denominator`.
    fn ratio(numerator: u64, denominator: u64) -> Self;
    /// A `u16` read as a proportion of 65,535.
    fn proportion(value: u16) -> Self;
    fn plus(self, other: Self) -> Self;
    fn minus(self, other: Self) -> Self;
    fn times(self, other: Self) -> Self;
    fn over(self, other: Self) -> Self;
    fn divisor(self) -> Self::Divisor;
    /// As [`Number::over`].
    fn by(self, divisor: Self::Divisor) -> Self;
    /// `e` to this power, which is clamped to ±20.
    fn exp(self) -> Self;
    /// As a proportion of 65,535, cut.
    fn to_proportion(self) -> u16;
    /// This share of `amount`, cut.
    fn share_of(self, amount: u64) -> u64;
    fn order(&self, other: &Self) -> Ordering;

    fn is_positive(self) -> bool {
        self > Self::ZERO
    }

    fn least(self, other: Self) -> Self {
        if other < self { other } else { self }
    }

    fn most(self, other: Self) -> Self {
        if other > self { other } else { self }
    }
}

impl Number for f64 {
    type Divisor = Self;

    const ZERO: Self = 0.0;
    const HALF: Self = 0.5;
    const ONE: Self = 1.0;

    fn integer(value: i32) -> Self {
        Self::from(value)
    }

    fn ratio(numerator: u64, denominator: u64) -> Self {
        (numerator as Self).over(denominator as Self)
    }

    fn proportion(value: u16) -> Self {
        Self::from(value) / Self::from(u16::MAX)
    }

    fn plus(self, other: Self) -> Self {
        self + other
    }

    fn minus(self, other: Self) -> Self {
        self - other
    }

    fn times(self, other: Self) -> Self {
        self * other
    }

    fn over(self, other: Self) -> Self {
        if other == 0.0 { 0.0 } else { self / other }
    }

    fn divisor(self) -> Self {
        self
    }

    fn by(self, divisor: Self) -> Self {
        self.over(divisor)
    }

    fn exp(self) -> Self {
        self.clamp(-20.0, 20.0).exp()
    }

    fn to_proportion(self) -> u16 {
        // A float's cast saturates.
        (self * Self::from(u16::MAX)) as u16
    }

    fn share_of(self, amount: u64) -> u64 {
        (self * amount as Self) as u64
    }

    fn order(&self, other: &Self) -> Ordering {
        self.total_cmp(other)
    }
}
