use std::fmt;

use crate::GroupLimits;

/// What this machine enforces; [`Display`](fmt::Display) prints it as a table.
///
/// What is not in it is enforced on every machine, or nothing runs: the namespaces, the read-only
/// root, the empty capabilities, the filter of system calls, the limits of each process.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Enforcement {
    /// The kernel's release.
    pub kernel: String,
    /// Whether programs run as a user that nobody else is, which only root can arrange. Otherwise they
    /// run as this process's user, without its rights.
    pub privileged: bool,
    /// The version of Landlock's rules, when the kernel has them.
    pub landlock: Option<u32>,
    /// Whether CPU time and memory of all processes together are counted up and bounded. Otherwise
    /// only those of each process are: a container that hides parts of `/proc` prevents it.
    pub watched: bool,
    /// What the control group of each run bounds; `None` where runs have none. See
    /// [`ControlGroups`](crate::ControlGroups).
    pub group: Option<GroupLimits>,
    /// The runtime of containers, for a sandbox that one sets up.
    pub container: Option<Containment>,
}

/// What a runtime of containers uses on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Containment {
    /// What it says of itself.
    pub runtime: String,
    /// The controllers of the control group around each program, by their names in version 2; none
    /// where this process cannot make one.
    pub controllers: Vec<String>,
}

impl fmt::Display for Enforcement {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let user = if self.privileged {
            "a user of its own, in a user namespace that maps no other"
        } else {
            "this user, in a user namespace that maps no other"
        };
        let contained = self.container.is_some();
        let landlock = match self.landlock {
            Some(version) => format!("version {version}"),
            None if contained => "no: a runtime of containers raises none".to_owned(),
            None => "no: not in this kernel".to_owned(),
        };
        let processes = if contained {
            "a pid namespace that ends with the run; its own /proc, parts of it masked"
        } else {
            "a pid namespace that ends with the run; no /proc"
        };
        let counted = match (self.group, self.watched) {
            (Some(group), _) if group.memory => {
                "by the kernel: memory.max of the run's control group"
            }
            (_, true) => "counted up every 20 ms",
            (_, false) => "no: this machine hides parts of /proc; each process is bounded alone",
        };
        let time = match (self.group, self.watched) {
            (Some(_), _) => "by the control group's account, looked at every 20 ms",
            (None, true) => "counted up every 20 ms",
            (None, false) => counted,
        };
        let number = match self.group {
            Some(group) if group.processes => "pids.max of the run's control group, and an rlimit",
            _ => "an rlimit of the run's own user",
        };
        let group = if self.group.is_some() {
            "one for each run"
        } else if contained {
            "the runtime's"
        } else {
            "none: no cgroup v2 that this user may make groups in (Delegate=yes in systemd's unit)"
        };
        let rows = [
            ("kernel", self.kernel.as_str()),
            ("runs as", user),
            (
                "files",
                "a read-only root of an allow-list; scratch of bounded size and count",
            ),
            (
                "network",
                "a namespace with no interface up; only unix sockets can be made",
            ),
            ("processes", processes),
            ("system calls", "a seccomp allow-list; all else is refused"),
            ("capabilities", "none, in any set; no_new_privs"),
            ("Landlock", &landlock),
            (
                "limits of a process",
                "CPU time, memory, files, file size: rlimits",
            ),
            ("control group", group),
            ("memory of all", counted),
            ("CPU time of all", time),
            ("number of processes", number),
        ];
        for (what, how) in rows {
            writeln!(formatter, "{what:<24}{how}")?;
        }
        if let Some(container) = &self.container {
            let groups = if container.controllers.is_empty() {
                "no: none can be made here".to_owned()
            } else {
                container.controllers.join(", ")
            };
            writeln!(formatter, "{:<24}{}", "runtime", container.runtime)?;
            writeln!(formatter, "{:<24}{groups}", "control groups")?;
        }
        Ok(())
    }
}
