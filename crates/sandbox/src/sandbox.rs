use std::{
    io::Write,
    os::fd::{AsFd, OwnedFd},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use rustix::{
    fs::{MemfdFlags, SealFlags, SeekFrom, fcntl_add_seals, memfd_create, seek},
    net::SendFlags,
    pipe::{PipeFlags, pipe_with},
    process::{getegid, geteuid},
    thread::{CapabilitySet, capabilities},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, Interest},
    net::{UnixStream, unix::pipe},
};

use crate::{
    Captured, Containment, ControlGroups, Enforcement, Error, Exit, GroupLimits, HostRoot,
    LimitHit, Limits, Program, Result, RunOutcome, Scratch,
    spawner::{self, Spawner},
    wire::{self, Plan, Report},
};

/// The first of the uids that programs get when the host's process is root, above those of users,
/// services and the usual containers.
const FIRST_USER: u32 = 1_900_000_000;
/// How many there are before they are used again.
const USERS: u32 = 65_536;
/// How much longer than the program's time the sandbox's first process may take to report.
const GRACE: Duration = Duration::from_secs(10);
/// The same where a runtime of containers is asked three times, which takes seconds on a busy machine.
#[cfg(feature = "oci")]
const GRACE_OF_RUNTIMES: Duration = Duration::from_secs(30);

/// Runs programs in isolation that the kernel enforces.
///
/// Cheap to clone; all clones share one helper process, which ends with the last of them.
#[derive(Debug, Clone)]
pub struct Sandbox {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    root: HostRoot,
    spawner: Spawner,
    /// Whether the host's process has root's rights to give up.
    privileged: bool,
    runs: AtomicU32,
    #[cfg(feature = "oci")]
    runtime: Option<crate::OciRuntime>,
}

/// What held a program.
#[derive(Default)]
struct Held {
    /// Its processes were counted up together.
    watched: bool,
    /// What the control group of its own bounded.
    group: Option<GroupLimits>,
    /// The version of Landlock, 0 for none.
    landlock: u32,
    /// The controllers of its control group.
    controllers: Vec<String>,
}

impl Sandbox {
    /// A sandbox in which programs see the system's programs and libraries.
    ///
    /// # Errors
    /// As for [`Sandbox::with_root`].
    pub fn new() -> Result<Self> {
        Self::with_root(HostRoot::system())
    }

    /// A sandbox in which programs see what is listed.
    ///
    /// # Errors
    /// [`Error::Stage`] when the running executable does not hold this crate,
    /// [`Error::Unavailable`] on a machine without `/proc`, and for a root without the rights to become
    /// another user. Whether the kernel isolates is known with
    /// the first program; see [`Sandbox::check`].
    pub fn with_root(root: HostRoot) -> Result<Self> {
        Self::with_groups(root, ControlGroups::default())
    }

    /// A sandbox in which programs see what is listed, and run in control groups of this place.
    ///
    /// # Errors
    /// As for [`Sandbox::with_root`], and [`Error::Unavailable`] for a folder that is named and in
    /// which no groups can be made.
    pub fn with_groups(root: HostRoot, groups: ControlGroups) -> Result<Self> {
        let (spawner, privileged) = Self::begin(&groups)?;
        Ok(Self {
            inner: Arc::new(Inner {
                root,
                spawner,
                privileged,
                runs: AtomicU32::new(0),
                #[cfg(feature = "oci")]
                runtime: None,
            }),
        })
    }

    /// A sandbox that a runtime of containers sets up, with a bundle that this crate writes: the same
    /// root, limits, empty capabilities and list of system calls. What differs is in the crate's
    /// README, and a machine where the runtime does not work is told by [`Sandbox::check`].
    ///
    /// # Errors
    /// As for [`Sandbox::with_root`], and [`Error::Program`] for devices that are not below `/dev`.
    #[cfg(feature = "oci")]
    pub fn with_runtime(root: HostRoot, runtime: crate::OciRuntime) -> Result<Self> {
        runtime.check()?;
        // The runtime makes them.
        let (spawner, privileged) = Self::begin(&ControlGroups::Nowhere)?;
        Ok(Self {
            inner: Arc::new(Inner {
                root,
                spawner,
                privileged,
                runs: AtomicU32::new(0),
                runtime: Some(runtime),
            }),
        })
    }

