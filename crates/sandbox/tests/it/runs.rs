//! What an ordinary program finds and leaves.

use adit_sandbox::{Error, Exit, LimitHit, Limits, Program, Sandbox};

fn shell(script: &str) -> Program {
    Program::new("/bin/sh").arguments(["-c", script])
}

#[tokio::test]
async fn a_program_reads_writes_and_ends() {
    let sandbox = Sandbox::new().unwrap();
    let program = shell(
        "cat; echo complaint >&2; echo left > file; mkdir -p a/b; echo deep > a/b/c; pwd; exit 3",
    );
    let outcome = sandbox
        .run(program.stdin("in\n"), Limits::tight())
        .await
        .unwrap();
    assert_eq!(outcome.exit, Exit::Code(3));
    assert_eq!(outcome.limit, None);
    assert_eq!(outcome.stdout.text(), "in\n/work\n");
    assert_eq!(outcome.stderr.text(), "complaint\n");
    let files: Vec<_> = outcome
        .scratch
        .files(10)
        .into_iter()
        .map(|file| (file.path.display().to_string(), file.bytes))
        .collect();
    assert_eq!(files, [("a/b/c".to_owned(), 5), ("file".to_owned(), 5)]);
    assert_eq!(outcome.scratch.read("file", 5).unwrap(), b"left\n");
    assert!(outcome.scratch.read("file", 4).is_err());
    assert!(outcome.peak_memory > 0 && !outcome.wall.is_zero());
}

#[tokio::test]
async fn signals_are_told_from_codes() {
    let sandbox = Sandbox::new().unwrap();
    let outcome = sandbox
        .run(shell("kill -SEGV $$"), Limits::tight())
        .await
        .unwrap();
    assert_eq!((outcome.exit, outcome.limit), (Exit::Signal(11), None));
}

#[tokio::test]
async fn what_cannot_run_is_a_typed_error() {
    let sandbox = Sandbox::new().unwrap();
    let missing = sandbox
        .run(Program::new("/bin/no-such"), Limits::tight())
        .await;
    assert!(matches!(missing, Err(Error::SetUp { .. })), "{missing:?}");
    let input = shell("true").input("a", "/no/such/file");
    let missing = sandbox.run(input, Limits::tight()).await;
    assert!(matches!(missing, Err(Error::SetUp { .. })), "{missing:?}");
}

#[tokio::test]
async fn too_much_output_is_cut_and_ends_the_program() {
    let sandbox = Sandbox::new().unwrap();
    let outcome = sandbox.run(shell("yes"), Limits::tight()).await.unwrap();
    assert_eq!(outcome.limit, Some(LimitHit::Output));
    assert!(outcome.stdout.cut);
    assert_eq!(outcome.stdout.bytes.len(), 1 << 20);
}

#[tokio::test]
async fn a_machine_says_what_it_enforces() {
    let sandbox = Sandbox::new().unwrap();
    let enforced = sandbox.check().await.unwrap();
    let told = enforced.to_string();
    assert!(
        told.contains("seccomp") && told.contains(&enforced.kernel),
        "{told}"
    );
    assert_eq!(enforced.privileged, rustix::process::geteuid().is_root());
}
