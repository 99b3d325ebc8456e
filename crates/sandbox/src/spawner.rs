//! The library's side of the stage: starting it, and asking it for sandboxes.

use std::{
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rustix::{
    io::Errno,
    net::{AddressFamily, SendFlags, SocketFlags, SocketType, socketpair},
};

use crate::{
    Error, Result, stage,
    wire::{self, Plan},
};

/// The pause before a full socket is tried again.
const AGAIN: Duration = Duration::from_millis(1);

/// The stage's process; started anew when it is found dead.
#[derive(Debug)]
pub(crate) struct Spawner {
    process: Mutex<Process>,
    /// Where the stage makes its control groups.
    groups: Option<PathBuf>,
}

#[derive(Debug)]
struct Process {
    /// Closed first, at which the stage ends.
    socket: Option<OwnedFd>,
    child: Child,
}

impl Spawner {
    pub(crate) fn start(groups: Option<PathBuf>) -> Result<Self> {
        match stage::is_in_executable() {
            Ok(true) => {}
            Ok(false) => {
                return Err(Error::Stage {
                    reason: "adit-sandbox must be linked into the executable itself".to_owned(),
                });
            }
            Err(source) => {
                return Err(Error::Unavailable {
                    step: "look at /proc/self".to_owned(),
                    source,
                    enable: "mount /proc",
                });
            }
        }
        Ok(Self {
            process: Mutex::new(Process::start(groups.as_deref())?),
            groups,
        })
    }

    /// Asks for a sandbox.
    pub(crate) async fn ask(&self, plan: &Plan, ends: [BorrowedFd<'_>; 4]) -> Result<()> {
        let mut restarts = 1;
        loop {
            let sent = {
                let mut process = self.lock();
                match process.send(plan, &ends) {
                    Err(Errno::PIPE | Errno::CONNRESET | Errno::NOTCONN) if restarts > 0 => {
                        tracing::warn!("the sandbox's stage died and is started again");
                        restarts -= 1;
                        *process = Process::start(self.groups.as_deref())?;
                        continue;
                    }
                    sent => sent,
                }
            };
            match sent {
                Ok(()) => return Ok(()),
                Err(Errno::AGAIN | Errno::NOBUFS | Errno::TOOMANYREFS) => {
                    tokio::time::sleep(AGAIN).await;
                }
                Err(Errno::MSGSIZE) => {
                    return Err(Error::program("its description is too long"));
                }
                Err(error) => return Err(Error::io("ask for a sandbox")(error)),
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Process> {
        // Nothing is half done when a thread panics here.
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Process {
    fn start(groups: Option<&Path>) -> Result<Self> {
        let (ours, theirs) = channel()?;
        let child = Command::new("/proc/self/exe")
            .arg0(stage::NAME)
            .args(groups)
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::from(theirs))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| Error::Stage {
                reason: format!("it cannot be started: {error}"),
            })?;
        Ok(Self {
            socket: Some(ours),
            child,
        })
    }

    fn send(&self, plan: &Plan, ends: &[BorrowedFd<'_>; 4]) -> rustix::io::Result<()> {
        let socket = self.socket.as_ref().ok_or(Errno::PIPE)?;
        wire::send(socket, plan, ends, SendFlags::DONTWAIT)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.socket.take());
        // It ends at once when its socket closes; without this wait its entry would stay.
        let _ = self.child.wait();
    }
}

/// Two ends of a socket that keeps messages whole.
pub(crate) fn channel() -> Result<(OwnedFd, OwnedFd)> {
    socketpair(
        AddressFamily::UNIX,
        SocketType::SEQPACKET,
        SocketFlags::CLOEXEC,
        None,
    )
    .map_err(Error::io("make a socket"))
}

/// The borrowed ends, in the order the stage expects them.
pub(crate) fn ends<'a>(
    control: &'a OwnedFd,
    stdin: &'a OwnedFd,
    stdout: &'a OwnedFd,
    stderr: &'a OwnedFd,
) -> [BorrowedFd<'a>; 4] {
    [
        control.as_fd(),
        stdin.as_fd(),
        stdout.as_fd(),
        stderr.as_fd(),
    ]
}