    /// What every sandbox needs: the helper process, and whether it has root's rights.
    fn begin(groups: &ControlGroups) -> Result<(Spawner, bool)> {
        let privileged = is_privileged();
        if !privileged && geteuid().is_root() {
            // A user namespace of root's would map root: without capabilities, but root's files.
            return Err(Error::Unavailable {
                step: "becoming a user without rights".to_owned(),
                source: std::io::ErrorKind::PermissionDenied.into(),
                enable: "give root CAP_SYS_ADMIN, CAP_SETUID and CAP_SETGID, or run as an ordinary user",
            });
        }
        Ok((Spawner::start(groups.folder()?)?, privileged))
    }

    /// Runs a program to its end, or to the first limit that it crosses.
    ///
    /// When this future is dropped, all processes of the program are killed and its scratch is gone.
    ///
    /// # Errors
    /// Only for what is not the program's doing: [`Error::Program`] for a program that cannot be run
    /// as written, [`Error::Unavailable`] where the kernel does not isolate (nothing has run then),
    /// [`Error::SetUp`] for missing inputs and executables, [`Error::Died`], [`Error::Io`]. Through a
    /// runtime of containers also `Error::Runtime`, for executables that it does not find among others.
    pub async fn run(&self, program: Program, limits: Limits) -> Result<RunOutcome> {
        Ok(self.run_and_tell(program, limits, false).await?.0)
    }

    /// Runs a program, and tells what held it.
    async fn run_and_tell(
        &self,
        program: Program,
        limits: Limits,
        tells: bool,
    ) -> Result<(RunOutcome, Held)> {
        let stdin = stdin(&program.stdin)?;
        let mut plan = self.plan(program, limits)?;
        plan.tells = tells;
        let running = self.start(&plan, stdin).await?;
        let (stdout, mut stderr, control) = (running.stdout, running.stderr, running.control);
        // Both stay open until the end: a program that writes too much is to end by the limit, and
        // not by a closed pipe.
        let mut stdout = stdout.ok_or(Error::Died)?;
        let work = async {
            tokio::join!(
                collect(&mut stdout, limits.output, &control),
                collect(&mut stderr, limits.output, &control),
                reports(&control),
            )
        };
        #[cfg(feature = "oci")]
        let grace = self
            .inner
            .runtime
            .as_ref()
            .map_or(GRACE, |_| GRACE_OF_RUNTIMES);
        #[cfg(not(feature = "oci"))]
        let grace = GRACE;
        let time = limits.wall.saturating_add(grace);
        let Ok((stdout, stderr, ended)) = tokio::time::timeout(time, work).await else {
            return Err(Error::Died);
        };
        let heard = ended.map_err(|error| self.named(error))?;
        let Report::Done {
            code,
            signal,
            limit,
            wall,
            cpu,
            peak_memory,
        } = heard.done
        else {
            return Err(Error::Died);
        };
        let exit = match (code, signal) {
            (Some(code), _) => Exit::Code(code),
            (None, Some(signal)) => Exit::Signal(signal),
            (None, None) => Exit::Signal(libc::SIGKILL),
        };
        let (stdout, stderr) = (stdout?, stderr?);
        // Its last words may have been too many when it had already ended.
        let too_much = (stdout.cut || stderr.cut).then_some(LimitHit::Output);
        let outcome = RunOutcome {
            exit,
            limit: limit.or(too_much),
            stdout,
            stderr,
            scratch: Scratch::new(heard.scratch),
            wall,
            cpu,
            peak_memory,
        };
        Ok((outcome, heard.held))
    }

    /// With the runtime's path, which what comes from the stage does not say again.
    #[cfg(feature = "oci")]
    fn named(&self, error: Error) -> Error {
        match (error, &self.inner.runtime) {
            (Error::Runtime { doing, said, .. }, Some(used)) => Error::Runtime {
                runtime: used.path().to_owned(),
                doing,
                said,
            },
            (error, _) => error,
        }
    }

    #[cfg(not(feature = "oci"))]
    fn named(&self, error: Error) -> Error {
        error
    }

    /// What the runtime of containers adds, where there is one.
    #[cfg(feature = "oci")]
    async fn containment(&self, controllers: Vec<String>) -> Option<Containment> {
        let runtime = self.inner.runtime.as_ref()?.version().await;
        Some(Containment {
            runtime,
            controllers,
        })
    }

    #[cfg(not(feature = "oci"))]
    async fn containment(&self, _: Vec<String>) -> Option<Containment> {
        None
    }

