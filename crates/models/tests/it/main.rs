//! Models as their users meet them.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod archives;
mod batcher;
mod causal;
mod checkpoints;
mod encoders;
mod golden;
mod hostile;
mod imagebind;
mod minilm;
mod model;
mod preparation;
#[cfg(feature = "pull")]
mod pull;
mod sharing;
mod tensors;
mod texts;
mod vision;
