//! The code that sets sandboxes up, in a process of its own.
//!
//! A sandbox cannot be set up between `fork` and `exec` of a process with threads, whose memory
//! moreover holds keys. So the library starts its own executable again, once, under another name
//! ([`NAME`]); an entry of `.init_array` recognises the name before `main` and never returns. What
//! runs from there on is a small process with one thread and nothing secret in it: it waits for
//! plans, and clones the first process of a sandbox for each.

use std::{
    ffi::OsStr,
    fs::File,
    io::Read,
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::ffi::OsStrExt,
    },
    path::Path,
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
    net::SendFlags,
    process::{DumpableBehavior, set_dumpable_behavior},
};

use self::group::{Groups, Leaf};
use crate::{
    LimitHit,
    wire::{self, Plan, Report},
};
#[cfg(feature = "oci")]
pub(crate) use enter::bounds_by_name;
#[cfg(feature = "oci")]
pub(crate) use mounts::DEVICES;

mod accounts;
pub(crate) mod calls;
#[cfg(feature = "oci")]
mod container;
#[cfg(feature = "oci")]
mod container_groups;
mod enter;
mod fence;
mod filter;
mod first;
mod group;
mod lend;
mod mounts;
mod raw;
mod rights;

/// The name by which the stage knows itself.
pub(crate) const NAME: &str = "adit-sandbox-stage";

/// The pause before a group that is not empty yet is tried again.
const AGAIN: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 2_000_000,
};
const AT_ONCE: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 0,
};
/// How long the last runs may take to be gone. They are killed, so this is for a kernel in trouble.
const LAST: Duration = Duration::from_secs(10);

/// A step that failed, and what the kernel said.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) step: String,
    pub(crate) errno: i32,
}

/// Names the step of an error.
fn at<E: Into<std::io::Error>>(step: impl Into<String>) -> impl FnOnce(E) -> Failure {
    move |error| {
        let errno = error.into().raw_os_error().unwrap_or(libc::EINVAL);
        Failure {
            step: step.into(),
            errno,
        }
    }
}

/// Whether the running executable, and not a library that it loaded, holds the stage.
pub(crate) fn is_in_executable() -> std::io::Result<bool> {
    let address = raw::entry_address();
    let executable = std::fs::read_link("/proc/self/exe")?;
    let executable = executable.to_string_lossy();
    let maps = std::fs::read_to_string("/proc/self/maps")?;
    Ok(maps.lines().any(|line| {
        let Some((range, rest)) = line.split_once(' ') else {
            return false;
        };
        let Some((from, to)) = range.split_once('-') else {
            return false;
        };
        let parse = |text| usize::from_str_radix(text, 16).unwrap_or(0);
        (parse(from)..parse(to)).contains(&address) && rest.ends_with(&*executable)
    }))
}

/// Called before `main` of every executable that holds this crate.
fn before_main() {
    let mut name = [0; NAME.len() + 1];
    let Ok(mut line) = File::open("/proc/self/cmdline") else {
        return;
    };
    if line.read_exact(&mut name).is_err() || name.strip_suffix(&[0]) != Some(NAME.as_bytes()) {
        return;
    }
    let mut folder = Vec::new();
    if line.read_to_end(&mut folder).is_err() {
        raw::exit(1);
    }
    drop(line);
    // An argument ends with a zero; without one there are no control groups.
    serve(
        folder
            .strip_suffix(&[0])
            .map(|folder| Path::new(OsStr::from_bytes(folder))),
    );
    raw::exit(0);
}

/// Clones a sandbox for every plan, until the library is gone.
fn serve(groups: Option<&Path>) {
    // Before Linux 6.4 it stands in `/proc/self/auxv` alone, which is soon out of reach; then it is kept.
    let _ = rustix::param::page_size();
    // Dying with the thread that started us would be wrong: the socket tells when the library is
    // gone. Keys are not here, yet nobody needs to look.
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    // Ended sandboxes need no waiting for.
    raw::reap_children_unseen(true);
    // What the library's process holds open without close-on-exec, knowingly or not.
    if raw::close_from(3, false).is_err() {
        return;
    }
    let mut stage = Stage {
        calls: calls::compile(),
        groups: groups
            .map(|folder| Groups::make(folder).map_err(at("make the control group of all runs"))),
        runs: Vec::new(),
    };
    let socket = rustix::stdio::stdin();
    let mut buffer = vec![0; wire::PLAN];
    loop {
        stage.wait(socket);
        match wire::receive::<Plan>(socket, &mut buffer) {
            Ok(Some((plan, descriptors))) => stage.start(&plan, descriptors),
            Ok(None) => break,
            Err(Errno::INTR | Errno::BADMSG) => {}
            Err(_) => break,
        }
    }
    stage.end();
}

/// Descriptors of one run.
struct Ends {
    control: OwnedFd,
    stdin: OwnedFd,
    stdout: OwnedFd,
    stderr: OwnedFd,
}

/// A run that has a control group.
struct Run {
    /// Tells when its first process ends, and with it all others; `None` when it has.
    process: Option<OwnedFd>,
    leaf: Leaf,
    control: OwnedFd,
    started: Instant,
}

