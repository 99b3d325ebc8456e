//! The last steps of the program's own process, from which nothing leads back.

use std::{os::unix::process::CommandExt, process::Command};

use rustix::{
    net::SendFlags,
    process::{Resource, Rlimit, setrlimit, setsid},
};

use super::{Ends, Failure, at, calls::Filters, fence, raw};
use crate::{
    Limits,
    wire::{self, Plan, Report},
};

/// Becomes the program, or says why not.
/// The group, if there is one, counts processes before the user's limit does, so that it can tell.
pub(super) fn program(plan: &Plan, ends: &Ends, calls: &Filters, grouped: bool) -> Failure {
    match prepare(plan, ends, calls, grouped) {
        Ok(()) => at(format!("run {}", plan.executable.display()))(
            Command::new(&plan.executable)
                .args(&plan.arguments)
                .env_clear()
                .envs(plan.environment.iter().map(|(name, value)| (name, value)))
                .exec(),
        ),
        Err(failure) => failure,
    }
}

fn prepare(plan: &Plan, ends: &Ends, calls: &Filters, grouped: bool) -> Result<(), Failure> {
    rustix::stdio::dup2_stdout(&ends.stdout).map_err(at("take standard output"))?;
    rustix::stdio::dup2_stderr(&ends.stderr).map_err(at("take standard error"))?;
    raw::close_from(3, true).map_err(at("mark descriptors to be closed"))?;
    setsid().map_err(at("start a session"))?;
    let step = format!("change to {}", plan.folder.display());
    rustix::process::chdir(&plan.folder).map_err(at(step))?;
    let landlock = fence::raise()?;
    if plan.tells {
        let fenced = Report::Fenced { landlock };
        wire::send(&ends.control, &fenced, &[], SendFlags::empty()).map_err(at("report"))?;
    }
    // Last, or little memory would stop the steps above.
    limit(plan, grouped)?;
    calls.apply()
}

fn limit(plan: &Plan, grouped: bool) -> Result<(), Failure> {
    // The first process of the sandbox counts as one of the user's.
    for (resource, current, maximum) in bounds(&plan.limits, 1 + u64::from(grouped)) {
        let bound = Rlimit {
            current: Some(current),
            maximum: Some(maximum),
        };
        setrlimit(resource, bound).map_err(at(format!("set the limit {resource:?}")))?;
    }
    Ok(())
}

/// The limits of each process, now and at most. So many processes of the user are not the program's.
pub(super) fn bounds(limits: &Limits, others: u64) -> [(Resource, u64, u64); 11] {
    let processes = u64::from(limits.processes) + others;
    let cpu = limits.cpu.as_secs() + u64::from(limits.cpu.subsec_nanos() > 0);
    [
        // The program may make something of the first warning, and has a second for it.
        (Resource::Cpu, cpu, cpu.saturating_add(1)),
        (Resource::As, limits.memory, limits.memory),
        (Resource::Nproc, processes, processes),
        (
            Resource::Nofile,
            u64::from(limits.open_files),
            u64::from(limits.open_files),
        ),
        (Resource::Fsize, limits.file_size, limits.file_size),
        (Resource::Core, 0, 0),
        (Resource::Memlock, 0, 0),
        (Resource::Msgqueue, 0, 0),
        (Resource::Sigpending, 64, 64),
        (Resource::Nice, 0, 0),
        (Resource::Rtprio, 0, 0),
    ]
}

/// The same limits by the names that the OCI's specification has for them.
#[cfg(feature = "oci")]
pub(crate) fn bounds_by_name(limits: &Limits) -> Vec<(String, u64, u64)> {
    bounds(limits, 0)
        .into_iter()
        .map(|(resource, current, maximum)| {
            let name = format!("{resource:?}").to_uppercase();
            (format!("RLIMIT_{name}"), current, maximum)
        })
        .collect()
}
