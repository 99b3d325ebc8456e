//! What passes between the library, the stage and the first process of a sandbox: one JSON message
//! per packet, with file descriptors beside it.

use std::{
    ffi::OsString,
    io::{IoSlice, IoSliceMut},
    mem::MaybeUninit,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::PathBuf,
    time::Duration,
};

use rustix::{
    io::Errno,
    net::{
        RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
        SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
    },
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{GroupLimits, HostRoot, LimitHit, Limits};

/// Bytes of a plan; a program's words are bounded below this.
pub(crate) const PLAN: usize = 512 << 10;
/// Bytes of a report: two paths, at most.
pub(crate) const REPORT: usize = 32 << 10;
/// File descriptors beside one message.
const DESCRIPTORS: usize = 8;

/// Everything a sandbox is made of. Beside it travel the control socket, standard input, output and
/// error.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Plan {
    pub(crate) executable: OsString,
    pub(crate) arguments: Vec<OsString>,
    pub(crate) environment: Vec<(OsString, OsString)>,
    pub(crate) inputs: Vec<(String, PathBuf)>,
    pub(crate) folder: PathBuf,
    pub(crate) root: HostRoot,
    pub(crate) limits: Limits,
    /// The uid and gid on the host.
    pub(crate) user: u32,
    pub(crate) group: u32,
    /// Whether the stage has the rights of root and gives them up, or makes a user namespace.
    pub(crate) privileged: bool,
    /// Whether the version of Landlock is to be told.
    pub(crate) tells: bool,
    /// A runtime of containers is to run it.
    #[cfg(feature = "oci")]
    pub(crate) container: Option<crate::oci::OciRuntime>,
}

/// What comes back over the control socket.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Report {
    /// The sandbox stands; the scratch travels beside.
    Ready {
        /// Whether all processes together can be counted up.
        watched: bool,
        /// What the run's control group bounds, if it has one.
        group: Option<GroupLimits>,
    },
    /// The program's own process is behind Landlock of this version; 0 is none. Told when asked for.
    Fenced { landlock: u32 },
    /// A runtime of containers made one, whose processes these controllers bound together.
    #[cfg(feature = "oci")]
    Contained { controllers: Vec<String> },
    /// A runtime of containers made none.
    #[cfg(feature = "oci")]
    Refused { doing: String, said: String },
    /// A step of the set-up failed, with the kernel's number.
    Failed { step: String, errno: i32 },
    /// The program ended.
    Done {
        code: Option<i32>,
        signal: Option<i32>,
        limit: Option<LimitHit>,
        wall: Duration,
        cpu: Duration,
        peak_memory: u64,
    },
}

/// Sends a message and file descriptors.
pub(crate) fn send<T: Serialize>(
    socket: impl AsFd,
    message: &T,
    descriptors: &[BorrowedFd<'_>],
    flags: SendFlags,
) -> rustix::io::Result<()> {
    let bytes = serde_json::to_vec(message).map_err(|_| Errno::INVAL)?;
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !descriptors.is_empty() && !control.push(SendAncillaryMessage::ScmRights(descriptors)) {
        return Err(Errno::INVAL);
    }
    sendmsg(
        socket,
        &[IoSlice::new(&bytes)],
        &mut control,
        flags | SendFlags::NOSIGNAL,
    )?;
    Ok(())
}

/// Receives a message no longer than the buffer, and file descriptors; `None` when the other end is
/// closed.
pub(crate) fn receive<T: DeserializeOwned>(
    socket: impl AsFd,
    buffer: &mut [u8],
) -> rustix::io::Result<Option<(T, Vec<OwnedFd>)>> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let received = recvmsg(
        socket,
        &mut [IoSliceMut::new(buffer)],
        &mut control,
        RecvFlags::CMSG_CLOEXEC,
    )?;
    let descriptors = control
        .drain()
        .filter_map(|message| match message {
            RecvAncillaryMessage::ScmRights(descriptors) => Some(descriptors),
            _ => None,
        })
        .flatten()
        .collect();
    if received.bytes == 0 {
        return Ok(None);
    }
    let bytes = buffer.get(..received.bytes).unwrap_or_default();
    let message = serde_json::from_slice(bytes).map_err(|_| Errno::BADMSG)?;
    Ok(Some((message, descriptors)))
}
