//! Using more than one's share.

use std::time::Duration;

use adit_sandbox::{Exit, LimitHit, Limits};

use super::{Twin, contained, contained_within, inside, is_root, outside, program};

const MIB: u64 = 1 << 20;

#[tokio::test]
async fn a_fork_bomb_stops_at_the_limit() {
    let script = "
import os, signal, time
print('RUNNING', flush=True)
children = []
try:
    for _ in range(100):
        child = os.fork()
        if child == 0:
            time.sleep(60)
            os._exit(0)
        children.append(child)
    print('BREACH')
finally:
    print(len(children), flush=True)
    for child in children: os.kill(child, signal.SIGKILL)
";
    let outcome = contained(Twin::Anyone, script, &[]).await;
    let told = outcome.stdout.text();
    let made: u32 = told.trim().rsplit('\n').next().unwrap().parse().unwrap();
    assert_eq!(made, Limits::tight().processes - 1, "{told}");
}

#[tokio::test]
async fn a_real_fork_bomb_ends_with_the_run() {
    // Not run outside.
    let script = "
import os
print('RUNNING', flush=True)
while True:
    try: os.fork()
    except OSError: pass
";
    let limits = Limits {
        wall: Duration::from_secs(2),
        ..Limits::tight()
    };
    let outcome = inside(program(script, &[]), limits).await;
    assert!(
        matches!(
            outcome.limit,
            Some(LimitHit::Wall | LimitHit::Cpu | LimitHit::Memory | LimitHit::Output)
        ),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn a_thread_bomb_stops_at_the_limit() {
    let script = "
import threading, time, os
print('RUNNING', flush=True)
threading.stack_size(65536)
made = 0
try:
    for _ in range(100):
        threading.Thread(target=time.sleep, args=(1,), daemon=True).start()
        made += 1
    print('BREACH')
except RuntimeError: pass
print(made, flush=True)
os._exit(0)
";
    let outcome = contained(Twin::Anyone, script, &[]).await;
    let told = outcome.stdout.text();
    let made: u32 = told.trim().rsplit('\n').next().unwrap().parse().unwrap();
    assert_eq!(made, Limits::tight().processes - 1, "{told}");
}

#[tokio::test]
async fn memory_is_bounded_in_one_process() {
    let script = "
print('RUNNING', flush=True)
block = bytearray(400 << 20)
print('BREACH')
";
    contained(Twin::Anyone, script, &[]).await;
    let mapped = "
import mmap
print('RUNNING', flush=True)
area = mmap.mmap(-1, 400 << 20)
for page in range(0, 400 << 20, 4096): area[page] = 1
print('BREACH')
";
    contained(Twin::Anyone, mapped, &[]).await;
}

#[tokio::test]
async fn memory_is_bounded_in_all_processes_together() {
    let script = "
import os, time, signal
print('RUNNING', flush=True)
ready, write = os.pipe()
children = []
for _ in range(5):
    child = os.fork()
    if child == 0:
        block = os.urandom(1 << 20) * 100
        os.write(write, b'x')
        time.sleep(60)
        os._exit(0)
    children.append(child)
for _ in range(5): os.read(ready, 1)
time.sleep(2.5)
print('BREACH', flush=True)
for child in children: os.kill(child, signal.SIGKILL)
";
    let outcome = contained(Twin::Anyone, script, &[]).await;
    assert_eq!(outcome.limit, Some(LimitHit::Memory), "{outcome:?}");
}

#[tokio::test]
async fn what_processes_share_is_counted_once() {
    // Sixteen times 40 MiB would be over the limit.
    let script = "
import os, time
block = os.urandom(1 << 20) * 40
children = [os.fork() for _ in range(3)]
time.sleep(0.3)
if all(children): print('SHARED', flush=True)
";
    let outcome = inside(program(script, &[]), Limits::tight()).await;
    assert!(outcome.stdout.text().contains("SHARED"), "{outcome:?}");
}

#[tokio::test]
async fn a_file_mapped_over_the_scratchs_size_ends_the_program() {
    let script = "
import mmap, os
print('RUNNING', flush=True)
file = open('mapped', 'wb+')
file.truncate(15 << 20)
other = open('other', 'wb+')
other.truncate(15 << 20)
for each in (file, other):
    area = mmap.mmap(each.fileno(), 15 << 20)
    for page in range(0, 15 << 20, 4096): area[page] = 1
print('BREACH')
";
    let outcome = contained(Twin::Anyone, script, &[]).await;
    assert_eq!(outcome.exit, Exit::Signal(libc::SIGBUS));
}

#[tokio::test]
async fn the_disk_cannot_be_filled() {
    let bytes = "
import os
print('RUNNING', flush=True)
for number in range(40):
    with open(f'{number}', 'wb') as file: file.write(bytes(1 << 20))
print('BREACH')
";
    contained(Twin::Anyone, bytes, &[]).await;
    let temporary = bytes.replace("f'{number}'", "f'/tmp/adit-sandbox-fill-{number}'").replace(
        "print('BREACH')",
        "print('BREACH'); [os.unlink(f'/tmp/adit-sandbox-fill-{number}') for number in range(40)]",
    );
    contained(Twin::Anyone, &temporary, &[]).await;
    let files = "
print('RUNNING', flush=True)
for number in range(2000): open(f'{number}', 'w').close()
print('BREACH')
";
    contained(Twin::Anyone, files, &[]).await;
    let sparse = "
print('RUNNING', flush=True)
with open('sparse', 'wb') as file: file.truncate(1 << 40)
print('BREACH')
";
    contained(Twin::Anyone, sparse, &[]).await;
}

#[tokio::test]
async fn a_file_is_bounded_by_its_own_limit() {
    let script = "
import signal
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
print('RUNNING', flush=True)
with open('large', 'wb', 0) as file:
    for _ in range(12): file.write(bytes(1 << 20))
print('BREACH')
";
    let limits = Limits {
        file_size: 4 * MIB,
        ..Limits::tight()
    };
    let outcome = contained_within(limits, Twin::Anyone, script, &[]).await;
    assert_eq!(outcome.limit, Some(LimitHit::FileSize), "{outcome:?}");
}

#[tokio::test]
async fn open_files_are_bounded() {
    let script = "
print('RUNNING', flush=True)
files = [open('/dev/null') for _ in range(200)]
print('BREACH')
";
    contained(Twin::Anyone, script, &[]).await;
}

#[tokio::test]
async fn spinning_ends_with_the_cpu_time() {
    let script = "
import time
print('RUNNING', flush=True)
while time.process_time() < 3: pass
print('BREACH')
";
    let limits = Limits {
        cpu: Duration::from_secs(1),
        wall: Duration::from_secs(60),
        ..Limits::tight()
    };
    let outcome = contained_within(limits, Twin::Anyone, script, &[]).await;
    assert_eq!(outcome.limit, Some(LimitHit::Cpu));
    // The kernel's limit counts in ticks, and its account exactly; on a busy machine they differ.
    assert!(outcome.cpu >= Duration::from_millis(500), "{outcome:?}");
}

#[tokio::test]
async fn spinning_in_turns_ends_with_the_cpu_time_of_all() {
    // No process reaches the limit alone.
    let script = "
import os, time
print('RUNNING', flush=True)
for _ in range(8):
    child = os.fork()
    if child == 0:
        while time.process_time() < 0.6: pass
        os._exit(0)
    os.waitpid(child, 0)
print('BREACH')
";
    // Nor are their accounts handed on when nobody waits for them.
    let unseen = script
        .replace(
            "import os, time",
            "import os, signal, time; signal.signal(signal.SIGCHLD, signal.SIG_IGN)\ndef alive(child):\n    try: os.kill(child, 0)\n    except OSError: return False\n    return True",
        )
        .replace("    os.waitpid(child, 0)", "    while alive(child): time.sleep(0.01)");
    let limits = Limits {
        cpu: Duration::from_secs(2),
        wall: Duration::from_secs(60),
        ..Limits::tight()
    };
    for script in [script, &unseen] {
        let outcome = contained_within(limits, Twin::Anyone, script, &[]).await;
        assert_eq!(outcome.limit, Some(LimitHit::Cpu), "{outcome:?}");
    }
}

#[tokio::test]
async fn sleeping_ends_with_the_wall_time_whatever_is_ignored() {
    let script = "
import signal, time
for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
    signal.signal(number, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, signal.Signals)
print('RUNNING', flush=True)
time.sleep(3)
print('BREACH')
";
    let limits = Limits {
        wall: Duration::from_secs(1),
        ..Limits::tight()
    };
    let outcome = contained_within(limits, Twin::Anyone, script, &[]).await;
    assert_eq!(
        (outcome.exit, outcome.limit),
        (Exit::Signal(9), Some(LimitHit::Wall))
    );
}

#[tokio::test]
async fn gigabytes_of_output_are_not_kept() {
    let script = "
import os
os.write(1, b'RUNNING\\n')
os.write(2, b'complaint')
block = bytes(1 << 20)
for _ in range(4): 
    left = block
    while left: left = left[os.write(1, left):]
os.write(1, b'BREACH')
";
    let outcome = contained(Twin::Anyone, script, &[]).await;
    assert_eq!(outcome.limit, Some(LimitHit::Output), "{outcome:?}");
    assert!(outcome.stdout.cut && outcome.stdout.bytes.len() as u64 == Limits::tight().output);
    assert!(!outcome.stderr.cut);
}

#[tokio::test]
async fn the_hosts_processes_are_not_exhausted_by_many_sandboxes() {
    if !is_root() {
        return; // An ordinary user's sandboxes count towards that user, as its shells do.
    }
    let script = "
import os, time
for _ in range(12):
    if os.fork() == 0:
        time.sleep(1)
        os._exit(0)
print('ALL', flush=True)
time.sleep(1)
";
    // Every one has a uid and an account of its own, so none starves another.
    let sandbox = super::sandbox();
    let run = || sandbox.run(program(script, &[]), Limits::tight());
    let (a, b, c, d) = tokio::join!(run(), run(), run(), run());
    for outcome in [a, b, c, d] {
        assert_eq!(outcome.unwrap().stdout.text(), "ALL\n");
    }
    assert!(outside(script, &[]).contains("ALL"));
}

#[tokio::test]
async fn a_fork_bomb_leaves_the_host_its_processes() {
    // Every process forks on, until there are 120 or two seconds are over; then all end by themselves, so
    // that this can be run outside.
    let script = "
import mmap, os, resource, time
print('RUNNING', flush=True)
count, end = mmap.mmap(-1, 4096), time.monotonic() + 2
resource.setrlimit(resource.RLIMIT_NPROC, (4000, 4000)) if os.getuid() == 0 else None
while time.monotonic() < end:
    number = int.from_bytes(count[:2], 'little')
    if number < 120:
        try: child = os.fork()
        except OSError: child = 1
        else: count[:2] = (int.from_bytes(count[:2], 'little') + 1).to_bytes(2, 'little') if child == 0 else count[:2]
    time.sleep(0.005)
if int.from_bytes(count[:2], 'little') >= 60: os.write(1, b'BREACH')
";
    let run = contained(Twin::Anyone, script, &[]);
    let beside = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        // As ever.
        tokio::process::Command::new("/bin/true")
            .status()
            .await
            .unwrap()
    };
    let (_, beside) = tokio::join!(run, beside);
    assert!(beside.success());
}
