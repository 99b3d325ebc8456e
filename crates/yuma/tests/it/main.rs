//! The epoch against the chain's own.

#![expect(clippy::unwrap_used, reason = "a test's setup fails by panicking")]

mod float;
mod golden;
mod invariants;
mod mechanisms;
mod refusals;
mod steps;
