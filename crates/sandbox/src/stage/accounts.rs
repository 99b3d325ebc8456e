//! Time and memory of all processes of a sandbox together.

use std::{fs::File, io::Read, os::fd::OwnedFd, time::Duration};

use rustix::{
    fs::{CWD, Dir, Mode, OFlags, openat},
    mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsmount, fsopen},
};

/// A `proc` of the sandbox's own pid namespace, mounted nowhere: only this process can read it.
pub(super) struct Accounts {
    processes: Option<OwnedFd>,
}

impl Accounts {
    /// Opens the accounts, in the sandbox's first process and while the host's `/proc` can still be
    /// seen: without rights on the host the kernel gives a `proc` only to those who see one whole.
    /// Containers often hide parts of it; then there are no accounts, and the limits of each process
    /// must do.
    pub(super) fn open() -> Self {
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
            processes: open().ok(),
        }
    }

    /// Whether there are accounts.
    pub(super) fn is_open(&self) -> bool {
        self.processes.is_some()
    }

    /// CPU time of the living processes, and their resident bytes, but for this one.
    pub(super) fn sum(&self) -> (Duration, u64) {
        let mut time = Duration::ZERO;
        let mut memory = 0;
        let Some(processes) = &self.processes else {
            return (time, memory);
        };
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let Ok(folder) = openat(processes, ".", flags, Mode::empty()) else {
            return (time, memory);
        };
        let Ok(entries) = Dir::new(folder) else {
            return (time, memory);
        };
        for entry in entries.flatten() {
            let Ok(name) = entry.file_name().to_str() else {
                continue;
            };
            if name == "1" || !name.bytes().all(|byte| byte.is_ascii_digit()) {
                continue;
            }
            if let Some((ticks, pages)) = read(processes, name).as_deref().and_then(parse) {
                time += Duration::from_millis(ticks.saturating_mul(10));
                memory += pages.saturating_mul(rustix::param::page_size() as u64);
            }
        }
        (time, memory)
    }
}

fn read(processes: &OwnedFd, name: &str) -> Option<String> {
    let path = format!("{name}/stat");
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    let file = openat(processes, &path, flags, Mode::empty()).ok()?;
    let mut bytes = Vec::new();
    File::from(file).take(4096).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// Clock ticks (a hundredth of a second) in user and kernel mode, and resident pages, from a line of
/// `/proc/PID/stat`. A program chooses its name, so fields are counted from the last `)`.
fn parse(line: &str) -> Option<(u64, u64)> {
    let (_, fields) = line.rsplit_once(") ")?;
    let mut fields = fields.split(' ');
    // utime is field 14 and rss field 24 of the line; the state, field 3, is the first here.
    let user: u64 = fields.nth(11)?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    let pages: u64 = fields.nth(8)?.parse().ok()?;
    Some((user.saturating_add(system), pages))
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
            "R 1 2 2 0 -1 4194304 100 0 0 0 7 5 0 0 20 0 1 0 1234 9000000 321 18446744073709551615";
        for name in ["cat", "a b", ") R 9 9 9", "x) y"] {
            assert_eq!(
                parse(&format!("12 ({name}) {rest}")),
                Some((12, 321)),
                "{name}"
            );
        }
        assert_eq!(parse("12 (cat"), None);
        assert_eq!(parse(""), None);
    }
}
