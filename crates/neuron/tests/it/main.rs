//! Integration tests: rounds around a toy mechanism on a chain in memory and a store on disk.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test's setup fails by panicking"
)]

mod audits;
mod delivery;
mod harness;
mod postponed;
mod replaced;
mod restart;
mod rounds;
mod sampling;
mod stopping;
mod toy;
mod watch;
mod weights;
