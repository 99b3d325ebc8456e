//! Time and memory of all processes of a sandbox together.

use std::{collections::HashMap, fs::File, io::Read, os::fd::OwnedFd, time::Duration};

use rustix::{
    fs::{CWD, Dir, Mode, OFlags, openat},
    mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsmount, fsopen},
    param::page_size,
};

use super::group::{GroupAccounts, Leaf};

/// The accounts of the run's control group, and for what that does not count a `proc` of the
/// sandbox's own pid namespace, mounted nowhere: only this process can read it.
pub(super) struct Accounts {
    group: Option<GroupAccounts>,
    processes: Option<OwnedFd>,
    /// CPU time of each process by name and start, when last seen.
    seen: HashMap<(String, u64), u64>,
    /// CPU time of those that are gone.
    gone: u64,
}

impl Accounts {
    /// Opens the accounts, in the sandbox's first process and while the host's `/proc` can still be
    /// seen: without rights on the host the kernel gives a `proc` only to those who see one whole.
    /// Containers often hide parts of it; then there are no accounts, and the limits of each process
    /// must do.
    pub(super) fn of_processes() -> Self {
        let open = || {
            let proc = fsopen("proc", FsOpenFlags::FSOPEN_CLOEXEC)?;
            fsconfig_create(&proc)?;
            fsmount(
                &proc,
                FsMountFlags::FSMOUNT_CLOEXEC,
                MountAttrFlags::MOUNT_ATTR_NOSUID
                    | MountAttrFlags::MOUNT_ATTR_NODEV
                    | MountAttrFlags::MOUNT_ATTR_NOEXEC,
            )
        };
        Self {
            group: None,
            processes: open().ok(),
            seen: HashMap::new(),
            gone: 0,
        }
    }

    /// Opens the accounts of a control group, and of the processes where it does not count memory.
    pub(super) fn of_group(leaf: &Leaf) -> rustix::io::Result<Self> {
        let group = Some(leaf.accounts()?);
        Ok(if leaf.limits().memory {
            Self {
                group,
                processes: None,
                seen: HashMap::new(),
                gone: 0,
            }
        } else {
            Self {
                group,
                ..Self::of_processes()
            }
        })
    }

    /// Whether CPU time and memory of all processes together are known.
    pub(super) fn are_whole(&self) -> bool {
        let group = self.group.as_ref();
        self.processes.is_some() || group.is_some_and(|group| group.memory().is_some())
    }

    /// What was used until now is not the program's.
    pub(super) fn begin(&mut self) {
        if let Some(group) = &mut self.group {
            group.begin();
        }
    }

    /// What all processes use.
    pub(super) fn count(&mut self, memory: u64) -> Usage {
        let by_group = self
            .group
            .as_ref()
            .map(|group| (group.cpu(), group.memory()));
        match by_group {
            Some((cpu, Some(memory))) => Usage { cpu, memory },
            Some((cpu, None)) => Usage {
                cpu,
                ..self.count_processes(memory)
            },
            None => self.count_processes(memory),
        }
    }

    /// What all processes used, once they have ended: what the group alone still knows.
    pub(super) fn last(&self) -> Usage {
        self.group
            .as_ref()
            .map_or_else(Usage::default, |group| Usage {
                cpu: group.cpu(),
                memory: group.peak().unwrap_or(0),
            })
    }

    /// Whether the kernel killed one of the group for want of memory.
    pub(super) fn killed_for_memory(&self) -> bool {
        self.group
            .as_ref()
            .is_some_and(GroupAccounts::was_killed_for_memory)
    }

    /// Whether a process was refused because the group had too many.
    pub(super) fn refused_a_process(&self) -> bool {
        self.group
            .as_ref()
            .is_some_and(GroupAccounts::was_refused_a_process)
    }

