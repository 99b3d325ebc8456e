use std::path::PathBuf;

use adit_mechanism_video::{ModelChoice, ModelSet};
use adit_neuron::{
    cli::{AXON_FLAGS, Flag, FlagKind, MODEL_FLAGS, NEURON_FLAGS, flag},
    config::{AxonConfig, SubtensorConfig, WalletConfig, expand_home},
    telemetry::TelemetryConfig,
};
use serde::{Deserialize, Serialize};
use url::Url;

/// All settings of the miner.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    /// Subnet.
    pub(crate) netuid: u16,
    /// Seed of all chance; drawn at start when absent.
    pub(crate) seed: Option<u64>,
    /// Catalogue of the videos it offers (TOML, http or https).
    pub(crate) catalogue: Option<Url>,
    /// Folder of fetched media.
    pub(crate) cache: PathBuf,
    /// Which networks embed.
    pub(crate) models: ModelSet,
    /// Folder of the standard set's text model.
    pub(crate) model: PathBuf,
    /// Weights of ImageBind.
    pub(crate) weights: Option<PathBuf>,
    /// Where the networks run.
    pub(crate) device: String,
    /// Number format of ImageBind.
    pub(crate) precision: String,
    /// Whether media may come from loopback and private addresses.
    pub(crate) allow_private_origins: bool,
    pub(crate) subtensor: SubtensorConfig,
    pub(crate) wallet: WalletConfig,
    pub(crate) axon: AxonConfig,
    pub(crate) blacklist: BlacklistConfig,
    pub(crate) telemetry: TelemetryConfig,
}

/// Whom the miner answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct BlacklistConfig {
    /// Only callers with a validator permit.
    pub(crate) force_validator_permit: bool,
    /// Least stake of a caller, in TAO.
    pub(crate) validator_min_stake: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            netuid: 24,
            seed: None,
            catalogue: None,
            cache: "~/.cache/adit/media".into(),
            models: ModelSet::Standard,
            model: "~/.cache/adit/models/all-MiniLM-L6-v2".into(),
            weights: None,
            device: "cpu".into(),
            precision: "f32".into(),
            allow_private_origins: false,
            subtensor: SubtensorConfig::default(),
            wallet: WalletConfig::default(),
            axon: AxonConfig::default(),
            blacklist: BlacklistConfig::default(),
            telemetry: TelemetryConfig::default(),
        }
    }
}

impl Config {
    /// The networks to load.
    pub(crate) fn model_choice(&self) -> ModelChoice {
        ModelChoice {
            set: self.models,
            model: expand_home(&self.model),
            weights: self.weights.as_deref().map(expand_home),
            device: self.device.clone(),
            precision: self.precision.clone(),
        }
    }
}

impl Default for BlacklistConfig {
    fn default() -> Self {
        Self {
            force_validator_permit: true,
            validator_min_stake: 10_240,
        }
    }
}

const MINER_FLAGS: &[Flag] = &[
    flag(
        "catalogue",
        "catalogue",
        FlagKind::Text,
        "Catalogue of the videos it offers (TOML, by URL)",
    ),
    flag("cache", "cache", FlagKind::Text, "Folder of fetched media"),
    flag(
        "allow-private-origins",
        "allow_private_origins",
        FlagKind::Switch,
        "Fetch media from private addresses too",
    ),
    flag(
        "blacklist.validator_min_stake",
        "blacklist.validator_min_stake",
        FlagKind::Number,
        "Least stake of a caller, in TAO",
    ),
];

/// Every table of flags the miner takes.
pub(crate) const FLAGS: &[&[Flag]] = &[NEURON_FLAGS, AXON_FLAGS, MODEL_FLAGS, MINER_FLAGS];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_file_equals_the_defaults() {
        let example: Config = toml::from_str(include_str!("../config.toml")).unwrap();
        assert_eq!(example, Config::default());
    }
}
