use std::{io::IsTerminal as _, net::SocketAddr, path::PathBuf, str::FromStr, time::Duration};

use adit_devnet::{DevnetConfig, SubnetConfig};
use adit_primitives::{AccountId, NetUid, RAO_PER_TAO, Rao};
use anyhow::Context as _;
use clap::{Parser, ValueEnum};

/// A local Bittensor chain for tests and demonstrations.
#[derive(Debug, Parser)]
#[command(name = "adit-devnet", version)]
pub(crate) struct Args {
    /// Address of the JSON-RPC server; port 0 takes a free port
    #[arg(long, default_value = "127.0.0.1:9944")]
    listen: SocketAddr,
    /// Time between blocks, such as 250ms or 12s
    #[arg(long, default_value = "250ms", value_parser = duration)]
    block_time: Duration,
    /// Blocks by which finality follows the head
    #[arg(long, default_value_t = 0)]
    finality_lag: u32,
    /// File to keep the chain in; without it the chain is in memory
    #[arg(long, value_name = "PATH")]
    db: Option<PathBuf>,
    /// Subnet that exists from genesis
    #[arg(long, default_value_t = 1)]
    netuid: u16,
    /// Blocks between epochs
    #[arg(long, default_value_t = 20)]
    tempo: u16,
    /// Blocks between two settings of weights by one validator
    #[arg(long, default_value_t = 5)]
    weights_rate_limit: u64,
    /// How weights come: directly, or by commit and reveal
    #[arg(long, value_enum, default_value_t = CommitReveal::Off)]
    commit_reveal: CommitReveal,
    /// Seconds between two rounds of the beacon
    #[arg(long, default_value_t = 1)]
    drand_period: u32,
    /// Epochs between a commit and its reveal
    #[arg(long, default_value_t = 1)]
    reveal_period: u64,
    /// Mechanisms of the subnet, each with weights of its own
    #[arg(long, default_value_t = 1)]
    mechanisms: u8,
    /// Neurons that are registered from genesis
    #[arg(long, default_value_t = 0)]
    neurons: u16,
    /// Blocks between two announcements of one axon
    #[arg(long, default_value_t = 5)]
    serving_rate_limit: u64,
    /// Least version key of weights
    #[arg(long, default_value_t = 0)]
    weights_version: u64,
    /// Fewest weights in a row
    #[arg(long, default_value_t = 1)]
    min_allowed_weights: u16,
    /// Least stake for setting weights, in TAO
    #[arg(long, value_name = "TAO", default_value = "0", value_parser = tao)]
    stake_threshold: Rao,
    /// Further account with TAO at genesis; may be repeated
    #[arg(long, value_name = "SS58=TAO")]
    fund: Vec<Funding>,
    /// Refuse axons on 127.0.0.1 and ::1, as the live chain does
    #[arg(long)]
    refuse_loopback_axons: bool,
    /// Offer the devnet_… methods, by which tests steer the chain and make things go wrong
    #[arg(long)]
    faults: bool,
    /// How logs look
    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    pub(crate) log_format: LogFormat,
    /// File to write the bound address to
    #[arg(long, value_name = "PATH")]
    pub(crate) port_file: Option<PathBuf>,
}

impl Args {
    pub(crate) fn config(&self) -> anyhow::Result<DevnetConfig> {
        let mut config = DevnetConfig {
            listen: self.listen,
            block_time: self.block_time,
            finality_lag: self.finality_lag,
            database: self.db.clone(),
            faults: self.faults,
            subnets: vec![SubnetConfig {
                tempo: self.tempo,
                weights_rate_limit: self.weights_rate_limit,
                serving_rate_limit: self.serving_rate_limit,
                weights_version: self.weights_version,
                min_allowed_weights: self.min_allowed_weights,
                commit_reveal_enabled: self.commit_reveal != CommitReveal::Off,
                reveal_period: self.reveal_period,
                mechanisms: self.mechanisms,
                neurons: self.neurons,
                ..SubnetConfig::new(NetUid(self.netuid))
            }],
            drand_period: match self.commit_reveal {
                CommitReveal::Timelock => self.drand_period,
                CommitReveal::Off | CommitReveal::Hash => 0,
            },
            stake_threshold: self.stake_threshold,
            allow_loopback_axons: !self.refuse_loopback_axons,
            ..DevnetConfig::default()
        };
        let funded = self.fund.iter().map(|fund| (fund.account, fund.amount));
        config.funded.extend(funded);
        config.validate()?;
        Ok(config)
    }
}

