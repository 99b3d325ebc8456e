use std::path::PathBuf;

use adit_embedding::Space;
use adit_mechanism_video::dataset::DatasetConfig;
use adit_neuron::{
    cli::{AXON_FLAGS, Flag, FlagKind, NEURON_FLAGS, flag},
    config::{AxonConfig, SubtensorConfig, WalletConfig},
    telemetry::TelemetryConfig,
};
use serde::{Deserialize, Serialize};

/// All settings of the validator API.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    /// Subnet.
    pub(crate) netuid: u16,
    /// Unused by the API; accepted so that all neurons take the same flags.
    pub(crate) seed: Option<u64>,
    /// Topics, one a line.
    pub(crate) topics: PathBuf,
    /// The one space of frames, sound and text; the three of the standard models when absent.
    pub(crate) space: Option<Space>,
    /// Least stake of a validator that may call, in TAO.
    pub(crate) validator_min_stake: u64,
    pub(crate) dataset: DatasetConfig,
    pub(crate) subtensor: SubtensorConfig,
    pub(crate) wallet: WalletConfig,
    pub(crate) axon: AxonConfig,
    pub(crate) telemetry: TelemetryConfig,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            netuid: 24,
            seed: None,
            topics: "topics.txt".into(),
            space: None,
            validator_min_stake: 1_000,
            dataset: DatasetConfig::default(),
            subtensor: SubtensorConfig::default(),
            wallet: WalletConfig::default(),
            axon: AxonConfig {
                port: 8002,
                ..AxonConfig::default()
            },
            telemetry: TelemetryConfig::default(),
        }
    }
}

const API_FLAGS: &[Flag] = &[
    flag(
        "topics",
        "topics",
        FlagKind::Text,
        "Topics file, one a line",
    ),
    flag(
        "space",
        "space",
        FlagKind::Text,
        "Joint space of all vectors, as neurons with --models imagebind name it at their start",
    ),
    flag(
        "dataset.folder",
        "dataset.folder",
        FlagKind::Text,
        "Folder of the dataset and its state",
    ),
    flag(
        "validator_min_stake",
        "validator_min_stake",
        FlagKind::Number,
        "Least stake of a caller, in TAO",
    ),
];

/// Every table of flags the API takes.
pub(crate) const FLAGS: &[&[Flag]] = &[NEURON_FLAGS, AXON_FLAGS, API_FLAGS];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_file_equals_the_defaults() {
        let example: Config = toml::from_str(include_str!("../config.toml")).unwrap();
        assert_eq!(example, Config::default());
    }
}
