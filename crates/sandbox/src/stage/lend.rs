//! Inputs of root's, shown to a user without rights.
//!
//! What the owner of an input may read, the program may too: its mount swaps the owner for the
//! program's user (an idmapped mount, since Linux 5.12 for ext4, 5.15 for Btrfs, 5.19 for overlays,
//! 6.3 for memory file systems). Nothing changes for anybody else, nor in the file system.

use std::os::fd::{AsFd, OwnedFd};

use rustix::{
    fs::{Gid, Mode, OFlags, Stat, Uid, fstat, openat},
    net::{AddressFamily, SendFlags, SocketFlags, SocketType, socketpair},
    process::{WaitOptions, waitpid},
    thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid},
};

use super::{Failure, at, raw, rights};
use crate::wire::{self, Plan};

/// Bits of a mode: reading and running, for everybody.
const OTHERS: u32 = 0o5;

/// Makes what an input's owner may read readable for the program.
pub(super) fn lend(tree: &OwnedFd, shown: &str, plan: &Plan) -> Result<(), Failure> {
    let told = fstat(tree).map_err(at(format!("look at {shown}")))?;
    if is_for_everybody(&told) {
        return Ok(());
    }
    let owners = other_owners(&told, plan)?;
    let Err(error) = raw::swap_owners(tree, owners.as_fd()) else {
        return Ok(());
    };
    // Some file systems cannot. What is for others anyway needs none of it.
    if told.st_mode & OTHERS != 0 {
        return Ok(());
    }
    let step = format!(
        "show {shown}, whose file system has no idmapped mounts, to a user without rights (it must be \
         readable by others there)"
    );
    Err(at(step)(error))
}

/// Whether others may read and run all that the owner may. What is in a folder is not known.
fn is_for_everybody(told: &Stat) -> bool {
    let folder = told.st_mode & libc::S_IFMT == libc::S_IFDIR;
    let owners = (told.st_mode >> 6) & OTHERS;
    !folder && told.st_mode & owners == owners
}

/// A user namespace in which the input's owner stands for the program's user. It takes a process to
/// make one, and another name of this process is not at hand.
fn other_owners(told: &Stat, plan: &Plan) -> Result<OwnedFd, Failure> {
    let (ours, theirs) = socketpair(
        AddressFamily::UNIX,
        SocketType::SEQPACKET,
        SocketFlags::CLOEXEC,
        None,
    )
    .map_err(at("make a socket"))?;
    let child = match raw::fork().map_err(at("fork"))? {
        raw::Side::Parent(child) => child,
        raw::Side::Child => {
            let made = namespace(told, plan);
            let code = made.as_ref().map_or_else(|failure| failure.errno, |_| 0);
            let space: Vec<_> = made.iter().map(AsFd::as_fd).collect();
            let _ = wire::send(&theirs, &code, &space, SendFlags::empty());
            raw::exit(0);
        }
    };
    drop(theirs);
    let heard = wire::receive::<i32>(&ours, &mut [0; 64]);
    let _ = waitpid(Some(child), WaitOptions::empty());
    let step = "make a user namespace for the inputs' owners";
    let (code, spaces) = heard
        .map_err(at(step))?
        .ok_or_else(|| at(step)(rustix::io::Errno::CHILD))?;
    spaces
        .into_iter()
        .next()
        .ok_or_else(|| at(step)(std::io::Error::from_raw_os_error(code)))
}

/// In a process of its own: becomes the program's user, and maps the input's owner to it.
fn namespace(told: &Stat, plan: &Plan) -> Result<OwnedFd, Failure> {
    let own = rights::own_folder_of_proc()?;
    let (uid, gid) = (Uid::from_raw(plan.user), Gid::from_raw(plan.group));
    set_thread_groups(&[]).map_err(at("leave all groups"))?;
    set_thread_res_gid(gid, gid, gid).map_err(at("become the group"))?;
    set_thread_res_uid(uid, uid, uid).map_err(at("become the user"))?;
    raw::new_user_namespace().map_err(at("unshare the user namespace"))?;
    rights::map_as(&own, [told.st_uid, told.st_gid], [plan.user, plan.group])?;
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    openat(&own, "ns/user", flags, Mode::empty()).map_err(at("open the user namespace"))
}
