//! The file system that a program sees.

use std::{
    os::fd::OwnedFd,
    path::{Component, Path, PathBuf},
};

use rustix::{
    fs::{AtFlags, CWD, FileType, Mode, OFlags, chownat, fstat, mkdirat, openat, symlinkat},
    io::Errno,
    mount::{
        FsMountFlags, FsOpenFlags, MountAttrFlags, MountPropagationFlags, MoveMountFlags,
        OpenTreeFlags, UnmountFlags, fsconfig_create, fsconfig_set_string, fsmount, fsopen,
        mount_change, move_mount, open_tree, unmount,
    },
    process::{chdir, fchdir, pivot_root},
};

use super::{Failure, at, lend, raw};
use crate::{
    program::{INPUTS, SCRATCH},
    wire::Plan,
};

/// Folders of the host, one of which is covered while the new root is put together.
const STANDS: [&str; 4] = ["/tmp", "/mnt", "/run", "/var"];
/// What programs may open of `/dev`.
pub(crate) const DEVICES: [&str; 4] = ["/dev/null", "/dev/zero", "/dev/random", "/dev/urandom"];

/// A detached copy of a part of the host's tree, and where it goes.
pub(super) struct Part {
    tree: OwnedFd,
    folder: bool,
    target: PathBuf,
}

/// Builds the root, moves into it, drops the host's. Returns the scratch.
pub(super) fn build(plan: &Plan) -> Result<OwnedFd, Failure> {
    let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    mount_change("/", private).map_err(at("make the mounts private"))?;
    let mut parts = parts(plan)?;
    parts.extend(devices()?);
    let root = tmpfs(&[("size", "1m"), ("nr_inodes", "4096"), ("mode", "0755")])?;
    let stand = stand(&root)?;
    let scratch = fill(plan, &root, &parts, [plan.user, plan.group])?;
    seal(&root)?;
    fchdir(&root).map_err(at("change to the new root"))?;
    pivot_root(".", ".").map_err(at("change the root"))?;
    unmount(".", UnmountFlags::DETACH).map_err(at(format!("drop the host's root over {stand}")))?;
    chdir("/").map_err(at("change to /"))?;
    Ok(scratch)
}

/// Puts the parts, the links and the scratch, for its owner, into a root. Returns the scratch.
pub(super) fn fill(
    plan: &Plan,
    root: &OwnedFd,
    parts: &[Part],
    owner: [u32; 2],
) -> Result<OwnedFd, Failure> {
    for part in parts {
        place(root, part)?;
    }
    for (link, says) in &plan.root.links {
        let link = below(link);
        make_folders(root, link.parent().unwrap_or(Path::new("")))?;
        symlinkat(says, root, &link).map_err(at(format!("link {}", link.display())))?;
    }
    let scratch = scratch(plan, root, owner)?;
    for (link, says) in [("tmp", "work/.tmp"), ("dev/shm", "../work/.tmp")] {
        symlinkat(says, root, link).map_err(at(format!("link {link}")))?;
    }
    Ok(scratch)
}

/// Opens all parts of the host while it is in sight.
pub(super) fn parts(plan: &Plan) -> Result<Vec<Part>, Failure> {
    let quiet = libc::MOUNT_ATTR_RDONLY | libc::MOUNT_ATTR_NOSUID;
    let mut parts = Vec::new();
    for path in &plan.root.shown {
        parts.push(part(path, path, quiet | libc::MOUNT_ATTR_NODEV)?);
    }
    for (name, path) in &plan.inputs {
        let target = Path::new(INPUTS).join(name);
        let part = part(path, &target, quiet | libc::MOUNT_ATTR_NODEV)?;
        if plan.privileged {
            lend::lend(&part.tree, &path.display().to_string(), plan)?;
        }
        parts.push(part);
    }
    Ok(parts)
}

fn devices() -> Result<Vec<Part>, Failure> {
    let attributes = libc::MOUNT_ATTR_RDONLY | libc::MOUNT_ATTR_NOSUID | libc::MOUNT_ATTR_NOEXEC;
    let devices = DEVICES.map(Path::new).into_iter();
    devices
        .map(|device| part(device, device, attributes))
        .collect()
}

