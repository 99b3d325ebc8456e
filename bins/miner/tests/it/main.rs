//! The real binary, as an operator types it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod locked_hotkey;
mod wallet;

use std::{
    fs,
    io::Write as _,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

/// A folder of wallets, and the binary run beside it, without a terminal.
struct Operator {
    home: TempDir,
}

impl Operator {
    fn new() -> Self {
        Self {
            home: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn wallets(&self) -> PathBuf {
        self.path("wallets")
    }

    /// A file with one secret line, mode 0600.
    fn secret(&self, name: &str, line: &str) -> String {
        let path = self.path(name);
        fs::write(&path, format!("{line}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path.display().to_string()
    }

    fn command(&self) -> Command {
        // In a session of its own, so that no test waits for the developer's terminal.
        let mut command = Command::new("setsid");
        command
            .arg(env!("CARGO_BIN_EXE_adit-miner"))
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", self.home.path())
            .env("ADIT_WALLET__PATH", self.wallets())
            .stdin(Stdio::null());
        command
    }

    fn wallet(&self, args: &[&str]) -> Output {
        self.command().arg("wallet").args(args).output().unwrap()
    }

    /// The JSON a command prints, which must succeed.
    fn json(&self, args: &[&str]) -> Value {
        let output = self.wallet(&[args, &["--json"]].concat());
        assert!(output.status.success(), "{args:?}: {}", said(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// What a command says while it fails.
    fn refusal(&self, args: &[&str]) -> String {
        let output = self.wallet(args);
        assert!(!output.status.success(), "{args:?}: {}", said(&output));
        said(&output)
    }

    fn fed(&self, args: &[&str], input: &[u8]) -> Output {
        let mut child = self
            .command()
            .arg("wallet")
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        child.wait_with_output().unwrap()
    }
}

fn said(output: &Output) -> String {
    let (out, err) = (&output.stdout, &output.stderr);
    format!(
        "{}{}",
        String::from_utf8_lossy(out),
        String::from_utf8_lossy(err)
    )
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}
