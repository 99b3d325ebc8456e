//! The first process of a sandbox that a runtime of containers sets up.
//!
//! It is the first of a pid, a mount and a network namespace of its own, in which the runtime works
//! and makes the container's. The bundle, the runtime's own records and the scratch are in memory and
//! in this mount namespace alone, so whatever becomes of this process, nothing of them is left; and no
//! process outlives it. Only control groups would, so it asks the runtime to delete the container
//! before it ends, for whatever reason it does.

use std::{
    ffi::{OsStr, OsString},
    fs,
    os::{
        fd::{AsFd, OwnedFd},
        unix::fs::{FileTypeExt, MetadataExt},
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use rustix::{
    fs::{AtFlags, CWD, Mode, OFlags, major, minor, openat, unlinkat},
    mount::{MountFlags, MountPropagationFlags, UnmountFlags, mount, mount_change, unmount},
    net::SendFlags,
    process::{Pid, PidfdFlags, Rlimit, pidfd_open, prlimit},
};

use super::{
    Ends, Failure, accounts::Accounts, at, container_groups::Groups, enter, first, mounts, raw,
    rights,
};
use crate::{
    LimitHit, Limits,
    oci::{
        OciKind, OciRuntime,
        config::{self, Group, Node},
    },
    wire::{self, Plan, Report},
};

/// How long a runtime may take to do what it is asked; the library waits a little longer.
const PATIENCE: Duration = Duration::from_secs(8);
/// How often the runtime is looked at.
const TICK: Duration = Duration::from_millis(20);
/// Folders of the host, one of which is covered in this mount namespace by what the bundle needs.
const STANDS: [&str; 5] = ["/mnt", "/media", "/srv", "/run", "/tmp"];
/// Characters of a runtime's own words that are handed on.
const WORDS: usize = 1000;
/// Devices that one program may use.
const MOST_DEVICES: usize = 64;

/// Why there is no outcome.
enum Trouble {
    Step(Failure),
    /// The runtime did not do this, and said that.
    Refused {
        doing: &'static str,
        said: String,
    },
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Step(failure)
    }
}

impl From<Trouble> for Report {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Step(Failure { step, errno }) => Self::Failed { step, errno },
            Trouble::Refused { doing, said } => Self::Refused {
                doing: doing.to_owned(),
                said,
            },
        }
    }
}

/// Sets the bundle up, has it run, and tells what became of the program.
pub(super) fn run(plan: &Plan, ends: &Ends) -> Result<(), ()> {
    let runtime = plan.container.as_ref().ok_or(())?;
    let report = match set_up(plan, runtime, ends) {
        Ok((container, accounts)) => {
            let ended = container.run(accounts);
            raw::kill_all_others();
            container.take_away();
            ended
        }
        Err(failure) => Err(failure.into()),
    };
    let report = report.unwrap_or_else(Report::from);
    wire::send(&ends.control, &report, &[], SendFlags::empty()).map_err(|_| ())
}

/// A bundle, ready to be run.
struct Container<'a> {
    plan: &'a Plan,
    runtime: &'a OciRuntime,
    ends: &'a Ends,
    groups: Groups,
    /// The folder of the bundle and of the runtime's records.
    folder: PathBuf,
    /// The name of the container, and of its control group.
    name: String,
    scratch: OwnedFd,
}

