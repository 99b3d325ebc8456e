//! The few calls that have no safe form in the crates we use.
//!
//! All run in the stage, which has one thread, no signal handlers and nothing to share: the usual
//! dangers of `clone` and `fork` (locks held by threads that do not exist in the child, handlers
//! that run twice) cannot arise.
#![expect(
    unsafe_code,
    reason = "system calls without a safe wrapper, and the entry before main"
)]

use std::{
    io,
    os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd},
    time::Duration,
};

use rustix::process::Pid;

/// Runs before `main`, in every executable that holds this crate.
extern "C" fn entry() {
    super::before_main();
}

// SAFETY: `.init_array` holds pointers to functions that the C runtime calls once, with one thread,
// before `main`. `entry` has a compatible type (it ignores the arguments), unwinds nowhere (it is
// `extern "C"`), and needs of the standard library only files and the allocator, which work there.
#[used]
#[unsafe(link_section = ".init_array")]
static ENTRY: extern "C" fn() = entry;

/// The address of the entry; reading it also makes sure that the linker keeps it.
pub(super) fn entry_address() -> usize {
    let entry = std::hint::black_box(&ENTRY);
    (*entry) as usize
}

/// `CLONE_INTO_CGROUP`, which does not fit into the type that libc gives it.
const INTO_CGROUP: u64 = 1 << 33;

/// Which process goes on.
#[derive(Debug)]
pub(super) enum Side {
    /// The new one.
    Child,
    /// The old one.
    Parent(Pid),
}

fn side(result: libc::c_long) -> io::Result<Side> {
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    let pid = i32::try_from(result).ok().and_then(Pid::from_raw);
    Ok(pid.map_or(Side::Child, Side::Parent))
}

/// Clones this process into new mount, pid, network, ipc and uts namespaces, a user and a cgroup
/// namespace if asked, and a control group. Gives a descriptor of the new process to the old one when
/// there is a group.
pub(super) fn clone_with_namespaces(
    user: bool,
    groups: bool,
    group: Option<BorrowedFd<'_>>,
) -> io::Result<(Side, Option<OwnedFd>)> {
    let mut flags = libc::CLONE_NEWNS
        | libc::CLONE_NEWPID
        | libc::CLONE_NEWNET
        | libc::CLONE_NEWIPC
        | libc::CLONE_NEWUTS;
    if groups {
        flags |= libc::CLONE_NEWCGROUP;
    }
    if user {
        flags |= libc::CLONE_NEWUSER;
    }
    // SAFETY: all-zero is a valid `clone_args`: no pidfd, no tids, no stack, no TLS, so the child goes
    // on with a copy of our memory, as after `fork`.
    let mut arguments: libc::clone_args = unsafe { std::mem::zeroed() };
    arguments.flags = u64::from(flags.cast_unsigned());
    let mut process: libc::c_int = -1;
    if let Some(group) = group {
        arguments.flags |= INTO_CGROUP | u64::from(libc::CLONE_PIDFD.cast_unsigned());
        arguments.cgroup = u64::from(group.as_raw_fd().cast_unsigned());
        arguments.pidfd = std::ptr::from_mut(&mut process).expose_provenance() as u64;
    }
    arguments.exit_signal = u64::from(libc::SIGCHLD.cast_unsigned());
    // SAFETY: the structure, and the number that the kernel writes the descriptor to, live over the
    // call; the size is right; one thread (see above).
    let side = side(unsafe {
        libc::syscall(
            libc::SYS_clone3,
            std::ptr::from_mut(&mut arguments),
            size_of::<libc::clone_args>(),
        )
    })?;
    let process = match side {
        // SAFETY: the kernel has just made it, for us alone; the child has none.
        Side::Parent(_) if process >= 0 => Some(unsafe { OwnedFd::from_raw_fd(process) }),
        _ => None,
    };
    Ok((side, process))
}

/// `fork`.
pub(super) fn fork() -> io::Result<Side> {
    // SAFETY: one thread (see above).
    side(libc::c_long::from(unsafe { libc::fork() }))
}

