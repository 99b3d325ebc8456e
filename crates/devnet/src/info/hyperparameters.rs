//! A subnet's hyperparameters, in the three forms the live chain has.

use codec::{Compact, Decode, Encode};
use scale_info::TypeInfo;

use super::exists;
use crate::{runtime::Runtime, subtensor as pallet};

/// A fixed-point number of 32 integer and 32 fraction bits.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, PartialEq, TypeInfo)]
pub struct I32F32 {
    /// The number times 2³².
    pub bits: i64,
}

/// Hyperparameters, the first form.
#[derive(Clone, Debug, Decode, Encode, PartialEq, TypeInfo)]
pub struct SubnetHyperparams {
    pub rho: Compact<u16>,
    pub kappa: Compact<u16>,
    pub immunity_period: Compact<u16>,
    pub min_allowed_weights: Compact<u16>,
    pub max_weights_limit: Compact<u16>,
    pub tempo: Compact<u16>,
    pub min_difficulty: Compact<u64>,
    pub max_difficulty: Compact<u64>,
    pub weights_version: Compact<u64>,
    pub weights_rate_limit: Compact<u64>,
    pub adjustment_interval: Compact<u16>,
    pub activity_cutoff: Compact<u16>,
    pub registration_allowed: bool,
    pub target_regs_per_interval: Compact<u16>,
    pub min_burn: Compact<u64>,
    pub max_burn: Compact<u64>,
    pub bonds_moving_avg: Compact<u64>,
    pub max_regs_per_block: Compact<u16>,
    pub serving_rate_limit: Compact<u64>,
    pub max_validators: Compact<u16>,
    pub adjustment_alpha: Compact<u64>,
    pub difficulty: Compact<u64>,
    pub commit_reveal_period: Compact<u64>,
    pub commit_reveal_weights_enabled: bool,
    pub alpha_high: Compact<u16>,
    pub alpha_low: Compact<u16>,
    pub liquid_alpha_enabled: bool,
}

/// Hyperparameters, the second form.
#[derive(Clone, Debug, Decode, Encode, PartialEq, TypeInfo)]
pub struct SubnetHyperparamsV2 {
    pub rho: Compact<u16>,
    pub kappa: Compact<u16>,
    pub immunity_period: Compact<u16>,
    pub min_allowed_weights: Compact<u16>,
    pub max_weights_limit: Compact<u16>,
    pub tempo: Compact<u16>,
    pub min_difficulty: Compact<u64>,
    pub max_difficulty: Compact<u64>,
    pub weights_version: Compact<u64>,
    pub weights_rate_limit: Compact<u64>,
    pub adjustment_interval: Compact<u16>,
    pub activity_cutoff: Compact<u16>,
    pub registration_allowed: bool,
    pub target_regs_per_interval: Compact<u16>,
    pub min_burn: Compact<u64>,
    pub max_burn: Compact<u64>,
    pub bonds_moving_avg: Compact<u64>,
    pub max_regs_per_block: Compact<u16>,
    pub serving_rate_limit: Compact<u64>,
    pub max_validators: Compact<u16>,
    pub adjustment_alpha: Compact<u64>,
    pub difficulty: Compact<u64>,
    pub commit_reveal_period: Compact<u64>,
    pub commit_reveal_weights_enabled: bool,
    pub alpha_high: Compact<u16>,
    pub alpha_low: Compact<u16>,
    pub liquid_alpha_enabled: bool,
    pub alpha_sigmoid_steepness: I32F32,
    pub yuma_version: Compact<u16>,
    pub subnet_is_active: bool,
    pub transfers_enabled: bool,
    pub bonds_reset_enabled: bool,
    pub user_liquidity_enabled: bool,
}

/// One hyperparameter of the third form.
#[derive(Clone, Debug, Decode, Encode, PartialEq, TypeInfo)]
pub struct HyperparamEntry {
    /// Its name.
    pub name: Vec<u8>,
    /// What it is set to.
    pub value: HyperparamValue,
}

