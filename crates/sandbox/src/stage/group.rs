//! Control groups: one for the stage, and below it one for each run.

use std::{
    fs::File,
    io::{self, Write},
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::Path,
    time::Duration,
};

use rustix::{
    fs::{
        Access, AtFlags, CWD, Dir, FlockOperation, Mode, OFlags, accessat, flock, mkdirat, openat,
        unlinkat,
    },
    io::{Errno, pread},
};

use super::{Failure, at};
use crate::{GroupLimits, Limits};

/// How the stages' groups are named; a number follows.
const PREFIX: &str = "adit-sandbox-";
/// Stages that can stand side by side in one place.
const MOST_STAGES: u32 = 4096;
/// Bytes that a run's own set-up may take of its group: the kernel's accounts of its namespaces, and
/// the pages of its first process.
const SET_UP: u64 = 4 << 20;
/// Bytes read of an account.
const ACCOUNT: usize = 8192;

const FOLDER: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::CLOEXEC);

/// The stage's group. Its lock tells other stages that it is in use.
pub(super) struct Groups {
    place: OwnedFd,
    name: String,
    folder: OwnedFd,
    limits: GroupLimits,
    runs: u64,
}

impl Groups {
    /// Makes the stage's group in a folder, and takes away those of stages that were killed.
    pub(super) fn make(folder: &Path) -> rustix::io::Result<Self> {
        let place = openat(CWD, folder, FOLDER, Mode::empty())?;
        sweep(&place);
        let number = std::process::id();
        for number in number..number.saturating_add(MOST_STAGES) {
            let name = format!("{PREFIX}{number}");
            match mkdirat(&place, &name, Mode::from_raw_mode(0o755)) {
                Ok(()) => {}
                Err(Errno::EXIST) => continue,
                Err(error) => return Err(error),
            }
            // Another stage may just have taken it for a left one, before or after it is opened.
            let folder = match openat(&place, &name, FOLDER, Mode::empty()) {
                Ok(folder) => folder,
                Err(Errno::NOENT) => continue,
                Err(error) => return Err(error),
            };
            let locked = flock(&folder, FlockOperation::NonBlockingLockExclusive).is_ok();
            if !locked || accessat(&place, &name, Access::EXISTS, AtFlags::empty()).is_err() {
                continue;
            }
            let limits = GroupLimits {
                memory: hand_on(&place, &folder, "memory"),
                processes: hand_on(&place, &folder, "pids"),
            };
            return Ok(Self {
                place,
                name,
                folder,
                limits,
                runs: 0,
            });
        }
        Err(Errno::EXIST)
    }

    /// Makes the group of a run.
    pub(super) fn leaf(&mut self, limits: &Limits) -> Result<Leaf, Failure> {
        self.runs += 1;
        let name = self.runs.to_string();
        mkdirat(&self.folder, &name, Mode::from_raw_mode(0o755))
            .map_err(at("make a control group"))?;
        let made = openat(&self.folder, &name, FOLDER, Mode::empty())
            .map_err(at("open the control group"))
            .and_then(|folder| self.bounded(folder, limits));
        match made {
            Ok(folder) => Ok(Leaf {
                name,
                folder,
                limits: self.limits,
            }),
            Err(failure) => {
                let _ = unlinkat(&self.folder, &name, AtFlags::REMOVEDIR);
                Err(failure)
            }
        }
    }

    fn bounded(&self, folder: OwnedFd, limits: &Limits) -> Result<OwnedFd, Failure> {
        let set = |name: &str, value: &str| {
            write(&folder, name, value).map_err(at(format!("set {name} of the control group")))
        };
        if self.limits.memory {
            let most = limits
                .memory
                .saturating_add(limits.scratch)
                .saturating_add(SET_UP);
            set("memory.max", &most.to_string())?;
            set("memory.oom.group", "1")?;
            match set("memory.swap.max", "0") {
                // A kernel without swap has nothing to bound.
                Err(failure) if failure.errno != libc::ENOENT => return Err(failure),
                _ => {}
            }
        }
        if self.limits.processes {
            // With the first process of the sandbox.
            let most = u64::from(limits.processes).saturating_add(1);
            set("pids.max", &most.to_string())?;
        }
        Ok(folder)
    }

    /// Takes an empty group away; whether it is gone.
    pub(super) fn remove(&self, leaf: &Leaf) -> bool {
        !matches!(
            unlinkat(&self.folder, &leaf.name, AtFlags::REMOVEDIR),
            Err(Errno::BUSY | Errno::AGAIN | Errno::INTR)
        )
    }

    /// Takes the stage's own group away.
    pub(super) fn end(self) {
        let _ = unlinkat(&self.place, &self.name, AtFlags::REMOVEDIR);
    }
}

/// Has a controller work in the groups below `folder`, if there is such a controller.
fn hand_on(place: &OwnedFd, folder: &OwnedFd, controller: &str) -> bool {
    let word = format!("+{controller}");
    let handed = |to: &OwnedFd| {
        let there = text(to, "cgroup.subtree_control");
        there.split_whitespace().any(|name| name == controller)
            || write(to, "cgroup.subtree_control", &word).is_ok()
    };
    handed(place) && handed(folder)
}

