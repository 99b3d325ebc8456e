//! Real attacks, each of which must be contained, and each with a twin: the same program, run outside,
//! succeeds, so that no attack is contained by being broken.
//!
//! An attack is a Python program that prints `BREACH` when it got what it wanted. Run as root, the
//! whole suite runs a second time as an ordinary user ([`ordinary_user`]).

use std::{
    path::Path,
    process::{Command, Stdio},
};

use adit_sandbox::{Limits, Program, RunOutcome, Sandbox};

mod bombs;
mod files;
mod kernel;
mod leftovers;
mod network;
mod ordinary_user;

const PYTHON: &str = "/usr/bin/python3";

/// Who can do this outside.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Twin {
    Anyone,
    /// The twin is run only by root; as an ordinary user the kernel itself refuses the attack.
    Root,
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Runs an attack outside; what it printed.
fn outside(script: &str, facts: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    outside_in(folder.path(), script, facts)
}

fn outside_in(folder: &Path, script: &str, facts: &[&str]) -> String {
    let ended = Command::new(PYTHON)
        .args(["-I", "-c", script])
        .args(facts)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    format!(
        "{}{}",
        String::from_utf8_lossy(&ended.stdout),
        String::from_utf8_lossy(&ended.stderr)
    )
}

pub(crate) fn program(script: &str, facts: &[&str]) -> Program {
    Program::new(PYTHON)
        .arguments(["-I", "-c", script])
        .arguments(facts.iter().copied())
}

/// The back-end that the suite attacks: the native one, or a runtime of containers when
/// the suite is run again for one.
pub(crate) fn sandbox() -> Sandbox {
    #[cfg(feature = "oci")]
    if let Some(runtime) = crate::oci::asked_for() {
        return Sandbox::with_runtime(adit_sandbox::HostRoot::system(), runtime).unwrap();
    }
    Sandbox::new().unwrap()
}

/// Runs an attack inside.
pub(crate) async fn inside(program: Program, limits: Limits) -> RunOutcome {
    sandbox().run(program, limits).await.unwrap()
}

/// An attack that succeeds outside and fails inside. Returns what became of it inside.
async fn contained(twin: Twin, script: &str, facts: &[&str]) -> RunOutcome {
    contained_within(Limits::tight(), twin, script, facts).await
}

async fn contained_within(limits: Limits, twin: Twin, script: &str, facts: &[&str]) -> RunOutcome {
    if twin == Twin::Anyone || is_root() {
        let told = outside(script, facts);
        assert!(told.contains("BREACH"), "the attack is broken: {told}");
    }
    let outcome = inside(program(script, facts), limits).await;
    let (stdout, stderr) = (outcome.stdout.text(), outcome.stderr.text());
    assert!(
        !stdout.contains("BREACH"),
        "not contained: {outcome:?}\n{stdout}\n{stderr}"
    );
    // It must have run: a program that could not start contains nothing.
    assert!(stdout.contains("RUNNING"), "it never ran: {stderr}");
    outcome
}
