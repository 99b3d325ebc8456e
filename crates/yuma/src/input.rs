use adit_primitives::{Block, Rao, Uid};

use crate::{EpochParameters, Error, Result};

/// What the chain knows of a subnet (of one of its mechanisms) when its epoch runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EpochInput {
    /// The block at which the epoch runs.
    pub current_block: Block,
    /// The block after the mechanism's last epoch, or `current_block - tempo` when none ran yet.
    /// Bonds in whoever registered at or after it are dropped.
    pub last_epoch: Block,
    /// What this epoch pays out, in rao of the subnet's alpha.
    pub emission: Rao,
    /// The neurons, in uid order.
    pub neurons: Vec<EpochNeuron>,
}

/// What the chain knows of one neuron when an epoch runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EpochNeuron {
    /// Its total stake: alpha + TAO · TAO weight, inherited through parents and children, in rao.
    pub stake: Rao,
    /// When it last set weights; a neuron that never did has its registration block here.
    pub last_update: Block,
    /// When its key registered; 0 where the uid has no key.
    pub registered_at: Block,
    /// Whether it holds a validator permit from the epoch before.
    pub validator_permit: bool,
    /// Its earliest unexpired weight commit, when commit-reveal is on and there is one.
    pub earliest_commit: Option<Block>,
    /// The weights it set, in the order it submitted them.
    pub weights: Vec<(Uid, u16)>,
    /// Its bonds as the last epoch left them.
    pub bonds: Vec<(Uid, u16)>,
}

impl EpochInput {
    /// The index of the owner's neuron, if there is one, when nothing contradicts itself.
    pub(crate) fn check(&self, parameters: &EpochParameters) -> Result<Option<usize>> {
        let neurons = self.neurons.len();
        if neurons > usize::from(u16::MAX) + 1 {
            return Err(Error::TooManyNeurons { neurons });
        }
        let total: u128 = self.neurons.iter().map(|n| u128::from(n.stake.0)).sum();
        if total >= 1 << 63 {
            return Err(Error::TooMuchStake);
        }
        let mut seen = vec![usize::MAX; neurons];
        for (index, neuron) in self.neurons.iter().enumerate() {
            let uid = Uid(index as u16);
            check_row("weights", uid, &neuron.weights, &mut seen, 2 * index)?;
            check_row("bonds", uid, &neuron.bonds, &mut seen, 2 * index + 1)?;
        }
        match parameters.owner {
            Some(owner) if usize::from(owner.0) >= neurons => {
                Err(Error::UnknownOwner { owner, neurons })
            }
            owner => Ok(owner.map(|owner| usize::from(owner.0))),
        }
    }
}

/// `seen` remembers, for each uid, the last row (by its unique `mark`) that named it.
fn check_row(
    row: &'static str,
    uid: Uid,
    entries: &[(Uid, u16)],
    seen: &mut [usize],
    mark: usize,
) -> Result<()> {
    let neurons = seen.len();
    for &(target, _) in entries {
        match seen.get_mut(usize::from(target.0)) {
            None => {
                return Err(Error::UnknownUid {
                    row,
                    uid,
                    target,
                    neurons,
                });
            }
            Some(last) if *last == mark => return Err(Error::RepeatedUid { row, uid, target }),
            Some(last) => *last = mark,
        }
    }
    Ok(())
}