fn set_up<'a>(
    plan: &'a Plan,
    runtime: &'a OciRuntime,
    ends: &'a Ends,
) -> Result<(Container<'a>, Accounts), Failure> {
    raw::reap_children_unseen(false);
    // The stage's socket must not be held here: as standard input, the program's takes its place.
    rustix::stdio::dup2_stdin(&ends.stdin).map_err(at("take standard input"))?;
    let own = rights::own_folder_of_proc()?;
    let owner = if plan.privileged {
        [plan.user, plan.group]
    } else {
        // Runtimes must be root in what they see.
        rights::map_as(&own, [0, 0], [plan.user, plan.group])?;
        [0, 0]
    };
    drop(own);
    let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    mount_change("/", private).map_err(at("make the mounts private"))?;
    let parts = mounts::parts(plan)?;
    let devices = nodes(runtime)?;
    let name = format!("adit-sandbox-{}", unique()?);
    // What the runtime reads of processes must be those of this pid namespace.
    let quiet = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    mount("proc", "/proc", "proc", quiet, None).map_err(at("mount the runtime's /proc"))?;
    let accounts = Accounts::of_processes();
    let groups = Groups::find();
    hide_groups(runtime.kind, &groups)?;

    let folder = stand(&runtime.path)?;
    let rootfs = folder.join("rootfs");
    fs::create_dir(&rootfs).map_err(at("make the root's folder"))?;
    let root = mounts::tmpfs(&[("size", "1m"), ("nr_inodes", "4096"), ("mode", "0755")])?;
    mounts::attach(&root, CWD, &rootfs).map_err(at("attach the new root"))?;
    for device in &devices {
        let path = mounts::below(Path::new(&device.path));
        mounts::make_folders(&root, path.parent().unwrap_or(Path::new("")))?;
        let flags = OFlags::CREATE | OFlags::WRONLY | OFlags::CLOEXEC;
        openat(&root, &path, flags, Mode::from_raw_mode(0o444))
            .map_err(at(format!("make {}", path.display())))?;
    }
    mounts::make_folders(&root, Path::new("proc"))?;
    if runtime.kind != OciKind::Runsc {
        // Runtimes need one. A program finds in it its own processes, and nothing of the machine.
        let options = c"hidepid=2,subset=pid";
        mount("proc", rootfs.join("proc"), "proc", quiet, options)
            .map_err(at("mount the container's /proc"))?;
    }
    let scratch = mounts::fill(plan, &root, &parts, owner)?;
    if runtime.kind == OciKind::Runsc {
        // It follows no link to a place of a mount, and mounts memory without bounds instead.
        unlinkat(&root, "tmp", AtFlags::empty()).map_err(at("unlink /tmp"))?;
        mounts::make_folders(&root, Path::new("tmp"))?;
    }
    let group = groups.any().then(|| Group {
        path: format!("/{name}"),
        swap: groups.swap,
    });
    let config = config::config(plan, runtime, &rootfs, &devices, group.as_ref());
    fs::write(folder.join("config.json"), config.to_string()).map_err(at("write the bundle"))?;
    let container = Container {
        plan,
        runtime,
        ends,
        groups,
        folder,
        name,
        scratch,
    };
    Ok((container, accounts))
}

/// The host's devices that the program may use: the four that all have, and those listed.
fn nodes(runtime: &OciRuntime) -> Result<Vec<Node>, Failure> {
    let listed = runtime.devices.iter().take(MOST_DEVICES);
    let all = mounts::DEVICES.map(Path::new).into_iter();
    all.chain(listed.map(PathBuf::as_path))
        .map(|path| {
            let told = fs::metadata(path).map_err(at(format!("look at {}", path.display())))?;
            let kind = told.file_type();
            let kind = if kind.is_char_device() {
                "c"
            } else if kind.is_block_device() {
                "b"
            } else {
                let no_device = std::io::Error::from_raw_os_error(libc::ENODEV);
                return Err(at(format!("use {}", path.display()))(no_device));
            };
            Ok(Node {
                path: path.to_string_lossy().into_owned(),
                kind,
                major: major(told.rdev()),
                minor: minor(told.rdev()),
            })
        })
        .collect()
}

/// A name that no other container has.
fn unique() -> Result<String, Failure> {
    let name = fs::read_to_string("/proc/sys/kernel/random/uuid");
    let name = name.map_err(at("name the container"))?;
    Ok(name.trim().to_owned())
}

/// crun looks at all groups even when it is to make none, and at both versions when it finds both,
/// which it refuses. Here it sees what it is to use.
fn hide_groups(kind: OciKind, groups: &Groups) -> Result<(), Failure> {
    if kind != OciKind::Crun {
        return Ok(());
    }
    if !groups.any() && Path::new("/sys/fs/cgroup").is_dir() {
        let quiet = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
        return mount("none", "/sys/fs/cgroup", "tmpfs", quiet, None)
            .map_err(at("cover the control groups"));
    }
    if groups.hybrid {
        unmount("/sys/fs/cgroup/unified", UnmountFlags::DETACH)
            .map_err(at("hide the control groups of version 2"))?;
    }
    Ok(())
}

