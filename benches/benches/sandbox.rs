//! Starting a program in the sandbox, beside a bare start, bubblewrap with the same namespaces, and
//! runc; a case in a warm Python interpreter beside `python3 -c pass`.
//!
//! `cargo bench -p adit-benches --features sandbox --bench sandbox`. What is not installed, or does not run here, is left
//! out. The medians of one run are printed with their ratios; the runs alternate, so that a busy
//! machine is as busy for all. With `ADIT_SANDBOX_RUNS=10000`, the leak test of the crate runs as long
//! as the acceptance asks.

#![expect(
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a bench fails by panicking and reports to its terminal"
)]

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use adit_sandbox::{Limits, Program, PythonCase, PythonPool, PythonProgram, Sandbox};
use tokio::runtime::Runtime;

/// Starts of each kind.
const ROUNDS: usize = 100;

/// No arguments.
const NOTHING: &[&str] = &[];

/// What is started, and how.
type Kind<'a> = (&'static str, Box<dyn FnMut() + 'a>);

fn main() {
    let runtime = Runtime::new().expect("a runtime");
    let sandbox = {
        let _entered = runtime.enter();
        Sandbox::new().expect("a sandbox")
    };
    let bundle = tempfile::tempdir().expect("a folder");
    write_bundle(bundle.path());
    let folder = bundle.path().to_string_lossy().into_owned();
    let mut kinds: Vec<Kind<'_>> = vec![
        ("bare /bin/true", Box::new(|| start("/bin/true", NOTHING))),
        (
            "sandbox",
            Box::new(|| {
                let run = sandbox.run(Program::new("/bin/true"), Limits::tight());
                assert!(runtime.block_on(run).expect("a run").success());
            }),
        ),
    ];
    if works("bwrap", BUBBLEWRAP) {
        kinds.push(("bubblewrap", Box::new(|| start("bwrap", BUBBLEWRAP))));
    }
    for tool in ["runc", "crun"] {
        // Some do not run on some arrangements of control groups.
        let name = format!("adit-bench-{tool}");
        // crun refuses machines with both versions of control groups unless it is to make none.
        let ways: [&[&str]; 2] = [&["run"], &["--cgroup-manager=disabled", "run"]];
        let with = |way: &[&str], name: &str| -> Vec<String> {
            let more = ["--bundle", &folder, name];
            way.iter()
                .chain(&more)
                .map(|word| (*word).to_owned())
                .collect()
        };
        let Some(way) = ways.into_iter().find(|way| works(tool, &with(way, &name))) else {
            continue;
        };
        let mut number = 0;
        kinds.push((
            tool,
            Box::new(move || {
                number += 1;
                start(tool, &with(way, &format!("adit-bench-{tool}-{number}")));
            }),
        ));
    }
    let medians = measure(&mut kinds);
    let of = |name: &str| {
        medians
            .iter()
            .find(|(kind, _)| *kind == name)
            .map(|found| found.1)
    };
    let ours = of("sandbox").expect("it was measured").as_secs_f64();
    for (kind, median) in &medians {
        eprintln!(
            "{kind:<20} {median:>10.2?}  {:>6.2} x the sandbox",
            median.as_secs_f64() / ours
        );
    }
    drop(kinds);
    python(&runtime, &sandbox);
    together(&runtime, &sandbox);
}

/// The namespaces and mounts of the sandbox.
const BUBBLEWRAP: &[&str] = &[
    "--unshare-all",
    "--unshare-user",
    "--uid",
    "1000",
    "--gid",
    "1000",
    "--ro-bind",
    "/usr/bin",
    "/usr/bin",
    "--ro-bind",
    "/usr/lib",
    "/usr/lib",
    "--ro-bind",
    "/usr/lib64",
    "/usr/lib64",
    "--ro-bind",
    "/usr/local/bin",
    "/usr/local/bin",
    "--ro-bind",
    "/usr/local/lib",
    "/usr/local/lib",
    "--symlink",
    "usr/bin",
    "/bin",
    "--symlink",
    "usr/lib",
    "/lib",
    "--symlink",
    "usr/lib64",
    "/lib64",
    "--tmpfs",
    "/tmp",
    "--tmpfs",
    "/work",
    "--chdir",
    "/work",
    "--clearenv",
    "--hostname",
    "sandbox",
    "--cap-drop",
    "ALL",
    "--new-session",
    "--die-with-parent",
    "/bin/true",
];

fn works<A: AsRef<std::ffi::OsStr>>(program: &str, arguments: &[A]) -> bool {
    let ended = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output();
    ended.is_ok_and(|ended| ended.status.success())
}

