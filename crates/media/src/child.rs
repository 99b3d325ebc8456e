//! A child without the sandbox: the one place where a process starts. What children say is judged
//! here for both ways.

use std::{
    ffi::{OsStr, OsString},
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::{Child, Command},
};

use crate::{Error, MediaConfig, Result};

/// Bytes of a child's complaints that are kept.
pub(crate) const COMPLAINT_BYTES: usize = 8 << 10;
/// Open files a child may have.
pub(crate) const OPEN_FILES: u32 = 64;
/// Signals by which the kernel enforces a limit (Linux numbers).
const SIGKILL: i32 = 9;
const SIGXCPU: i32 = 24;
const SIGXFSZ: i32 = 25;

/// What a child may do and write.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// Bytes on standard output.
    pub(crate) stdout: u64,
    /// Bytes in any file. When positive, the last argument names the file to write.
    pub(crate) file: u64,
}

/// Runs `tool` under the limits and returns its standard output.
///
/// The caller holds a permit of the semaphore that bounds the children.
pub(crate) async fn run(
    config: &MediaConfig,
    tool: &Path,
    arguments: &[OsString],
    bounds: Bounds,
) -> Result<Vec<u8>> {
    let mut group = Group::spawn(config, tool, arguments, bounds)?;
    let (Some(stdout), Some(stderr)) = (group.child.stdout.take(), group.child.stderr.take())
    else {
        return Err(cannot_run(tool, "its output is not piped"));
    };
    let finished = tokio::time::timeout(config.wall_clock, async {
        let read = async { tokio::join!(up_to(stdout, bounds.stdout), complaint(stderr)) };
        let (output, complaint) = read.await;
        // A child that writes more than it should is killed, not waited for.
        if output.as_ref().is_ok_and(Option::is_none) {
            group.kill();
        }
        (output, complaint, group.wait().await)
    })
    .await;
    let Ok((output, complaint, status)) = finished else {
        group.kill();
        return Err(Error::ChildTimeout {
            tool: tool.into(),
            limit: config.wall_clock,
        });
    };
    let output = output.map_err(Error::io("read the output of", tool))?;
    let status = status.map_err(Error::io("wait for", tool))?;
    let Some(output) = output else {
        return Err(Error::TooCostly { resource: "output" });
    };
    judge(tool, status, &complaint)?;
    Ok(output)
}

/// A child that leads its own process group; the group dies with this value.
struct Group {
    child: Child,
    leader: Option<Pid>,
}

impl Group {
    fn spawn(
        config: &MediaConfig,
        tool: &Path,
        arguments: &[OsString],
        bounds: Bounds,
    ) -> Result<Self> {
        let child = Command::new(&config.prlimit)
            .arg(format!("--cpu={}", config.cpu_seconds))
            .arg(format!("--as={}", config.memory_bytes))
            .arg(format!("--fsize={}", bounds.file))
            .arg(format!("--nofile={OPEN_FILES}"))
            .arg("--core=0")
            .arg("--")
            .arg(tool)
            .args(arguments)
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| cannot_run(&config.prlimit, &error.to_string()))?;
        let leader = child
            .id()
            .and_then(|id| i32::try_from(id).ok())
            .and_then(Pid::from_raw);
        Ok(Self { child, leader })
    }

    async fn wait(&mut self) -> std::io::Result<ExitStatus> {
        let status = self.child.wait().await;
        // Reaped: its number may belong to a stranger from now on.
        self.leader = None;
        status
    }

    fn kill(&mut self) {
        if let Some(leader) = self.leader {
            // It fails only when every process of the group is gone already.
            let _ = kill_process_group(leader, Signal::KILL);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Reads to the end, or returns `None` as soon as there are more than `limit` bytes.
async fn up_to(from: impl AsyncRead + Unpin, limit: u64) -> std::io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    from.take(limit.saturating_add(1))
        .read_to_end(&mut bytes)
        .await?;
    Ok((bytes.len() as u64 <= limit).then_some(bytes))
}

/// The first words of a child's standard error; the rest is read and dropped.
async fn complaint(mut from: impl AsyncRead + Unpin) -> String {
    let mut kept = Vec::new();
    let _ = (&mut from)
        .take(COMPLAINT_BYTES as u64)
        .read_to_end(&mut kept)
        .await;
    let _ = tokio::io::copy(&mut from, &mut tokio::io::sink()).await;
    printable(&String::from_utf8_lossy(&kept))
}

/// The last few lines, without control characters: media authors choose parts of this text.
pub(crate) fn printable(text: &str) -> String {
    let clean: Vec<char> = text
        .trim()
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    clean[clean.len().saturating_sub(400)..].iter().collect()
}

pub(crate) fn judge(tool: &Path, status: ExitStatus, complaint: &str) -> Result<()> {
    if let Some(signal) = status.signal() {
        return Err(match signal {
            // At the hard CPU limit the kernel kills outright.
            SIGXCPU | SIGKILL => Error::TooCostly {
                resource: "CPU time",
            },
            SIGXFSZ => Error::TooCostly {
                resource: "file size",
            },
            _ => Error::Undecodable {
                reason: format!("the decoder died of signal {signal}: {complaint}"),
            },
        });
    }
    if status.success() {
        return Ok(());
    }
    tracing::debug!(tool = %tool.display(), %status, complaint, "a media child failed");
    let says = |words: &[&str]| words.iter().any(|word| complaint.contains(word));
    if complaint.starts_with("prlimit:") || says(&["error while loading shared libraries"]) {
        return Err(cannot_run(tool, complaint));
    }
    if says(&["No space left on device"]) {
        return Err(Error::DiskFull);
    }
    if says(&[
        "Unknown encoder",
        "Unrecognized option",
        "No such filter",
        "Option not found",
    ]) {
        return Err(cannot_run(tool, complaint));
    }
    if says(&["Cannot allocate memory"]) {
        return Err(Error::TooCostly { resource: "memory" });
    }
    if says(&["File too large"]) {
        return Err(Error::TooCostly {
            resource: "file size",
        });
    }
    Err(Error::Undecodable {
        reason: complaint.to_owned(),
    })
}

pub(crate) fn cannot_run(tool: &Path, reason: &str) -> Error {
    Error::Tool {
        tool: tool.into(),
        reason: reason.to_owned(),
    }
}

/// Arguments of a child, from mixed strings and paths.
pub(crate) fn arguments<I>(parts: I) -> Vec<OsString>
where
    I: IntoIterator,
    I::Item: AsRef<OsStr>,
{
    parts
        .into_iter()
        .map(|part| part.as_ref().to_owned())
        .collect()
}

/// `path` as ffmpeg must see it: absolute and with an explicit protocol, so that no name reads as
/// an option, a pattern or another protocol.
pub(crate) fn file_argument(path: &Path) -> Result<OsString> {
    let absolute: PathBuf =
        std::path::absolute(path).map_err(Error::io("find the absolute path of", path))?;
    let mut argument = OsString::from("file:");
    argument.push(absolute);
    Ok(argument)
}
