//! The first process of a sandbox: builds it, starts the program, and watches until it ends.

use std::{
    os::fd::{AsFd, OwnedFd},
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    net::SendFlags,
    process::{Pid, PidfdFlags, WaitOptions, WaitStatus, pidfd_open, wait},
};

use super::{
    Ends, Failure, accounts::Accounts, at, calls::Filters, enter, group::Leaf, mounts, raw, rights,
    tell,
};
use crate::{
    LimitHit, Limits,
    wire::{self, Plan, Report},
};

/// How often processes are counted up.
const TICK: Duration = Duration::from_millis(20);

/// Sets the sandbox up and runs its program to the end.
pub(super) fn run(plan: &Plan, ends: Ends, leaf: Option<Leaf>, calls: &Filters) -> Result<(), ()> {
    let Ends { control, .. } = &ends;
    // Standard input is the stage's socket, which is not ours to hold.
    let set_up = set_up(plan, &ends, leaf, calls);
    match set_up {
        Ok((program, accounts)) => {
            let control = keep_control(ends);
            let report = watch(program, accounts, &plan.limits, &control);
            let _ = wire::send(&control, &report, &[], SendFlags::empty());
            Ok(())
        }
        Err(failure) => {
            tell(control.as_fd(), &failure);
            Err(())
        }
    }
}

/// Closes what is the program's alone, so that whoever reads it hears of its end at once.
fn keep_control(ends: Ends) -> OwnedFd {
    let _ = rustix::stdio::dup2_stdin(rustix::stdio::stdout());
    ends.control
}

fn set_up(
    plan: &Plan,
    ends: &Ends,
    leaf: Option<Leaf>,
    calls: &Filters,
) -> Result<(Pid, Accounts), Failure> {
    raw::reap_children_unseen(false);
    // The stage's socket must not be held here: as standard input, the program's takes its place.
    rustix::stdio::dup2_stdin(&ends.stdin).map_err(at("take standard input"))?;
    let own = rights::own_folder_of_proc()?;
    if !plan.privileged {
        rights::map(&own, plan.user, plan.group)?;
    }
    let limits = leaf.as_ref().map(Leaf::limits);
    let mut accounts = match leaf {
        Some(leaf) => {
            Accounts::of_group(&leaf).map_err(at("open the accounts of the control group"))?
        }
        None => Accounts::of_processes(),
    };
    let scratch = mounts::build(plan)?;
    rustix::system::sethostname(b"sandbox").map_err(at("set the host's name"))?;
    if plan.privileged {
        rights::become_user(&own, plan.user, plan.group)?;
    }
    drop(own);
    // Here and not in the program's process, for both.
    rights::give_up().map_err(at("give up capabilities"))?;
    accounts.begin();
    let program = match raw::fork().map_err(at("fork"))? {
        raw::Side::Parent(program) => program,
        raw::Side::Child => {
            let counted = limits.is_some_and(|limits| limits.processes);
            let failure = enter::program(plan, ends, calls, counted);
            tell(ends.control.as_fd(), &failure);
            raw::exit(127);
        }
    };
    let ready = Report::Ready {
        watched: accounts.are_whole(),
        group: limits,
    };
    wire::send(
        &ends.control,
        &ready,
        &[scratch.as_fd()],
        SendFlags::empty(),
    )
    .map_err(at("report"))?;
    Ok((program, accounts))
}

/// Waits for the program's end, the library's word, or a limit; then ends everything.
pub(super) fn watch(
    program: Pid,
    mut accounts: Accounts,
    limits: &Limits,
    control: &OwnedFd,
) -> Report {
    let started = Instant::now();
    let mut watch = Watch {
        program,
        status: None,
        limit: None,
        peak: 0,
    };
    let mut counted = Duration::ZERO;
    let process = pidfd_open(program, PidfdFlags::empty()).ok();
    while watch.status.is_none() && watch.limit.is_none() {
        let left = limits.wall.saturating_sub(started.elapsed());
        if left.is_zero() {
            watch.limit = Some(LimitHit::Wall);
            break;
        }
        let called = pause(control, process.as_ref(), left.min(TICK));
        watch.reap(WaitOptions::NOHANG);
        if watch.status.is_some() {
            break;
        }
        if called {
            // The library asks for an end only because of too much output, or is gone.
            watch.limit = Some(LimitHit::Output);
            break;
        }
        let used = accounts.count(limits.memory);
        watch.peak = watch.peak.max(used.memory);
        counted = counted.max(used.cpu);
        let (ended, _) = raw::usage_of_children();
        if used.memory > limits.memory {
            watch.limit = Some(LimitHit::Memory);
        } else if used.cpu.max(ended) > limits.cpu {
            watch.limit = Some(LimitHit::Cpu);
        }
    }
    let wall = started.elapsed();
    raw::kill_all_others();
    watch.reap(WaitOptions::empty());
    let (cpu, largest) = raw::usage_of_children();
    let last = accounts.last();
    watch.peak = watch.peak.max(last.memory).max(largest);
    watch.report(limits, wall, cpu.max(counted).max(last.cpu), &accounts)
}

/// Sleeps until the program ends, the library calls (`true`), or the time is over.
pub(super) fn pause(control: &OwnedFd, process: Option<&OwnedFd>, time: Duration) -> bool {
    let time = Timespec {
        tv_sec: i64::try_from(time.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(time.subsec_nanos()),
    };
    let mut waited = vec![PollFd::new(control, PollFlags::IN | PollFlags::HUP)];
    if let Some(process) = process {
        waited.push(PollFd::new(process, PollFlags::IN));
    }
    // Interrupted is as good as over.
    let _ = poll(&mut waited, Some(&time));
    waited
        .first()
        .is_some_and(|control| !control.revents().is_empty())
}

struct Watch {
    program: Pid,
    status: Option<WaitStatus>,
    limit: Option<LimitHit>,
    peak: u64,
}

impl Watch {
    /// Takes every ended process, whosever child it was; ours are all of the namespace.
    fn reap(&mut self, options: WaitOptions) {
        while let Ok(Some((pid, status))) = wait(options) {
            if pid == self.program {
                self.status = Some(status);
            }
        }
    }

    fn report(
        &self,
        limits: &Limits,
        wall: Duration,
        cpu: Duration,
        accounts: &Accounts,
    ) -> Report {
        let code = self.status.and_then(|status| status.exit_status());
        let signal = self.status.and_then(|status| status.terminating_signal());
        let by_kernel = match signal {
            _ if accounts.killed_for_memory() => Some(LimitHit::Memory),
            Some(libc::SIGXCPU) => Some(LimitHit::Cpu),
            // At the hard limit the kernel kills outright.
            Some(libc::SIGKILL) if cpu >= limits.cpu => Some(LimitHit::Cpu),
            Some(libc::SIGXFSZ) => Some(LimitHit::FileSize),
            // One that goes on with fewer processes than it wanted has crossed nothing.
            _ if code != Some(0) && accounts.refused_a_process() => Some(LimitHit::Processes),
            _ => None,
        };
        Report::Done {
            code,
            signal,
            limit: self.limit.or(by_kernel),
            wall,
            cpu,
            peak_memory: self.peak,
        }
    }
}
