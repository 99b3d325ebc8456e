use crate::{LiquidAlpha, number::Number};

/// The sigmoid that says how fast one bond follows its weight.
pub(crate) struct Sigmoid<N> {
    low: N,
    high: N,
    slope: N,
}

impl<N: Number> Sigmoid<N> {
    pub(crate) fn new(liquid: &LiquidAlpha) -> Self {
        Self {
            low: N::proportion(liquid.low),
            high: N::proportion(liquid.high),
            slope: N::integer(i32::from(liquid.steepness)).over(N::integer(-100)),
        }
    }

    /// Between `low` and `high` by how far the weight is above the consensus (when buying) or
    /// below the bond (when selling).
    pub(crate) fn alpha(&self, consensus: N, weight: N, bond: N) -> N {
        let difference = if weight >= bond {
            weight.minus(consensus)
        } else {
            bond.minus(weight)
        };
        let difference = difference.most(N::ZERO).least(N::ONE);
        let exponent = self.slope.times(difference.minus(N::HALF));
        let sigmoid = N::ONE.over(N::ONE.plus(exponent.exp()));
        let alpha = self.low.plus(sigmoid.times(self.high.minus(self.low)));
        // The bounds may be the wrong way round; then the lower one wins.
        alpha.least(self.high).most(self.low)
    }

    /// `min(1, (1 − α) · bond + α · weight)`, with α of what the chain's search saw of the two.
    pub(crate) fn follow(&self, consensus: N, weight: N, bond: N, seen: (N, N)) -> N {
        let alpha = self.alpha(consensus, seen.0, seen.1);
        let kept = N::ONE.minus(alpha).times(bond);
        let bought = alpha.times(weight).most(N::ZERO);
        kept.plus(bought).least(N::ONE)
    }
}

/// `1 − moving average / 10^6`, the α of every cell where liquid alpha is off.
pub(crate) fn plain_alpha<N: Number>(bonds_moving_average: u64) -> N {
    N::ONE.minus(N::ratio(bonds_moving_average, 1_000_000))
}
