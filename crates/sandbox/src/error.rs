use std::{io, path::PathBuf};

/// A result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a program was not run. What the program itself did wrong is a [`RunOutcome`](crate::RunOutcome).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The program or its limits cannot be run as written.
    #[error("not a program that can run: {reason}")]
    Program {
        /// Which rule it breaks.
        reason: String,
    },
    /// This machine cannot isolate a program. Nothing was run.
    #[error("no isolation on this machine: {step} failed ({source}); {enable}")]
    Unavailable {
        /// The step that failed.
        step: String,
        /// What the kernel said.
        source: io::Error,
        /// What the operator can do about it.
        enable: &'static str,
    },
    /// The executable does not carry the code that sets a sandbox up.
    #[error("the running executable does not carry adit-sandbox's stage: {reason}")]
    Stage {
        /// What is missing.
        reason: String,
    },
    /// There is no runtime of containers where one was asked for. Nothing was run.
    #[cfg(feature = "oci")]
    #[error("no runtime of containers: {looked_for} is not there or not a program; {install}")]
    NoRuntime {
        /// Its name or path.
        looked_for: String,
        /// What the operator can do about it.
        install: &'static str,
    },
    /// The runtime of containers did not do what it was asked, for this program or on this machine.
    #[cfg(feature = "oci")]
    #[error("{runtime} did not {doing}: {said}")]
    Runtime {
        /// Its path.
        runtime: PathBuf,
        /// What it was asked.
        doing: String,
        /// Its own words, the first thousand characters.
        said: String,
    },
    /// A step of the set-up failed for this program: a missing input or executable, mostly.
    #[error("the sandbox could not be set up: {step}: {source}")]
    SetUp {
        /// The step that failed.
        step: String,
        /// What the kernel said.
        source: io::Error,
    },
    /// The sandbox's first process died without a report.
    #[error("the sandbox died without a report")]
    Died,
    /// An operation of the host failed.
    #[error("cannot {doing}: {source}")]
    Io {
        /// What was tried.
        doing: &'static str,
        /// What the kernel said.
        source: io::Error,
    },
    /// A file left in scratch cannot be read.
    #[error("cannot read {path} from scratch: {reason}")]
    Scratch {
        /// Its path below the scratch.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

impl Error {
    /// A closure that wraps what the kernel said.
    pub(crate) fn io<E: Into<io::Error>>(doing: &'static str) -> impl FnOnce(E) -> Self {
        move |source| Self::Io {
            doing,
            source: source.into(),
        }
    }

    pub(crate) fn program(reason: impl Into<String>) -> Self {
        Self::Program {
            reason: reason.into(),
        }
    }
}
