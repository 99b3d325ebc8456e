//! Children in the sandbox.

use std::{
    ffi::OsString,
    fs::File,
    io,
    os::unix::{ffi::OsStrExt, process::ExitStatusExt},
    path::{Path, PathBuf},
    process::ExitStatus,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use adit_sandbox::{Exit, LimitHit, Limits, Program, RunOutcome, Sandbox};

use crate::{
    Error, MediaConfig, Result,
    child::{Bounds, COMPLAINT_BYTES, OPEN_FILES, cannot_run, judge, printable},
};

/// Threads and processes of one child.
const PROCESSES: u32 = 512;
/// Bytes of complaints that are read before a child is ended for them.
const COMPLAINTS: u64 = 32 << 20;
/// Bytes that scratch has beyond the file to write, so that the file's own limit is met first.
const SPARE: u64 = 16 << 20;
/// Where a bare name of a tool is looked for.
const PLACES: [&str; 3] = ["/usr/local/bin", "/usr/bin", "/bin"];
/// The file to write, in scratch.
const OUTPUT: &str = "output";

/// The sandbox of a [`Media`](crate::Media), made at the first child.
#[derive(Debug, Default)]
pub(crate) struct Isolation {
    sandbox: Mutex<Option<Sandbox>>,
}

impl Isolation {
    /// Runs `tool` in the sandbox and returns its standard output.
    ///
    /// The caller holds a permit of the semaphore that bounds the children.
    pub(crate) async fn run(
        &self,
        config: &MediaConfig,
        tool: &Path,
        arguments: &[OsString],
        bounds: Bounds,
    ) -> Result<Vec<u8>> {
        let unavailable = |error: adit_sandbox::Error| cannot_run(tool, &error.to_string());
        let sandbox = self.sandbox().map_err(unavailable)?;
        let (program, output) = program(tool, arguments, bounds)?;
        let limits = Limits {
            wall: config.wall_clock,
            cpu: Duration::from_secs(config.cpu_seconds),
            memory: config.memory_bytes,
            processes: PROCESSES,
            open_files: OPEN_FILES,
            file_size: bounds.file,
            output: bounds.stdout.max(COMPLAINTS),
            scratch: bounds.file.saturating_add(SPARE),
            scratch_files: 16,
        };
        let outcome = sandbox.run(program, limits).await.map_err(unavailable)?;
        let complaint = &outcome.stderr.bytes;
        let complaint = complaint.get(..COMPLAINT_BYTES).unwrap_or(complaint);
        let complaint = printable(&String::from_utf8_lossy(complaint));
        if let Some(limit) = outcome.limit {
            return Err(crossed(config, tool, limit));
        }
        if outcome.stdout.bytes.len() as u64 > bounds.stdout {
            return Err(Error::TooCostly { resource: "output" });
        }
        judge(tool, status(outcome.exit), &complaint)?;
        if let Some(output) = output {
            return keep(outcome, output).await;
        }
        Ok(outcome.stdout.bytes)
    }

    fn sandbox(&self) -> adit_sandbox::Result<Sandbox> {
        let mut sandbox = self.sandbox.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sandbox) = &*sandbox {
            return Ok(sandbox.clone());
        }
        let made = Sandbox::new()?;
        *sandbox = Some(made.clone());
        Ok(made)
    }
}

/// The program, which sees the files that its arguments name, and the file to write, if any.
fn program(
    tool: &Path,
    arguments: &[OsString],
    bounds: Bounds,
) -> Result<(Program, Option<PathBuf>)> {
    let found = find(tool)?;
    let mut program = if PLACES.iter().any(|place| found.starts_with(place)) {
        Program::new(found.as_os_str())
    } else {
        Program::new("/in/tool").input("tool", &found)
    };
    let mut output = None;
    for (index, argument) in arguments.iter().enumerate() {
        let Some(path) = argument.as_bytes().strip_prefix(b"file:") else {
            program = program.argument(argument);
            continue;
        };
        let path = PathBuf::from(std::ffi::OsStr::from_bytes(path));
        if bounds.file > 0 && index + 1 == arguments.len() {
            program = program.argument(format!("file:/work/{OUTPUT}"));
            output = Some(path);
        } else {
            std::fs::metadata(&path).map_err(Error::io("read", &path))?;
            let name = format!("media{index}");
            program = program
                .argument(format!("file:/in/{name}"))
                .input(name, path);
        }
    }
    let program = program
        .variable("PATH", "/usr/local/bin:/usr/bin:/bin")
        .variable("LC_ALL", "C");
    Ok((program, output))
}

fn find(tool: &Path) -> Result<PathBuf> {
    let found = if tool.components().count() > 1 {
        std::path::absolute(tool).ok()
    } else {
        let places = PLACES.iter().map(|place| Path::new(place).join(tool));
        places.into_iter().find(|path| path.is_file())
    };
    found
        .filter(|path| path.is_file())
        .ok_or_else(|| cannot_run(tool, "no such file"))
}

fn crossed(config: &MediaConfig, tool: &Path, limit: LimitHit) -> Error {
    let resource = match limit {
        LimitHit::Wall => {
            return Error::ChildTimeout {
                tool: tool.into(),
                limit: config.wall_clock,
            };
        }
        LimitHit::Cpu => "CPU time",
        LimitHit::FileSize => "file size",
        LimitHit::Output => "output",
        _ => "memory",
    };
    Error::TooCostly { resource }
}

/// The form in which the system tells how a process ended.
fn status(exit: Exit) -> ExitStatus {
    ExitStatus::from_raw(match exit {
        Exit::Code(code) => (code & 0xff) << 8,
        Exit::Signal(signal) => signal & 0x7f,
    })
}

/// Brings the written file out of scratch.
async fn keep(outcome: RunOutcome, output: PathBuf) -> Result<Vec<u8>> {
    let path = output.clone();
    let copied = tokio::task::spawn_blocking(move || {
        let mut from = outcome
            .scratch
            .regular(Path::new(OUTPUT))
            .map_err(io::Error::other)?;
        io::copy(&mut from, &mut File::create(&path)?)
    });
    match copied.await.map_err(io::Error::other).flatten() {
        Ok(_) => Ok(Vec::new()),
        Err(error) if error.kind() == io::ErrorKind::StorageFull => Err(Error::DiskFull),
        Err(error) => Err(Error::io("write", &output)(error)),
    }
}
