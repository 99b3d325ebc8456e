//! The same programs through the runtimes of containers that are installed. `scripts/test` installs
//! two; without any, only what does not need one is tested.

use std::{
    fs,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::Path,
    process::Command,
    time::Duration,
};

use adit_sandbox::{
    Error, Exit, HostRoot, LimitHit, Limits, OciKind, OciRuntime, Program, PythonCase, PythonPool,
    PythonProgram, Sandbox,
};

use crate::attacks::{inside, program};

/// Names the runtime that a second run of the suite attacks.
const RUNTIME: &str = "ADIT_SANDBOX_RUNTIME";
/// A user that no machine has by name.
const USER: u32 = 60_732;
/// Not so here: runtimes need a `/proc`, in which a program finds its own processes.
const PROC: &str = "there_is_neither_proc_nor_sys";
/// Asks for a number other than 0, which an ordinary user's program has not; what it could do with it
/// is [`root_of_a_user_namespace_is_root_of_nothing`].
const ROOT: &str = "nobody_else_can_be_become";

/// The runtime that this process was started to attack.
#[expect(
    clippy::disallowed_methods,
    reason = "set by the first run of the suite"
)]
pub(crate) fn asked_for() -> Option<OciRuntime> {
    let name = std::env::var(RUNTIME).ok()?;
    let kind = OciKind::ALL.into_iter().find(|kind| kind.name() == name);
    Some(OciRuntime::named(kind.unwrap()).unwrap())
}

/// The runtimes that start programs on this kernel; gVisor, which has one of its own, is apart.
fn installed() -> Vec<OciRuntime> {
    [OciKind::Runc, OciKind::Crun]
        .into_iter()
        .filter_map(|kind| OciRuntime::named(kind).ok())
        .collect()
}

/// Those and gVisor.
fn all_installed() -> Vec<OciRuntime> {
    let gvisor = OciRuntime::named(OciKind::Runsc).ok();
    installed().into_iter().chain(gvisor).collect()
}

/// Attacks that gVisor answers in another way. Its own kernel makes more devices, has no limit on
/// processes, is not told apart from the program by signals, and shows its own `/proc`; the test of
/// all files finds its `/tmp` at a place of its own; and its group is gone before it can be read.
const OF_GVISOR: [&str; 7] = [
    PROC,
    "there_are_no_devices_to_open",
    "bomb_stops_at_the_limit",
    "the_hosts_processes_are_not_exhausted_by_many_sandboxes",
    "the_first_process_of_the_sandbox_cannot_be_harmed",
    "nothing_outside_scratch_can_be_written",
    "memory_is_bounded_in_all_processes_together",
];

fn through(runtime: &OciRuntime) -> Sandbox {
    Sandbox::with_runtime(HostRoot::system(), runtime.clone()).unwrap()
}

fn shell(script: &str) -> Program {
    Program::new("/bin/sh").arguments(["-c", script])
}

#[tokio::test]
async fn a_program_reads_writes_and_ends() {
    for runtime in all_installed() {
        let script = "cat; echo complaint >&2; echo left > file; mkdir -p a/b; echo deep > a/b/c; pwd; \
             cat /in/given; echo $NAMED; exit 3";
        let given = tempfile::NamedTempFile::new().unwrap();
        fs::write(&given, "given\n").unwrap();
        fs::set_permissions(&given, fs::Permissions::from_mode(0o644)).unwrap();
        let program = shell(script)
            .stdin("in\n")
            .variable("NAMED", "variable")
            .input("given", given.path());
        let outcome = through(&runtime).run(program, Limits::tight()).await;
        let outcome = outcome.unwrap();
        assert_eq!(outcome.stdout.text(), "in\n/work\ngiven\nvariable\n");
        assert_eq!(outcome.stderr.text(), "complaint\n");
        assert_eq!((outcome.exit, outcome.limit), (Exit::Code(3), None));
        assert_eq!(outcome.scratch.read("file", 5).unwrap(), b"left\n");
        assert_eq!(outcome.scratch.read("a/b/c", 5).unwrap(), b"deep\n");
        assert_eq!(outcome.scratch.files(9).len(), 2);
        assert!(outcome.peak_memory > 0 && !outcome.wall.is_zero());
    }
}

