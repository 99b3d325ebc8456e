//! Calls that reach other processes or widen one's own rights.

use adit_sandbox::Limits;

use super::{Twin, contained};

/// Makes a system call by number; a result that is not negative is a breach.
fn calling(call: &str, arguments: &str) -> String {
    format!(
        "
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
buffer = ctypes.create_string_buffer(4096)
address = ctypes.addressof(buffer)
parent = int(sys.argv[1])
print('RUNNING', flush=True)
result = libc.syscall({call}, {arguments})
print(result, ctypes.get_errno())
if result >= 0: print('BREACH')
"
    )
}

async fn call(twin: Twin, number: libc::c_long, arguments: &str) {
    let script = calling(&number.to_string(), arguments);
    let pid = std::process::id().to_string();
    let outcome = contained(twin, &script, &[&pid]).await;
    // The program went on after the refusal, with the refusal in hand.
    assert!(outcome.success(), "{arguments}: {}", outcome.stderr.text());
}

#[tokio::test]
async fn the_parent_cannot_be_traced() {
    let seize = "ctypes.c_long(0x4206), ctypes.c_long(parent), ctypes.c_long(0), ctypes.c_long(0)";
    call(Twin::Root, libc::SYS_ptrace, seize).await;
    // A child of one's own neither.
    let traceme = "ctypes.c_long(0), ctypes.c_long(0), ctypes.c_long(0), ctypes.c_long(0)";
    call(Twin::Anyone, libc::SYS_ptrace, traceme).await;
}

#[tokio::test]
async fn the_parent_cannot_be_signalled() {
    call(Twin::Anyone, libc::SYS_kill, "parent, 0").await;
    call(Twin::Anyone, libc::SYS_pidfd_open, "parent, 0").await;
}

#[tokio::test]
async fn the_first_process_of_the_sandbox_cannot_be_harmed() {
    let script = "
import os, resource, sys
print('RUNNING', flush=True)
victim = int(sys.argv[1])
try:
    resource.prlimit(victim, resource.RLIMIT_CPU, (1, 1))
    print('BREACH')
except OSError: pass
for number in range(1, 65):
    try: os.kill(victim, number)
    except OSError: pass
";
    // Outside, the victim is a child of this test's own.
    let mut victim = std::process::Command::new("/bin/sleep")
        .arg("30")
        .spawn()
        .unwrap();
    let told = super::outside(script, &[&victim.id().to_string()]);
    assert!(told.contains("BREACH"), "{told}");
    assert!(!victim.wait().unwrap().success());
    let outcome = super::inside(super::program(script, &["1"]), Limits::tight()).await;
    assert_eq!(outcome.stdout.text(), "RUNNING\n");
    assert!(outcome.success(), "{outcome:?}");
}

#[tokio::test]
async fn nothing_can_be_mounted() {
    let mount = "b'none', b'/tmp', b'tmpfs', ctypes.c_long(0), None";
    // Outside in a namespace of its own, so that the host keeps its mounts.
    let script = calling(&libc::SYS_mount.to_string(), mount).replace(
        "print('RUNNING'",
        "libc.unshare(0x20000); libc.mount(None, b'/', None, 0x44000, None); print('RUNNING'",
    );
    contained(Twin::Root, &script, &["0"]).await;
    call(Twin::Root, libc::SYS_fsopen, "b'tmpfs', 0").await;
    call(
        Twin::Root,
        libc::SYS_open_tree,
        "-100, b'/', ctypes.c_long(1)",
    )
    .await;
}

