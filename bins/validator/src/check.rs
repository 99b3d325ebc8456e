use std::process::ExitCode;

use adit_sandbox::Sandbox;
use clap::Command;

/// `adit-validator check`
pub(crate) fn command() -> Command {
    Command::new("check")
        .about("Print how this machine isolates programs of strangers; exit 1 when it cannot")
}

/// Runs a program that does nothing in the sandbox, and prints what held it.
#[expect(clippy::print_stdout, reason = "the report is this command's answer")]
pub(crate) async fn run() -> anyhow::Result<ExitCode> {
    println!("{}", Sandbox::new()?.check().await?);
    Ok(ExitCode::SUCCESS)
}
