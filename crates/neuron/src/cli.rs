//! Command-line flags shared by the binaries (feature `cli`): the names people already type, each
//! mapped to a configuration key.

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use serde_json::Value;

use crate::{Error, Result};

pub mod wallet;

/// A flag and the configuration key it sets.
#[derive(Debug, Clone, Copy)]
pub struct Flag {
    /// What is typed after `--`.
    pub name: &'static str,
    /// The dotted configuration key.
    pub key: &'static str,
    /// What it takes.
    pub kind: FlagKind,
    /// One line of help.
    pub help: &'static str,
}

/// What a flag takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlagKind {
    /// Any text.
    Text,
    /// A whole number.
    Number,
    /// Nothing: its presence sets `true`.
    Switch,
    /// Text, may be given several times.
    List,
}

/// A flag of kind [`FlagKind::Text`], and so on: shorthand for tables of flags.
pub const fn flag(
    name: &'static str,
    key: &'static str,
    kind: FlagKind,
    help: &'static str,
) -> Flag {
    Flag {
        name,
        key,
        kind,
        help,
    }
}

/// Flags of every neuron.
pub const NEURON_FLAGS: &[Flag] = &[
    flag("netuid", "netuid", FlagKind::Number, "Subnet"),
    flag(
        "seed",
        "seed",
        FlagKind::Number,
        "Seed of all chance; drawn once and kept when absent",
    ),
    flag(
        "subtensor.network",
        "subtensor.network",
        FlagKind::Text,
        "finney, test, local or a ws:// or wss:// URL",
    ),
    flag(
        "subtensor.chain_endpoint",
        "subtensor.chain_endpoint",
        FlagKind::List,
        "Chain endpoint; repeat for fallbacks",
    ),
    flag(
        "subtensor.archive_endpoint",
        "subtensor.archive_endpoint",
        FlagKind::List,
        "Endpoint with all history; may be repeated",
    ),
    flag(
        "wallet.name",
        "wallet.name",
        FlagKind::Text,
        "Wallet (coldkey) name",
    ),
    flag(
        "wallet.hotkey",
        "wallet.hotkey",
        FlagKind::Text,
        "Hotkey name",
    ),
    flag(
        "wallet.path",
        "wallet.path",
        FlagKind::Text,
        "Folder of wallets",
    ),
    flag(
        "wallet.password_file",
        "wallet.password_file",
        FlagKind::Text,
        "File with the password of an encrypted hotkey",
    ),
    flag(
        "wallet.password_fd",
        "wallet.password_fd",
        FlagKind::Number,
        "File descriptor to read the password from",
    ),
    flag(
        "wallet.password_env",
        "wallet.password_env",
        FlagKind::Text,
        "Environment variable with the password",
    ),
    flag(
        "log",
        "telemetry.log",
        FlagKind::Text,
        "Log levels, such as info or info,adit_chain=debug",
    ),
    flag(
        "log-format",
        "telemetry.log_format",
        FlagKind::Text,
        "text or json",
    ),
    flag(
        "metrics",
        "telemetry.metrics",
        FlagKind::Text,
        "Address to serve Prometheus metrics on",
    ),
];

/// Flags of every neuron that embeds.
pub const MODEL_FLAGS: &[Flag] = &[
    flag(
        "models",
        "models",
        FlagKind::Text,
        "standard (MiniLM and descriptors) or imagebind; all neurons of a subnet alike",
    ),
    flag(
        "model",
        "model",
        FlagKind::Text,
        "Folder of the standard set's text model (scripts/fetch-models)",
    ),
    flag(
        "weights",
        "weights",
        FlagKind::Text,
        "Weights of ImageBind, for --models imagebind",
    ),
    flag(
        "device",
        "device",
        FlagKind::Text,
        "Where the networks run: cpu, cuda or cuda:INDEX",
    ),
    flag(
        "precision",
        "precision",
        FlagKind::Text,
        "Number format of ImageBind: f32, f16 or bf16",
    ),
];

