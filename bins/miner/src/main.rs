//! `adit-miner`: answers tasks from its library of videos. See `--help`.

mod config;
mod wire;

use std::process::ExitCode;

use adit_neuron::{cli, config::load, shutdown, telemetry};
use clap::Command;
use config::{Config, FLAGS};

fn main() -> ExitCode {
    let command = Command::new("adit-miner")
        .about("Answers a subnet's tasks")
        .version(env!("CARGO_PKG_VERSION"));
    let matches = cli::with_flags(command, FLAGS)
        .subcommand(cli::wallet::command())
        .get_matches();
    match run(&matches) {
        Ok(code) => code,
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "stopping");
            #[expect(clippy::print_stderr, reason = "logging may not be set up yet")]
            {
                eprintln!("adit-miner: {error:#}");
            }
            ExitCode::FAILURE
        }
    }
}

fn run(matches: &clap::ArgMatches) -> anyhow::Result<ExitCode> {
    if let Some(("wallet", matches)) = matches.subcommand() {
        return Ok(cli::wallet::run(matches)?);
    }
    let invocation = cli::invocation(matches, FLAGS)?;
    let loaded = load::<Config>(invocation.file.as_deref(), invocation.flags)?;
    if invocation.print_config {
        #[expect(clippy::print_stdout, reason = "this is what --print-config asks for")]
        {
            print!("{loaded}");
        }
        return Ok(ExitCode::SUCCESS);
    }
    tokio::runtime::Runtime::new()?.block_on(async {
        telemetry::init(&loaded.value.telemetry)?;
        wire::run(loaded.value, shutdown::on_signal()?).await
    })?;
    Ok(ExitCode::SUCCESS)
}
