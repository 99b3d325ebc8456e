//! A subnet in one answer, whole or in parts.

use codec::{Compact, Decode, Encode};
use scale_info::TypeInfo;

use super::{Columns, Pallet, compact, exists, identity, name, text};
use crate::{
    commitments::CommitmentOf,
    runtime::{AccountId, Runtime},
    subtensor::{self, ChainIdentityV2, I96F32, StoredAxon, SubnetIdentityV3},
};

/// Rao the devnet's pools hold on either side, and alpha: their price never moves.
const POOL: u64 = 1_000_000_000_000;
/// 1 as an [`I96F32`].
const ONE: I96F32 = I96F32 { bits: 1 << 32 };

/// Declares a metagraph and its selective form from one list, so that a field's place and its
/// index cannot part. The index of a field is its place.
macro_rules! metagraph {
    ($($index:literal $field:ident: $type:ty,)*) => {
        /// Everything about a subnet but weights and bonds.
        #[derive(Clone, Debug, Decode, Encode, PartialEq, TypeInfo)]
        pub(crate) struct Metagraph {
            pub netuid: Compact<u16>,
            $(pub $field: $type,)*
        }

        /// The parts of a metagraph that were asked for.
        #[derive(Clone, Debug, Decode, Encode, PartialEq, TypeInfo)]
        pub struct SelectiveMetagraph {
            pub netuid: Compact<u16>,
            $(pub $field: Option<$type>,)*
            pub validators: Option<Vec<Compact<u16>>>,
            pub commitments: Option<Vec<(AccountId, Vec<Compact<u8>>)>>,
        }

        impl Metagraph {
            fn parts(self, wanted: &[u16]) -> SelectiveMetagraph {
                SelectiveMetagraph {
                    netuid: self.netuid,
                    $($field: wanted.contains(&$index).then_some(self.$field),)*
                    validators: None,
                    commitments: None,
                }
            }
        }
    };
}

metagraph! {
    1 name: Vec<Compact<u8>>,
    2 symbol: Vec<Compact<u8>>,
    3 identity: Option<SubnetIdentityV3>,
    4 network_registered_at: Compact<u64>,
    5 owner_hotkey: AccountId,
    6 owner_coldkey: AccountId,
    7 block: Compact<u64>,
    8 tempo: Compact<u16>,
    9 last_step: Compact<u64>,
    10 blocks_since_last_step: Compact<u64>,
    11 subnet_emission: Compact<u64>,
    12 alpha_in: Compact<u64>,
    13 alpha_out: Compact<u64>,
    14 tao_in: Compact<u64>,
    15 alpha_out_emission: Compact<u64>,
    16 alpha_in_emission: Compact<u64>,
    17 tao_in_emission: Compact<u64>,
    18 pending_alpha_emission: Compact<u64>,
    19 pending_root_emission: Compact<u64>,
    20 subnet_volume: Compact<u128>,
    21 moving_price: I96F32,
    22 rho: Compact<u16>,
    23 kappa: Compact<u16>,
    24 min_allowed_weights: Compact<u16>,
    25 max_weights_limit: Compact<u16>,
    26 weights_version: Compact<u64>,
    27 weights_rate_limit: Compact<u64>,
    28 activity_cutoff: Compact<u16>,
    29 max_validators: Compact<u16>,
    30 num_uids: Compact<u16>,
    31 max_uids: Compact<u16>,
    32 burn: Compact<u64>,
    33 difficulty: Compact<u64>,
    34 registration_allowed: bool,
    35 pow_registration_allowed: bool,
    36 immunity_period: Compact<u16>,
    37 min_difficulty: Compact<u64>,
    38 max_difficulty: Compact<u64>,
    39 min_burn: Compact<u64>,
    40 max_burn: Compact<u64>,
    41 adjustment_alpha: Compact<u64>,
    42 adjustment_interval: Compact<u16>,
    43 target_regs_per_interval: Compact<u16>,
    44 max_regs_per_block: Compact<u16>,
    45 serving_rate_limit: Compact<u64>,
    46 commit_reveal_weights_enabled: bool,
    47 commit_reveal_period: Compact<u64>,
    48 liquid_alpha_enabled: bool,
    49 alpha_high: Compact<u16>,
    50 alpha_low: Compact<u16>,
    51 bonds_moving_avg: Compact<u64>,
    52 hotkeys: Vec<AccountId>,
    53 coldkeys: Vec<AccountId>,
    54 identities: Vec<Option<ChainIdentityV2>>,
    55 axons: Vec<StoredAxon>,
    56 active: Vec<bool>,
    57 validator_permit: Vec<bool>,
    58 pruning_score: Vec<Compact<u16>>,
    59 last_update: Vec<Compact<u64>>,
    60 emission: Vec<Compact<u64>>,
    61 dividends: Vec<Compact<u16>>,
    62 incentives: Vec<Compact<u16>>,
    63 consensus: Vec<Compact<u16>>,
    64 trust: Vec<Compact<u16>>,
    65 rank: Vec<Compact<u16>>,
    66 block_at_registration: Vec<Compact<u64>>,
    67 alpha_stake: Vec<Compact<u64>>,
    68 tao_stake: Vec<Compact<u64>>,
    69 total_stake: Vec<Compact<u64>>,
    70 tao_dividends_per_hotkey: Vec<(AccountId, Compact<u64>)>,
    71 alpha_dividends_per_hotkey: Vec<(AccountId, Compact<u64>)>,
}

