//! `wallet`: a subcommand of the binaries that makes, lists, shows, restores and imports keys, and
//! signs and verifies with them.
//!
//! Secrets come from files, descriptors, the environment or the terminal and never from the
//! command line, which every user of the machine can read. A new phrase is shown on the terminal
//! and never on standard output, which ends in logs.

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

use clap::{ArgMatches, Command, FromArgMatches as _, Subcommand as _};
use serde_json::Value;

use crate::{Error, Result};

mod args;
mod create;
mod secrets;
mod show;
mod signing;

use args::WalletCommand;

/// The subcommand, for [`Command::subcommand`].
pub fn command() -> Command {
    let command = Command::new("wallet")
        .about("Makes, lists, shows, restores and imports keys; signs and verifies with them")
        .subcommand_required(true)
        .arg_required_else_help(true);
    WalletCommand::augment_subcommands(command)
}

/// Does what was typed, and prints the outcome on standard output.
///
/// # Errors
/// [`Error::Wallet`], [`Error::Config`], [`Error::Command`] and [`Error::Io`]. A signature that
/// does not verify is no error, but a failing exit code.
pub fn run(matches: &ArgMatches) -> Result<ExitCode> {
    let command = WalletCommand::from_arg_matches(matches)
        .map_err(|error| Error::Command(error.to_string()))?;
    let outcome = match command {
        WalletCommand::New(args) => create::new(&args)?,
        WalletCommand::Regen(args) => create::regen(&args)?,
        WalletCommand::Import(args) => create::import(&args)?,
        WalletCommand::List(args) => show::list(&args)?,
        WalletCommand::Show(args) => show::show(&args)?,
        WalletCommand::Sign(args) => signing::sign(&args)?,
        WalletCommand::Verify(args) => signing::verify(&args)?,
    };
    outcome.print()
}

/// What a command found, in both of the ways it can be told.
struct Outcome {
    text: String,
    json: Value,
    as_json: bool,
    code: ExitCode,
}

impl Outcome {
    fn print(self) -> Result<ExitCode> {
        let told = if self.as_json {
            format!("{}\n", self.json)
        } else {
            self.text
        };
        io::stdout()
            .lock()
            .write_all(told.as_bytes())
            .map_err(|source| Error::Io {
                what: "cannot write to standard output".into(),
                source,
            })?;
        Ok(self.code)
    }
}

/// A line for the person at the terminal, beside the outcome.
fn warn(text: &str) {
    // Nobody reads it where standard error is closed.
    let _ = writeln!(io::stderr().lock(), "{text}");
}