/// Takes away what stages left that could not end as they should: those whose lock nobody holds.
fn sweep(place: &OwnedFd) {
    let Ok(entries) = openat(place, ".", FOLDER, Mode::empty()).and_then(Dir::new) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        if !name.to_bytes().starts_with(PREFIX.as_bytes()) {
            continue;
        }
        let Ok(folder) = openat(place, name, FOLDER, Mode::empty()) else {
            continue;
        };
        if flock(&folder, FlockOperation::NonBlockingLockExclusive).is_err() {
            continue;
        }
        let left = openat(&folder, ".", FOLDER, Mode::empty()).and_then(Dir::new);
        for leaf in left.into_iter().flatten().flatten() {
            // Files cannot be removed, nor what still holds a process.
            let _ = unlinkat(&folder, leaf.file_name(), AtFlags::REMOVEDIR);
        }
        let _ = unlinkat(place, name, AtFlags::REMOVEDIR);
    }
}

/// The group of a run.
pub(super) struct Leaf {
    name: String,
    folder: OwnedFd,
    limits: GroupLimits,
}

impl Leaf {
    /// The folder, into which the first process of the run is cloned.
    pub(super) fn folder(&self) -> BorrowedFd<'_> {
        self.folder.as_fd()
    }

    /// What is bounded in it.
    pub(super) fn limits(&self) -> GroupLimits {
        self.limits
    }

    /// Opens its accounts, to be read when the file system is out of sight.
    pub(super) fn accounts(&self) -> rustix::io::Result<GroupAccounts> {
        let open = |name: &str| {
            openat(
                &self.folder,
                name,
                OFlags::RDONLY | OFlags::CLOEXEC,
                Mode::empty(),
            )
        };
        let with = |is: bool, name: &str| if is { open(name).map(Some) } else { Ok(None) };
        let GroupLimits { memory, processes } = self.limits;
        Ok(GroupAccounts {
            cpu: open("cpu.stat")?,
            memory: with(memory, "memory.stat")?,
            killings: with(memory, "memory.events")?,
            // Since Linux 5.19.
            peak: with(memory, "memory.peak").unwrap_or_default(),
            refusals: with(processes, "pids.events")?,
            before: Duration::ZERO,
        })
    }

    /// Kills all that live in it.
    pub(super) fn kill(&self) {
        // Since Linux 5.14; the end of the pid namespace kills them on all.
        let _ = write(&self.folder, "cgroup.kill", "1");
    }
}

/// The accounts of a run's group.
pub(super) struct GroupAccounts {
    cpu: OwnedFd,
    memory: Option<OwnedFd>,
    killings: Option<OwnedFd>,
    peak: Option<OwnedFd>,
    refusals: Option<OwnedFd>,
    /// CPU time that setting up took.
    before: Duration,
}

impl GroupAccounts {
    /// Counts CPU time from here on.
    pub(super) fn begin(&mut self) {
        self.before = self.total();
    }

    /// CPU time of all processes, ended ones too.
    pub(super) fn cpu(&self) -> Duration {
        self.total().saturating_sub(self.before)
    }

    fn total(&self) -> Duration {
        Duration::from_micros(field(&self.cpu, "usage_usec").unwrap_or(0))
    }

    /// Resident bytes of all processes that are no file's; `None` without the controller.
    pub(super) fn memory(&self) -> Option<u64> {
        field(self.memory.as_ref()?, "anon")
    }

    /// The most that was ever charged, where the kernel tells.
    pub(super) fn peak(&self) -> Option<u64> {
        let mut bytes = [0; 32];
        let length = pread(self.peak.as_ref()?, &mut bytes, 0).ok()?;
        std::str::from_utf8(bytes.get(..length)?)
            .ok()?
            .trim()
            .parse()
            .ok()
    }

    /// Whether the kernel killed for want of memory.
    pub(super) fn was_killed_for_memory(&self) -> bool {
        let count = |name| self.killings.as_ref().and_then(|file| field(file, name));
        count("oom_kill").is_some_and(|kills| kills > 0)
    }

    /// Whether a process was refused.
    pub(super) fn was_refused_a_process(&self) -> bool {
        let refused = self.refusals.as_ref().and_then(|file| field(file, "max"));
        refused.is_some_and(|refusals| refusals > 0)
    }
}

/// The number behind a name at the start of a line.
fn field(file: &OwnedFd, name: &str) -> Option<u64> {
    let mut bytes = [0; ACCOUNT];
    let length = pread(file, &mut bytes, 0).ok()?;
    let text = std::str::from_utf8(bytes.get(..length)?).ok()?;
    parse(text, name)
}

fn parse(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| {
        let (found, number) = line.split_once(' ')?;
        (found == name).then_some(number)
    })?;
    line.trim().parse().ok()
}

fn text(folder: &OwnedFd, name: &str) -> String {
    let read = || {
        let file = openat(
            folder,
            name,
            OFlags::RDONLY | OFlags::CLOEXEC,
            Mode::empty(),
        )?;
        io::read_to_string(File::from(file))
    };
    read().unwrap_or_default()
}

fn write(folder: &OwnedFd, name: &str, value: &str) -> io::Result<()> {
    let file = openat(
        folder,
        name,
        OFlags::WRONLY | OFlags::CLOEXEC,
        Mode::empty(),
    )?;
    File::from(file).write_all(value.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_read_by_whole_names() {
        let text = "anon 4096\nanon_thp 9\noom 3\noom_kill 1\nmax\n";
        assert_eq!(parse(text, "anon"), Some(4096));
        assert_eq!(parse(text, "oom_kill"), Some(1));
        assert_eq!(parse(text, "oom_group_kill"), None);
        assert_eq!(parse(text, "max"), None);
        assert_eq!(
            parse("usage_usec 18446744073709551616\n", "usage_usec"),
            None
        );
    }
}