    /// Counts all processes up, but for this one. Memory is counted a second time, and precisely,
    /// when it seems to be more than `memory`: then what processes share counts once.
    fn count_processes(&mut self, memory: u64) -> Usage {
        let mut seen = HashMap::new();
        let mut usage = Usage::default();
        let mut by_children = 0;
        let names = self.names();
        for name in &names {
            let Some(line) = self.read(name, "stat").as_deref().and_then(parse) else {
                continue;
            };
            seen.insert((name.clone(), line.started), line.own);
            by_children += line.of_children;
            usage.memory += line.pages.saturating_mul(page_size() as u64);
        }
        if usage.memory > memory {
            usage.memory = names.iter().map(|name| self.share(name)).sum();
        }
        // A process that nobody waits for takes its account with it; here it is kept.
        let before = std::mem::replace(&mut self.seen, seen);
        for (process, ticks) in before {
            if !self.seen.contains_key(&process) {
                self.gone += ticks;
            }
        }
        let living: u64 = self.seen.values().sum();
        let ticks = living + self.gone.max(by_children);
        usage.cpu = Duration::from_millis(ticks.saturating_mul(10));
        usage
    }

    fn names(&self) -> Vec<String> {
        let Some(processes) = &self.processes else {
            return Vec::new();
        };
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let Ok(entries) = openat(processes, ".", flags, Mode::empty()).and_then(Dir::new) else {
            return Vec::new();
        };
        entries
            .flatten()
            .filter_map(|entry| entry.file_name().to_str().ok().map(str::to_owned))
            .filter(|name| name != "1" && name.bytes().all(|byte| byte.is_ascii_digit()))
            .collect()
    }

    /// A process's resident bytes, each page divided by the number of its users.
    fn share(&self, name: &str) -> u64 {
        let proportional = self.read(name, "smaps_rollup").and_then(|text| {
            let line = text.lines().find_map(|line| line.strip_prefix("Pss:"))?;
            line.trim().strip_suffix(" kB")?.parse::<u64>().ok()
        });
        let resident = || {
            let line = self.read(name, "stat").as_deref().and_then(parse);
            line.map_or(0, |line| line.pages.saturating_mul(page_size() as u64))
        };
        // One that does not let itself be looked at is counted whole.
        proportional.map_or_else(resident, |kib| kib << 10)
    }

    fn read(&self, name: &str, file: &str) -> Option<String> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        let path = format!("{name}/{file}");
        let file = openat(self.processes.as_ref()?, &path, flags, Mode::empty()).ok()?;
        let mut bytes = Vec::new();
        File::from(file).take(4096).read_to_end(&mut bytes).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }
}

/// What all processes use together.
#[derive(Debug, Default)]
pub(super) struct Usage {
    /// CPU time, of ended processes too as far as they were seen.
    pub(super) cpu: Duration,
    /// Resident bytes.
    pub(super) memory: u64,
}

/// What a line of `/proc/PID/stat` says; times in clock ticks of a hundredth of a second.
#[derive(Debug, PartialEq, Eq)]
struct Line {
    own: u64,
    of_children: u64,
    started: u64,
    pages: u64,
}

/// Reads the line. A program chooses its name, so fields are counted from the last `)`.
fn parse(line: &str) -> Option<Line> {
    let (_, fields) = line.rsplit_once(") ")?;
    let mut fields = fields.split(' ');
    // utime to cstime are fields 14 to 17 of the line, starttime is 22, rss 24; the state, field 3,
    // is the first here.
    let mut next = |skipped: usize| fields.nth(skipped)?.parse::<u64>().ok();
    let (user, system) = (next(11)?, next(0)?);
    let (user_of_children, system_of_children) = (next(0)?, next(0)?);
    Some(Line {
        own: user.saturating_add(system),
        of_children: user_of_children.saturating_add(system_of_children),
        started: next(4)?,
        pages: next(1)?,
    })
}

/// The folder of this process in the host's `/proc`, to be used when that is out of sight.
pub(super) fn own_folder() -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    openat(CWD, "/proc/self", flags, Mode::empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_counted_behind_the_name() {
        let rest =
            "R 1 2 2 0 -1 4194304 100 0 0 0 7 5 3 1 20 0 1 0 1234 9000000 321 18446744073709551615";
        let expected = Line {
            own: 12,
            of_children: 4,
            started: 1234,
            pages: 321,
        };
        for name in ["cat", "a b", ") R 9 9 9", "x) y"] {
            let line = parse(&format!("12 ({name}) {rest}"));
            assert_eq!(line.as_ref(), Some(&expected), "{name}");
        }
        assert_eq!(parse("12 (cat"), None);
        assert_eq!(parse(""), None);
    }
}
