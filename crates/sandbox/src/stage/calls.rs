//! Which system calls a program may make: these, and no other.
//!
//! What is missing is missing on purpose. Among it: `mount` and its successors, `unshare`, `setns`,
//! `chroot`, `pivot_root`, `ptrace`, `process_vm_*`, `bpf`, `perf_event_open`, `io_uring_*`,
//! `userfaultfd`, `keyctl` and its siblings, `kexec_*`, modules, clocks, `mknod`, `chown`, the setters
//! of users and groups, System V and POSIX message queues and shared memory, `memfd_create` (its pages
//! are in nobody's resident memory) and file handles. A refused call fails with `EPERM`.

use seccompiler::{BpfProgram, apply_filter};

use super::{
    Failure, at,
    filter::{self, Verdict, Verdicts},
};

/// A call's name in the kernel's headers, with `SYS_` before it, and its number here.
pub(crate) type Call = (&'static str, libc::c_long);

macro_rules! calls {
    ($($call:ident),* $(,)?) => { &[$((stringify!($call), libc::$call)),*] };
}

/// Calls that any argument is good for.
const ALLOWED: &[Call] = calls![
    // Files.
    SYS_openat,
    SYS_openat2,
    SYS_close,
    SYS_close_range,
    SYS_read,
    SYS_write,
    SYS_readv,
    SYS_writev,
    SYS_pread64,
    SYS_pwrite64,
    SYS_preadv,
    SYS_pwritev,
    SYS_preadv2,
    SYS_pwritev2,
    SYS_lseek,
    SYS_sendfile,
    SYS_splice,
    SYS_tee,
    SYS_copy_file_range,
    SYS_fstat,
    SYS_newfstatat,
    SYS_statx,
    SYS_statfs,
    SYS_fstatfs,
    SYS_faccessat,
    SYS_faccessat2,
    SYS_readlinkat,
    SYS_getdents64,
    SYS_getcwd,
    SYS_chdir,
    SYS_fchdir,
    SYS_mkdirat,
    SYS_unlinkat,
    SYS_renameat,
    SYS_renameat2,
    SYS_linkat,
    SYS_symlinkat,
    SYS_fchmod,
    SYS_fchmodat,
    SYS_umask,
    SYS_utimensat,
    SYS_truncate,
    SYS_ftruncate,
    SYS_fallocate,
    SYS_fadvise64,
    SYS_fsync,
    SYS_fdatasync,
    SYS_flock,
    SYS_fcntl,
    SYS_dup,
    SYS_dup3,
    SYS_pipe2,
    // Waiting.
    SYS_ppoll,
    SYS_pselect6,
    SYS_epoll_create1,
    SYS_epoll_ctl,
    SYS_epoll_pwait,
    SYS_epoll_pwait2,
    SYS_eventfd2,
    SYS_signalfd4,
    SYS_timerfd_create,
    SYS_timerfd_settime,
    SYS_timerfd_gettime,
    // Sockets between processes of the sandbox; see `socket` below.
    SYS_bind,
    SYS_listen,
    SYS_accept,
    SYS_accept4,
    SYS_connect,
    SYS_shutdown,
    SYS_sendto,
    SYS_recvfrom,
    SYS_sendmsg,
    SYS_recvmsg,
    SYS_getsockname,
    SYS_getpeername,
    SYS_setsockopt,
    SYS_getsockopt,
    // Memory.
    SYS_brk,
    SYS_mmap,
    SYS_munmap,
    SYS_mremap,
    SYS_mprotect,
    SYS_madvise,
    SYS_mincore,
    SYS_msync,
    SYS_membarrier,
    // Processes and threads.
    SYS_execve,
    SYS_exit,
    SYS_exit_group,
    SYS_wait4,
    SYS_waitid,
    SYS_pidfd_open,
    SYS_pidfd_send_signal,
    SYS_kill,
    SYS_tkill,
    SYS_tgkill,
    SYS_getpid,
    SYS_getppid,
    SYS_gettid,
    SYS_getpgid,
    SYS_setpgid,
    SYS_getsid,
    SYS_setsid,
    SYS_getuid,
    SYS_geteuid,
    SYS_getgid,
    SYS_getegid,
    SYS_getresuid,
    SYS_getresgid,
    SYS_getgroups,
    SYS_capget,
    SYS_set_tid_address,
    SYS_set_robust_list,
    SYS_get_robust_list,
    SYS_rseq,
    SYS_futex,
    SYS_sched_yield,
    SYS_sched_getaffinity,
    SYS_sched_setaffinity,
    SYS_sched_getparam,
    SYS_sched_getscheduler,
    SYS_sched_get_priority_max,
    SYS_sched_get_priority_min,
    SYS_getpriority,
    SYS_setpriority,
    SYS_getcpu,
    SYS_getrusage,
    SYS_times,
    SYS_sysinfo,
    SYS_uname,
    SYS_getrandom,
    // Signals and time.
    SYS_rt_sigaction,
    SYS_rt_sigprocmask,
    SYS_rt_sigpending,
    SYS_rt_sigsuspend,
    SYS_rt_sigtimedwait,
    SYS_rt_sigreturn,
    SYS_sigaltstack,
    SYS_restart_syscall,
    SYS_nanosleep,
    SYS_clock_nanosleep,
    SYS_clock_gettime,
    SYS_clock_getres,
    SYS_gettimeofday,
    SYS_getitimer,
    SYS_setitimer,
    SYS_timer_create,
    SYS_timer_settime,
    SYS_timer_gettime,
    SYS_timer_getoverrun,
    SYS_timer_delete,
];

/// The older forms, which only this processor has.
#[cfg(target_arch = "x86_64")]
const ALLOWED_HERE: &[Call] = calls![
    SYS_open,
    SYS_creat,
    SYS_stat,
    SYS_lstat,
    SYS_access,
    SYS_readlink,
    SYS_getdents,
    SYS_mkdir,
    SYS_rmdir,
    SYS_unlink,
    SYS_rename,
    SYS_link,
    SYS_symlink,
    SYS_chmod,
    SYS_utime,
    SYS_utimes,
    SYS_futimesat,
    SYS_dup2,
    SYS_pipe,
    SYS_poll,
    SYS_select,
    SYS_epoll_create,
    SYS_epoll_wait,
    SYS_eventfd,
    SYS_signalfd,
    SYS_fork,
    SYS_vfork,
    SYS_getpgrp,
    SYS_arch_prctl,
    SYS_time,
    SYS_alarm,
    SYS_pause,
    SYS_getrlimit,
];
#[cfg(not(target_arch = "x86_64"))]
const ALLOWED_HERE: &[Call] = &[];

/// Calls answered with ENOSYS, as by an older kernel: so that `clone` is used, whose flags can be seen.
pub(crate) const MISSING: &[Call] = calls![SYS_clone3];

/// Flags of `clone` that make namespaces.
const NAMESPACES: libc::c_int = libc::CLONE_NEWNS
    | libc::CLONE_NEWCGROUP
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUSER
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET;

/// Requests of `ioctl` about one's own descriptors; none that reaches a device or a terminal's input.
const REQUESTS: [u64; 6] = [
    libc::FIOCLEX,
    libc::FIONCLEX,
    libc::FIONBIO,
    libc::FIONREAD,
    libc::TCGETS,
    libc::TIOCGWINSZ,
];

/// Options of `prctl` about one's own name, end and dump.
const OPTIONS: [libc::c_int; 8] = [
    libc::PR_SET_NAME,
    libc::PR_GET_NAME,
    libc::PR_SET_PDEATHSIG,
    libc::PR_GET_PDEATHSIG,
    libc::PR_GET_DUMPABLE,
    libc::PR_CAPBSET_READ,
    libc::PR_GET_NO_NEW_PRIVS,
    libc::PR_SET_VMA,
];

/// The filter, compiled once for all sandboxes.
pub(super) struct Filters {
    program: BpfProgram,
}

impl Filters {
    /// Puts this process, and all that it starts, under the filter.
    pub(super) fn apply(&self) -> Result<(), Failure> {
        apply_filter(&self.program).map_err(|error| {
            let step = format!("install the filter of system calls ({error})");
            at(step)(std::io::Error::from_raw_os_error(libc::EPERM))
        })
    }
}

/// Compiles the filter for this processor.
pub(super) fn compile() -> Filters {
    Filters {
        program: filter::compile(&verdicts()),
    }
}

/// What this file says, for the kernel.
fn verdicts() -> Verdicts {
    // Whatever does not fit into what a filter compares would be refused.
    let low = |value: u64| u32::try_from(value).ok();
    let missing = MISSING
        .iter()
        .map(|(_, call)| (*call, Some(Verdict::Missing)));
    let allowed = allowed().into_iter().map(|call| {
        let verdict = match call.when {
            None => Some(Verdict::Allowed),
            Some(when) => low(when.mask).map(|mask| {
                Verdict::When(
                    when.argument,
                    mask,
                    when.values.into_iter().filter_map(low).collect(),
                )
            }),
        };
        (call.number, verdict)
    });
    allowed
        .chain(missing)
        .filter_map(|(call, verdict)| Some((u32::try_from(call).ok()?, verdict?)))
        .collect()
}

/// A call that a program may make.
#[derive(Debug)]
pub(crate) struct Allowed {
    /// As the kernel's headers name it.
    #[cfg_attr(
        not(any(feature = "oci", test)),
        expect(dead_code, reason = "container runtimes take names")
    )]
    pub(crate) name: &'static str,
    number: libc::c_long,
    /// With any arguments, or only with these.
    pub(crate) when: Option<When>,
}

