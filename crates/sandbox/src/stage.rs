//! The code that sets sandboxes up, in a process of its own.
//!
//! A sandbox cannot be set up between `fork` and `exec` of a process with threads, whose memory
//! moreover holds keys. So the library starts its own executable again, once, under another name
//! ([`NAME`]); an entry of `.init_array` recognises the name before `main` and never returns. What
//! runs from there on is a small process with one thread and nothing secret in it: it waits for
//! plans, and clones the first process of a sandbox for each.

use std::{
    fs::File,
    io::Read,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

use rustix::{
    io::Errno,
    net::SendFlags,
    process::{DumpableBehavior, set_dumpable_behavior},
};

use crate::wire::{self, Plan, Report};
#[cfg(feature = "oci")]
pub(crate) use enter::bounds_by_name;
#[cfg(feature = "oci")]
pub(crate) use mounts::DEVICES;

mod accounts;
pub(crate) mod calls;
#[cfg(feature = "oci")]
mod container;
mod enter;
mod fence;
mod first;
#[cfg(feature = "oci")]
mod groups;
mod mounts;
mod raw;
mod rights;

/// The name by which the stage knows itself.
pub(crate) const NAME: &str = "adit-sandbox-stage";

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
    drop(line);
    serve();
    raw::exit(0);
}

/// Clones a sandbox for every plan, until the library is gone.
fn serve() {
    // Dying with the thread that started us would be wrong: the socket tells when the library is
    // gone. Keys are not here, yet nobody needs to look.
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    // Ended sandboxes need no waiting for.
    raw::reap_children_unseen(true);
    // What the library's process holds open without close-on-exec, knowingly or not.
    if raw::close_from(3, false).is_err() {
        return;
    }
    let socket = rustix::stdio::stdin();
    let Ok(calls) = calls::compile() else {
        return;
    };
    let mut buffer = Vec::new();
    loop {
        match wire::receive::<Plan>(socket, &mut buffer) {
            Ok(Some((plan, descriptors))) => start(&plan, descriptors, &calls),
            Ok(None) => return,
            Err(Errno::INTR | Errno::BADMSG) => {}
            Err(_) => return,
        }
    }
}

/// Descriptors of one run.
struct Ends {
    control: OwnedFd,
    stdin: OwnedFd,
    stdout: OwnedFd,
    stderr: OwnedFd,
}

fn start(plan: &Plan, descriptors: Vec<OwnedFd>, calls: &calls::Filters) {
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
    let groups = plan.container.is_none();
    #[cfg(not(feature = "oci"))]
    let groups = true;
    match raw::clone_with_namespaces(!plan.privileged, groups) {
        #[cfg(feature = "oci")]
        Ok(raw::Side::Child) if plan.container.is_some() => {
            raw::exit(i32::from(container::run(plan, &ends).is_err()));
        }
        Ok(raw::Side::Child) => {
            let code = i32::from(first::run(plan, &ends, calls).is_err());
            raw::exit(code);
        }
        Ok(raw::Side::Parent(_)) => {}
        Err(error) => {
            let step = "clone with new namespaces";
            tell(ends.control.as_fd(), &at(step)(error));
        }
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
