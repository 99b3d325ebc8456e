use serde::{Deserialize, Serialize};

/// The settings of a subnet, and those of the chain that bear on it, at one block.
///
/// One that the runtime does not have is `None`, so that an upgrade that drops or adds a setting
/// breaks nobody. Amounts are in rao.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Hyperparameters {
    /// Steepness of the original consensus curve.
    pub rho: Option<u16>,
    /// Majority of stake that consensus takes, 1/65535.
    pub kappa: Option<u16>,
    /// Blocks between epochs.
    pub tempo: Option<u16>,
    /// Blocks for which a new neuron cannot be replaced.
    pub immunity_period: Option<u16>,
    /// Fewest weights in one vector.
    pub min_allowed_weights: Option<u16>,
    /// Largest share one weight may have of the sum, 1/65535.
    pub max_weights_limit: Option<u16>,
    /// Lowest version key accepted; 0 accepts all.
    pub weights_version: Option<u64>,
    /// Blocks between two weight vectors of one validator.
    pub weights_rate_limit: Option<u64>,
    /// Blocks without weights after which a validator no longer counts.
    pub activity_cutoff: Option<u16>,
    /// Most validators with a permit.
    pub max_validators: Option<u16>,
    /// Most neurons.
    pub max_uids: Option<u16>,
    /// Fewest neurons the owner may set as the limit.
    pub min_uids: Option<u16>,
    /// Whether neurons may register.
    pub registration_allowed: Option<bool>,
    /// Whether neurons may register by proof of work.
    pub pow_registration_allowed: Option<bool>,
    /// Registrations in one adjustment interval that leave the price as it is.
    pub target_regs_per_interval: Option<u16>,
    /// Most registrations in one block.
    pub max_regs_per_block: Option<u16>,
    /// Blocks between two adjustments of price and difficulty.
    pub adjustment_interval: Option<u16>,
    /// Inertia of that adjustment, in units of 2⁻⁶⁴.
    pub adjustment_alpha: Option<u64>,
    /// Price of a registration now, in rao.
    pub burn: Option<u64>,
    /// Lowest price of a registration, in rao.
    pub min_burn: Option<u64>,
    /// Highest price of a registration, in rao.
    pub max_burn: Option<u64>,
    /// Difficulty of a proof of work now.
    pub difficulty: Option<u64>,
    /// Lowest difficulty.
    pub min_difficulty: Option<u64>,
    /// Highest difficulty.
    pub max_difficulty: Option<u64>,
    /// Inertia of bonds, in millionths.
    pub bonds_moving_avg: Option<u64>,
    /// How far bonds follow clipped weights, 1/65535.
    pub bonds_penalty: Option<u16>,
    /// Whether a commitment may reset bonds.
    pub bonds_reset: Option<bool>,
    /// Blocks between two announcements of one axon.
    pub serving_rate_limit: Option<u64>,
    /// Whether weights are committed first and revealed later.
    pub commit_reveal_enabled: Option<bool>,
    /// Epochs from commit to reveal.
    pub commit_reveal_period: Option<u64>,
    /// Whether each bond has an inertia of its own.
    pub liquid_alpha: Option<bool>,
    /// Lowest and highest of these, 1/65535.
    pub alpha_values: Option<(u16, u16)>,
    /// Steepness of the curve between them, in hundredths.
    pub alpha_sigmoid_steepness: Option<i16>,
    /// Whether the third version of Yuma consensus pays.
    pub yuma3: Option<bool>,
    /// Whether the subnet's alpha can be traded: the subnet has been started.
    pub subtoken_enabled: Option<bool>,
    /// Whether stake may be transferred to another coldkey.
    pub transfers_enabled: Option<bool>,
    /// Neurons of the owner that cannot be replaced.
    pub immune_owner_uids: Option<u16>,
    /// Block of the subnet's registration.
    pub registered_at: Option<u64>,
    /// Block from which the subnet pays.
    pub first_emission_block: Option<u64>,
    /// Blocks since the last epoch.
    pub blocks_since_last_step: Option<u64>,
    /// Block of the last epoch.
    pub last_step: Option<u64>,
    /// Registrations in the running adjustment interval.
    pub registrations_this_interval: Option<u16>,
    /// Block of the last epoch, on runtimes with epochs of changing length.
    pub last_epoch_block: Option<u64>,
    /// Block at which an epoch was asked for; 0 for none.
    pub pending_epoch_at: Option<u64>,
    /// Number of epochs so far, on those runtimes.
    pub epoch_index: Option<u64>,
    /// Version of timelocked commits that the chain takes.
    pub commit_reveal_version: Option<u16>,
    /// Stake a validator needs to set weights, in rao.
    pub stake_threshold: Option<u64>,
    /// What stake on the root network counts elsewhere, in units of 2⁻⁶⁴.
    pub tao_weight: Option<u64>,
    /// Blocks between two transactions of one key, of the kinds that are limited.
    pub tx_rate_limit: Option<u64>,
}