/// Attaches memory for the bundle somewhere that does not hide the runtime.
fn stand(runtime: &Path) -> Result<PathBuf, Failure> {
    let memory = mounts::tmpfs(&[("size", "8m"), ("nr_inodes", "1024"), ("mode", "0711")])?;
    let runtime = fs::canonicalize(runtime).map_err(at("look at the runtime"))?;
    let mut failure = None;
    for place in STANDS.map(Path::new) {
        if runtime.starts_with(place) {
            continue;
        }
        match mounts::attach(&memory, CWD, place) {
            Ok(()) => return Ok(place.to_owned()),
            Err(error) => failure = Some(error),
        }
    }
    Err(at("attach the bundle")(
        failure.unwrap_or(rustix::io::Errno::NOENT),
    ))
}

impl Container<'_> {
    fn run(&self, accounts: Accounts) -> Result<Report, Trouble> {
        let ends = self.ends;
        let contained = Report::Contained {
            controllers: self.groups.controllers.clone(),
        };
        let report = |report: &Report, descriptors: &[_]| {
            wire::send(&ends.control, report, descriptors, SendFlags::empty()).map_err(at("report"))
        };
        report(&contained, &[])?;
        let ready = Report::Ready {
            watched: accounts.are_whole(),
            group: None,
        };
        let (program, began) = if self.runtime.kind == OciKind::Runsc {
            // Its container's first process is not a process of this kernel, so the runtime itself is
            // waited for, which ends as the program does.
            report(&ready, &[self.scratch.as_fd()])?;
            let run = self.command(&["run", "--bundle"], &[self.folder.as_os_str()]);
            let child = self.spawn(run, true).map_err(at("start the runtime"))?;
            (process(child.id())?, Duration::ZERO)
        } else {
            let pid = self.folder.join("pid");
            let words = ["create", "--bundle"];
            let more = [
                self.folder.as_os_str(),
                OsStr::new("--pid-file"),
                pid.as_os_str(),
            ];
            self.ask("make the container", self.command(&words, &more), true)?;
            let pid = fs::read_to_string(pid).map_err(at("read the container's pid"))?;
            let program = process(pid.trim().parse().unwrap_or(0))?;
            bound(program, &self.plan.limits)?;
            report(&ready, &[self.scratch.as_fd()])?;
            self.ask("start the program", self.command(&["start"], &[]), false)?;
            (program, raw::usage_of_children().0)
        };
        // What the runtime took to start the program is not the program's.
        let limits = Limits {
            cpu: self.plan.limits.cpu.saturating_add(began),
            memory: self
                .plan
                .limits
                .memory
                .saturating_add(config::own_memory(self.runtime.kind)),
            ..self.plan.limits
        };
        let done = first::watch(program, accounts, &limits, &ends.control);
        self.corrected(done, began)
    }

    /// What the groups and the runtime know better.
    fn corrected(&self, done: Report, began: Duration) -> Result<Report, Trouble> {
        let Report::Done {
            mut code,
            mut signal,
            mut limit,
            wall,
            cpu,
            peak_memory,
        } = done
        else {
            return Ok(done);
        };
        if self.runtime.kind == OciKind::Runsc
            && let Some(told) = code
        {
            if told == 128 {
                return Err(self.refused("run the program", told));
            }
            // As a shell does.
            if (129..=192).contains(&told) {
                (code, signal) = (None, Some(told - 128));
            }
            limit = limit.or(match signal {
                Some(libc::SIGXCPU) => Some(LimitHit::Cpu),
                Some(libc::SIGXFSZ) => Some(LimitHit::FileSize),
                _ => None,
            });
        }
        let told = self.groups.tell(&self.name);
        if told.out_of_memory && limit.is_none() && signal == Some(libc::SIGKILL) {
            limit = Some(LimitHit::Memory);
        }
        Ok(Report::Done {
            code,
            signal,
            limit,
            wall,
            cpu: told.cpu.unwrap_or_else(|| cpu.saturating_sub(began)),
            peak_memory: told.peak.unwrap_or(peak_memory),
        })
    }

    /// Has the runtime forget the container. What it leaves undone is reported by no one: the
    /// processes are dead, and all else but the control group goes with this process.
    fn take_away(&self) {
        let delete = self.command(&["delete", "--force"], &[]);
        if let Ok(mut child) = self.spawn(delete, false) {
            let began = Instant::now();
            while matches!(child.try_wait(), Ok(None)) && began.elapsed() < PATIENCE {
                std::thread::sleep(Duration::from_millis(2));
            }
            let _ = child.kill();
        }
    }

    /// The runtime, with what all its commands are told before and the container's name behind.
    fn command(&self, words: &[&str], more: &[&OsStr]) -> Command {
        let mut all: Vec<OsString> = vec![
            "--root".into(),
            self.folder.join("state").into(),
            "--log".into(),
            self.folder.join("log").into(),
            "--log-format".into(),
            "json".into(),
        ];
        let groups = self.groups.any();
        let only: &[&str] = match self.runtime.kind {
            // Its word for going on where groups cannot be made.
            OciKind::Runc if !groups => &["--rootless=true"],
            OciKind::Runc => &[],
            OciKind::Crun if !groups => &["--cgroup-manager=disabled"],
            OciKind::Crun => &["--cgroup-manager=cgroupfs"],
            OciKind::Runsc if !groups => &["--network=none", "--ignore-cgroups"],
            OciKind::Runsc => &["--network=none"],
        };
        all.extend(only.iter().map(OsString::from));
        if self.runtime.kind == OciKind::Runsc {
            // Its own kernel would allow the program what it can bear itself.
            all.push("--oci-seccomp".into());
            if !self.plan.privileged {
                all.push("--rootless".into());
            }
            let gpu = |path: &PathBuf| path.to_string_lossy().starts_with("/dev/nvidia");
            if self.runtime.devices.iter().any(gpu) {
                all.push("--nvproxy".into());
            }
        }
        all.extend(words.iter().map(OsString::from));
        all.extend(more.iter().map(OsString::from));
        all.push(OsString::from(&self.name));
        let mut command = Command::new(&self.runtime.path);
        command
            .args(all)
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .current_dir("/");
        command
    }

    /// Starts the runtime, with the program's own standard input, output and error if it is to hand
    /// them on.
    fn spawn(&self, mut command: Command, hand_on: bool) -> std::io::Result<Child> {
        if hand_on {
            command
                .stdin(Stdio::inherit())
                .stdout(self.ends.stdout.try_clone()?)
                .stderr(self.ends.stderr.try_clone()?);
        } else {
            command
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null());
        }
        command.spawn()
    }

    /// Has the runtime do something, while the library listens.
    fn ask(&self, doing: &'static str, command: Command, hand_on: bool) -> Result<(), Trouble> {
        let mut child = self
            .spawn(command, hand_on)
            .map_err(at("start the runtime"))?;
        let watched = process(child.id())?;
        let watched = pidfd_open(watched, PidfdFlags::empty()).ok();
        let began = Instant::now();
        loop {
            match child.try_wait().map_err(at("wait for the runtime"))? {
                Some(status) if status.success() => return Ok(()),
                Some(status) => return Err(self.refused(doing, status.code().unwrap_or(-1))),
                None => {}
            }
            let gone = first::pause(&self.ends.control, watched.as_ref(), TICK);
            if gone || began.elapsed() > PATIENCE {
                let said = "it took longer than 8 s, or nobody waits any more".to_owned();
                return Err(Trouble::Refused { doing, said });
            }
        }
    }

    /// The runtime's last complaint.
    fn refused(&self, doing: &'static str, code: i32) -> Trouble {
        let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        let complaint = log.lines().rev().find_map(|line| {
            let line: serde_json::Value = serde_json::from_str(line).ok()?;
            let is_error = line.get("level")?.as_str()? != "info";
            let said = line.get("msg")?.as_str()?.to_owned();
            is_error.then_some(said)
        });
        let said = complaint.unwrap_or_else(|| format!("it exited with {code} without a word"));
        let said = said.chars().take(WORDS).collect();
        Trouble::Refused { doing, said }
    }
}

/// A process by number.
fn process(pid: u32) -> Result<Pid, Failure> {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    pid.ok_or_else(|| at("look for the container's process")(rustix::io::Errno::SRCH))
}

/// Bounds the process that waits to become the program.
fn bound(program: Pid, limits: &Limits) -> Result<(), Failure> {
    for (resource, current, maximum) in enter::bounds(limits, 0) {
        let bound = Rlimit {
            current: Some(current),
            maximum: Some(maximum),
        };
        prlimit(Some(program), resource, bound)
            .map_err(at(format!("set the limit {resource:?}")))?;
    }
    Ok(())
}
