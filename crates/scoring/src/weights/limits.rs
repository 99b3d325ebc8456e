use adit_primitives::Uid;
use serde::{Deserialize, Serialize};

/// What the subnet allows of a weight row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WeightLimits {
    /// Least number of nonzero weights (`MinAllowedWeights`).
    pub min_allowed: u16,
    /// Largest share of one weight in the row's sum, as a part of 65,535 (`MaxWeightsLimit`).
    pub max_weight: u16,
    /// The caller's own uid. A row with a single weight, on itself, is exempt from both limits.
    pub own_uid: Option<Uid>,
}

/// No limits: one weight is enough and may have everything.
impl Default for WeightLimits {
    fn default() -> Self {
        Self {
            min_allowed: 1,
            max_weight: u16::MAX,
            own_uid: None,
        }
    }
}
