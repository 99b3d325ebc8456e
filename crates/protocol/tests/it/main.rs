//! Integration tests: the contract, `btauth/1` and its refusals over real sockets.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test's setup fails by panicking"
)]

mod answers;
mod bounds;
mod ed25519;
mod generated;
mod golden;
mod harness;
mod impostor;
mod open;
mod recorder;
mod refusals;
mod synapse;
