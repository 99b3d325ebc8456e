//! The client against the real devnet, a proxy in between where something has to break.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

mod acceptance;
mod cache;
mod calls;
mod commit_reveal;
mod devnet;
mod devnet_faults;
mod event_stream;
mod failover;
mod faults;
mod golden;
#[expect(
    dead_code,
    reason = "the scripted node can do more than tests ask of it yet"
)]
mod node;
mod pinned;
mod pool_faults;
mod proxy;
mod reads;
mod scripted;
mod submission;
mod upgrades;
mod weights;
