//! `adit-validator-api`: the dataset that all validators of a subnet build together. See `--help`.

mod config;
mod wire;

use std::process::ExitCode;

use adit_neuron::{cli, config::load, shutdown, telemetry};
use clap::Command;
use config::{Config, FLAGS};

fn main() -> ExitCode {
    let command = Command::new("adit-validator-api")
        .about("Keeps the dataset a subnet builds")
        .version(env!("CARGO_PKG_VERSION"));
    let matches = cli::with_flags(command, FLAGS).get_matches();
    match run(&matches) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "stopping");
            #[expect(clippy::print_stderr, reason = "logging may not be set up yet")]
            {
                eprintln!("adit-validator-api: {error:#}");
            }
            ExitCode::FAILURE
        }
    }
}

fn run(matches: &clap::ArgMatches) -> anyhow::Result<()> {
    let invocation = cli::invocation(matches, FLAGS)?;
    let loaded = load::<Config>(invocation.file.as_deref(), invocation.flags)?;
    if invocation.print_config {
        #[expect(clippy::print_stdout, reason = "this is what --print-config asks for")]
        {
            print!("{loaded}");
        }
        return Ok(());
    }
    tokio::runtime::Runtime::new()?.block_on(async {
        telemetry::init(&loaded.value.telemetry)?;
        wire::run(loaded.value, shutdown::on_signal()?).await
    })
}