/// A hyperparameter with its type.
#[derive(Clone, Debug, Decode, Encode, PartialEq, TypeInfo)]
pub enum HyperparamValue {
    /// On or off.
    Bool(bool),
    /// A small number.
    U16(Compact<u16>),
    /// A large number.
    U64(Compact<u64>),
    /// A fraction.
    I32F32(I32F32),
}

impl SubnetHyperparams {
    pub(crate) fn of(netuid: u16) -> Option<Self> {
        let (alpha_low, alpha_high) = pallet::AlphaValues::<Runtime>::get(netuid);
        exists(netuid).then(|| Self {
            rho: Compact(pallet::Rho::<Runtime>::get(netuid)),
            kappa: Compact(pallet::Kappa::<Runtime>::get(netuid)),
            immunity_period: Compact(pallet::ImmunityPeriod::<Runtime>::get(netuid)),
            min_allowed_weights: Compact(pallet::MinAllowedWeights::<Runtime>::get(netuid)),
            max_weights_limit: Compact(pallet::MaxWeightsLimit::<Runtime>::get(netuid)),
            tempo: Compact(pallet::Tempo::<Runtime>::get(netuid)),
            min_difficulty: Compact(pallet::MinDifficulty::<Runtime>::get(netuid)),
            max_difficulty: Compact(pallet::MaxDifficulty::<Runtime>::get(netuid)),
            weights_version: Compact(pallet::WeightsVersionKey::<Runtime>::get(netuid)),
            weights_rate_limit: Compact(pallet::WeightsSetRateLimit::<Runtime>::get(netuid)),
            adjustment_interval: Compact(pallet::AdjustmentInterval::<Runtime>::get(netuid)),
            activity_cutoff: Compact(pallet::ActivityCutoff::<Runtime>::get(netuid)),
            registration_allowed: pallet::NetworkRegistrationAllowed::<Runtime>::get(netuid),
            target_regs_per_interval: Compact(
                pallet::TargetRegistrationsPerInterval::<Runtime>::get(netuid),
            ),
            min_burn: Compact(pallet::MinBurn::<Runtime>::get(netuid)),
            max_burn: Compact(pallet::MaxBurn::<Runtime>::get(netuid)),
            bonds_moving_avg: Compact(pallet::BondsMovingAverage::<Runtime>::get(netuid)),
            max_regs_per_block: Compact(pallet::MaxRegistrationsPerBlock::<Runtime>::get(netuid)),
            serving_rate_limit: Compact(pallet::ServingRateLimit::<Runtime>::get(netuid)),
            max_validators: Compact(pallet::MaxAllowedValidators::<Runtime>::get(netuid)),
            adjustment_alpha: Compact(pallet::AdjustmentAlpha::<Runtime>::get(netuid)),
            difficulty: Compact(pallet::Difficulty::<Runtime>::get(netuid)),
            commit_reveal_period: Compact(pallet::RevealPeriodEpochs::<Runtime>::get(netuid)),
            commit_reveal_weights_enabled: pallet::CommitRevealWeightsEnabled::<Runtime>::get(
                netuid,
            ),
            alpha_high: Compact(alpha_high),
            alpha_low: Compact(alpha_low),
            liquid_alpha_enabled: pallet::LiquidAlphaOn::<Runtime>::get(netuid),
        })
    }
}

