use std::{io, path::PathBuf, time::Duration};

use super::{PullEvent, PullObserver};

/// Why a published model cannot be pulled.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PullError {
    /// The catalogue is broken.
    #[error("the catalogue of models is broken: {reason}")]
    Catalogue {
        /// What is wrong.
        reason: String,
    },
    /// No model has this name.
    #[error("no model is called {name}; there are {}", known.join(", "))]
    ModelUnknown {
        /// The name.
        name: String,
        /// The models there are.
        known: Vec<String>,
    },
    /// The licence has not been accepted.
    #[error("{model} is licensed under {licence} ({url}), which was not accepted")]
    Licence {
        /// The model.
        model: String,
        /// Its licence.
        licence: String,
        /// Where the licence is.
        url: String,
    },
    /// Nobody said what a file's digest must be.
    #[error("no digest of {file} of {model} is known; give the one that you trust")]
    NoDigest {
        /// The model.
        model: String,
        /// The file.
        file: String,
    },
    /// A digest given by the caller fits no file.
    #[error("the digest does not fit: {reason}")]
    Digest {
        /// Why not.
        reason: String,
    },
    /// No source gave the file.
    #[error("no source gave {file}: {}", reasons.join("; "))]
    NoSource {
        /// The file.
        file: String,
        /// What each source did.
        reasons: Vec<String>,
    },
    /// A source gave other bytes than the published ones. They were removed.
    #[error("{from} gave {file} with the sha256 {found}, not {expected}; it was removed")]
    WrongBytes {
        /// The file.
        file: String,
        /// Where it came from.
        from: String,
        /// SHA-256 of the published file, in hexadecimal.
        expected: String,
        /// SHA-256 of what came, in hexadecimal.
        found: String,
    },
    /// A source has a file of another size than the published one.
    #[error("{from} has {file} with {found} bytes, not {expected}")]
    WrongSize {
        /// The file.
        file: String,
        /// Where it is.
        from: String,
        /// Bytes of the published file, or most bytes accepted.
        expected: u64,
        /// Bytes announced; more than those of `expected`, when more were sent than announced.
        found: u64,
    },
    /// The disk is full. What came already is kept.
    #[error("the disk is full at {}; what came is kept", path.display())]
    DiskFull {
        /// What was being written.
        path: PathBuf,
    },
    /// The disk has no room for what is still to be downloaded.
    #[error("no room in {}: {needed} bytes are needed, {free} are free", path.display())]
    NoRoom {
        /// Where it would go.
        path: PathBuf,
        /// Bytes still to be written.
        needed: u64,
        /// Bytes free.
        free: u64,
    },
    /// A file or folder cannot be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Another run works in the folder and does not end.
    #[error("another run has been working in {} for {waited:?}", folder.display())]
    Busy {
        /// The folder.
        folder: PathBuf,
        /// How long this run waited.
        waited: Duration,
    },
    /// The settings do not give an HTTP client.
    #[error("cannot fetch: {reason}")]
    Client {
        /// What is wrong.
        reason: String,
    },
}

/// What became of an attempt that did not bring the file.
#[derive(Debug)]
pub(super) enum Failure {
    /// May pass: the same source is asked again, not before `after`.
    Passing {
        reason: String,
        after: Option<Duration>,
    },
    /// The source has no rest of the file that would follow the part.
    NoSuchRange,
    /// The source does not have it.
    Useless(String),
    /// The source has another file.
    Wrong(PullError),
    /// Not the source's fault, or past helping.
    Ours(crate::Error),
}

impl Failure {
    pub(super) fn passing(reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self::Passing {
            reason,
            after: None,
        }
    }

    /// Notes why this source failed, so that the next may be tried.
    pub(super) fn or_next(
        self,
        from: &str,
        reasons: &mut Vec<Reason>,
        observer: &dyn PullObserver,
    ) -> crate::Result<()> {
        let reason = match self {
            Self::Ours(error) => return Err(error),
            Self::Passing { reason, .. } | Self::Useless(reason) => {
                Reason::Silent(format!("{from}: {reason}"))
            }
            Self::NoSuchRange => Reason::Silent(format!("{from}: it refuses every range")),
            Self::Wrong(error) => Reason::Wrong(error),
        };
        let shown = reason.shown();
        tracing::debug!(from, reason = %shown, "a source failed");
        observer.event(PullEvent::SourceFailed { reason: &shown });
        reasons.push(reason);
        Ok(())
    }
}

impl From<crate::Error> for Failure {
    fn from(error: crate::Error) -> Self {
        Self::Ours(error)
    }
}

impl From<PullError> for Failure {
    fn from(error: PullError) -> Self {
        Self::Ours(error.into())
    }
}

/// Why a source did not give a file.
#[derive(Debug)]
pub(super) enum Reason {
    Silent(String),
    Wrong(PullError),
}

impl Reason {
    fn shown(&self) -> String {
        match self {
            Self::Silent(reason) => reason.clone(),
            Self::Wrong(error) => error.to_string(),
        }
    }
}

/// After all sources failed: wrong bytes are told before silence, for they are what somebody must
/// look into.
pub(super) fn none_gave(file: &str, reasons: &mut Vec<Reason>) -> PullError {
    let told = reasons.iter().map(Reason::shown).collect();
    let wrong = reasons.drain(..).find_map(|reason| match reason {
        Reason::Wrong(error) => Some(error),
        Reason::Silent(_) => None,
    });
    wrong.unwrap_or_else(|| PullError::NoSource {
        file: file.to_owned(),
        reasons: told,
    })
}