/// Flags of every neuron that listens.
pub const AXON_FLAGS: &[Flag] = &[
    flag("axon.ip", "axon.ip", FlagKind::Text, "Address to listen on"),
    flag(
        "axon.port",
        "axon.port",
        FlagKind::Number,
        "Port to listen on; 0 picks a free one",
    ),
    flag(
        "axon.external_ip",
        "axon.external_ip",
        FlagKind::Text,
        "Address to announce",
    ),
    flag(
        "axon.external_port",
        "axon.external_port",
        FlagKind::Number,
        "Port to announce",
    ),
];

/// What was typed.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// The configuration file named by `--config`.
    pub file: Option<PathBuf>,
    /// Whether `--print-config` was given.
    pub print_config: bool,
    /// Flags by configuration key, for [`crate::config::load`].
    pub flags: Vec<(&'static str, Value)>,
}

/// Adds `--config`, `--print-config` and the given flags to a command.
pub fn with_flags(command: Command, tables: &[&[Flag]]) -> Command {
    let command = command
        .arg(
            Arg::new("config")
                .long("config")
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .help("Configuration file (TOML)"),
        )
        .arg(
            Arg::new("print-config")
                .long("print-config")
                .action(ArgAction::SetTrue)
                .help(
                    "Print the effective configuration and where each value comes from, then exit",
                ),
        );
    tables
        .iter()
        .flat_map(|table| table.iter())
        .fold(command, |command, flag| {
            let arg = Arg::new(flag.name).long(flag.name).help(flag.help);
            command.arg(match flag.kind {
                FlagKind::Text => arg.value_name("TEXT"),
                FlagKind::Number => arg.value_name("NUMBER").value_parser(value_parser!(u64)),
                FlagKind::Switch => arg.action(ArgAction::SetTrue),
                FlagKind::List => arg.value_name("TEXT").action(ArgAction::Append),
            })
        })
}

/// Reads what was typed for the same tables.
///
/// # Errors
/// [`Error::Config`] when a flag of the tables is unknown to the command.
pub fn invocation(matches: &ArgMatches, tables: &[&[Flag]]) -> Result<Invocation> {
    let mut flags = Vec::new();
    for flag in tables.iter().flat_map(|table| table.iter()) {
        let unknown =
            |error: clap::parser::MatchesError| Error::Config(format!("--{}: {error}", flag.name));
        let value = match flag.kind {
            FlagKind::Text => matches
                .try_get_one::<String>(flag.name)
                .map_err(unknown)?
                .map(|text| text.clone().into()),
            FlagKind::Number => matches
                .try_get_one::<u64>(flag.name)
                .map_err(unknown)?
                .map(|number| (*number).into()),
            FlagKind::Switch => matches
                .try_get_one::<bool>(flag.name)
                .map_err(unknown)?
                .filter(|given| **given)
                .map(|_given| Value::Bool(true)),
            FlagKind::List => matches
                .try_get_many::<String>(flag.name)
                .map_err(unknown)?
                .map(|texts| Value::Array(texts.cloned().map(Value::String).collect())),
        };
        flags.extend(value.map(|value| (flag.key, value)));
    }
    Ok(Invocation {
        file: matches.get_one::<PathBuf>("config").cloned(),
        print_config: matches.get_flag("print-config"),
        flags,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn flags_become_keys() {
        let tables = [NEURON_FLAGS, AXON_FLAGS];
        let command = with_flags(Command::new("neuron"), &tables);
        let typed = [
            "neuron",
            "--netuid",
            "24",
            "--subtensor.chain_endpoint",
            "ws://a",
            "--subtensor.chain_endpoint",
            "ws://b",
        ];
        let read = invocation(&command.try_get_matches_from(typed).unwrap(), &tables).unwrap();
        assert_eq!(
            read.flags,
            [
                ("netuid", json!(24)),
                ("subtensor.chain_endpoint", json!(["ws://a", "ws://b"]))
            ]
        );
        assert!(!read.print_config && read.file.is_none());
    }
}