/// The bits of an argument in the mask are those of one of the values.
#[derive(Debug)]
pub(crate) struct When {
    pub(crate) argument: u8,
    pub(crate) mask: u64,
    pub(crate) values: Vec<u64>,
}

/// A call's name without what the headers put before it.
pub(crate) fn plain(name: &'static str) -> &'static str {
    name.trim_start_matches("SYS_")
}

/// All of this file's list, from which every filter is made.
pub(crate) fn allowed() -> Vec<Allowed> {
    /// The kernel looks at no more of an `int`.
    const INT: u64 = 0xffff_ffff;
    let number = |value: libc::c_int| u64::from(value.cast_unsigned());
    let when = |argument, mask, values| {
        Some(When {
            argument,
            mask,
            values,
        })
    };
    let local = || when(0, INT, vec![number(libc::AF_UNIX)]);
    let options = OPTIONS.map(number).to_vec();
    let any = ALLOWED.iter().chain(ALLOWED_HERE);
    let any = any.map(|call| (*call, None));
    let some: &[Call] = calls![
        SYS_socket,
        SYS_socketpair,
        SYS_clone,
        SYS_prlimit64,
        SYS_ioctl,
        SYS_prctl
    ];
    let some = some.iter().copied().zip([
        local(),
        local(),
        when(0, number(NAMESPACES), vec![0]),
        // Of its own limits only: the first process of the sandbox is of the same user.
        when(0, INT, vec![0]),
        when(1, INT, REQUESTS.to_vec()),
        when(0, INT, options),
    ]);
    any.chain(some)
        .map(|((name, number), when)| Allowed {
            name: plain(name),
            number,
            when,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_dangerous_is_on_the_list() {
        let verdicts = verdicts();
        let never = [
            libc::SYS_mount,
            libc::SYS_umount2,
            libc::SYS_move_mount,
            libc::SYS_fsopen,
            libc::SYS_open_tree,
            libc::SYS_mount_setattr,
            libc::SYS_unshare,
            libc::SYS_setns,
            libc::SYS_chroot,
            libc::SYS_pivot_root,
            libc::SYS_ptrace,
            libc::SYS_process_vm_readv,
            libc::SYS_process_vm_writev,
            libc::SYS_bpf,
            libc::SYS_perf_event_open,
            libc::SYS_io_uring_setup,
            libc::SYS_userfaultfd,
            libc::SYS_keyctl,
            libc::SYS_add_key,
            libc::SYS_request_key,
            libc::SYS_kexec_load,
            libc::SYS_init_module,
            libc::SYS_mknodat,
            libc::SYS_setuid,
            libc::SYS_setresuid,
            libc::SYS_setgroups,
            libc::SYS_capset,
            libc::SYS_memfd_create,
            libc::SYS_name_to_handle_at,
            libc::SYS_open_by_handle_at,
            libc::SYS_pidfd_getfd,
            libc::SYS_seccomp,
            libc::SYS_shmget,
            libc::SYS_mq_open,
            libc::SYS_clock_settime,
            libc::SYS_reboot,
            libc::SYS_swapon,
        ];
        assert!(
            allowed()
                .iter()
                .any(|call| call.name == "openat" && call.number == libc::SYS_openat)
        );
        for call in never {
            assert!(!verdicts.contains_key(&(call as u32)), "{call}");
        }
        assert_eq!(verdicts[&(libc::SYS_clone3 as u32)], Verdict::Missing);
        let clone = Verdict::When(0, NAMESPACES as u32, vec![0]);
        assert_eq!(verdicts[&(libc::SYS_clone as u32)], clone);
        filter::tests::compiled_as_written(&verdicts, 24);
    }
}
