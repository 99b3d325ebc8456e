//! Fetches and verifies the models of neurons.

mod args;
mod catalogue_list;
mod commands;
mod consent;
mod exit;
mod index;
mod progress;

use std::{io::Write as _, process::ExitCode};

use clap::Parser as _;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match commands::run(args::Args::parse()).await {
        Ok(code) => code,
        Err(error) => {
            let code = exit::code(&error);
            // When standard error is gone too there is nobody to tell; the exit code remains.
            let _ = writeln!(std::io::stderr(), "adit-models: {error:#}");
            code
        }
    }
}
