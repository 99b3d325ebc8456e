//! `adit-localnet`: a whole subnet on one machine. `adit-localnet up` starts a local chain, a
//! validator API, a validator and miners, each a process of its own, runs some rounds on real
//! video and reports what everyone earned.

mod args;
mod catalogue;
mod events;
mod misbehave;
mod origin;
mod process;
mod report;
mod subnet;
mod up;

use std::process::ExitCode;

use adit_neuron::{shutdown, telemetry};
use args::{Command, Localnet};
use clap::Parser as _;

fn main() -> ExitCode {
    let outcome = tokio::runtime::Runtime::new()
        .map_err(anyhow::Error::from)
        .and_then(|runtime| {
            runtime.block_on(async {
                let shutdown = shutdown::on_signal()?;
                match Localnet::parse().command {
                    Command::Up(up) => up::run(up, shutdown).await,
                    Command::Origin(origin) => {
                        telemetry::init(&args::child_telemetry())?;
                        origin::run(origin, shutdown).await
                    }
                    Command::Misbehave(miner) => {
                        telemetry::init(&args::child_telemetry())?;
                        misbehave::run(miner, shutdown).await
                    }
                }
            })
        });
    match outcome {
        Ok(code) => code,
        Err(error) => {
            #[expect(
                clippy::print_stderr,
                reason = "the last word of a command-line program"
            )]
            {
                eprintln!("adit-localnet: {error:#}");
            }
            ExitCode::FAILURE
        }
    }
}