fn part(source: &Path, target: &Path, attributes: u64) -> Result<Part, Failure> {
    let shown = source.display();
    let flags = OpenTreeFlags::OPEN_TREE_CLONE
        | OpenTreeFlags::OPEN_TREE_CLOEXEC
        | OpenTreeFlags::AT_RECURSIVE;
    let tree = open_tree(CWD, source, flags).map_err(at(format!("open {shown}")))?;
    raw::set_mount(&tree, attributes).map_err(at(format!("make {shown} read-only")))?;
    let kind = fstat(&tree).map_err(at(format!("look at {shown}")))?;
    let folder = FileType::from_raw_mode(kind.st_mode) == FileType::Directory;
    Ok(Part {
        tree,
        folder,
        target: below(target),
    })
}

/// A path without its leading `/`.
pub(super) fn below(path: &Path) -> PathBuf {
    path.components()
        .filter(|part| matches!(part, Component::Normal(_)))
        .collect()
}

/// A new memory file system, mounted nowhere yet.
pub(super) fn tmpfs(options: &[(&str, &str)]) -> Result<OwnedFd, Failure> {
    let made = || {
        let made = fsopen("tmpfs", FsOpenFlags::FSOPEN_CLOEXEC)?;
        for (name, value) in options {
            fsconfig_set_string(&made, *name, *value)?;
        }
        fsconfig_create(&made)?;
        fsmount(
            &made,
            FsMountFlags::FSMOUNT_CLOEXEC,
            MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NODEV,
        )
    };
    made().map_err(at("make a memory file system"))
}

/// Attaches the new root somewhere: only what is attached can be mounted on.
fn stand(root: &OwnedFd) -> Result<&'static str, Failure> {
    let mut failure = None;
    for place in STANDS {
        match attach(root, CWD, Path::new(place)) {
            Ok(()) => return Ok(place),
            Err(error) => failure = Some(error),
        }
    }
    Err(at("attach the new root")(failure.unwrap_or(Errno::NOENT)))
}

pub(super) fn attach(
    tree: &OwnedFd,
    base: impl std::os::fd::AsFd,
    target: &Path,
) -> rustix::io::Result<()> {
    move_mount(
        tree,
        "",
        base,
        target,
        MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH,
    )
}

fn place(root: &OwnedFd, part: &Part) -> Result<(), Failure> {
    let shown = part.target.display();
    if part.folder {
        make_folders(root, &part.target)?;
    } else {
        make_folders(root, part.target.parent().unwrap_or(Path::new("")))?;
        let flags = OFlags::CREATE | OFlags::WRONLY | OFlags::CLOEXEC;
        openat(root, &part.target, flags, Mode::from_raw_mode(0o444))
            .map_err(at(format!("make {shown}")))?;
    }
    attach(&part.tree, root, &part.target).map_err(at(format!("mount {shown}")))
}

pub(super) fn make_folders(root: &OwnedFd, path: &Path) -> Result<(), Failure> {
    let mut made = PathBuf::new();
    for part in path.components() {
        made.push(part);
        match mkdirat(root, &made, Mode::from_raw_mode(0o755)) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(at(format!("make {}", made.display()))(error)),
        }
    }
    Ok(())
}

/// Mounts the scratch, whose `.tmp` is `/tmp`, and opens it for the library.
fn scratch(plan: &Plan, root: &OwnedFd, owner: [u32; 2]) -> Result<OwnedFd, Failure> {
    let size = plan.limits.scratch.max(1).to_string();
    // The root of the file system and `.tmp` count as files for the kernel.
    let files = plan.limits.scratch_files.saturating_add(3).to_string();
    let tree = tmpfs(&[("size", &size), ("nr_inodes", &files), ("mode", "0700")])?;
    let target = below(Path::new(SCRATCH));
    make_folders(root, &target)?;
    attach(&tree, root, &target).map_err(at("mount the scratch"))?;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let folder = openat(root, &target, flags, Mode::empty()).map_err(at("open the scratch"))?;
    mkdirat(&folder, ".tmp", Mode::from_raw_mode(0o700)).map_err(at("make /tmp"))?;
    let (user, group) = (
        rustix::fs::Uid::from_raw(owner[0]),
        rustix::fs::Gid::from_raw(owner[1]),
    );
    for path in [".", ".tmp"] {
        chownat(&folder, path, Some(user), Some(group), AtFlags::empty())
            .map_err(at("give the scratch to its user"))?;
    }
    Ok(folder)
}

/// Makes the root itself read-only; what is mounted on it keeps its own attributes.
fn seal(root: &OwnedFd) -> Result<(), Failure> {
    raw::set_one_mount(root, libc::MOUNT_ATTR_RDONLY).map_err(at("make the root read-only"))
}
