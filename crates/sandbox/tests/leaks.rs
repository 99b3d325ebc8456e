//! Nothing is left after many runs: no process, mount, control group, descriptor, file or memory.
//!
//! A test binary of its own, so that the counts are of these runs alone.
#![cfg(test)]

use std::{collections::BTreeMap, fs, path::Path};

use adit_sandbox::{Limits, Program, Sandbox};

/// Runs at once.
const AT_ONCE: usize = 64;
/// How many there are; `ADIT_SANDBOX_RUNS` asks for more, as the benches do with 10,000.
const RUNS: usize = 640;

/// What could be left, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Count(BTreeMap<&'static str, usize>);

fn count(stage: Option<u32>) -> Count {
    let listed = |path: &str| fs::read_dir(path).map_or(0, |entries| entries.count());
    let lines = |path: &str| fs::read_to_string(path).map_or(0, |text| text.lines().count());
    let own = std::process::id();
    let processes = fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok())
        .filter(|stat| stat.contains("(exe)") || stat.contains("adit-sandbox"))
        .filter(|stat| parent_of(stat) == Some(own) || parent_of(stat) == stage)
        .count();
    Count(BTreeMap::from([
        ("processes", processes),
        ("mounts", lines("/proc/self/mountinfo")),
        ("control groups", folders(Path::new("/sys/fs/cgroup"))),
        ("descriptors", listed("/proc/self/fd")),
        ("threads", listed("/proc/self/task")),
    ]))
}

fn parent_of(stat: &str) -> Option<u32> {
    stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()
}

fn folders(path: &Path) -> usize {
    let Ok(entries) = fs::read_dir(path) else {
        return 0;
    };
    entries
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| 1 + folders(&entry.path()))
        .sum()
}

/// The stage: the one child of this process, whichever thread started it.
fn stage() -> Option<u32> {
    let tasks = fs::read_dir("/proc/self/task").unwrap().flatten();
    tasks
        .filter_map(|task| fs::read_to_string(task.path().join("children")).ok())
        .find_map(|children| children.split(' ').next()?.parse().ok())
}

/// Resident KiB of a process.
fn resident(pid: u32) -> usize {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    status
        .lines()
        .find_map(|line| {
            line.strip_prefix("VmRSS:")?
                .trim()
                .strip_suffix(" kB")?
                .trim()
                .parse()
                .ok()
        })
        .unwrap_or(0)
}

async fn runs(sandbox: &Sandbox, how_many: usize, at_once: usize) {
    let mut done = 0;
    while done < how_many {
        let mut together = tokio::task::JoinSet::new();
        for number in 0..at_once {
            let sandbox = sandbox.clone();
            let script = "echo left > file; mkdir folder; sleep 0.01 & exit 0";
            let program = Program::new("/bin/sh").arguments(["-c", script]);
            together.spawn(async move {
                let run = sandbox.run(program, Limits::tight());
                // One of eight is dropped somewhere on its way.
                if number % 8 == 0 {
                    let soon = std::time::Duration::from_millis(number as u64 / 4);
                    let _ = tokio::time::timeout(soon, run).await;
                } else {
                    assert!(run.await.unwrap().success());
                }
            });
        }
        while let Some(ended) = together.join_next().await {
            ended.unwrap();
            done += 1;
        }
    }
}

#[tokio::test]
async fn nothing_is_left_after_many_runs() {
    #[expect(clippy::disallowed_methods, reason = "how long this test is to take")]
    let how_many = std::env::var("ADIT_SANDBOX_RUNS").map_or(RUNS, |runs| runs.parse().unwrap());
    nothing_is_left(Sandbox::new().unwrap(), how_many, AT_ONCE).await;
    // Runtimes of containers take a hundred times as long.
    #[cfg(feature = "oci")]
    for kind in adit_sandbox::OciKind::ALL {
        let Ok(runtime) = adit_sandbox::OciRuntime::named(kind) else {
            continue;
        };
        let before = records(&runtime);
        let root = adit_sandbox::HostRoot::system();
        let sandbox = Sandbox::with_runtime(root, runtime.clone()).unwrap();
        nothing_is_left(sandbox, how_many / 16, AT_ONCE / 4).await;
        assert_eq!(records(&runtime), before);
    }
}

/// What a runtime lists, and what lies where it or its bundles could have left something.
#[cfg(feature = "oci")]
fn records(runtime: &adit_sandbox::OciRuntime) -> Vec<String> {
    let listed = std::process::Command::new(runtime.path())
        .args(["list", "--quiet"])
        .output()
        .unwrap();
    let mut found = vec![String::from_utf8(listed.stdout).unwrap()];
    for folder in [
        "/mnt",
        "/media",
        "/srv",
        "/run",
        "/tmp",
        "/run/runc",
        "/run/crun",
    ] {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let names = entries.map(|entry| entry.path().display().to_string());
        // Others use the last folders at the same time.
        found.extend(names.filter(|name| !folder.starts_with("/tmp") || name.contains("rootfs")));
    }
    found.sort();
    found
}

async fn nothing_is_left(sandbox: Sandbox, how_many: usize, at_once: usize) {
    runs(&sandbox, at_once, at_once).await;
    let stage = stage();
    settled(stage, &count(stage)).await;
    let before = count(stage);
    let memory = [std::process::id(), stage.unwrap()].map(resident);
    runs(&sandbox, how_many, at_once).await;
    settled(stage, &before).await;
    assert_eq!(count(stage), before);
    let after = [std::process::id(), stage.unwrap()].map(resident);
    for (before, after) in memory.into_iter().zip(after) {
        assert!(after < before + 8 * 1024, "from {before} to {after} KiB");
    }
    assert_eq!(before.0["processes"], 1, "the stage itself: {before:?}");
    drop(sandbox);
    assert_eq!(count(None).0["processes"], 0);
}

/// Waits until the kernel has taken away what was killed.
async fn settled(stage: Option<u32>, wanted: &Count) {
    for _ in 0..500 {
        if count(stage) == *wanted && count(stage).0["processes"] <= 1 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}
