use serde::{Deserialize, Serialize};

use crate::Rao;

/// The stake behind a hotkey on one subnet, without what child keys bring or take.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HotkeyStake {
    /// Alpha of the subnet.
    pub alpha: Rao,
    /// TAO on the root network.
    pub tao: Rao,
    /// What a TAO on the root network counts on a subnet, in units of 2⁻⁶⁴.
    pub tao_weight: u64,
}

impl HotkeyStake {
    /// What consensus counts: `alpha + tao · tao_weight / 2⁶⁴`, rounded down.
    ///
    /// ```
    /// # use adit_primitives::*;
    /// let stake = HotkeyStake { alpha: Rao(7), tao: Rao(100), tao_weight: 1 << 63 };
    /// assert_eq!(stake.total(), Rao(57));
    /// ```
    pub fn total(&self) -> Rao {
        let weighed = (u128::from(self.tao.0) * u128::from(self.tao_weight)) >> 64;
        Rao(self
            .alpha
            .0
            .saturating_add(u64::try_from(weighed).unwrap_or(u64::MAX)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_stake_counts_by_its_weight() {
        let total = |alpha, tao, tao_weight| {
            let (alpha, tao) = (Rao(alpha), Rao(tao));
            HotkeyStake {
                alpha,
                tao,
                tao_weight,
            }
            .total()
        };
        assert_eq!(total(7, 0, u64::MAX), Rao(7));
        assert_eq!(total(7, 100, 1 << 63), Rao(57));
        assert_eq!(total(u64::MAX, u64::MAX, u64::MAX), Rao(u64::MAX));
    }
}
