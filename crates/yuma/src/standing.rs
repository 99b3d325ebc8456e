use crate::{
    EpochInput, EpochParameters,
    number::Number,
    vector::{normalize, shares, top_nonzero},
};

/// Who may speak, and how loudly.
pub(crate) struct Standing<N> {
    pub(crate) active: Vec<bool>,
    pub(crate) stake: Vec<N>,
    pub(crate) permits: Vec<bool>,
    pub(crate) new_permits: Vec<bool>,
    pub(crate) active_stake: Vec<N>,
}

impl<N: Number> Standing<N> {
    pub(crate) fn of(
        input: &EpochInput,
        parameters: &EpochParameters,
        owner: Option<usize>,
    ) -> Self {
        let neurons = &input.neurons;
        let active: Vec<bool> = neurons
            .iter()
            .map(|neuron| {
                let until = neuron
                    .last_update
                    .0
                    .saturating_add(parameters.activity_cutoff);
                until >= input.current_block.0
            })
            .collect();
        let counted: Vec<u64> = neurons
            .iter()
            .enumerate()
            .map(|(uid, neuron)| {
                let enough = neuron.stake >= parameters.stake_threshold || owner == Some(uid);
                if enough { neuron.stake.0 } else { 0 }
            })
            .collect();
        let stake = shares(&counted);
        let mut permits: Vec<bool> = neurons.iter().map(|n| n.validator_permit).collect();
        let mut new_permits = top_nonzero(&stake, usize::from(parameters.max_validators));
        for permits in [&mut permits, &mut new_permits] {
            if let Some(permit) = owner.and_then(|owner| permits.get_mut(owner)) {
                *permit = true;
            }
        }
        let mut active_stake: Vec<N> = stake
            .iter()
            .zip(active.iter().zip(&permits))
            .map(|(stake, (active, permit))| if *active && *permit { *stake } else { N::ZERO })
            .collect();
        normalize(&mut active_stake);
        Self {
            active,
            stake,
            permits,
            new_permits,
            active_stake,
        }
    }
}
