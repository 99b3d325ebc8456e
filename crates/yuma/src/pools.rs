use adit_primitives::Rao;

/// Fractional bits of the chain's amounts in between (U96F32).
const BITS: u32 = 32;

/// The part of a subnet's validator emission that goes to those who stake on the root network.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct RootProportion(u64);

impl RootProportion {
    /// `w · root / (w · root + alpha)` with the TAO staked on root, the subnet's alpha issuance
    /// and `w` the TAO weight, `tao_weight / (2^64 − 1)`. 0 when both are 0.
    pub fn new(root_tao: Rao, alpha_issuance: Rao, tao_weight: u64) -> Self {
        let weight = (u128::from(tao_weight) << BITS) / u128::from(u64::MAX);
        // Less than 2^96, so that the shift below stays within 128 bits.
        let root = u128::from(root_tao.0) * weight;
        let all = root + (u128::from(alpha_issuance.0) << BITS);
        let share = (root << BITS).checked_div(all).unwrap_or(0);
        Self(u64::try_from(share).unwrap_or(1 << BITS))
    }

    /// Between 0 and 1.
    pub fn to_f64(self) -> f64 {
        self.0 as f64 / f64::from(BITS).exp2()
    }
}

/// What one block's alpha emission of a subnet adds to what waits for the next epoch.
///
/// The epoch divides the sum of `server`, `validator` and `root`; see
/// [`EpochInput::emission`](crate::EpochInput::emission).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BlockPools {
    /// The subnet owner's.
    pub owner: Rao,
    /// The miners'.
    pub server: Rao,
    /// The validators' and those of who stakes on them in alpha.
    pub validator: Rao,
    /// Of those who stake TAO on the root network.
    pub root: Rao,
}

impl BlockPools {
    /// Divides one block's `alpha_out`: the owner's cut (a proportion of 65,535; 11,796 on the
    /// live chain) comes off the top, half of the rest is the miners', and the other half the
    /// validators', of which root's proportion goes to root.
    ///
    /// Each amount is cut to whole rao, so up to 3 rao of a block go nowhere. Source:
    /// `emit_to_subnets` of the subtensor runtime, in its numbers of 32 fractional bits.
    pub fn of(alpha_out: Rao, owner_cut: u16, root: RootProportion) -> Self {
        let all = u128::from(alpha_out.0) << BITS;
        let cut = (u128::from(owner_cut) << BITS) / u128::from(u16::MAX);
        let owner = u128::from(alpha_out.0) * cut;
        let rest = all.saturating_sub(owner);
        let half = rest / 2;
        let (whole, fraction) = (rest >> BITS, rest & ((1 << BITS) - 1));
        let share = u128::from(root.0);
        let root = (whole * share + ((fraction * share) >> BITS)) / 2;
        let validator = (rest - half).saturating_sub(root);
        Self {
            owner: cut_to_rao(owner),
            server: cut_to_rao(half),
            validator: cut_to_rao(validator),
            root: cut_to_rao(root),
        }
    }

    /// What an epoch pays out of this block: everything but the owner's.
    pub const fn for_epoch(self) -> Rao {
        self.server
            .saturating_add(self.validator)
            .saturating_add(self.root)
    }
}

fn cut_to_rao(amount: u128) -> Rao {
    Rao(u64::try_from(amount >> BITS).unwrap_or(u64::MAX))
}
