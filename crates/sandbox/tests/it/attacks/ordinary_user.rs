//! The whole suite again, without root's rights.

use std::{
    fs,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::{Path, PathBuf},
    process::Command,
};

use super::{PYTHON, is_root};

/// A user that no machine has by name; the kernel needs no more than the number.
const USER: u32 = 60_731;

/// A copy of this test that anybody may run.
fn suite(folder: &Path) -> PathBuf {
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
    let suite = folder.join("suite");
    fs::copy("/proc/self/exe", &suite).unwrap();
    fs::set_permissions(&suite, fs::Permissions::from_mode(0o755)).unwrap();
    suite
}

#[test]
fn every_attack_is_contained_for_an_ordinary_user_too() {
    if !is_root() {
        return; // This is an ordinary user's run already.
    }
    let folder = tempfile::tempdir().unwrap();
    let suite = suite(folder.path());
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

/// Puts itself into a group, becomes an ordinary user, and goes on as the suite.
const ENTER: &str = "
import os, sys
with open(sys.argv[1] + '/cgroup.procs', 'w') as processes: processes.write(str(os.getpid()))
user = int(sys.argv[2])
os.setgroups([])
os.setgid(user)
os.setuid(user)
os.chdir('/')
os.execv(sys.argv[3], sys.argv[3:])
";

/// As systemd leaves a group to the processes of a unit with `Delegate=yes`.
#[test]
fn an_ordinary_user_has_control_groups_where_one_was_left_to_it() {
    if !is_root() {
        return;
    }
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let mount = mounts.lines().find(|line| line.contains(" - cgroup2 "));
    let Some(mount) = mount.and_then(|line| line.split(' ').nth(4)) else {
        return; // There are none on this machine.
    };
    let group = Path::new(mount).join(format!("adit-test-user-{}", std::process::id()));
    fs::create_dir(&group).unwrap();
    // For the group below to have the controllers that there are.
    for controller in ["+memory", "+pids"] {
        let _ = fs::write(Path::new(mount).join("cgroup.subtree_control"), controller);
    }
    for file in [
        "",
        "cgroup.procs",
        "cgroup.threads",
        "cgroup.subtree_control",
    ] {
        std::os::unix::fs::chown(group.join(file), Some(USER), Some(USER)).unwrap();
    }
    rustix::fs::setxattr(
        &group,
        "user.delegate",
        b"1",
        rustix::fs::XattrFlags::empty(),
    )
    .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let suite = suite(folder.path());
    let ended = Command::new(PYTHON)
        .args(["-I", "-c", ENTER])
        .args([&group, Path::new(&USER.to_string()), &suite])
        .args([
            "groups::",
            "attacks::bombs::memory_is_bounded_in_one",
            "attacks::bombs::a_fork_bomb",
            "runs::",
            "--test-threads",
            "4",
            "--nocapture",
        ])
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&ended.stdout);
    let complaints = String::from_utf8_lossy(&ended.stderr);
    // What the suite made is gone but for the group that it moved to itself.
    let _ = fs::remove_dir(group.join("adit-main"));
    fs::remove_dir(&group).unwrap();
    assert!(ended.status.success(), "{told}\n{complaints}");
    assert!(
        !complaints.contains("no control groups for this user"),
        "{complaints}"
    );
    assert!(
        told.contains("groups::a_run_lives_in_a_group_of_its_own_and_takes_it_along"),
        "{told}"
    );
}
