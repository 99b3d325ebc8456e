//! The control groups that a runtime of containers can make here, and what they tell afterwards.

use std::{fs, path::Path, time::Duration};

use rustix::fs::{Access, AtFlags, CWD, accessat, statfs};

/// Where every Linux mounts them.
const HIERARCHY: &str = "/sys/fs/cgroup";
/// What the kernel calls the file systems of version 1 and version 2.
const EACH: i64 = 0x0027_e0eb;
const UNIFIED: i64 = 0x6367_7270;

/// Which controllers can be used.
#[derive(Debug, Clone, Default)]
pub(super) struct Groups {
    /// The names of version 2, none when nothing can be bounded.
    pub(super) controllers: Vec<String>,
    /// Version 2, where all controllers share one tree.
    unified: bool,
    /// Whether there is a tree of version 2 beside those of version 1.
    pub(super) hybrid: bool,
    /// Whether swap can be bounded.
    pub(super) swap: bool,
}

/// What a group says of all processes that were in it.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// The most memory in bytes, files in memory among it.
    pub(super) peak: Option<u64>,
    pub(super) cpu: Option<Duration>,
    /// Whether the kernel ended a process because of the group's limit.
    pub(super) out_of_memory: bool,
}

impl Groups {
    /// Looks at the machine. Memory and processes must both be boundable, or nothing is used: half a
    /// group would only look like one.
    pub(super) fn find() -> Self {
        let root = Path::new(HIERARCHY);
        let is = |path: &Path, magic: i64| {
            #[expect(
                clippy::allow_attributes,
                reason = "its type differs between processors"
            )]
            #[allow(
                clippy::unnecessary_cast,
                reason = "its type differs between processors"
            )]
            statfs(path).is_ok_and(|told| told.f_type as i64 == magic)
        };
        let hybrid = is(&root.join("unified"), UNIFIED);
        if is(root, UNIFIED) {
            let offered = fs::read_to_string(root.join("cgroup.controllers")).unwrap_or_default();
            let controllers: Vec<String> = offered
                .split_whitespace()
                .filter(|name| ["memory", "pids", "cpu"].contains(name))
                .map(str::to_owned)
                .collect();
            let open = writable(root) && writable(&root.join("cgroup.subtree_control"));
            let enough = ["memory", "pids"]
                .iter()
                .all(|name| controllers.iter().any(|found| found == name));
            if !open || !enough {
                return Self::default();
            }
            let swap = fs::read_dir(root).is_ok_and(|mut entries| {
                entries.any(|entry| {
                    entry.is_ok_and(|entry| entry.path().join("memory.swap.max").exists())
                })
            });
            return Self {
                controllers,
                unified: true,
                hybrid: false,
                swap,
            };
        }
        // The runtime makes a group in every tree there is.
        let Ok(trees) = fs::read_dir(root) else {
            return Self::default();
        };
        let mut trees = trees.flatten().map(|entry| entry.path());
        let all = trees.all(|tree| !is(&tree, EACH) || writable(&tree));
        let has = |name: &str| is(&root.join(name), EACH);
        if !all || !has("memory") || !has("pids") {
            return Self {
                hybrid,
                ..Self::default()
            };
        }
        let counted = has("cpuacct").then_some("cpu");
        Self {
            controllers: ["memory", "pids"]
                .into_iter()
                .chain(counted)
                .map(str::to_owned)
                .collect(),
            unified: false,
            hybrid,
            swap: root.join("memory/memory.memsw.limit_in_bytes").exists(),
        }
    }

    /// Whether groups are used.
    pub(super) fn any(&self) -> bool {
        !self.controllers.is_empty()
    }

    /// What the group of this name says; it must still be there.
    pub(super) fn tell(&self, name: &str) -> Told {
        if !self.any() {
            return Told::default();
        }
        let read = |controller: &str, file: &str| {
            let tree = if self.unified { "" } else { controller };
            fs::read_to_string(Path::new(HIERARCHY).join(tree).join(name).join(file)).ok()
        };
        let number = |text: String| text.trim().parse::<u64>().ok();
        if self.unified {
            let cpu = read("cpu", "cpu.stat").and_then(|text| field(&text, "usage_usec"));
            let events = read("memory", "memory.events");
            return Told {
                peak: read("memory", "memory.peak").and_then(number),
                cpu: cpu.map(Duration::from_micros),
                out_of_memory: killed(events.as_deref()),
            };
        }
        let cpu = read("cpuacct", "cpuacct.usage").and_then(number);
        let events = read("memory", "memory.oom_control");
        Told {
            peak: read("memory", "memory.max_usage_in_bytes").and_then(number),
            cpu: cpu.map(Duration::from_nanos),
            out_of_memory: killed(events.as_deref()),
        }
    }
}

fn killed(events: Option<&str>) -> bool {
    events.is_some_and(|text| field(text, "oom_kill").is_some_and(|count| count > 0))
}

/// The number behind a name, one to a line.
fn field(text: &str, name: &str) -> Option<u64> {
    text.lines()
        .filter_map(|line| line.split_once(' '))
        .find(|(found, _)| *found == name)
        .and_then(|(_, number)| number.trim().parse().ok())
}

fn writable(path: &Path) -> bool {
    accessat(CWD, path, Access::WRITE_OK, AtFlags::EACCESS).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_read_by_name() {
        let told = "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n";
        assert!(killed(Some(told)));
        assert!(!killed(Some("oom_kill_disable 1\noom_kill 0\n")));
        assert!(!killed(None));
        assert_eq!(
            field("usage_usec 71\nuser_usec 3\n", "usage_usec"),
            Some(71)
        );
    }
}
