use adit_primitives::{Uid, WeightVector};
use serde::{Deserialize, Serialize};

use super::{WeightLimits, quantise, v10};
use crate::{Error, Result};

/// By which version of the field's SDK scores become weights.
///
/// What `sdk-11` does differently, and the hole each difference closes:
///
/// | difference | `sdk-10` | `sdk-11` | hole |
/// |---|---|---|---|
/// | `no-uniform-fallback` | without a score above zero, every neuron gets the same weight | [`Error::NoWeights`]: nothing is submitted | a failure of the validator pays everybody |
/// | `no-floor` | with too few scores, every neuron gets 10⁻⁵, and scores are laid down by place | [`Error::TooFewWeights`] | scores land on other neurons |
/// | `double-precision` | single precision, NaN and negative scores are dropped | double precision, NaN and negative scores are errors | a poisoned score passes unseen |
/// | `each-uid-once` | a uid given twice is submitted twice | an error | the chain refuses the row |
///
/// ```
/// use adit_primitives::Uid;
/// use adit_scoring::weights::{WeightLimits, WeightRules};
///
/// let scores = [(Uid(0), 0.0), (Uid(1), 0.0)];
/// let limits = WeightLimits::default();
/// assert!(WeightRules::v11().quantise(&scores, limits, 2).is_err());
/// let uniform = WeightRules::v10().quantise(&scores, limits, 2)?;
/// assert_eq!(uniform.pairs(), [(Uid(0), 65_535), (Uid(1), 65_535)]);
///
/// let text = serde_json::to_string(&WeightRules::v10())?;
/// assert_eq!(text, r#"{"rules":"weights/sdk-10","exclude_quantile":0}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "rules", deny_unknown_fields)]
pub enum WeightRules {
    /// Versions 9 and 10: [`v10::process`] and [`v10::emit`].
    #[serde(rename = "weights/sdk-10")]
    Sdk10 {
        /// The lowest part of the scores that is dropped, as a part of 65,535.
        #[serde(default)]
        exclude_quantile: u16,
    },
    /// Version 11: [`quantise`].
    #[default]
    #[serde(rename = "weights/sdk-11")]
    Sdk11,
}

impl WeightRules {
    /// The rules of versions 9 and 10, dropping nothing.
    pub const fn v10() -> Self {
        Self::Sdk10 {
            exclude_quantile: 0,
        }
    }

    /// The rules of version 11.
    pub const fn v11() -> Self {
        Self::Sdk11
    }

    /// Name and version.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Sdk10 { .. } => "weights/sdk-10",
            Self::Sdk11 => "weights/sdk-11",
        }
    }

    /// The weights of one `set_weights` call on a subnet of `neurons`.
    ///
    /// # Errors
    /// Those of [`v10::process`] or [`quantise`], and [`Error::Primitives`] for a uid given twice.
    pub fn quantise(
        &self,
        scores: &[(Uid, f64)],
        limits: WeightLimits,
        neurons: usize,
    ) -> Result<WeightVector> {
        match self {
            Self::Sdk11 => quantise(scores, limits),
            Self::Sdk10 { exclude_quantile } => {
                let single: Vec<(Uid, f32)> = scores
                    .iter()
                    .map(|(uid, score)| (*uid, *score as f32))
                    .collect();
                let shares = v10::process(
                    &single,
                    &v10::ProcessLimits {
                        neurons,
                        min_allowed: usize::from(limits.min_allowed),
                        max_share: f64::from(limits.max_weight) / f64::from(u16::MAX),
                        exclude_quantile: *exclude_quantile,
                    },
                )?;
                if shares.is_empty() {
                    return Err(Error::NoWeights);
                }
                Ok(WeightVector::new(v10::emit(&shares)?)?)
            }
        }
    }
}