struct Stage {
    calls: calls::Filters,
    groups: Option<Result<Groups, Failure>>,
    runs: Vec<Run>,
}

impl Stage {
    fn start(&mut self, plan: &Plan, descriptors: Vec<OwnedFd>) {
        let Ok([control, stdin, stdout, stderr]) = <[OwnedFd; 4]>::try_from(descriptors) else {
            return;
        };
        let ends = Ends {
            control,
            stdin,
            stdout,
            stderr,
        };
        // A runtime of containers makes control groups, and must see where it is among them.
        #[cfg(feature = "oci")]
        let contained = plan.container.is_some();
        #[cfg(not(feature = "oci"))]
        let contained = false;
        let leaf = match &mut self.groups {
            _ if contained => None,
            None => None,
            Some(Ok(groups)) => match groups.leaf(&plan.limits) {
                Ok(leaf) => Some(leaf),
                Err(failure) => return tell(ends.control.as_fd(), &failure),
            },
            // Less than was asked for is not given silently.
            Some(Err(failure)) => return tell(ends.control.as_fd(), failure),
        };
        let folder = leaf.as_ref().map(Leaf::folder);
        match raw::clone_with_namespaces(!plan.privileged, !contained, folder) {
            Ok((raw::Side::Child, _)) => {
                // What other runs must see closed when their own end, and the lock of the groups.
                self.runs.clear();
                self.groups = None;
                #[cfg(feature = "oci")]
                if contained {
                    raw::exit(i32::from(container::run(plan, &ends).is_err()));
                }
                let code = i32::from(first::run(plan, ends, leaf, &self.calls).is_err());
                raw::exit(code);
            }
            Ok((raw::Side::Parent(_), process)) => {
                self.runs.extend(leaf.map(|leaf| Run {
                    process,
                    leaf,
                    control: ends.control,
                    started: Instant::now(),
                }));
            }
            Err(error) => {
                tell(
                    ends.control.as_fd(),
                    &at("clone with new namespaces")(error),
                );
                if let (Some(Ok(groups)), Some(leaf)) = (&self.groups, &leaf) {
                    groups.remove(leaf);
                }
            }
        }
    }

    /// Waits for the library's word, and clears up after runs meanwhile.
    fn wait(&mut self, socket: BorrowedFd<'_>) {
        while !self.runs.is_empty() {
            let mut waited = vec![PollFd::from_borrowed_fd(socket, PollFlags::IN)];
            let processes = self.runs.iter().filter_map(|run| run.process.as_ref());
            waited.extend(processes.map(|process| PollFd::new(process, PollFlags::IN)));
            let empty_soon = waited.len() <= self.runs.len();
            // Interrupted is as good as ready.
            let _ = poll(&mut waited, empty_soon.then_some(&AGAIN));
            let called = waited
                .first()
                .is_some_and(|socket| !socket.revents().is_empty());
            self.clear();
            if called {
                return;
            }
        }
    }

    /// Takes the groups of ended runs away.
    fn clear(&mut self) {
        let Some(Ok(groups)) = &self.groups else {
            return;
        };
        self.runs.retain_mut(|run| {
            let ended = run.process.as_ref().is_none_or(|process| {
                let mut waited = [PollFd::new(process, PollFlags::IN)];
                poll(&mut waited, Some(&AT_ONCE)).is_ok_and(|ready| ready > 0)
            });
            if !ended {
                return true;
            }
            if run.process.take().is_some() {
                run.leaf.kill();
                run.speak();
            }
            !groups.remove(&run.leaf)
        });
    }

    /// Ends what runs, and leaves no group behind.
    fn end(mut self) {
        let began = Instant::now();
        while !self.runs.is_empty() && began.elapsed() < LAST {
            for run in &self.runs {
                run.leaf.kill();
            }
            self.clear();
            if !self.runs.is_empty() {
                let _ = poll(&mut [], Some(&AGAIN));
            }
        }
        if let Some(Ok(groups)) = self.groups {
            groups.end();
        }
    }
}

impl Run {
    /// Says what the run's first process cannot have said: when memory runs out, the kernel ends all of
    /// the group at once. Where it has spoken, nobody listens any more.
    fn speak(&self) {
        let Ok(accounts) = self.leaf.accounts() else {
            return;
        };
        if !accounts.was_killed_for_memory() {
            return;
        }
        let report = Report::Done {
            code: None,
            signal: Some(libc::SIGKILL),
            limit: Some(LimitHit::Memory),
            wall: self.started.elapsed(),
            cpu: accounts.cpu(),
            peak_memory: accounts.peak().unwrap_or(0),
        };
        let _ = wire::send(&self.control, &report, &[], SendFlags::DONTWAIT);
    }
}

/// Reports a failure; when nobody listens, nobody needs it.
fn tell(control: BorrowedFd<'_>, failure: &Failure) {
    let report = Report::Failed {
        step: failure.step.clone(),
        errno: failure.errno,
    };
    let _ = wire::send(control, &report, &[], SendFlags::empty());
}
