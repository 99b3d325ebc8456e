//! The chain as its clients see it: over its socket, with subxt as everybody has it.

mod harness;
mod life;
mod metadata;
mod pool;
mod refusals;
mod restart;
mod rpc;
