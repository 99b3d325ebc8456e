//! The bonds in one neuron, from those of the epoch before to those of the next.

use crate::{liquid::Sigmoid, number::Number};

use super::{BOND_UNSEEN, WEIGHED, WEIGHT_UNSEEN};

/// How bonds follow weights; with the α of every cell, where there is one.
pub(super) enum BondRule<N> {
    /// Yuma 2: shares of a miner, bought with stake times weight.
    Legacy(N),
    /// Yuma 3: proportions that move towards the weights.
    Yuma3(N),
    /// Yuma 3 with an α for each cell.
    Liquid(Sigmoid<N>),
}

/// How much of a weight above the consensus is withheld from bonds.
pub(super) enum Penalty<N> {
    None,
    /// A share of it.
    Part(N),
    All,
}

/// What an epoch found about one neuron.
pub(super) struct Judged<'epoch, N> {
    /// By row.
    pub(super) weights: &'epoch [N],
    /// By row; empty where liquid alpha is off.
    pub(super) marks: &'epoch [u8],
    /// By row.
    pub(super) stake: &'epoch [N],
    pub(super) consensus: N,
    pub(super) incentive: N,
}

impl<N: Number> Penalty<N> {
    /// From a proportion of 65,535.
    pub(super) fn of(proportion: u16) -> Self {
        match proportion {
            0 => Self::None,
            u16::MAX => Self::All,
            part => Self::Part(N::proportion(part)),
        }
    }

    /// The weight that buys bonds.
    pub(super) fn weight(&self, weight: N, consensus: N) -> N {
        let clipped = weight.least(consensus);
        match self {
            Self::None => weight,
            Self::Part(part) => weight.plus(part.times(clipped.minus(weight))).most(N::ZERO),
            Self::All => clipped,
        }
    }

    /// Whether a submitted weight, be it zero, still has a cell; nothing where only positive
    /// cells have one, in uid order.
    pub(super) fn keeps(&self, weight: N, consensus: N) -> Option<bool> {
        match self {
            Self::None => Some(true),
            Self::Part(_) => None,
            Self::All => Some(weight <= consensus || consensus.is_positive()),
        }
    }
}

impl<N: Number> BondRule<N> {
    /// Turns a column of old bonds into the new one and adds what each row earns by it. Under the
    /// legacy rule the new bonds are scaled to a maximum of 1.
    pub(super) fn advance(
        &self,
        penalty: &Penalty<N>,
        judged: &Judged<'_, N>,
        bonds: &mut [N],
        scratch: &mut [N],
        earned: &mut [N],
    ) {
        match self {
            Self::Legacy(alpha) => {
                divide_by_sum(bonds);
                let of = scratch.iter_mut().zip(judged.weights).zip(judged.stake);
                for ((bought, weight), stake) in of {
                    *bought = penalty.weight(*weight, judged.consensus).times(*stake);
                }
                divide_by_sum(scratch);
                follow(*alpha, bonds, scratch);
                divide_by_sum(bonds);
                earn(bonds, judged.incentive, earned);
                let largest = bonds.iter().fold(N::ZERO, |most, bond| most.most(*bond));
                divide(bonds, largest);
            }
            Self::Yuma3(alpha) => {
                for (bought, weight) in scratch.iter_mut().zip(judged.weights) {
                    *bought = penalty.weight(*weight, judged.consensus);
                }
                follow(*alpha, bonds, scratch);
                scratch.copy_from_slice(bonds);
                divide_by_sum(scratch);
                earn(scratch, judged.incentive, earned);
            }
            Self::Liquid(sigmoid) => {
                let of = bonds.iter_mut().zip(judged.weights).zip(judged.marks);
                for ((bond, weight), marks) in of {
                    *bond = follow_seen(sigmoid, penalty, judged.consensus, *weight, *bond, *marks);
                }
                scratch.copy_from_slice(bonds);
                divide_by_sum(scratch);
                earn(scratch, judged.incentive, earned);
            }
        }
    }
}

/// A bond in which no weight is any more is gone.
fn follow_seen<N: Number>(
    sigmoid: &Sigmoid<N>,
    penalty: &Penalty<N>,
    consensus: N,
    weight: N,
    bond: N,
    marks: u8,
) -> N {
    let bought = penalty.weight(weight, consensus);
    let is_there = marks & WEIGHED != 0
        && penalty
            .keeps(weight, consensus)
            .unwrap_or(bought.is_positive());
    if !is_there {
        return N::ZERO;
    }
    let seen = |value, unseen| if marks & unseen == 0 { value } else { N::ZERO };
    let seen = (seen(bought, WEIGHT_UNSEEN), seen(bond, BOND_UNSEEN));
    sigmoid.follow(consensus, bought, bond, seen).most(N::ZERO)
}

/// `(1 − alpha) · old + alpha · new` where that is positive.
fn follow<N: Number>(alpha: N, bonds: &mut [N], bought: &[N]) {
    let keep = N::ONE.minus(alpha);
    for (bond, bought) in bonds.iter_mut().zip(bought) {
        *bond = alpha.times(*bought).plus(keep.times(*bond)).most(N::ZERO);
    }
}

fn earn<N: Number>(shares: &[N], incentive: N, earned: &mut [N]) {
    for (earned, share) in earned.iter_mut().zip(shares) {
        *earned = earned.plus(share.times(incentive));
    }
}

fn divide_by_sum<N: Number>(values: &mut [N]) {
    let sum = values.iter().fold(N::ZERO, |sum, value| sum.plus(*value));
    divide(values, sum);
}

fn divide<N: Number>(values: &mut [N], divisor: N) {
    if divisor != N::ZERO {
        let divisor = divisor.divisor();
        for value in values {
            *value = value.by(divisor);
        }
    }
}
