use adit_primitives::{Rao, Uid};

/// A subnet's hyperparameters that its epoch reads. The default is a new subnet's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EpochParameters {
    /// The share of stake that must agree on a weight, as a proportion of 65,535.
    pub kappa: u16,
    /// How much of a weight above the consensus is withheld from bonds, as a proportion of
    /// 65,535.
    pub bonds_penalty: u16,
    /// How much of the old bonds stays, in millionths.
    pub bonds_moving_average: u64,
    /// Whether bonds follow Yuma 3; otherwise the legacy rule of Yuma 2.
    pub yuma3: bool,
    /// How fast bonds follow weights, cell by cell; only Yuma 3 reads it.
    pub liquid_alpha: Option<LiquidAlpha>,
    /// Blocks without setting weights after which a neuron counts as inactive.
    pub activity_cutoff: u64,
    /// How many validator permits there are.
    pub max_validators: u16,
    /// Stake below this counts as none.
    pub stake_threshold: Rao,
    /// The neuron of the subnet's owner, who always has a permit and may weigh itself.
    pub owner: Option<Uid>,
}

/// The bounds and the steepness of liquid alpha.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LiquidAlpha {
    /// Slowest, as a proportion of 65,535.
    pub low: u16,
    /// Fastest, as a proportion of 65,535.
    pub high: u16,
    /// Steepness of the sigmoid between them, in hundredths.
    pub steepness: i16,
}

impl Default for EpochParameters {
    fn default() -> Self {
        Self {
            kappa: 32_767,
            bonds_penalty: u16::MAX,
            bonds_moving_average: 900_000,
            yuma3: false,
            liquid_alpha: None,
            activity_cutoff: 5_000,
            max_validators: 128,
            stake_threshold: Rao(0),
            owner: None,
        }
    }
}

impl Default for LiquidAlpha {
    fn default() -> Self {
        Self {
            low: 45_875,
            high: 58_982,
            steepness: 1_000,
        }
    }
}
