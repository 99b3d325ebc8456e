use std::{fmt, time::Duration};

use crate::{LimitHit, Scratch};

/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Exit {
    /// It exited with this code.
    Code(i32),
    /// A signal of this number ended it.
    Signal(i32),
}

/// Bytes that a program wrote, up to the limit.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Captured {
    /// The first bytes.
    pub bytes: Vec<u8>,
    /// Whether there were more; the program was ended then.
    pub cut: bool,
}

impl fmt::Debug for Captured {
    /// The first words only: there may be gigabytes.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first = self.bytes.get(..200).unwrap_or(&self.bytes);
        formatter
            .debug_struct("Captured")
            .field("length", &self.bytes.len())
            .field("first", &String::from_utf8_lossy(first))
            .field("cut", &self.cut)
            .finish()
    }
}

impl Captured {
    /// The bytes as text; what is not UTF-8 is replaced.
    pub fn text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.bytes)
    }
}

/// What a program did.
#[derive(Debug)]
#[non_exhaustive]
pub struct RunOutcome {
    /// How its first process ended.
    pub exit: Exit,
    /// The limit it crossed, if one ended it.
    pub limit: Option<LimitHit>,
    /// What it wrote on standard output.
    pub stdout: Captured,
    /// What it wrote on standard error.
    pub stderr: Captured,
    /// The files it left. They are gone when this is dropped.
    pub scratch: Scratch,
    /// Time on the wall.
    pub wall: Duration,
    /// CPU time of all its processes that could be accounted for.
    pub cpu: Duration,
    /// The most memory in bytes: resident in all its processes together as far as it was seen, and
    /// at least that of its largest process.
    pub peak_memory: u64,
}

impl RunOutcome {
    /// Whether it exited with 0 within its limits.
    pub fn success(&self) -> bool {
        self.exit == Exit::Code(0) && self.limit.is_none()
    }
}
