//! Epochs: when they run (the live chain's rule since runtime 425), what goes into Yuma and where
//! its results go.

use adit_primitives::{Block, Rao, Uid};
use adit_yuma::{EpochInput, EpochNeuron, EpochOutput, EpochParameters, LiquidAlpha};

use super::{
    element,
    pallet::{
        Active, ActivityCutoff, AlphaDividendsPerSubnet, AlphaSigmoidSteepness, AlphaValues,
        BlockAtRegistration, BlocksSinceLastStep, Bonds, BondsMovingAverage, BondsPenalty, Config,
        Consensus, Dividends, Emission, Incentive, Kappa, Keys, LastEpochBlock,
        LastMechansimStepBlock, LastUpdate, LiquidAlphaOn, MaxAllowedValidators,
        MechanismCountCurrent, MechanismEmissionSplit, Owner, Pallet, PendingEpochAt,
        StakeThreshold, StakeWeight, SubnetEpochIndex, SubnetOwnerHotkey, SubnetworkN, Tempo, Uids,
        ValidatorPermit, ValidatorTrust, Weights, Yuma3On,
    },
    storage_index,
};

/// An epoch runs when this many blocks passed without one, whatever the tempo says.
const LONGEST_WAIT: u64 = 50_400;
/// Alpha a subnet pays out in one block, in rao.
const ALPHA_PER_BLOCK: u64 = 1_000_000_000;

impl<T: Config> Pallet<T> {
    /// Start of a block: runs the epoch of every subnet whose turn it is.
    pub(crate) fn step_epochs() {
        for netuid in Self::networks().into_iter().filter(|&netuid| netuid != 0) {
            if !Self::epoch_is_due(netuid, Self::now()) {
                BlocksSinceLastStep::<T>::mutate(netuid, |count| *count = count.saturating_add(1));
                continue;
            }
            Self::run_epoch(netuid);
            let now = Self::now();
            LastEpochBlock::<T>::insert(netuid, now);
            LastMechansimStepBlock::<T>::insert(netuid, now);
            PendingEpochAt::<T>::remove(netuid);
            SubnetEpochIndex::<T>::mutate(netuid, |index| *index = index.saturating_add(1));
            BlocksSinceLastStep::<T>::insert(netuid, 0);
        }
    }

    /// Whether a subnet's epoch runs at block `now`, if none runs before.
    pub(crate) fn epoch_is_due(netuid: u16, now: u64) -> bool {
        let tempo = u64::from(Tempo::<T>::get(netuid));
        let pending = PendingEpochAt::<T>::get(netuid);
        tempo != 0
            && ((pending > 0 && now >= pending)
                || BlocksSinceLastStep::<T>::get(netuid) > LONGEST_WAIT
                || now.saturating_sub(LastEpochBlock::<T>::get(netuid)) >= tempo)
    }

    fn run_epoch(netuid: u16) {
        Self::adopt_children(netuid);
        let parameters = Self::epoch_parameters(netuid);
        let mut outputs = Vec::new();
        for (mecid, emission) in (0_u8..).zip(Self::emissions(netuid)) {
            let input = Self::epoch_input(netuid, mecid, emission);
            match adit_yuma::epoch(&input, &parameters) {
                Ok(output) => outputs.push((emission, output)),
                // Inputs come from this pallet's own storage, so this is a defect; the chain
                // goes on.
                Err(error) => tracing::error!(netuid, mecid, %error, "the epoch failed"),
            }
        }
        Self::write_epoch(netuid, &outputs);
    }

    /// What each mechanism of a subnet pays out: by the split, or evenly, the rest to the first.
    fn emissions(netuid: u16) -> Vec<u64> {
        let elapsed = Self::now().saturating_sub(LastEpochBlock::<T>::get(netuid));
        let whole = ALPHA_PER_BLOCK.saturating_mul(elapsed);
        let count = MechanismCountCurrent::<T>::get(netuid).max(1);
        let split = MechanismEmissionSplit::<T>::get(netuid).unwrap_or_default();
        let mut parts: Vec<u64> = (0..usize::from(count))
            .map(|mecid| match split.get(mecid) {
                Some(&share) => {
                    let part = u128::from(whole) * u128::from(share) / u128::from(u16::MAX);
                    u64::try_from(part).unwrap_or(u64::MAX)
                }
                None if split.is_empty() => whole / u64::from(count),
                None => 0,
            })
            .collect();
        let rest = whole.saturating_sub(parts.iter().sum());
        if let Some(first) = parts.first_mut() {
            *first = first.saturating_add(rest);
        }
        parts
    }

    fn epoch_input(netuid: u16, mecid: u8, emission: u64) -> EpochInput {
        let (now, index) = (Self::now(), storage_index(netuid, mecid));
        let last_update = LastUpdate::<T>::get(index);
        let permits = ValidatorPermit::<T>::get(netuid);
        let count = SubnetworkN::<T>::get(netuid);
        let commits = Self::earliest_commits(netuid, index, count);
        let neurons = (0..count)
            .zip(commits)
            .map(|(uid, earliest_commit)| EpochNeuron {
                stake: Rao(Self::total_stake(&Keys::<T>::get(netuid, uid), netuid)),
                last_update: Block(element(&last_update, uid)),
                registered_at: Block(BlockAtRegistration::<T>::get(netuid, uid)),
                validator_permit: element(&permits, uid),
                earliest_commit: earliest_commit.map(Block),
                weights: row(Weights::<T>::get(index, uid)),
                bonds: row(Bonds::<T>::get(index, uid)),
            });
        let last_step = LastMechansimStepBlock::<T>::get(netuid);
        EpochInput {
            current_block: Block(now),
            last_epoch: Block(if last_step == 0 {
                now.saturating_sub(u64::from(Tempo::<T>::get(netuid)))
            } else {
                last_step + 1
            }),
            emission: Rao(emission),
            neurons: neurons.collect(),
        }
    }

