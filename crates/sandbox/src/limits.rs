use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What a program may use. Crossing a limit ends it and is named in the outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Time on the wall, from the start of the program.
    pub wall: Duration,
    /// CPU time of all its processes together. The kernel also bounds each process, by whole
    /// seconds.
    pub cpu: Duration,
    /// Memory in bytes: the address space of each process, and the resident memory of all together.
    pub memory: u64,
    /// Processes and threads at once.
    pub processes: u32,
    /// Open files of each process.
    pub open_files: u32,
    /// Bytes in any file.
    pub file_size: u64,
    /// Bytes on standard output, and as many on standard error.
    pub output: u64,
    /// Bytes of all files in scratch and `/tmp` together.
    pub scratch: u64,
    /// Files and folders in scratch and `/tmp` together.
    pub scratch_files: u32,
}

impl Limits {
    /// Enough for a small computation: 5 s, 256 MiB, 16 processes, 64 files, 1 MiB of output, 16 MiB
    /// of scratch.
    pub const fn tight() -> Self {
        Self {
            wall: Duration::from_secs(5),
            cpu: Duration::from_secs(5),
            memory: 256 << 20,
            processes: 16,
            open_files: 64,
            file_size: 16 << 20,
            output: 1 << 20,
            scratch: 16 << 20,
            scratch_files: 1024,
        }
    }
}

impl Default for Limits {
    /// [`Limits::tight`].
    fn default() -> Self {
        Self::tight()
    }
}

/// A limit that a program crossed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum LimitHit {
    /// [`Limits::wall`].
    Wall,
    /// [`Limits::cpu`].
    Cpu,
    /// [`Limits::memory`], by all processes together or by the kernel's group of them. A program
    /// whose own allocation is refused ends as it likes, without this mark.
    Memory,
    /// [`Limits::file_size`].
    FileSize,
    /// [`Limits::output`].
    Output,
    /// [`Limits::processes`]: the program failed after it had been refused a process or a thread. Told
    /// only where the run has a control group with the controller `pids`.
    Processes,
}
