use std::path::PathBuf;

use adit_mechanism_video::{ModelChoice, ModelSet, validator::VideoConfig};
use adit_neuron::{
    ValidatorConfig,
    cli::{Flag, FlagKind, MODEL_FLAGS, NEURON_FLAGS, flag},
    config::{SubtensorConfig, WalletConfig, expand_home},
    telemetry::TelemetryConfig,
};
use serde::{Deserialize, Serialize};

/// All settings of the validator.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    /// Subnet.
    pub(crate) netuid: u16,
    /// Seed of all chance; drawn at the first start and kept in the state when absent.
    pub(crate) seed: Option<u64>,
    /// State file (SQLite).
    pub(crate) db: PathBuf,
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
    pub(crate) api: ApiConfig,
    pub(crate) neuron: ValidatorConfig,
    pub(crate) video: VideoConfig,
    pub(crate) telemetry: TelemetryConfig,
}

/// Where the dataset is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ApiConfig {
    /// Address and port of the validator API.
    pub(crate) endpoint: String,
    /// SS58 address of the hotkey it signs with.
    pub(crate) hotkey: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            netuid: 24,
            seed: None,
            db: "~/.adit/validator.db".into(),
            cache: "~/.cache/adit/media".into(),
            models: ModelSet::Standard,
            model: "~/.cache/adit/models/all-MiniLM-L6-v2".into(),
            weights: None,
            device: "cpu".into(),
            precision: "f32".into(),
            allow_private_origins: false,
            subtensor: SubtensorConfig::default(),
            wallet: WalletConfig::default(),
            api: ApiConfig::default(),
            neuron: ValidatorConfig::default(),
            video: VideoConfig::default(),
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

const VALIDATOR_FLAGS: &[Flag] = &[
    flag("db", "db", FlagKind::Text, "State file (SQLite)"),
    flag("cache", "cache", FlagKind::Text, "Folder of fetched media"),
    flag(
        "allow-private-origins",
        "allow_private_origins",
        FlagKind::Switch,
        "Fetch media from private addresses too",
    ),
    flag(
        "api.endpoint",
        "api.endpoint",
        FlagKind::Text,
        "Address and port of the validator API",
    ),
    flag(
        "api.hotkey",
        "api.hotkey",
        FlagKind::Text,
        "SS58 address of the API's hotkey",
    ),
    flag(
        "rounds",
        "neuron.rounds",
        FlagKind::Number,
        "Stop after this many rounds in all",
    ),
    flag(
        "neuron.sample_size",
        "neuron.sample_size",
        FlagKind::Number,
        "Most miners asked in one round",
    ),
    flag(
        "neuron.disable_set_weights",
        "neuron.disable_set_weights",
        FlagKind::Switch,
        "Never set weights",
    ),
];

/// Every table of flags the validator takes.
pub(crate) const FLAGS: &[&[Flag]] = &[NEURON_FLAGS, MODEL_FLAGS, VALIDATOR_FLAGS];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_file_equals_the_defaults() {
        let example: Config = toml::from_str(include_str!("../config.toml")).unwrap();
        assert_eq!(example, Config::default());
    }
}
