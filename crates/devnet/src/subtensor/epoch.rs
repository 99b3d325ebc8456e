//! Epochs: when they run (the live chain's rule since runtime 425), what goes into Yuma and where
//! its results go.

use adit_primitives::{Block, Rao, Uid};
use adit_yuma::{EpochInput, EpochNeuron, EpochOutput, EpochParameters, LiquidAlpha};

use super::pallet::{
    Active, ActivityCutoff, AlphaSigmoidSteepness, AlphaValues, BlockAtRegistration,
    BlocksSinceLastStep, Bonds, BondsMovingAverage, BondsPenalty, Config, Consensus, Dividends,
    Emission, Incentive, Kappa, Keys, LastEpochBlock, LastMechansimStepBlock, LastUpdate,
    LiquidAlphaOn, MaxAllowedValidators, NetworksAdded, Owner, Pallet, PendingEpochAt,
    StakeThreshold, StakeWeight, SubnetEpochIndex, SubnetOwnerHotkey, SubnetworkN, Tempo, Uids,
    ValidatorPermit, ValidatorTrust, Weights, Yuma3On,
};

/// An epoch runs when this many blocks passed without one, whatever the tempo says.
const LONGEST_WAIT: u64 = 50_400;
/// Alpha a subnet pays out in one block, in rao.
const ALPHA_PER_BLOCK: u64 = 1_000_000_000;

impl<T: Config> Pallet<T> {
    /// Start of a block: runs the epoch of every subnet whose turn it is.
    pub(crate) fn step_epochs() {
        let mut subnets: Vec<u16> = NetworksAdded::<T>::iter_keys()
            .filter(|&id| id != 0)
            .collect();
        subnets.sort_unstable();
        for netuid in subnets {
            if !Self::epoch_is_due(netuid) {
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

    fn epoch_is_due(netuid: u16) -> bool {
        let (now, tempo) = (Self::now(), u64::from(Tempo::<T>::get(netuid)));
        let pending = PendingEpochAt::<T>::get(netuid);
        tempo != 0
            && ((pending > 0 && now >= pending)
                || BlocksSinceLastStep::<T>::get(netuid) > LONGEST_WAIT
                || now.saturating_sub(LastEpochBlock::<T>::get(netuid)) >= tempo)
    }

    fn run_epoch(netuid: u16) {
        let input = Self::epoch_input(netuid);
        match adit_yuma::epoch(&input, &Self::epoch_parameters(netuid)) {
            Ok(output) => Self::write_epoch(netuid, output),
            // Inputs come from this pallet's own storage, so this is a defect; the chain goes on.
            Err(error) => tracing::error!(netuid, %error, "the epoch failed"),
        }
    }

    fn epoch_input(netuid: u16) -> EpochInput {
        let now = Self::now();
        let last_update = LastUpdate::<T>::get(netuid);
        let permits = ValidatorPermit::<T>::get(netuid);
        let neurons = (0..SubnetworkN::<T>::get(netuid)).map(|uid| {
            let index = usize::from(uid);
            EpochNeuron {
                stake: Rao(Self::total_stake(&Keys::<T>::get(netuid, uid), netuid)),
                last_update: Block(last_update.get(index).copied().unwrap_or(0)),
                registered_at: Block(BlockAtRegistration::<T>::get(netuid, uid)),
                validator_permit: permits.get(index).copied().unwrap_or(false),
                earliest_commit: None,
                weights: row(Weights::<T>::get(netuid, uid)),
                bonds: row(Bonds::<T>::get(netuid, uid)),
            }
        });
        let last_step = LastMechansimStepBlock::<T>::get(netuid);
        let elapsed = now.saturating_sub(LastEpochBlock::<T>::get(netuid));
        EpochInput {
            current_block: Block(now),
            last_epoch: Block(if last_step == 0 {
                now.saturating_sub(u64::from(Tempo::<T>::get(netuid)))
            } else {
                last_step + 1
            }),
            emission: Rao(ALPHA_PER_BLOCK.saturating_mul(elapsed)),
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

    fn write_epoch(netuid: u16, output: EpochOutput) {
        for (uid, bonds) in (0_u16..).zip(output.bonds) {
            if bonds.is_empty() {
                Bonds::<T>::remove(netuid, uid);
            } else {
                let bonds: Vec<_> = bonds.into_iter().map(|(uid, bond)| (uid.0, bond)).collect();
                Bonds::<T>::insert(netuid, uid, bonds);
            }
        }
        // The live chain sells part of this and shares with nominators and root; here incentive
        // goes to the neuron's owner and dividends to those who staked on it.
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
            }
        }
        Active::<T>::insert(netuid, output.active);
        StakeWeight::<T>::insert(netuid, output.stake_weight);
        ValidatorPermit::<T>::insert(netuid, output.validator_permit);
        Consensus::<T>::insert(netuid, output.consensus);
        Incentive::<T>::insert(netuid, output.incentive);
        Dividends::<T>::insert(netuid, output.dividends);
        ValidatorTrust::<T>::insert(netuid, output.validator_trust);
        let emission: Vec<u64> = output.emission.iter().map(|amount| amount.0).collect();
        Emission::<T>::insert(netuid, emission);
    }
}

fn row(stored: Vec<(u16, u16)>) -> Vec<(Uid, u16)> {
    stored
        .into_iter()
        .map(|(uid, value)| (Uid(uid), value))
        .collect()
}