    /// Runs a program that does nothing, and says what this machine enforces.
    ///
    /// # Errors
    /// As for [`Sandbox::run`].
    pub async fn check(&self) -> Result<Enforcement> {
        let (outcome, held) = self
            .run_and_tell(Program::new("/bin/true"), Limits::tight(), true)
            .await?;
        if !outcome.success() {
            return Err(Error::Died);
        }
        let kernel = rustix::system::uname();
        Ok(Enforcement {
            kernel: kernel.release().to_string_lossy().into_owned(),
            privileged: self.inner.privileged,
            landlock: (held.landlock > 0).then_some(held.landlock),
            watched: held.watched,
            group: held.group,
            container: self.containment(held.controllers).await,
        })
    }

    /// Starts a program and leaves the rest to the caller; dropping what is returned ends it.
    async fn start(&self, plan: &Plan, stdin: OwnedFd) -> Result<Running> {
        let (stdout, their_stdout) = output()?;
        let (stderr, their_stderr) = output()?;
        let (control, their_control) = spawner::channel()?;
        let ends = spawner::ends(&their_control, &stdin, &their_stdout, &their_stderr);
        // Their ends are closed here when this returns, or they would never be seen to close.
        self.inner.spawner.ask(plan, ends).await?;
        Ok(Running {
            control: watched(control)?,
            stdout: Some(stdout),
            stderr,
        })
    }

    /// Starts a program whose standard input is a pipe.
    pub(crate) async fn start_with_pipe(
        &self,
        program: Program,
        limits: Limits,
    ) -> Result<(Running, pipe::Sender)> {
        let made = || {
            let (theirs, ours) = pipe_with(PipeFlags::CLOEXEC)?;
            rustix::io::ioctl_fionbio(&ours, true)?;
            Ok::<_, std::io::Error>((pipe::Sender::from_owned_fd(ours)?, theirs))
        };
        let (ours, theirs) = made().map_err(Error::io("make a pipe"))?;
        let plan = self.plan(program, limits)?;
        Ok((self.start(&plan, theirs).await?, ours))
    }

    fn plan(&self, program: Program, limits: Limits) -> Result<Plan> {
        program.check()?;
        #[cfg(feature = "oci")]
        if self.inner.runtime.is_some() {
            crate::oci::config::check(&program)?;
        }
        let (user, group) = if self.inner.privileged {
            // Of two programs at once neither has the other's uid, nor does anybody else.
            let run = self.inner.runs.fetch_add(1, Ordering::Relaxed) % USERS;
            (FIRST_USER + run, FIRST_USER + run)
        } else {
            (geteuid().as_raw(), getegid().as_raw())
        };
        Ok(Plan {
            executable: program.executable,
            arguments: program.arguments,
            environment: program.environment,
            inputs: program.inputs,
            folder: program.folder,
            root: self.inner.root.clone(),
            limits,
            user,
            group,
            privileged: self.inner.privileged,
            tells: false,
            #[cfg(feature = "oci")]
            container: self.inner.runtime.clone(),
        })
    }
}

/// A program that runs until this is dropped.
#[derive(Debug)]
pub(crate) struct Running {
    control: UnixStream,
    stdout: Option<pipe::Receiver>,
    stderr: pipe::Receiver,
}

impl Running {
    /// What the program writes.
    pub(crate) fn take_stdout(&mut self) -> Result<pipe::Receiver> {
        self.stdout.take().ok_or(Error::Died)
    }

    /// Why a program that should go on ended.
    pub(crate) async fn why_not(&self) -> Error {
        match reports(&self.control).await {
            Err(error) => error,
            Ok(_) => Error::Died,
        }
    }
}

/// Whether this process can mount and change users on the host.
fn is_privileged() -> bool {
    let needed = CapabilitySet::SYS_ADMIN | CapabilitySet::SETUID | CapabilitySet::SETGID;
    geteuid().is_root() && capabilities(None).is_ok_and(|sets| sets.effective.contains(needed))
}

/// A file in memory that nobody can write to any more.
fn stdin(bytes: &[u8]) -> Result<OwnedFd> {
    let made = || {
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        let file = memfd_create("stdin", flags)?;
        let mut file = std::fs::File::from(file);
        file.write_all(bytes)?;
        seek(&file, SeekFrom::Start(0))?;
        let all = SealFlags::SEAL | SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE;
        fcntl_add_seals(&file, all)?;
        Ok::<_, std::io::Error>(OwnedFd::from(file))
    };
    made().map_err(Error::io("prepare standard input"))
}

