//! BERT and its family: configurations, where checkpoints keep what, and two forward passes.
//!
//! `padded` is written in burn's operations alone and runs on every backend in every precision.
//! `packed` is the CPU's in f32: without padding, its weights laid out once for its own products, and
//! what stands between two of them fused.

mod config;
pub(crate) mod kernels;
mod names;
mod network;
mod packed;
mod padded;
mod relative;
#[cfg(test)]
mod tests;

pub(crate) use config::{BertConfig, Family};
pub(crate) use network::{SentenceNetwork, load};
pub(crate) use packed::PackedBert;
pub(crate) use padded::PaddedBert;