/// Moves this process into a new user namespace.
pub(super) fn new_user_namespace() -> rustix::io::Result<()> {
    // SAFETY: only tables of descriptors are dangerous to unshare, and this one is not.
    unsafe { rustix::thread::unshare_unsafe(rustix::thread::UnshareFlags::NEWUSER) }
}

/// Sets attributes (`MOUNT_ATTR_…`) of a mount and of those below it, and cuts its propagation.
pub(super) fn set_mount(mount: impl AsFd, attributes: u64) -> io::Result<()> {
    set_attributes(mount, attributes, libc::AT_RECURSIVE)
}

/// Sets attributes of a mount alone.
pub(super) fn set_one_mount(mount: impl AsFd, attributes: u64) -> io::Result<()> {
    set_attributes(mount, attributes, 0)
}

/// Has the owners of a mount, and of those below it, be those that a user namespace maps them to.
/// Nobody may have seen the mount yet.
pub(super) fn swap_owners(mount: impl AsFd, owners: BorrowedFd<'_>) -> io::Result<()> {
    let wanted = libc::mount_attr {
        attr_set: libc::MOUNT_ATTR_IDMAP,
        attr_clr: 0,
        propagation: 0,
        userns_fd: u64::from(owners.as_raw_fd().cast_unsigned()),
    };
    change(mount, &wanted, libc::AT_RECURSIVE)
}

fn set_attributes(mount: impl AsFd, attributes: u64, how: libc::c_int) -> io::Result<()> {
    let wanted = libc::mount_attr {
        attr_set: attributes,
        attr_clr: 0,
        propagation: libc::MS_PRIVATE,
        userns_fd: 0,
    };
    change(mount, &wanted, how)
}

fn change(mount: impl AsFd, wanted: &libc::mount_attr, how: libc::c_int) -> io::Result<()> {
    // SAFETY: the path is an empty C string, the structure lives over the call, its size is right.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            mount.as_fd().as_raw_fd(),
            c"".as_ptr(),
            libc::AT_EMPTY_PATH | how,
            std::ptr::from_ref(wanted),
            size_of::<libc::mount_attr>(),
        )
    };
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// CPU time and the largest resident memory, in bytes, of the children that were waited for.
pub(super) fn usage_of_children() -> (Duration, u64) {
    // SAFETY: all-zero is a valid `rusage`, and the call fills it.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_CHILDREN, std::ptr::from_mut(&mut usage));
        usage
    };
    let time = |time: libc::timeval| {
        let micros = time.tv_sec.saturating_mul(1_000_000) + time.tv_usec;
        Duration::from_micros(u64::try_from(micros).unwrap_or(0))
    };
    let memory = u64::try_from(usage.ru_maxrss).unwrap_or(0) << 10;
    (time(usage.ru_utime) + time(usage.ru_stime), memory)
}

/// Kills every process of this pid namespace but this one, which must be its first.
pub(super) fn kill_all_others() {
    // SAFETY: takes two numbers. From the first process of a namespace, -1 reaches no other.
    unsafe { libc::kill(-1, libc::SIGKILL) };
}

/// Whether children that end leave nothing to wait for.
pub(super) fn reap_children_unseen(unseen: bool) {
    let action = if unseen { libc::SIG_IGN } else { libc::SIG_DFL };
    // SAFETY: sets one of the two built-in actions.
    unsafe { libc::signal(libc::SIGCHLD, action) };
}

/// Closes every descriptor from this one on, at once or when this process becomes another.
pub(super) fn close_from(first: libc::c_uint, at_exec: bool) -> io::Result<()> {
    let flags = if at_exec {
        libc::CLOSE_RANGE_CLOEXEC
    } else {
        0
    };
    // SAFETY: at once only before this process has opened any descriptor that a value here owns.
    let result = unsafe { libc::syscall(libc::SYS_close_range, first, libc::c_uint::MAX, flags) };
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Ends this process at once, running nothing of what `exit` would.
pub(super) fn exit(code: i32) -> ! {
    // SAFETY: always.
    unsafe { libc::_exit(code) }
}
