use adit_primitives::Rao;

use crate::{number::Number, standing::Standing, vector::normalize_by};

/// Shares of the emission.
pub(crate) struct Emission<N> {
    pub(crate) server: Vec<N>,
    pub(crate) validator: Vec<N>,
    pub(crate) combined: Vec<N>,
}

impl<N: Number> Emission<N> {
    pub(crate) fn of(incentive: &[N], dividends: &[N], standing: &Standing<N>) -> Self {
        let mut server = incentive.to_vec();
        let mut validator = dividends.to_vec();
        let mut combined: Vec<N> = incentive
            .iter()
            .zip(dividends)
            .map(|(incentive, dividend)| incentive.plus(*dividend))
            .collect();
        let sum: N = combined.iter().copied().sum();
        normalize_by(&mut server, sum);
        normalize_by(&mut validator, sum);
        normalize_by(&mut combined, sum);
        if sum == N::ZERO {
            // Nobody set weights that count: stake alone is paid.
            let is_zero = standing.active_stake.iter().all(|s| *s == N::ZERO);
            let stake = if is_zero {
                &standing.stake
            } else {
                &standing.active_stake
            };
            validator.clone_from(stake);
            combined.clone_from(stake);
        }
        Self {
            server,
            validator,
            combined,
        }
    }
}

/// Whole rao of each share.
pub(crate) fn paid<N: Number>(shares: &[N], emission: Rao) -> Vec<Rao> {
    shares
        .iter()
        .map(|share| Rao(share.share_of(emission.0)))
        .collect()
}
