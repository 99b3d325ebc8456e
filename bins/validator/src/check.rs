use std::process::ExitCode;

use adit_sandbox::{HostRoot, OciKind, OciRuntime, Sandbox};
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
    for kind in OciKind::ALL {
        println!("{:<24}{}", kind.name(), through(kind).await);
    }
    Ok(ExitCode::SUCCESS)
}

/// Whether programs could be run through this runtime of containers. None is needed.
async fn through(kind: OciKind) -> String {
    let Ok(runtime) = OciRuntime::named(kind) else {
        return "not installed".to_owned();
    };
    let path = runtime.path().display().to_string();
    let checked = async {
        Sandbox::with_runtime(HostRoot::system(), runtime)?
            .check()
            .await
    };
    match checked.await {
        Ok(enforced) => {
            let used = enforced
                .container
                .map_or(Vec::new(), |found| found.controllers);
            let groups = if used.is_empty() {
                "none".to_owned()
            } else {
                used.join(", ")
            };
            format!("works: {path}; control groups: {groups}")
        }
        Err(error) => format!("does not work: {error}"),
    }
}