impl SubnetHyperparamsV2 {
    pub(crate) fn of(netuid: u16) -> Option<Self> {
        let first = SubnetHyperparams::of(netuid)?;
        let steepness = pallet::AlphaSigmoidSteepness::<Runtime>::get(netuid);
        Some(Self {
            rho: first.rho,
            kappa: first.kappa,
            immunity_period: first.immunity_period,
            min_allowed_weights: first.min_allowed_weights,
            max_weights_limit: first.max_weights_limit,
            tempo: first.tempo,
            min_difficulty: first.min_difficulty,
            max_difficulty: first.max_difficulty,
            weights_version: first.weights_version,
            weights_rate_limit: first.weights_rate_limit,
            adjustment_interval: first.adjustment_interval,
            activity_cutoff: first.activity_cutoff,
            registration_allowed: first.registration_allowed,
            target_regs_per_interval: first.target_regs_per_interval,
            min_burn: first.min_burn,
            max_burn: first.max_burn,
            bonds_moving_avg: first.bonds_moving_avg,
            max_regs_per_block: first.max_regs_per_block,
            serving_rate_limit: first.serving_rate_limit,
            max_validators: first.max_validators,
            adjustment_alpha: first.adjustment_alpha,
            difficulty: first.difficulty,
            commit_reveal_period: first.commit_reveal_period,
            commit_reveal_weights_enabled: first.commit_reveal_weights_enabled,
            alpha_high: first.alpha_high,
            alpha_low: first.alpha_low,
            liquid_alpha_enabled: first.liquid_alpha_enabled,
            alpha_sigmoid_steepness: I32F32 {
                bits: i64::from(steepness) << 32,
            },
            yuma_version: Compact(if pallet::Yuma3On::<Runtime>::get(netuid) {
                3
            } else {
                2
            }),
            subnet_is_active: pallet::FirstEmissionBlockNumber::<Runtime>::get(netuid).is_some(),
            transfers_enabled: pallet::TransferToggle::<Runtime>::get(netuid),
            bonds_reset_enabled: pallet::BondsResetOn::<Runtime>::get(netuid),
            user_liquidity_enabled: false,
        })
    }

    /// The third form.
    pub(crate) fn entries(self) -> Vec<HyperparamEntry> {
        use HyperparamValue::{Bool, I32F32 as Fraction, U16, U64};
        let values = [
            ("rho", U16(self.rho)),
            ("kappa", U16(self.kappa)),
            ("immunity_period", U16(self.immunity_period)),
            ("min_allowed_weights", U16(self.min_allowed_weights)),
            ("max_weights_limit", U16(self.max_weights_limit)),
            ("tempo", U16(self.tempo)),
            ("min_difficulty", U64(self.min_difficulty)),
            ("max_difficulty", U64(self.max_difficulty)),
            ("weights_version", U64(self.weights_version)),
            ("weights_rate_limit", U64(self.weights_rate_limit)),
            ("adjustment_interval", U16(self.adjustment_interval)),
            ("activity_cutoff", U16(self.activity_cutoff)),
            ("registration_allowed", Bool(self.registration_allowed)),
            (
                "target_regs_per_interval",
                U16(self.target_regs_per_interval),
            ),
            ("min_burn", U64(self.min_burn)),
            ("max_burn", U64(self.max_burn)),
            ("bonds_moving_avg", U64(self.bonds_moving_avg)),
            ("max_regs_per_block", U16(self.max_regs_per_block)),
            ("serving_rate_limit", U64(self.serving_rate_limit)),
            ("max_validators", U16(self.max_validators)),
            ("adjustment_alpha", U64(self.adjustment_alpha)),
            ("difficulty", U64(self.difficulty)),
            ("commit_reveal_period", U64(self.commit_reveal_period)),
            (
                "commit_reveal_weights_enabled",
                Bool(self.commit_reveal_weights_enabled),
            ),
            ("alpha_high", U16(self.alpha_high)),
            ("alpha_low", U16(self.alpha_low)),
            ("liquid_alpha_enabled", Bool(self.liquid_alpha_enabled)),
            (
                "alpha_sigmoid_steepness",
                Fraction(self.alpha_sigmoid_steepness),
            ),
            ("yuma_version", U16(self.yuma_version)),
            ("subnet_is_active", Bool(self.subnet_is_active)),
            ("transfers_enabled", Bool(self.transfers_enabled)),
            ("bonds_reset_enabled", Bool(self.bonds_reset_enabled)),
            ("user_liquidity_enabled", Bool(self.user_liquidity_enabled)),
        ];
        let entries = values.into_iter().map(|(name, value)| HyperparamEntry {
            name: name.as_bytes().to_vec(),
            value,
        });
        entries.collect()
    }
}