fn start<A: AsRef<std::ffi::OsStr>>(program: &str, arguments: &[A]) {
    let status = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status();
    assert!(status.expect("it starts").success(), "{program} failed");
}

/// An OCI bundle with the same mounts and namespaces.
fn write_bundle(folder: &Path) {
    let root = folder.join("rootfs");
    for place in [
        "usr/bin",
        "usr/lib",
        "usr/lib64",
        "proc",
        "dev",
        "tmp",
        "work",
    ] {
        fs::create_dir_all(root.join(place)).expect("a folder");
    }
    for place in ["bin", "lib", "lib64"] {
        std::os::unix::fs::symlink(format!("usr/{place}"), root.join(place)).expect("a link");
    }
    let bind = |place: &str| {
        serde_json::json!({
            "destination": place, "source": place, "type": "bind", "options": ["rbind", "ro", "nosuid", "nodev"]
        })
    };
    let tmpfs = |place: &str| serde_json::json!({ "destination": place, "type": "tmpfs", "source": "tmpfs", "options": ["size=16m"] });
    let spaces = ["pid", "network", "ipc", "uts", "mount", "cgroup"];
    let bundle = serde_json::json!({
        "ociVersion": "1.0.2",
        "process": {
            "user": { "uid": 1000, "gid": 1000 }, "args": ["/bin/true"], "cwd": "/work",
            "env": ["PATH=/usr/bin"], "noNewPrivileges": true,
            "rlimits": [{ "type": "RLIMIT_NOFILE", "hard": 64, "soft": 64 }]
        },
        "root": { "path": "rootfs", "readonly": true },
        "mounts": [bind("/usr/bin"), bind("/usr/lib"), bind("/usr/lib64"), tmpfs("/tmp"), tmpfs("/work"),
            { "destination": "/proc", "type": "proc", "source": "proc" }],
        "linux": { "namespaces": spaces.map(|space| serde_json::json!({ "type": space })) }
    });
    fs::write(folder.join("config.json"), bundle.to_string()).expect("a bundle");
}

fn measure(kinds: &mut [Kind<'_>]) -> Vec<(&'static str, Duration)> {
    let mut times = vec![Vec::new(); kinds.len()];
    for round in 0..ROUNDS + 5 {
        for ((_, run), times) in kinds.iter_mut().zip(&mut times) {
            let started = Instant::now();
            run();
            if round >= 5 {
                times.push(started.elapsed());
            }
        }
    }
    let medians = times.into_iter().map(median);
    kinds.iter().map(|(kind, _)| *kind).zip(medians).collect()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn python(runtime: &Runtime, sandbox: &Sandbox) {
    let _entered = runtime.enter();
    let pool = PythonPool::new(sandbox.clone(), Limits::tight(), 1).expect("an interpreter");
    runtime
        .block_on(pool.warm_up())
        .expect("a warm interpreter");
    let case = PythonCase {
        input: serde_json::json!("[20, 22]"),
        timeout: Duration::from_secs(2),
    };
    let program = PythonProgram {
        source: "def solve(a, b): return a + b".to_owned(),
        function: "solve".to_owned(),
        cases: vec![case; ROUNDS],
    };
    let outcomes = runtime.block_on(pool.run(&program)).expect("outcomes");
    assert!(
        outcomes
            .iter()
            .all(|outcome| outcome.result == Ok(42.into()))
    );
    // The first also pays for handing the submission over.
    let warm = median(
        outcomes
            .iter()
            .skip(1)
            .map(|outcome| outcome.wall)
            .collect(),
    );
    let times = (0..ROUNDS).map(|_| {
        let started = Instant::now();
        start("/usr/bin/python3", &["-c", "pass"]);
        started.elapsed()
    });
    let bare = median(times.collect());
    let ratio = bare.as_secs_f64() / warm.as_secs_f64();
    eprintln!("warm Python case {warm:.2?}, python3 -c pass {bare:.2?}: {ratio:.1} x");
}

fn together(runtime: &Runtime, sandbox: &Sandbox) {
    let started = Instant::now();
    runtime.block_on(async {
        for _ in 0..10 {
            let mut runs = tokio::task::JoinSet::new();
            for _ in 0..64 {
                let sandbox = sandbox.clone();
                runs.spawn(async move {
                    let run = sandbox.run(Program::new("/bin/true"), Limits::tight());
                    assert!(run.await.expect("a run").success());
                });
            }
            while let Some(ended) = runs.join_next().await {
                ended.expect("it did not panic");
            }
        }
    });
    eprintln!("64 at once: {:.2?} each", started.elapsed() / 640);
}
