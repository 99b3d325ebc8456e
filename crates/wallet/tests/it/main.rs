//! The wallet against what the Python wallets do.

#![expect(clippy::unwrap_used, reason = "a test's setup fails by panicking")]

mod folder;
mod keyfiles;
mod keys;
mod signatures;