#[tokio::test]
async fn signals_are_told_from_codes() {
    for runtime in all_installed() {
        let sandbox = through(&runtime);
        for (script, exit) in [
            ("ulimit -c 0; kill -SEGV $$", Exit::Signal(11)),
            ("exit 139", Exit::Code(139)),
            ("exit 0", Exit::Code(0)),
        ] {
            if runtime.kind() == OciKind::Runsc && exit == Exit::Code(139) {
                continue; // It tells both alike.
            }
            let outcome = sandbox.run(shell(script), Limits::tight()).await.unwrap();
            assert_eq!((outcome.exit, outcome.limit), (exit, None), "{runtime:?}");
        }
    }
}

#[tokio::test]
async fn what_cannot_run_is_a_typed_error() {
    for runtime in all_installed() {
        let sandbox = through(&runtime);
        let run = async |program| sandbox.run(program, Limits::tight()).await;
        let missing = run(Program::new("/bin/no-such")).await.unwrap_err();
        assert!(
            matches!(&missing, Error::Runtime { runtime: used, said, .. }
                if used == runtime.path() && said.contains("no-such")),
            "{missing}"
        );
        let missing = run(shell("true").input("a", "/no/such/file")).await;
        assert!(matches!(missing, Err(Error::SetUp { .. })), "{missing:?}");
        use std::os::unix::ffi::OsStringExt;
        let word = std::ffi::OsString::from_vec(vec![0xff]);
        let unsaid = run(shell("true").argument(word)).await;
        assert!(matches!(unsaid, Err(Error::Program { .. })), "{unsaid:?}");
        let device = runtime.clone().device("/dev/no-such");
        let device = Sandbox::with_runtime(HostRoot::system(), device).unwrap();
        let missing = device.run(shell("true"), Limits::tight()).await;
        assert!(matches!(missing, Err(Error::SetUp { .. })), "{missing:?}");
    }
}

#[tokio::test]
async fn a_runtime_that_is_none_is_told_in_its_own_words() {
    // It complains as `false` does: not at all.
    let runtime = OciRuntime::at(OciKind::Runc, "/bin/false").unwrap();
    let error = through(&runtime)
        .run(shell("true"), Limits::tight())
        .await
        .unwrap_err();
    assert!(
        matches!(&error, Error::Runtime { said, .. } if said.contains("exited with 1")),
        "{error}"
    );
}

#[tokio::test]
async fn a_listed_device_can_be_used_and_no_other() {
    for runtime in all_installed() {
        let script = "ls /dev; dd if=/dev/zero of=/dev/full count=1";
        let bare = through(&runtime).run(shell(script), Limits::tight()).await;
        let listed = runtime.clone().device("/dev/full");
        let listed = Sandbox::with_runtime(HostRoot::system(), listed).unwrap();
        let listed = listed.run(shell(script), Limits::tight()).await.unwrap();
        let told = listed.stderr.text();
        assert!(told.contains("No space left"), "{told}");
        if runtime.kind() != OciKind::Runsc {
            let bare = bare.unwrap();
            assert_eq!(bare.stdout.text(), "null\nrandom\nshm\nurandom\nzero\n");
            assert!(!bare.stderr.text().contains("No space left"));
            assert_eq!(
                listed.stdout.text(),
                "full\nnull\nrandom\nshm\nurandom\nzero\n"
            );
        }
    }
}

#[tokio::test]
async fn a_machine_says_what_it_enforces_with_a_runtime() {
    for runtime in all_installed() {
        let enforced = through(&runtime).check().await.unwrap();
        let container = enforced.container.clone().unwrap();
        assert!(
            container.runtime.contains(runtime.kind().name()),
            "{container:?}"
        );
        let told = enforced.to_string();
        assert!(
            told.contains(&container.runtime) && told.contains("control groups"),
            "{told}"
        );
    }
}

#[tokio::test]
async fn the_kernel_ends_what_outgrows_its_control_group() {
    for runtime in installed() {
        let sandbox = through(&runtime);
        let bounded = sandbox.check().await.unwrap().container.unwrap();
        if bounded.controllers.is_empty() {
            continue; // Then the totals are counted; the attacks show it.
        }
        // Faster than anybody counts: all pages are there at once.
        let script = "
import mmap, os
areas = [mmap.mmap(-1, 200 << 20, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)]
children = [os.fork() for _ in range(2)]
for area in areas: area.madvise(23)
print('BREACH')
";
        let limits = Limits {
            memory: 256 << 20,
            scratch: 1 << 20,
            ..Limits::tight()
        };
        let outcome = sandbox.run(program(script, &[]), limits).await.unwrap();
        assert_eq!(outcome.limit, Some(LimitHit::Memory), "{outcome:?}");
        assert!(outcome.peak_memory >= 200 << 20, "{outcome:?}");
    }
}

