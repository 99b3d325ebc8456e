use std::{fmt, path::PathBuf, str::FromStr};

use adit_mechanism_video::ModelSet;
use adit_neuron::telemetry::{LogFormat, TelemetryConfig};
use clap::{Args, Parser, Subcommand};

/// A whole subnet on one machine.
#[derive(Debug, Parser)]
#[command(name = "adit-localnet", version)]
pub(crate) struct Localnet {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start a subnet, run rounds, report what everyone earned, stop it.
    Up(Up),
    /// Serve a folder of videos over HTTP with range requests (started by `up`).
    #[command(hide = true)]
    Origin(Origin),
    /// A miner that misbehaves (started by `up`).
    #[command(hide = true)]
    Misbehave(Misbehave),
}

/// What `up` starts.
#[derive(Debug, Clone, Args)]
pub(crate) struct Up {
    /// Rounds to run.
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) rounds: u64,
    /// How each miner behaves: honest, copycat, liar, silent, garbage, flood or crash.
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "honest,honest,copycat,liar"
    )]
    pub(crate) miners: Vec<Behaviour>,
    /// Seed of all chance.
    #[arg(long, default_value_t = 7)]
    pub(crate) seed: u64,
    /// Leave the subnet running after the rounds, until Ctrl-C, so that you can call it.
    #[arg(long)]
    pub(crate) keep: bool,
    /// Folder of videos the miners offer, with an optional catalogue.toml.
    #[arg(long)]
    pub(crate) videos: Option<PathBuf>,
    /// Folder of the run: wallets, states, logs, dataset, report.json. Emptied first.
    #[arg(long)]
    pub(crate) dir: Option<PathBuf>,
    /// Networks of every neuron: standard or imagebind.
    #[arg(long, default_value = "standard")]
    pub(crate) models: ModelSet,
    /// Folder of the standard set's text model.
    #[arg(long)]
    pub(crate) model: Option<PathBuf>,
    /// Weights of ImageBind, for --models imagebind.
    #[arg(long)]
    pub(crate) weights: Option<PathBuf>,
    /// Time a miner has to answer, in milliseconds.
    #[arg(long, default_value_t = 12_000)]
    pub(crate) answer_timeout_ms: u64,
    /// Time between blocks.
    #[arg(long, default_value = "250ms")]
    pub(crate) block_time: String,
    /// Blocks between epochs.
    #[arg(long, default_value_t = 20)]
    pub(crate) tempo: u16,
}

/// What the origin serves.
#[derive(Debug, Clone, Args)]
pub(crate) struct Origin {
    /// Folder of videos.
    #[arg(long)]
    pub(crate) dir: PathBuf,
    /// Address to listen on.
    #[arg(long, default_value = "127.0.0.1:0")]
    pub(crate) listen: std::net::SocketAddr,
}

/// A misbehaving miner.
#[derive(Debug, Clone, Args)]
pub(crate) struct Misbehave {
    #[arg(long)]
    pub(crate) behaviour: Behaviour,
    #[arg(long)]
    pub(crate) netuid: u16,
    #[arg(long)]
    pub(crate) chain: String,
    #[arg(long)]
    pub(crate) wallets: PathBuf,
    #[arg(long)]
    pub(crate) wallet: String,
    #[arg(long)]
    pub(crate) catalogue: url::Url,
    #[arg(long)]
    pub(crate) cache: PathBuf,
    #[arg(long)]
    pub(crate) models: ModelSet,
    #[arg(long)]
    pub(crate) model: PathBuf,
    #[arg(long)]
    pub(crate) weights: Option<PathBuf>,
    #[arg(long)]
    pub(crate) seed: u64,
}

/// How a miner behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Behaviour {
    /// The real miner.
    Honest,
    /// Offers its first answer again and again, shifted and reworded.
    Copycat,
    /// Invents the vectors of its clips.
    Liar,
    /// Never answers.
    Silent,
    /// Answers with every kind of malformed clip.
    Garbage,
    /// Answers with far more than was asked.
    Flood,
    /// Ends its process at the first question.
    Crash,
}

impl Behaviour {
    pub(crate) const ALL: [(Self, &'static str); 7] = [
        (Self::Honest, "honest"),
        (Self::Copycat, "copycat"),
        (Self::Liar, "liar"),
        (Self::Silent, "silent"),
        (Self::Garbage, "garbage"),
        (Self::Flood, "flood"),
        (Self::Crash, "crash"),
    ];
}

impl fmt::Display for Behaviour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::ALL
            .iter()
            .find(|(behaviour, _)| behaviour == self)
            .map_or("unknown", |(_, name)| name);
        f.pad(name)
    }
}

impl FromStr for Behaviour {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.iter().find(|(_, name)| *name == text);
        found.map(|(behaviour, _)| *behaviour).ok_or_else(|| {
            let names: Vec<&str> = Self::ALL.iter().map(|(_, name)| *name).collect();
            format!("unknown behaviour {text:?}; known are {}", names.join(", "))
        })
    }
}

/// How processes started by `up` log: lines that `up` can read.
pub(crate) fn child_telemetry() -> TelemetryConfig {
    TelemetryConfig {
        log_format: LogFormat::Json,
        ..TelemetryConfig::default()
    }
}
