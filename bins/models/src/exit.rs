//! What the exit codes mean.

use std::process::ExitCode;

use adit_models::{Error, PullError};

/// Told by `--help`.
pub(crate) const HELP: &str = "\
Exit codes:
  0  done; for verify: all files are as published
  1  something else failed; standard error says what
  2  the command line is wrong
  3  no such model, or a broken catalogue
  4  the licence was not accepted
  5  no digest is published, and none was given that fits
  6  no source gave the file
  7  a source gave other bytes than the published ones; they were removed
  8  the disk has no room; what came is kept
  9  verify: files are missing or differ
 10  another run works in the folder and does not end

Environment: ADIT_HOME (where models lie), HF_ENDPOINT and HF_TOKEN (Hugging Face), PIP_INDEX_URL or
pip's settings (Python packages), HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY, SSL_CERT_FILE.";

/// Told by `pull --help`.
pub(crate) const PULL_HELP: &str = "\
Exit codes and environment variables: adit-models --help.";

/// Files are missing or differ.
pub(crate) const NOT_SOUND: u8 = 9;

/// The exit code for an error.
pub(crate) fn code(error: &anyhow::Error) -> ExitCode {
    let Some(Error::Pull(error)) = error.downcast_ref() else {
        return ExitCode::FAILURE;
    };
    ExitCode::from(match error {
        PullError::ModelUnknown { .. } | PullError::Catalogue { .. } => 3,
        PullError::Licence { .. } => 4,
        PullError::NoDigest { .. } | PullError::Digest { .. } => 5,
        PullError::NoSource { .. } => 6,
        PullError::WrongBytes { .. } | PullError::WrongSize { .. } => 7,
        PullError::NoRoom { .. } | PullError::DiskFull { .. } => 8,
        PullError::Busy { .. } => 10,
        _ => 1,
    })
}
