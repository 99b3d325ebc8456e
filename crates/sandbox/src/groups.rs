//! Where the runs of a sandbox may have control groups of their own.

use std::{
    fs,
    io::ErrorKind,
    path::{Component, Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// A folder made by the operator, below the mount of control groups, is used without being named.
const MADE_BY_OPERATOR: &str = "adit-sandbox";
/// The group that this process moves to when it lives where only groups may: a group with processes
/// of its own can hand no controller on.
const OWN: &str = "adit-main";
/// What systemd writes on a group that it left to its processes (`Delegate=yes`).
const MARKS: [&str; 2] = ["user.delegate", "trusted.delegate"];
/// Folders that are climbed in search of the mark.
const DEPTH: usize = 16;
/// How often processes of a group are moved until none is left; each may start others meanwhile.
const MOVES: usize = 16;

/// Where each run gets a control group (version 2) of its own, by which the kernel bounds the memory
/// and the number of all its processes together, and counts their CPU time exactly.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum ControlGroups {
    /// Where this process may make some: below the folder `adit-sandbox` at the root of the mount, if
    /// there is one; below the group that systemd left to it (`Delegate=yes`), in which case all
    /// processes of that group are moved one down, to `adit-main`; or below the root itself when
    /// this process lives there. Without such a place each process is bounded alone, and all
    /// together are counted up every 20 ms.
    #[default]
    WherePossible,
    /// Below this folder of the control groups' file system, or there is no sandbox. What it has of the
    /// controllers `memory` and `pids` is used; it can hand on none while it holds processes.
    Below(PathBuf),
    /// Nowhere.
    Nowhere,
}

/// What the kernel bounds for all processes of a run together, by their control group. CPU time it
/// counts there always.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GroupLimits {
    /// Memory with scratch, page cache and buffers of sockets and pipes: `memory.max`.
    pub memory: bool,
    /// Processes and threads: `pids.max`.
    pub processes: bool,
}

impl ControlGroups {
    /// The folder to make groups in, ready for it; `None` for none.
    pub(crate) fn folder(&self) -> Result<Option<PathBuf>> {
        match self {
            Self::Nowhere => Ok(None),
            Self::Below(folder) => match ready(folder) {
                Ok(()) => Ok(Some(folder.clone())),
                Err(source) => Err(Error::Unavailable {
                    step: format!("using the control groups below {}", folder.display()),
                    source,
                    enable: "name a folder of a cgroup v2 file system that this user may write to",
                }),
            },
            Self::WherePossible => {
                let found = Tree::of_this_process().and_then(|tree| tree.find());
                let found = found.filter(|folder| match ready(folder) {
                    Ok(()) => true,
                    Err(error) => {
                        tracing::debug!(?folder, %error, "no control groups here");
                        false
                    }
                });
                Ok(found)
            }
        }
    }
}

/// The mount of control groups, version 2, and this process's group below it.
#[derive(Debug, PartialEq, Eq)]
struct Tree {
    mount: PathBuf,
    own: PathBuf,
}

impl Tree {
    fn of_this_process() -> Option<Self> {
        let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
        let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
        Self::parse(&mounts, &groups)
    }

    fn parse(mounts: &str, groups: &str) -> Option<Self> {
        let own = groups.lines().find_map(|line| line.strip_prefix("0::"))?;
        let (shown, mount) = mounts.lines().find_map(|line| {
            let (place, kind) = line.split_once(" - ")?;
            let mut place = place.split(' ').skip(3);
            let found = (place.next()?, place.next()?);
            kind.starts_with("cgroup2 ").then_some(found)
        })?;
        // A group beyond what the mount shows, as in some containers, has `..` in its path.
        let own = Path::new(own).strip_prefix(shown).ok()?;
        if own.components().any(|part| part == Component::ParentDir) {
            return None;
        }
        let mount = PathBuf::from(mount);
        Some(Self {
            own: mount.join(own),
            mount,
        })
    }

