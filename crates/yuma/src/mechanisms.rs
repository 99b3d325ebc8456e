use adit_primitives::Rao;

use crate::{EpochOutput, Error, Result};

/// Divides a subnet's emission among its mechanisms: by `split`, proportions of 65,535
/// (`MechanismEmissionSplit`), or evenly. What rounding leaves, and what a split gives to
/// mechanisms that are no more, goes to mechanism 0; mechanisms that a split does not name get
/// nothing.
///
/// The parts sum to the emission, unless a split of more than 65,535 gives more. Source:
/// `split_emissions` of the subtensor runtime.
///
/// ```
/// use adit_primitives::Rao;
/// use adit_yuma::split_emission;
///
/// assert_eq!(split_emission(Rao(101), 2, None), [Rao(51), Rao(50)]);
/// assert_eq!(split_emission(Rao(100), 2, Some(&[16_384, 49_151])), [Rao(26), Rao(74)]);
/// ```
pub fn split_emission(emission: Rao, mechanisms: u8, split: Option<&[u16]>) -> Vec<Rao> {
    let count = usize::from(mechanisms);
    let mut parts: Vec<Rao> = match split {
        Some(split) => split
            .iter()
            .map(|&share| part_of(emission, share))
            .collect(),
        None => {
            let each = emission.0.checked_div(u64::from(mechanisms));
            vec![Rao(each.unwrap_or(0)); count]
        }
    };
    parts.resize(count, Rao(0));
    let given = parts
        .iter()
        .fold(0_u64, |sum, part| sum.saturating_add(part.0));
    if let Some(first) = parts.first_mut() {
        *first = first.saturating_add(Rao(emission.0.saturating_sub(given)));
    }
    parts
}

/// `⌊emission · share / 65,535⌋`, which is never more than the emission.
fn part_of(emission: Rao, share: u16) -> Rao {
    let part = u128::from(emission.0) * u128::from(share) / u128::from(u16::MAX);
    Rao(u64::try_from(part).unwrap_or(u64::MAX))
}

/// What a subnet of several mechanisms shows for each uid after their epochs: booleans hold when
/// they hold in any mechanism, emissions are summed, and proportions are weighted by each
/// mechanism's part of the emission.
///
/// The chain keeps incentive and bonds for each mechanism apart, so they are not here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SubnetTotals {
    /// Whether the neuron is active in any mechanism.
    pub active: Vec<bool>,
    /// Whether it holds a validator permit from now on.
    pub validator_permit: Vec<bool>,
    /// Its share of all stake.
    pub stake_weight: Vec<u16>,
    /// The highest weight that enough stake agrees on.
    pub consensus: Vec<u16>,
    /// Its share of the dividends.
    pub dividends: Vec<u16>,
    /// How much of its weights survived clipping.
    pub validator_trust: Vec<u16>,
    /// What it earns as a miner.
    pub server_emission: Vec<Rao>,
    /// What it earns as a validator.
    pub validator_emission: Vec<Rao>,
    /// What the chain stores as the neuron's emission: the mechanisms' emissions *weighted by
    /// their parts once more*, so less than what is paid as soon as there are two. Paid are the
    /// two above.
    pub emission: Vec<Rao>,
}

/// Brings the epochs of a subnet's mechanisms together, each with its part of the emission
/// ([`split_emission`]), mechanism 0 first. Without any emission mechanism 0 alone weighs.
///
/// Source: `epoch_with_mechanisms` of the subtensor runtime; weighted sums are cut to whole
/// numbers after each mechanism, as there.
///
/// # Errors
/// [`Error::UnequalMechanisms`] when the epochs are not of the same number of neurons.
pub fn combine_mechanisms(epochs: &[(Rao, EpochOutput)]) -> Result<SubnetTotals> {
    let neurons = epochs.first().map_or(0, |(_, epoch)| epoch.active.len());
    if let Some((mechanism, found)) = epochs
        .iter()
        .map(|(_, epoch)| epoch.active.len())
        .enumerate()
        .find(|(_, found)| *found != neurons)
    {
        return Err(Error::UnequalMechanisms {
            mechanism,
            found,
            neurons,
        });
    }
    let total: u128 = epochs.iter().map(|(part, _)| u128::from(part.0)).sum();
    let mut totals = SubnetTotals {
        active: vec![false; neurons],
        validator_permit: vec![false; neurons],
        stake_weight: vec![0; neurons],
        consensus: vec![0; neurons],
        dividends: vec![0; neurons],
        validator_trust: vec![0; neurons],
        server_emission: vec![Rao(0); neurons],
        validator_emission: vec![Rao(0); neurons],
        emission: vec![Rao(0); neurons],
    };
    for (index, (part, epoch)) in epochs.iter().enumerate() {
        let weight = match (u128::from(part.0) << 64).checked_div(total) {
            Some(weight) => weight,
            None if index == 0 => 1 << 64,
            None => 0,
        };
        totals.add(epoch, weight);
    }
    Ok(totals)
}

impl SubnetTotals {
    /// `weight` is a proportion of 2^64.
    fn add(&mut self, epoch: &EpochOutput, weight: u128) {
        either(&mut self.active, &epoch.active);
        either(&mut self.validator_permit, &epoch.validator_permit);
        weigh(&mut self.stake_weight, &epoch.stake_weight, weight);
        weigh(&mut self.consensus, &epoch.consensus, weight);
        weigh(&mut self.dividends, &epoch.dividends, weight);
        weigh(&mut self.validator_trust, &epoch.validator_trust, weight);
        sum(&mut self.server_emission, &epoch.server_emission);
        sum(&mut self.validator_emission, &epoch.validator_emission);
        for (total, added) in self.emission.iter_mut().zip(&epoch.emission) {
            *total = total.saturating_add(Rao(weighted(added.0, weight)));
        }
    }
}

fn either(total: &mut [bool], added: &[bool]) {
    for (total, added) in total.iter_mut().zip(added) {
        *total |= added;
    }
}

fn weigh(total: &mut [u16], added: &[u16], weight: u128) {
    for (total, added) in total.iter_mut().zip(added) {
        let part = weighted(u64::from(*added), weight);
        *total = total.saturating_add(u16::try_from(part).unwrap_or(u16::MAX));
    }
}

fn sum(total: &mut [Rao], added: &[Rao]) {
    for (total, added) in total.iter_mut().zip(added) {
        *total = total.saturating_add(*added);
    }
}

/// `⌊value · weight / 2^64⌋`; what is added to is whole, so cutting the part cuts the sum.
fn weighted(value: u64, weight: u128) -> u64 {
    let part = u128::from(value).saturating_mul(weight) >> 64;
    u64::try_from(part).unwrap_or(u64::MAX)
}
