//! Outliving the run, and spoiling what comes after.

use std::{fs, time::Duration};

use adit_sandbox::{Exit, Limits};

use super::{Twin, contained, inside, outside_in, program};

/// Processes of the host with this word among their arguments.
fn alive(word: &str) -> usize {
    fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter_map(|entry| fs::read(entry.path().join("cmdline")).ok())
        .filter(|line| line.windows(word.len()).any(|part| part == word.as_bytes()))
        .count()
}

#[tokio::test]
async fn a_daemon_does_not_outlive_its_run() {
    let script = "
import os, sys, time
print('RUNNING', flush=True)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for number in range(3): os.close(number)
        time.sleep(4)
    os._exit(0)
os.wait()
";
    let word = format!("outliving-{}", std::process::id());
    let folder = tempfile::tempdir().unwrap();
    let told = outside_in(folder.path(), script, &[&word]);
    assert!(told.contains("RUNNING"));
    assert_eq!(alive(&word), 1, "the attack is broken");
    let word = format!("{word}-inside");
    let outcome = inside(program(script, &[&word]), Limits::tight()).await;
    assert_eq!(outcome.exit, Exit::Code(0), "{}", outcome.stderr.text());
    assert_eq!(alive(&word), 0);
}

#[tokio::test]
async fn dropping_the_future_kills_every_process() {
    let script = "
import os, time
for _ in range(3): os.fork()
os.setsid() if os.getpid() != os.getsid(0) else None
time.sleep(30)
";
    let word = format!("dropped-{}", std::process::id());
    let sandbox = super::sandbox();
    let limits = Limits {
        wall: Duration::from_secs(30),
        ..Limits::tight()
    };
    let run = sandbox.run(program(script, &[&word]), limits);
    let ended = tokio::time::timeout(Duration::from_secs(2), run).await;
    assert!(ended.is_err(), "it was still running");
    let mut left = alive(&word);
    for _ in 0..200 {
        if left == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        left = alive(&word);
    }
    assert_eq!(left, 0);
}

#[tokio::test]
async fn a_crash_of_the_interpreter_is_an_outcome() {
    let script = "
import ctypes
print('RUNNING', flush=True)
ctypes.string_at(0)
print('BREACH')
";
    let sandbox = super::sandbox();
    let outcome = sandbox
        .run(program(script, &[]), Limits::tight())
        .await
        .unwrap();
    assert_eq!(
        outcome.exit,
        Exit::Signal(libc::SIGSEGV),
        "{}",
        outcome.stderr.text()
    );
    let outcome = sandbox
        .run(program("print(1)", &[]), Limits::tight())
        .await
        .unwrap();
    assert_eq!(outcome.stdout.text(), "1\n");
}

#[tokio::test]
async fn hostile_names_and_modes_do_not_break_the_reader() {
    let script = "
import os
print('RUNNING', flush=True)
open('line\\nbreak', 'w').write('a')
open(b'\\xff\\xfe', 'w').write('b')
open('-rf', 'w').write('c')
os.mkdir('closed')
open('closed/file', 'w').write('d')
os.chmod('closed', 0)
here = os.getcwd()
for _ in range(200):
    os.mkdir('deep')
    os.chdir('deep')
open('bottom', 'w').close()
os.chdir(here)
if os.path.exists('line\\nbreak'): print('BREACH')
";
    let folder = tempfile::tempdir().unwrap();
    let told = outside_in(folder.path(), script, &[]);
    assert!(told.contains("BREACH"), "{told}");
    let outcome = inside(program(script, &[]), Limits::tight()).await;
    assert!(outcome.success(), "{}", outcome.stderr.text());
    let files = outcome.scratch.files(1000);
    // As an ordinary user, what is closed stays closed.
    assert!(files.len() >= 3 && files.len() <= 4, "{files:?}");
    assert_eq!(outcome.scratch.read("line\nbreak", 9).unwrap(), b"a");
    assert_eq!(outcome.scratch.files(2).len(), 2);
    let _ = fs::set_permissions(
        folder.path().join("closed"),
        std::os::unix::fs::PermissionsExt::from_mode(0o700),
    );
}

#[tokio::test]
async fn a_sparse_file_is_not_read_into_memory() {
    let script = "
print('RUNNING', flush=True)
with open('sparse', 'wb') as file: file.truncate(16 << 20)
";
    let outcome = inside(program(script, &[]), Limits::tight()).await;
    let files = outcome.scratch.files(9);
    assert_eq!(files[0].bytes, 16 << 20);
    assert!(outcome.scratch.read("sparse", 1 << 20).is_err());
}

#[tokio::test]
async fn a_fifo_cannot_be_made_to_hang_the_reader() {
    let script = "
import os
print('RUNNING', flush=True)
os.mkfifo('pipe')
print('BREACH')
";
    contained(Twin::Anyone, script, &[]).await;
}