    /// The folder to make groups in, once it holds no processes.
    fn find(&self) -> Option<PathBuf> {
        let made = self.mount.join(MADE_BY_OPERATOR);
        if made.is_dir() {
            return Some(made);
        }
        // Only the real root has no type, and only there may processes and groups be side by side.
        if self.own == self.mount && !self.own.join("cgroup.type").exists() {
            return Some(self.own.clone());
        }
        let above = self.own.ancestors().take(DEPTH);
        let delegated = above
            .take_while(|folder| folder.starts_with(&self.mount))
            .find(|folder| is_delegated(folder))?;
        if delegated == self.own
            && let Err(error) = move_down(delegated)
        {
            tracing::debug!(folder = ?delegated, %error, "its processes cannot be moved");
            return None;
        }
        Some(delegated.to_path_buf())
    }
}

fn is_delegated(folder: &Path) -> bool {
    MARKS.iter().any(|mark| {
        let mut value = [0; 1];
        rustix::fs::getxattr(folder, *mark, &mut value).is_ok() && value == *b"1"
    })
}

/// Moves all processes of a group into one below it.
fn move_down(folder: &Path) -> std::io::Result<()> {
    let own = folder.join(OWN);
    match fs::create_dir(&own) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    for _ in 0..MOVES {
        let processes = fs::read_to_string(folder.join("cgroup.procs"))?;
        if processes.is_empty() {
            return Ok(());
        }
        for process in processes.lines() {
            match fs::write(own.join("cgroup.procs"), process) {
                // It has ended.
                Err(error) if error.raw_os_error() == Some(libc::ESRCH) => {}
                moved => moved?,
            }
        }
    }
    Err(std::io::Error::from(ErrorKind::ResourceBusy))
}

/// Whether groups can be made in a folder; makes one and takes it away again.
fn ready(folder: &Path) -> std::io::Result<()> {
    let kind = rustix::fs::statfs(folder)?;
    if kind.f_type != libc::CGROUP2_SUPER_MAGIC {
        return Err(std::io::Error::from(ErrorKind::Unsupported));
    }
    let probe = folder.join(format!("adit-probe-{}", std::process::id()));
    match fs::create_dir(&probe) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => fs::remove_dir(&probe),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(mounts: &str, groups: &str) -> Option<(String, String)> {
        let tree = Tree::parse(mounts, groups)?;
        let text = |path: PathBuf| path.display().to_string();
        Some((text(tree.mount), text(tree.own)))
    }

    #[test]
    fn the_own_group_is_found_below_the_mount() {
        let mounts = "24 1 0:5 / /dev rw - devtmpfs dev rw\n\
                      30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";
        let found = |mount: &str, own: &str| Some((mount.to_owned(), own.to_owned()));
        assert_eq!(
            parse(mounts, "0::/system.slice/adit.service\n"),
            found("/sys/fs/cgroup", "/sys/fs/cgroup/system.slice/adit.service")
        );
        // Beside version 1.
        let hybrid = "4:memory:/x\n0::/\n";
        assert_eq!(
            parse(mounts, hybrid),
            found("/sys/fs/cgroup", "/sys/fs/cgroup/")
        );
        // A container that shows a part, and one whose group is out of sight.
        let part = mounts.replace("0:26 / ", "0:26 /docker/1 ");
        assert_eq!(
            parse(&part, "0::/docker/1/a\n"),
            found("/sys/fs/cgroup", "/sys/fs/cgroup/a")
        );
        assert_eq!(parse(&part, "0::/docker/2\n"), None);
        assert_eq!(parse(mounts, "0::/../a\n"), None);
        assert_eq!(parse(mounts, "4:memory:/x\n"), None);
        assert_eq!(
            parse("24 1 0:5 / /dev rw - devtmpfs dev rw\n", "0::/\n"),
            None
        );
    }

    #[test]
    fn a_folder_that_holds_no_groups_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        for folder in [folder.path(), Path::new("/no/such")] {
            let refused = ControlGroups::Below(folder.to_owned()).folder();
            assert!(
                matches!(refused, Err(Error::Unavailable { .. })),
                "{refused:?}"
            );
        }
        assert!(matches!(ControlGroups::Nowhere.folder(), Ok(None)));
    }
}
