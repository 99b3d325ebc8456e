use std::fmt;

use serde::{Deserialize, Serialize};

/// Rao in one TAO.
pub const RAO_PER_TAO: u64 = 1_000_000_000;

/// An amount of TAO or alpha in its smallest unit (10⁻⁹). Never a float.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Rao(pub u64);

impl Rao {
    /// Whole TAO, saturating at the largest amount.
    pub const fn from_tao(tao: u64) -> Self {
        Self(tao.saturating_mul(RAO_PER_TAO))
    }

    /// Sum, saturating at the largest amount.
    pub const fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl fmt::Display for Rao {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}.{:09} TAO",
            self.0 / RAO_PER_TAO,
            self.0 % RAO_PER_TAO
        )
    }
}
