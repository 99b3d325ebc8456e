//! Run a stranger's program and fear nothing.
//!
//! A [`Sandbox`] runs a [`Program`] under [`Limits`] and says what became of it ([`RunOutcome`]). The
//! kernel enforces the isolation: the program sees a read-only root made of an allow-list
//! ([`HostRoot`]), the inputs that it was given, a scratch of bounded size and nothing else; no
//! network, no other process, no device but null, zero and random; no capability, and only the
//! system calls of an allow-list. There is no daemon and nothing to install, and no weaker mode: where
//! the kernel cannot do this, there is a typed [`Error`] that says what to enable.
//!
//! ```
//! use adit_sandbox::{Exit, Limits, Program, Sandbox};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! let sandbox = Sandbox::new()?;
//! let program = Program::new("/bin/sh").arguments(["-c", "cat; cat /etc/passwd; echo $?"]);
//! let outcome = sandbox.run(program.stdin("hello\n"), Limits::tight()).await?;
//! assert_eq!(outcome.exit, Exit::Code(0));
//! assert_eq!(outcome.stdout.text(), "hello\n1\n");
//! # Ok::<(), adit_sandbox::Error>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod challenge;
mod enforcement;
mod error;
mod groups;
mod limits;
#[cfg(feature = "oci")]
mod oci;
mod outcome;
mod program;
mod python;
mod root;
mod sandbox;
mod scratch;
mod spawner;
mod stage;
mod wire;

pub use challenge::{
    CaseVerdict, Comparison, ExecuteResponse, TestCase, extract_code, run_test_cases,
};
pub use enforcement::{Containment, Enforcement};
pub use error::{Error, Result};
pub use groups::{ControlGroups, GroupLimits};
pub use limits::{LimitHit, Limits};
#[cfg(feature = "oci")]
pub use oci::{OciKind, OciRuntime};
pub use outcome::{Captured, Exit, RunOutcome};
pub use program::Program;
pub use python::{CaseFailure, CaseOutcome, PythonCase, PythonPool, PythonProgram};
pub use root::HostRoot;
pub use sandbox::Sandbox;
pub use scratch::{Scratch, ScratchFile};