#[tokio::test]
async fn no_namespace_can_be_made() {
    for flag in [
        libc::CLONE_NEWUSER,
        libc::CLONE_NEWUSER | libc::CLONE_NEWNS | libc::CLONE_NEWPID,
        libc::CLONE_NEWUSER | libc::CLONE_NEWNET,
    ] {
        call(
            Twin::Anyone,
            libc::SYS_unshare,
            &format!("ctypes.c_long({flag})"),
        )
        .await;
    }
    call(Twin::Root, libc::SYS_unshare, "ctypes.c_long(0x20000)").await;
    // By clone, and by the call whose flags no filter can see. The child of a success ends at once.
    let clone = "ctypes.c_long(0x10000011), 0, 0, 0, 0";
    call(Twin::Anyone, libc::SYS_clone, clone).await;
    let clone3 = "(buffer.__setitem__(slice(0, 8), (0x10000000).to_bytes(8, 'little')), \
                  buffer.__setitem__(slice(32, 33), bytes([17])), ctypes.c_long(address))[2], ctypes.c_long(88)";
    call(Twin::Anyone, libc::SYS_clone3, clone3).await;
}

#[tokio::test]
async fn a_chroot_is_neither_made_nor_left() {
    call(Twin::Root, libc::SYS_chroot, "b'/tmp'").await;
    let leave = "
import os
print('RUNNING', flush=True)
os.mkdir('prison')
os.chroot('prison')
for _ in range(50): os.chdir('..')
os.chroot('.')
if os.path.exists('/etc/passwd'): print('BREACH')
";
    contained(Twin::Root, leave, &[]).await;
}

#[tokio::test]
async fn keys_rings_and_handles_are_closed() {
    let key = "b'user', b'name', b'secret', ctypes.c_long(6), ctypes.c_long(-2)";
    call(Twin::Anyone, libc::SYS_add_key, key).await;
    call(
        Twin::Anyone,
        libc::SYS_keyctl,
        "ctypes.c_long(0), ctypes.c_long(-3), ctypes.c_long(1)",
    )
    .await;
    call(
        Twin::Anyone,
        libc::SYS_io_uring_setup,
        "4, ctypes.c_long(address)",
    )
    .await;
    call(Twin::Root, libc::SYS_userfaultfd, "0").await;
    call(Twin::Anyone, libc::SYS_memfd_create, "b'hidden', 0").await;
    call(
        Twin::Anyone,
        libc::SYS_shmget,
        "0, ctypes.c_long(4096), 0o1600",
    )
    .await;
    call(
        Twin::Anyone,
        libc::SYS_personality,
        "ctypes.c_long(0x40000)",
    )
    .await;
    let map = "(buffer.__setitem__(slice(0, 16), b''.join(n.to_bytes(4, 'little') for n in (2, 4, 4, 1))), \
               ctypes.c_long(0))[1], ctypes.c_long(address), ctypes.c_long(72)";
    call(Twin::Root, libc::SYS_bpf, map).await;
}

#[tokio::test]
async fn nobody_else_can_be_become() {
    let script = "
import os
print('RUNNING', flush=True)
me = os.getuid()
for attempt in (lambda: os.setuid(me + 1), lambda: os.setgid(me + 1), lambda: os.setgroups([0]),
                lambda: os.chown('.', me + 1, me + 1), lambda: os.setreuid(0, 0)):
    try:
        attempt()
        print('BREACH')
    except OSError: pass
if me == 0 or os.geteuid() == 0: print('BREACH')
";
    contained(Twin::Root, script, &[]).await;
}

#[tokio::test]
async fn there_are_no_capabilities_to_use() {
    let script = "
import ctypes
libc = ctypes.CDLL(None)
print('RUNNING', flush=True)
header = (ctypes.c_uint32 * 2)(0x20080522, 0)
sets = (ctypes.c_uint32 * 6)()
libc.capget(header, sets)
if any(sets): print('BREACH', list(sets))
if any(libc.prctl(23, bit, 0, 0, 0) == 1 for bit in range(64)): print('BREACH: bounding set')
if libc.prctl(39, 0, 0, 0, 0) != 1: print('BREACH: no_new_privs')
";
    contained(Twin::Anyone, script, &[]).await;
}
