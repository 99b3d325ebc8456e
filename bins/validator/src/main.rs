//! `adit-validator`: asks, verifies, judges, keeps, sets weights. See `--help`.

mod audit;
mod chain;
mod check;
mod config;
mod wire;

use std::process::ExitCode;

use adit_neuron::{cli, config::load, shutdown, telemetry};
use clap::Command;
use config::{Config, FLAGS};

fn main() -> ExitCode {
    let command = Command::new("adit-validator")
        .about("Runs a subnet's rounds")
        .version(env!("CARGO_PKG_VERSION"));
    let matches = cli::with_flags(command, FLAGS)
        .subcommand(audit::command())
        .subcommand(chain::command())
        .subcommand(check::command())
        .subcommand(cli::wallet::command())
        .get_matches();
    match run(&matches) {
        Ok(code) => code,
        Err(error) => {
            #[expect(clippy::print_stderr, reason = "logging may not be set up yet")]
            {
                eprintln!("adit-validator: {error:#}");
            }
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stdout, reason = "this is what --print-config asks for")]
fn run(matches: &clap::ArgMatches) -> anyhow::Result<ExitCode> {
    if let Some(("wallet", matches)) = matches.subcommand() {
        return Ok(cli::wallet::run(matches)?);
    }
    let runtime = tokio::runtime::Runtime::new()?;
    match matches.subcommand() {
        Some(("audit", matches)) => return runtime.block_on(audit::run(matches)),
        Some(("chain", matches)) => return runtime.block_on(chain::run(matches)),
        Some(("check", _)) => return runtime.block_on(check::run()),
        _ => {}
    }
    let invocation = cli::invocation(matches, FLAGS)?;
    let loaded = load::<Config>(invocation.file.as_deref(), invocation.flags)?;
    if invocation.print_config {
        print!("{loaded}");
        return Ok(ExitCode::SUCCESS);
    }
    runtime.block_on(async {
        telemetry::init(&loaded.value.telemetry)?;
        wire::run(loaded.value, shutdown::on_signal()?).await
    })?;
    Ok(ExitCode::SUCCESS)
}
