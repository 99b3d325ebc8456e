//! The client against the real devnet, a proxy in between where something has to break.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

mod devnet;
mod failover;
mod proxy;
mod reads;
mod submission;
mod weights;
