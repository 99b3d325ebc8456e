use adit_primitives::{Hyperparameters, NetUid};

use super::{
    Client, Pinned,
    snapshot::{Answers, Query, Slot, Snapshot, netuid_key},
};
use crate::{Error, Result};

/// Each setting is a storage item of its own, which survives upgrades better than the runtime's
/// list of them does: its layout changed twice in the last year.
macro_rules! settings {
    (
        subnet { $($field:ident: $type:ty = $item:literal,)* }
        chain { $($wide:ident: $wide_type:ty = $wide_item:literal,)* }
    ) => {
        struct SettingSlots {
            $($field: Slot<$type>,)*
            $($wide: Slot<$wide_type>,)*
        }

        impl SettingSlots {
            fn add(query: &mut Query<'_>, netuid: NetUid) -> Result<Self> {
                Ok(Self {
                    $($field: query.subtensor($item, vec![netuid_key(netuid)])?,)*
                    $($wide: query.subtensor($wide_item, vec![])?,)*
                })
            }

            fn read(&self, answers: &Answers<'_>) -> Result<Hyperparameters> {
                let mut read = Hyperparameters::default();
                $(read.$field = answers.optional(&self.$field)?;)*
                $(read.$wide = answers.optional(&self.$wide)?;)*
                Ok(read)
            }
        }
    };
}

settings! {
    subnet {
    rho: u16 = "Rho",
    kappa: u16 = "Kappa",
    tempo: u16 = "Tempo",
    immunity_period: u16 = "ImmunityPeriod",
    min_allowed_weights: u16 = "MinAllowedWeights",
    max_weights_limit: u16 = "MaxWeightsLimit",
    weights_version: u64 = "WeightsVersionKey",
    weights_rate_limit: u64 = "WeightsSetRateLimit",
    activity_cutoff: u16 = "ActivityCutoff",
    max_validators: u16 = "MaxAllowedValidators",
    max_uids: u16 = "MaxAllowedUids",
    min_uids: u16 = "MinAllowedUids",
    registration_allowed: bool = "NetworkRegistrationAllowed",
    pow_registration_allowed: bool = "NetworkPowRegistrationAllowed",
    target_regs_per_interval: u16 = "TargetRegistrationsPerInterval",
    max_regs_per_block: u16 = "MaxRegistrationsPerBlock",
    adjustment_interval: u16 = "AdjustmentInterval",
    adjustment_alpha: u64 = "AdjustmentAlpha",
    burn: u64 = "Burn",
    min_burn: u64 = "MinBurn",
    max_burn: u64 = "MaxBurn",
    difficulty: u64 = "Difficulty",
    min_difficulty: u64 = "MinDifficulty",
    max_difficulty: u64 = "MaxDifficulty",
    bonds_moving_avg: u64 = "BondsMovingAverage",
    bonds_penalty: u16 = "BondsPenalty",
    bonds_reset: bool = "BondsResetOn",
    serving_rate_limit: u64 = "ServingRateLimit",
    commit_reveal_enabled: bool = "CommitRevealWeightsEnabled",
    commit_reveal_period: u64 = "RevealPeriodEpochs",
    liquid_alpha: bool = "LiquidAlphaOn",
    alpha_values: (u16, u16) = "AlphaValues",
    alpha_sigmoid_steepness: i16 = "AlphaSigmoidSteepness",
    yuma3: bool = "Yuma3On",
    subtoken_enabled: bool = "SubtokenEnabled",
    transfers_enabled: bool = "TransferToggle",
    immune_owner_uids: u16 = "ImmuneOwnerUidsLimit",
    registered_at: u64 = "NetworkRegisteredAt",
    first_emission_block: u64 = "FirstEmissionBlockNumber",
    blocks_since_last_step: u64 = "BlocksSinceLastStep",
    last_step: u64 = "LastMechansimStepBlock",
    registrations_this_interval: u16 = "RegistrationsThisInterval",
    last_epoch_block: u64 = "LastEpochBlock",
    pending_epoch_at: u64 = "PendingEpochAt",
    epoch_index: u64 = "SubnetEpochIndex",
    }
    chain {
    commit_reveal_version: u16 = "CommitRevealWeightsVersion",
    stake_threshold: u64 = "StakeThreshold",
    tao_weight: u64 = "TaoWeight",
    tx_rate_limit: u64 = "TxRateLimit",
    }
}

async fn read(snapshot: &Snapshot, netuid: NetUid) -> Result<Hyperparameters> {
    let mut query = snapshot.query();
    let exists = query.subtensor::<bool>("NetworksAdded", vec![netuid_key(netuid)])?;
    let settings = SettingSlots::add(&mut query, netuid)?;
    let answers = query.fetch().await?;
    if answers.is_known(&exists) && !answers.value(&exists)? {
        return Err(Error::NoSuchSubnet { netuid });
    }
    settings.read(&answers)
}

impl Pinned {
    /// Every setting of a subnet, in one request.
    ///
    /// # Errors
    /// [`Error::NoSuchSubnet`], [`Error::TypeChanged`] naming the setting, or a failure to reach the
    /// chain.
    pub async fn hyperparameters(&self, netuid: NetUid) -> Result<Hyperparameters> {
        let read = |snapshot| async move { read(&snapshot, netuid).await };
        self.read(read).await
    }
}

impl Client {
    /// Every setting of a subnet at the newest block, see [`Pinned::hyperparameters`].
    ///
    /// # Errors
    /// As [`Pinned::hyperparameters`].
    pub async fn hyperparameters(&self, netuid: NetUid) -> Result<Hyperparameters> {
        let read = |snapshot| async move { read(&snapshot, netuid).await };
        self.shared.read_newest(read).await
    }
}
