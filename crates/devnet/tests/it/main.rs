//! The chain as its clients see it: over its socket, with subxt as everybody has it.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on fails"
)]

mod commit_reveal;
mod faults;
mod harness;
mod info;
mod life;
mod metadata;
mod nested;
mod pool;
mod refusals;
mod restart;
mod rpc;
mod staking;
mod timelock;