/// A pipe whose end here does not block, while the program's does.
fn output() -> Result<(pipe::Receiver, OwnedFd)> {
    let made = || {
        let (ours, theirs) = pipe_with(PipeFlags::CLOEXEC)?;
        rustix::io::ioctl_fionbio(&ours, true)?;
        Ok::<_, std::io::Error>((pipe::Receiver::from_owned_fd(ours)?, theirs))
    };
    made().map_err(Error::io("make a pipe"))
}

/// The control socket among the runtime's. That it keeps messages whole is nothing to the runtime.
fn watched(control: OwnedFd) -> Result<UnixStream> {
    let control = std::os::unix::net::UnixStream::from(control);
    let watched = control
        .set_nonblocking(true)
        .and_then(|()| UnixStream::from_std(control));
    watched.map_err(Error::io("watch the sandbox"))
}

/// Reads to the end; asks for the program's end when it writes more than it may.
async fn collect(
    from: &mut (impl AsyncRead + Unpin),
    most: u64,
    control: &UnixStream,
) -> Result<Captured> {
    let mut bytes = Vec::new();
    from.take(most.saturating_add(1))
        .read_to_end(&mut bytes)
        .await
        .map_err(Error::io("read what the program writes"))?;
    let cut = bytes.len() as u64 > most;
    if cut {
        bytes.truncate(usize::try_from(most).unwrap_or(usize::MAX));
        // It may have ended already.
        let _ = wire::send(control.as_fd(), &"end", &[], SendFlags::DONTWAIT);
    }
    Ok(Captured { bytes, cut })
}

/// What a sandbox told until its program ended.
struct Heard {
    scratch: OwnedFd,
    held: Held,
    done: Report,
}

/// Waits for the sandbox to stand, and for its program to end.
async fn reports(control: &UnixStream) -> Result<Heard> {
    let mut buffer = vec![0; wire::REPORT];
    let mut standing = None;
    let mut held = Held::default();
    loop {
        let receive = || Ok(wire::receive::<Report>(control.as_fd(), &mut buffer)?);
        let received = match control.async_io(Interest::READABLE, receive).await {
            // Its end was closed with our word unread. That is told once, before what was sent.
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => continue,
            received => received.map_err(Error::io("hear from the sandbox"))?,
        };
        match received {
            Some((Report::Ready { watched, group }, descriptors)) => {
                standing = descriptors.into_iter().next();
                (held.watched, held.group) = (watched, group);
            }
            Some((Report::Fenced { landlock }, _)) => held.landlock = landlock,
            #[cfg(feature = "oci")]
            Some((Report::Contained { controllers }, _)) => held.controllers = controllers,
            #[cfg(feature = "oci")]
            Some((Report::Refused { doing, said }, _)) => {
                let runtime = std::path::PathBuf::new();
                return Err(Error::Runtime {
                    runtime,
                    doing,
                    said,
                });
            }
            Some((Report::Failed { step, errno }, _)) => return Err(failed(step, errno)),
            Some((done, _)) => {
                let scratch = standing.ok_or(Error::Died)?;
                return Ok(Heard {
                    scratch,
                    held,
                    done,
                });
            }
            None => return Err(Error::Died),
        }
    }
}

/// What a failed step means for the caller.
fn failed(step: String, errno: i32) -> Error {
    let source = std::io::Error::from_raw_os_error(errno);
    let enable = if step.starts_with("clone") || step.contains("user namespace") {
        "allow user namespaces (user.max_user_namespaces, kernel.unprivileged_userns_clone, \
         kernel.apparmor_restrict_unprivileged_userns), or run as root with CAP_SYS_ADMIN"
    } else if step.contains("runtime's /proc") {
        "where this is a container itself, its /proc must be whole (`--security-opt \
         systempaths=unconfined` in Docker), or run as root"
    } else if step.starts_with("make") && errno == libc::ENOSYS {
        "Linux 5.13 or newer is needed"
    } else if step.contains("filter of system calls") {
        "the kernel needs CONFIG_SECCOMP_FILTER"
    } else {
        return Error::SetUp { step, source };
    };
    Error::Unavailable {
        step,
        source,
        enable,
    }
}
