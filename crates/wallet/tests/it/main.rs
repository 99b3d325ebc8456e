//! The wallet against what the Python wallets do.

#![expect(clippy::unwrap_used, reason = "a test's setup fails by panicking")]

mod encrypted;
mod folder;
mod golden;
mod keyfiles;
mod secrecy;
mod signatures;