    fn epoch_parameters(netuid: u16) -> EpochParameters {
        let (low, high) = AlphaValues::<T>::get(netuid);
        EpochParameters {
            kappa: Kappa::<T>::get(netuid),
            bonds_penalty: BondsPenalty::<T>::get(netuid),
            bonds_moving_average: BondsMovingAverage::<T>::get(netuid),
            yuma3: Yuma3On::<T>::get(netuid),
            liquid_alpha: LiquidAlphaOn::<T>::get(netuid).then(|| LiquidAlpha {
                low,
                high,
                steepness: AlphaSigmoidSteepness::<T>::get(netuid),
            }),
            activity_cutoff: u64::from(ActivityCutoff::<T>::get(netuid)),
            max_validators: MaxAllowedValidators::<T>::get(netuid),
            stake_threshold: Rao(StakeThreshold::<T>::get()),
            owner: Uids::<T>::get(netuid, SubnetOwnerHotkey::<T>::get(netuid)).map(Uid),
        }
    }

    fn write_epoch(netuid: u16, outputs: &[(u64, EpochOutput)]) {
        let Some((_, first)) = outputs.first() else {
            return;
        };
        let _ = AlphaDividendsPerSubnet::<T>::clear_prefix(netuid, u32::MAX, None);
        let mut emission = vec![0_u64; first.emission.len()];
        for (mecid, (_, output)) in (0_u8..).zip(outputs) {
            let index = storage_index(netuid, mecid);
            for (uid, bonds) in (0_u16..).zip(&output.bonds) {
                if bonds.is_empty() {
                    Bonds::<T>::remove(index, uid);
                } else {
                    let bonds: Vec<_> = bonds.iter().map(|(uid, bond)| (uid.0, *bond)).collect();
                    Bonds::<T>::insert(index, uid, bonds);
                }
            }
            Incentive::<T>::insert(index, &output.incentive);
            for (sum, part) in emission.iter_mut().zip(&output.emission) {
                *sum = sum.saturating_add(part.0);
            }
            Self::pay(netuid, output);
        }
        let blended = |values: fn(&EpochOutput) -> &[u16]| blend(outputs, values);
        Active::<T>::insert(netuid, &first.active);
        StakeWeight::<T>::insert(netuid, &first.stake_weight);
        ValidatorPermit::<T>::insert(netuid, &first.validator_permit);
        Consensus::<T>::insert(netuid, blended(|output| &output.consensus));
        Dividends::<T>::insert(netuid, blended(|output| &output.dividends));
        ValidatorTrust::<T>::insert(netuid, blended(|output| &output.validator_trust));
        Emission::<T>::insert(netuid, emission);
    }

    /// The live chain sells part of this and shares with nominators and root; here incentive goes
    /// to the neuron's owner and dividends to those who staked on it.
    fn pay(netuid: u16, output: &EpochOutput) {
        let earned = output
            .server_emission
            .iter()
            .zip(&output.validator_emission);
        for (uid, (incentive, dividends)) in (0_u16..).zip(earned) {
            let hotkey = Keys::<T>::get(netuid, uid);
            if incentive.0 > 0 {
                Self::credit(&Owner::<T>::get(&hotkey), &hotkey, netuid, incentive.0);
            }
            if dividends.0 > 0 {
                Self::share_out(&hotkey, netuid, dividends.0);
                AlphaDividendsPerSubnet::<T>::mutate(netuid, &hotkey, |sum| {
                    *sum = sum.saturating_add(dividends.0);
                });
            }
        }
    }
}

/// A value of each neuron over all mechanisms, each counted by what it pays out.
fn blend(outputs: &[(u64, EpochOutput)], values: fn(&EpochOutput) -> &[u16]) -> Vec<u16> {
    if let [(_, only)] = outputs {
        return values(only).to_vec();
    }
    let whole: u128 = outputs.iter().map(|(share, _)| u128::from(*share)).sum();
    let neurons = outputs
        .first()
        .map_or(0, |(_, output)| values(output).len());
    (0..neurons)
        .map(|uid| {
            let sum: u128 = outputs
                .iter()
                .map(|(share, output)| {
                    let value = values(output).get(uid).copied().unwrap_or(0);
                    u128::from(*share) * u128::from(value)
                })
                .sum();
            u16::try_from(sum.checked_div(whole).unwrap_or(0)).unwrap_or(u16::MAX)
        })
        .collect()
}

fn row(stored: Vec<(u16, u16)>) -> Vec<(Uid, u16)> {
    stored
        .into_iter()
        .map(|(uid, value)| (Uid(uid), value))
        .collect()
}