/// How weights come to the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum CommitReveal {
    /// Directly.
    Off,
    /// By the hash of weights that are revealed later.
    Hash,
    /// Sealed to a round of the chain's beacon; by hash too.
    Timelock,
}

/// How logs look.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

impl LogFormat {
    /// Sends the logs to standard error; standard output has the one line others wait for.
    pub(crate) fn install(self) {
        let logs = tracing_subscriber::fmt()
            .with_ansi(std::io::stderr().is_terminal())
            .with_writer(std::io::stderr);
        match self {
            Self::Text => logs.init(),
            Self::Json => logs.json().init(),
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Funding {
    account: AccountId,
    amount: Rao,
}

impl FromStr for Funding {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let (account, amount) = text.split_once('=').context("write SS58=TAO")?;
        Ok(Self {
            account: account.parse()?,
            amount: tao(amount)?,
        })
    }
}

/// Reads an amount of TAO with at most nine decimals.
fn tao(text: &str) -> anyhow::Result<Rao> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    anyhow::ensure!(fraction.len() <= 9, "TAO has nine decimals");
    let whole: u64 = whole.parse().context("not an amount of TAO")?;
    let fraction: u64 = format!("{fraction:0<9}")
        .parse()
        .context("not an amount of TAO")?;
    let rao = whole.checked_mul(RAO_PER_TAO).context("too much TAO")?;
    Ok(Rao(rao.checked_add(fraction).context("too much TAO")?))
}

/// Reads `250ms` or `12s`.
fn duration(text: &str) -> anyhow::Result<Duration> {
    let (number, unit) = match text.strip_suffix("ms") {
        Some(number) => (number, 1),
        None => (text.strip_suffix('s').context("write 250ms or 12s")?, 1000),
    };
    let number: u64 = number.parse().context("write 250ms or 12s")?;
    Ok(Duration::from_millis(number.saturating_mul(unit)))
}

#[cfg(test)]
mod tests {
    use super::{Args, Parser as _, duration, tao};

    #[test]
    fn flags_become_a_configuration() {
        let alice = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
        let fund = format!("--fund={alice}=1.5");
        let flags = [
            "adit-devnet",
            "--netuid=7",
            "--tempo=9",
            "--block-time=1s",
            &fund,
        ];
        let config = Args::try_parse_from(flags).unwrap().config().unwrap();
        assert_eq!(config.subnets[0].netuid.0, 7);
        assert_eq!(config.subnets[0].tempo, 9);
        assert_eq!(config.block_time.as_secs(), 1);
        let (account, amount) = config.funded.last().unwrap();
        assert_eq!(
            (account.to_string().as_str(), amount.0),
            (alice, 1_500_000_000)
        );
        assert!(Args::try_parse_from(["adit-devnet", "--fund=5Grw=1"]).is_err());
        let root = Args::try_parse_from(["adit-devnet", "--netuid=0"]).unwrap();
        assert!(root.config().is_err());
    }

    #[test]
    fn amounts_and_durations() {
        assert_eq!(tao("0.000000001").unwrap().0, 1);
        assert!(tao("1.0000000001").is_err());
        assert!(tao("-1").is_err());
        assert_eq!(duration("250ms").unwrap().as_millis(), 250);
        assert!(duration("250").is_err());
    }
}
