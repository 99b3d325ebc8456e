//! The real binary, as an operator types it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[expect(
    dead_code,
    reason = "shared with the chain's own tests, which need more of it"
)]
#[path = "../../../../crates/chain/tests/it/devnet.rs"]
mod devnet;
mod doctor;

// The shared file above needs them.
use adit_testkit as _;
use futures as _;
use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    process::{Command, Output, Stdio},
};

#[test]
fn the_validator_has_the_wallet_commands() {
    let home = tempfile::tempdir().unwrap();
    let run = |args: &[&str]| -> Output {
        // In a session of its own, so that no test waits for the developer's terminal.
        Command::new("setsid")
            .arg(env!("CARGO_BIN_EXE_adit-validator"))
            .arg("wallet")
            .args(args)
            .env("HOME", home.path())
            .env("ADIT_WALLET__PATH", home.path().join("wallets"))
            .stdin(Stdio::null())
            .output()
            .unwrap()
    };
    let secret = home.path().join("uri");
    fs::write(&secret, "//Alice\n").unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
    let secret = secret.to_str().unwrap();
    let made = run(&[
        "regen",
        "--key",
        "hotkey",
        "--secret-file",
        secret,
        "--no-password",
    ]);
    assert!(made.status.success(), "{made:?}");
    let alice = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
    let listed = String::from_utf8(run(&["list"]).stdout).unwrap();
    assert!(
        listed.contains(alice) && listed.contains("not encrypted"),
        "{listed}"
    );
    let signature = String::from_utf8(run(&["sign", "--message", "x"]).stdout).unwrap();
    let verified = run(&[
        "verify",
        "--address",
        alice,
        "--message",
        "x",
        "--signature",
        signature.trim(),
    ]);
    assert_eq!(String::from_utf8_lossy(&verified.stdout), "valid\n");
}
