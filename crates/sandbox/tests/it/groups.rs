//! Control groups of runs, on the machine's real file system of them.
//!
//! What needs the controllers `memory` or `pids` is checked where they are to be had; on a machine
//! whose controllers all serve version 1, that is in `scripts/sandbox-vm` only. Says so when it is left
//! out.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use adit_sandbox::{
    ControlGroups, Enforcement, Exit, HostRoot, LimitHit, Limits, Program, Sandbox,
};

/// A folder of control groups for one test, or nothing where this user may make none.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Option<Self> {
        // As an ordinary user, groups must stay below the one that was left to that user.
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
        let mount = mounts.lines().find(|line| line.contains(" - cgroup2 "))?;
        let own = fs::read_to_string("/proc/self/cgroup").unwrap();
        let own = own.lines().find_map(|line| line.strip_prefix("0::/"))?;
        let own = Path::new(mount.split(' ').nth(4)?).join(own);
        let above = if own.ends_with("adit-main") {
            own.parent()?
        } else {
            &own
        };
        for controller in ["+memory", "+pids"] {
            // Where it is not to be had, there is less to check.
            let _ = fs::write(above.join("cgroup.subtree_control"), controller);
        }
        let folder = above.join(format!("adit-test-{name}-{}", std::process::id()));
        if let Err(error) = fs::create_dir(&folder) {
            told(&format!("no control groups for this user: {error}"));
            return None;
        }
        Some(Self(folder))
    }

    fn sandbox(&self) -> Sandbox {
        let groups = ControlGroups::Below(self.0.clone());
        Sandbox::with_groups(HostRoot::system(), groups).unwrap()
    }

    /// Groups of stages and runs, by their path below the folder.
    fn groups(&self) -> Vec<PathBuf> {
        let folders = |path: &Path| -> Vec<PathBuf> {
            let entries = fs::read_dir(path).into_iter().flatten().flatten();
            let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
            folders.map(|entry| entry.path()).collect()
        };
        let stages = folders(&self.0);
        let runs = stages.iter().flat_map(|stage| folders(stage));
        runs.chain(stages.clone()).collect()
    }

    async fn settled(&self, count: usize) {
        for _ in 0..500 {
            if self.groups().len() == count {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("groups are left: {:?}", self.groups());
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        for group in self.groups() {
            let _ = fs::remove_dir(group);
        }
        fs::remove_dir(&self.0).unwrap();
    }
}

fn told(what: &str) {
    eprintln!("left out: {what}");
}

async fn enforced(sandbox: &Sandbox) -> Enforcement {
    sandbox.check().await.unwrap()
}

fn python(script: &str) -> Program {
    Program::new("/usr/bin/python3").arguments(["-I", "-c", script])
}

#[tokio::test]
async fn a_run_lives_in_a_group_of_its_own_and_takes_it_along() {
    let Some(place) = Place::new("own") else {
        return;
    };
    let sandbox = place.sandbox();
    assert!(enforced(&sandbox).await.group.is_some());
    place.settled(1).await;
    let limits = Limits::tight();
    let program = || {
        python("import os, time; os.fork(); os.setsid() if os.getpid() > 2 else 0; time.sleep(60)")
    };
    let long = Limits {
        wall: Duration::from_secs(60),
        ..limits
    };
    let (first, second) = (sandbox.run(program(), long), sandbox.run(program(), long));
    let both = async {
        let _ = tokio::time::timeout(Duration::from_secs(40), async {
            tokio::join!(first, second)
        })
        .await;
    };
    let looked = async {
        // The first process of the sandbox, the program and its child, in each.
        for _ in 0..1000 {
            let runs = place.groups();
            let living: Vec<usize> = runs
                .iter()
                .filter_map(|group| fs::read_to_string(group.join("cgroup.procs")).ok())
                .map(|processes| processes.lines().count())
                .filter(|count| *count > 0)
                .collect();
            if living == [3, 3] {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("not as expected: {:?}", place.groups());
    };
    tokio::select! {
        () = both => panic!("they ended"),
        () = looked => {}
    }
    // Both futures are dropped; the stage's own group is left.
    place.settled(1).await;
    drop(sandbox);
    assert_eq!(place.groups(), Vec::<PathBuf>::new());
}

#[tokio::test]
async fn the_last_runs_groups_are_gone_with_the_sandbox() {
    let Some(place) = Place::new("last") else {
        return;
    };
    let sandbox = place.sandbox();
    let run = sandbox.run(python("import time; time.sleep(60)"), Limits::tight());
    assert!(
        tokio::time::timeout(Duration::from_millis(300), run)
            .await
            .is_err()
    );
    drop(sandbox);
    assert_eq!(place.groups(), Vec::<PathBuf>::new());
}

#[tokio::test]
async fn what_a_killed_stage_left_is_taken_away_and_what_is_in_use_is_not() {
    let Some(place) = Place::new("left") else {
        return;
    };
    let left = place.0.join("adit-sandbox-1/7");
    fs::create_dir_all(&left).unwrap();
    let others = place.0.join("others");
    fs::create_dir(&others).unwrap();
    let first = place.sandbox();
    assert!(enforced(&first).await.group.is_some());
    assert!(!left.exists() && !left.parent().unwrap().exists());
    let second = place.sandbox();
    assert!(enforced(&second).await.group.is_some());
    place.settled(3).await;
    assert!(
        enforced(&first).await.group.is_some(),
        "its group is still there"
    );
    assert!(others.exists());
}

#[tokio::test]
async fn cpu_time_of_the_shortest_lives_is_counted() {
    let Some(place) = Place::new("cpu") else {
        return;
    };
    // Grandchildren that nobody waits for, each gone before processes would be counted up.
    let script = "
import os, signal, time
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
for _ in range(400):
    child = os.fork()
    if child == 0:
        end = time.process_time() + 0.005
        while time.process_time() < end: pass
        os._exit(0)
    try: os.waitpid(child, 0)
    except ChildProcessError: pass
print('BREACH')
";
    let limits = Limits {
        cpu: Duration::from_secs(1),
        wall: Duration::from_secs(60),
        ..Limits::tight()
    };
    let outcome = place.sandbox().run(python(script), limits).await.unwrap();
    assert_eq!(outcome.limit, Some(LimitHit::Cpu), "{outcome:?}");
    assert!(outcome.cpu >= limits.cpu && !outcome.stdout.text().contains("BREACH"));
}

#[tokio::test]
async fn the_kernel_ends_a_run_whose_processes_take_too_much_together() {
    let Some(place) = Place::new("memory") else {
        return;
    };
    let sandbox = place.sandbox();
    if !enforced(&sandbox)
        .await
        .group
        .is_some_and(|group| group.memory)
    {
        return told("the controller `memory` is not in this machine's cgroup v2");
    }
    // Far below what one process may map; all at once, faster than anybody could look.
    let bomb = "
import os, mmap
for _ in range(4): os.fork()
area = mmap.mmap(-1, 100 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
for page in range(0, 100 << 20, 4096): area[page] = 1
print('BREACH', flush=True)
import time; time.sleep(30)
";
    // Memory that no process holds: in the scratch, and in sockets' buffers.
    let limits = Limits {
        wall: Duration::from_secs(60),
        cpu: Duration::from_secs(60),
        ..Limits::tight()
    };
    let outcome = sandbox.run(python(bomb), limits).await.unwrap();
    assert_eq!(outcome.limit, Some(LimitHit::Memory), "{outcome:?}");
    assert_eq!(outcome.exit, Exit::Signal(libc::SIGKILL));
    assert!(
        outcome.peak_memory <= limits.memory + limits.scratch + (4 << 20),
        "{outcome:?}"
    );
    // Shared memory is charged to the group whoever maps it.
    let shared = "
import mmap, os, time
areas = []
for _ in range(6):
    if os.fork() == 0:
        area = mmap.mmap(-1, 60 << 20)
        for page in range(0, 60 << 20, 4096): area[page] = 1
        time.sleep(30)
        os._exit(0)
time.sleep(30)
print('BREACH')
";
    let outcome = sandbox.run(python(shared), limits).await.unwrap();
    assert_eq!(outcome.limit, Some(LimitHit::Memory), "{outcome:?}");
    // The next run is as good as the first, also with little.
    let little = Limits {
        memory: 8 << 20,
        scratch: 1 << 20,
        ..limits
    };
    let outcome = sandbox
        .run(Program::new("/bin/true"), little)
        .await
        .unwrap();
    assert!(outcome.success(), "{outcome:?}");
    place.settled(1).await;
}

#[tokio::test]
async fn a_program_that_fails_for_want_of_processes_is_told_so() {
    let Some(place) = Place::new("pids") else {
        return;
    };
    let sandbox = place.sandbox();
    if !enforced(&sandbox)
        .await
        .group
        .is_some_and(|group| group.processes)
    {
        return told("the controller `pids` is not in this machine's cgroup v2");
    }
    let script = "
import os, time
made = 0
try:
    while True:
        if os.fork() == 0:
            time.sleep(30)
            os._exit(0)
        made += 1
except OSError:
    print(made, flush=True)
    raise
";
    let outcome = sandbox.run(python(script), Limits::tight()).await.unwrap();
    assert_eq!(outcome.limit, Some(LimitHit::Processes), "{outcome:?}");
    let made: u32 = outcome.stdout.text().trim().parse().unwrap();
    assert_eq!(made, Limits::tight().processes - 1);
    // One that can do with fewer has done nothing wrong.
    let outcome = sandbox
        .run(python(&script.replace("    raise\n", "")), Limits::tight())
        .await
        .unwrap();
    assert!(outcome.success(), "{outcome:?}");
}

#[tokio::test]
async fn without_groups_the_table_says_so() {
    let sandbox = Sandbox::with_groups(HostRoot::system(), ControlGroups::Nowhere).unwrap();
    let told = enforced(&sandbox).await;
    assert_eq!(told.group, None);
    assert!(told.to_string().contains("Delegate=yes"), "{told}");
    let Some(place) = Place::new("table") else {
        return;
    };
    let told = enforced(&place.sandbox()).await;
    assert!(
        told.group.is_some() && told.to_string().contains("one for each run"),
        "{told}"
    );
}