/// Index of the uids with a validator permit, and of the commitments, in a selection.
const VALIDATORS: u16 = 72;
const COMMITMENTS: u16 = 73;

impl Metagraph {
    pub(crate) fn of(netuid: u16, mecid: u8) -> Option<Self> {
        use subtensor as pallet;
        if !exists(netuid) || mecid >= pallet::MechanismCountCurrent::<Runtime>::get(netuid) {
            return None;
        }
        let columns = Columns::of(netuid, mecid);
        let (alpha_low, alpha_high) = pallet::AlphaValues::<Runtime>::get(netuid);
        let emission = if netuid == 0 { 0 } else { 1_000_000_000 };
        let since = pallet::BlocksSinceLastStep::<Runtime>::get(netuid);
        Some(Self {
            netuid: Compact(netuid),
            name: name(netuid),
            symbol: text(&pallet::TokenSymbol::<Runtime>::get(netuid)),
            identity: identity(netuid),
            network_registered_at: Compact(pallet::NetworkRegisteredAt::<Runtime>::get(netuid)),
            owner_hotkey: pallet::SubnetOwnerHotkey::<Runtime>::get(netuid),
            owner_coldkey: pallet::SubnetOwner::<Runtime>::get(netuid),
            block: Compact(Pallet::now()),
            tempo: Compact(pallet::Tempo::<Runtime>::get(netuid)),
            last_step: Compact(pallet::LastMechansimStepBlock::<Runtime>::get(netuid)),
            blocks_since_last_step: Compact(since),
            subnet_emission: Compact(0),
            alpha_in: Compact(POOL),
            alpha_out: Compact(pallet::SubnetAlphaOut::<Runtime>::get(netuid)),
            tao_in: Compact(POOL),
            alpha_out_emission: Compact(emission),
            alpha_in_emission: Compact(0),
            tao_in_emission: Compact(0),
            pending_alpha_emission: Compact(emission.saturating_mul(since)),
            pending_root_emission: Compact(0),
            subnet_volume: Compact(pallet::SubnetVolume::<Runtime>::get(netuid)),
            moving_price: ONE,
            rho: Compact(pallet::Rho::<Runtime>::get(netuid)),
            kappa: Compact(pallet::Kappa::<Runtime>::get(netuid)),
            min_allowed_weights: Compact(pallet::MinAllowedWeights::<Runtime>::get(netuid)),
            max_weights_limit: Compact(pallet::MaxWeightsLimit::<Runtime>::get(netuid)),
            weights_version: Compact(pallet::WeightsVersionKey::<Runtime>::get(netuid)),
            weights_rate_limit: Compact(pallet::WeightsSetRateLimit::<Runtime>::get(netuid)),
            activity_cutoff: Compact(pallet::ActivityCutoff::<Runtime>::get(netuid)),
            max_validators: Compact(pallet::MaxAllowedValidators::<Runtime>::get(netuid)),
            num_uids: Compact(pallet::SubnetworkN::<Runtime>::get(netuid)),
            max_uids: Compact(pallet::MaxAllowedUids::<Runtime>::get(netuid)),
            burn: Compact(pallet::Burn::<Runtime>::get(netuid)),
            difficulty: Compact(pallet::Difficulty::<Runtime>::get(netuid)),
            registration_allowed: pallet::NetworkRegistrationAllowed::<Runtime>::get(netuid),
            pow_registration_allowed: pallet::NetworkPowRegistrationAllowed::<Runtime>::get(netuid),
            immunity_period: Compact(pallet::ImmunityPeriod::<Runtime>::get(netuid)),
            min_difficulty: Compact(pallet::MinDifficulty::<Runtime>::get(netuid)),
            max_difficulty: Compact(pallet::MaxDifficulty::<Runtime>::get(netuid)),
            min_burn: Compact(pallet::MinBurn::<Runtime>::get(netuid)),
            max_burn: Compact(pallet::MaxBurn::<Runtime>::get(netuid)),
            adjustment_alpha: Compact(pallet::AdjustmentAlpha::<Runtime>::get(netuid)),
            adjustment_interval: Compact(pallet::AdjustmentInterval::<Runtime>::get(netuid)),
            target_regs_per_interval: Compact(
                pallet::TargetRegistrationsPerInterval::<Runtime>::get(netuid),
            ),
            max_regs_per_block: Compact(pallet::MaxRegistrationsPerBlock::<Runtime>::get(netuid)),
            serving_rate_limit: Compact(pallet::ServingRateLimit::<Runtime>::get(netuid)),
            commit_reveal_weights_enabled: pallet::CommitRevealWeightsEnabled::<Runtime>::get(
                netuid,
            ),
            commit_reveal_period: Compact(pallet::RevealPeriodEpochs::<Runtime>::get(netuid)),
            liquid_alpha_enabled: pallet::LiquidAlphaOn::<Runtime>::get(netuid),
            alpha_high: Compact(alpha_high),
            alpha_low: Compact(alpha_low),
            bonds_moving_avg: Compact(pallet::BondsMovingAverage::<Runtime>::get(netuid)),
            identities: columns
                .coldkeys
                .iter()
                .map(pallet::IdentitiesV2::<Runtime>::get)
                .collect(),
            axons: columns
                .hotkeys
                .iter()
                .map(|hotkey| pallet::Axons::<Runtime>::get(netuid, hotkey).unwrap_or_default())
                .collect(),
            pruning_score: columns.zeros(),
            trust: columns.zeros(),
            rank: columns.zeros(),
            alpha_stake: columns.alpha_stake(netuid),
            tao_stake: columns.tao_stake(netuid),
            total_stake: columns.total_stake(netuid),
            tao_dividends_per_hotkey: columns
                .hotkeys
                .iter()
                .map(|hotkey| (hotkey.clone(), Compact(0)))
                .collect(),
            alpha_dividends_per_hotkey: columns
                .hotkeys
                .iter()
                .map(|hotkey| {
                    let earned = pallet::AlphaDividendsPerSubnet::<Runtime>::get(netuid, hotkey);
                    (hotkey.clone(), Compact(earned))
                })
                .collect(),
            hotkeys: columns.hotkeys,
            coldkeys: columns.coldkeys,
            active: columns.active,
            validator_permit: columns.validator_permit,
            last_update: compact(columns.last_update),
            emission: compact(columns.emission),
            dividends: compact(columns.dividends),
            incentives: compact(columns.incentive),
            consensus: compact(columns.consensus),
            block_at_registration: compact(columns.registered_at),
        })
    }
}

impl SelectiveMetagraph {
    /// The parts of a metagraph with these indexes; unknown ones ask for nothing.
    pub(crate) fn of(netuid: u16, mecid: u8, wanted: &[u16]) -> Option<Self> {
        let whole = Metagraph::of(netuid, mecid)?;
        let validators: Vec<Compact<u16>> = (0_u16..)
            .zip(&whole.validator_permit)
            .filter_map(|(uid, permit)| permit.then_some(Compact(uid)))
            .collect();
        let mut parts = whole.parts(wanted);
        parts.validators = wanted.contains(&VALIDATORS).then_some(validators);
        parts.commitments = wanted.contains(&COMMITMENTS).then(|| {
            CommitmentOf::<Runtime>::iter_prefix(netuid)
                .map(|(hotkey, registration)| (hotkey, text(&registration.encode())))
                .collect()
        });
        Some(parts)
    }
}