#[tokio::test]
async fn python_programs_run_through_a_runtime_too() {
    for runtime in installed() {
        let pool = PythonPool::new(through(&runtime), Limits::tight(), 1).unwrap();
        let case = |input| PythonCase {
            input,
            timeout: Duration::from_secs(5),
        };
        let square = PythonProgram {
            source: "def square(x):\n    return x * x".to_owned(),
            function: "square".to_owned(),
            cases: vec![case(3.into()), case(12.into())],
        };
        let outcomes = pool.run(&square).await.unwrap();
        let results: Vec<_> = outcomes.into_iter().map(|each| each.result).collect();
        assert_eq!(results, [Ok(9.into()), Ok(144.into())], "{runtime:?}");
    }
}

#[tokio::test]
async fn root_of_a_user_namespace_is_root_of_nothing() {
    // It has the number 0 in its user namespace, because an ordinary user can map one user only and
    // runtimes insist on a root.
    let script = "
import os, socket
print('RUNNING', flush=True)
for attempt in (lambda: os.setuid(1), lambda: os.setgroups([0]), lambda: os.chown('.', 1, 1),
                lambda: os.setreuid(1, 1), lambda: socket.sethostname('x'), lambda: os.chroot('.')):
    try:
        attempt()
        print('BREACH')
    except OSError: pass
";
    for runtime in all_installed() {
        let sandbox = through(&runtime);
        let outcome = sandbox.run(program(script, &[]), Limits::tight()).await;
        let outcome = outcome.unwrap();
        assert_eq!(outcome.stdout.text(), "RUNNING\n");
        assert!(outcome.success(), "{}", outcome.stderr.text());
    }
}

/// The attack suite in a process of its own, against this runtime, but for these attacks.
fn attacked(suite: &Path, runtime: &OciRuntime, user: Option<u32>, without: &[&str]) {
    let mut command = Command::new(suite);
    command
        .args([
            "attacks::",
            "--test-threads",
            "4",
            "--skip",
            "ordinary_user",
        ])
        .args(without.iter().flat_map(|name| ["--skip", name]))
        .env(RUNTIME, runtime.kind().name())
        .env("RUST_BACKTRACE", "0")
        .current_dir("/");
    if let Some(user) = user {
        command.uid(user).gid(user);
    }
    let ended = command.output().unwrap();
    let told = String::from_utf8_lossy(&ended.stdout);
    assert!(
        ended.status.success(),
        "{runtime:?} as {user:?}:\n{told}\n{}",
        String::from_utf8_lossy(&ended.stderr)
    );
    // It was the suite that passed, and not an empty one.
    assert!(
        told.contains("attacks::files::a_wallet_cannot_be_read ... ok"),
        "{told}"
    );
}

#[test]
fn every_attack_is_contained_by_every_runtime_as_root_and_as_an_ordinary_user() {
    if asked_for().is_some() {
        return; // This is such a run already.
    }
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let suite = folder.path().join("suite");
    fs::copy("/proc/self/exe", &suite).unwrap();
    fs::set_permissions(&suite, fs::Permissions::from_mode(0o755)).unwrap();
    let root = rustix::process::geteuid().is_root();
    for (index, runtime) in installed().iter().enumerate() {
        if root {
            // What burns CPU for seconds does so once.
            let slow: &[&str] = if index == 0 {
                &[]
            } else {
                &["bombs::spinning"]
            };
            attacked(&suite, runtime, None, &[&[PROC], slow].concat());
        }
        let user = root.then_some(USER);
        attacked(&suite, runtime, user, &[PROC, ROOT, "bombs::spinning"]);
    }
    if let Ok(gvisor) = OciRuntime::named(OciKind::Runsc) {
        let without = [&OF_GVISOR[..], &["bombs::spinning"]].concat();
        attacked(&suite, &gvisor, None, &without);
    }
}

#[tokio::test]
async fn without_a_runtime_the_error_says_what_to_install() {
    let missing = OciRuntime::at(OciKind::Runsc, "/no/such/runsc").unwrap_err();
    assert!(missing.to_string().contains("gvisor.dev"), "{missing}");
    // The native back-end needs none.
    let outcome = inside(shell("echo here"), Limits::tight()).await;
    assert_eq!(outcome.stdout.text(), "here\n");
}
