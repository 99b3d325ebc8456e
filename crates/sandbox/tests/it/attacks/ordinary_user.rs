//! The whole suite again, without root's rights.

use std::{
    fs,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    process::Command,
};

use super::is_root;

/// A user that no machine has by name; the kernel needs no more than the number.
const USER: u32 = 60_731;

#[test]
fn every_attack_is_contained_for_an_ordinary_user_too() {
    if !is_root() {
        return; // This is an ordinary user's run already.
    }
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let suite = folder.path().join("suite");
    fs::copy("/proc/self/exe", &suite).unwrap();
    fs::set_permissions(&suite, fs::Permissions::from_mode(0o755)).unwrap();
    let ended = Command::new(&suite)
        .args(["--skip", "ordinary_user", "--test-threads", "4"])
        .current_dir("/")
        .env("RUST_BACKTRACE", "0")
        .uid(USER)
        .gid(USER)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&ended.stdout);
    assert!(
        ended.status.success(),
        "{told}\n{}",
        String::from_utf8_lossy(&ended.stderr)
    );
    // It was the suite that passed, and not an empty one.
    assert!(
        told.contains("attacks::files::a_wallet_cannot_be_read ... ok"),
        "{told}"
    );
}
