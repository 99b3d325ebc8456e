//! The BERT encoder: configuration, parameters, and two forward passes over the same parameters.
//!
//! `padded` is written in burn operations alone and runs on every backend. `packed` is the CPU's:
//! burn multiplies the matrices, and what stands between two products is fused over the tensors'
//! memory, without padding.

mod config;
pub(crate) mod kernels;
mod packed;
#[cfg(any(test, feature = "cuda"))]
mod padded;
mod parameters;
#[cfg(test)]
mod tests;

pub(crate) use config::BertConfig;
#[cfg(any(test, feature = "cuda"))]
pub(crate) use parameters::Linear;
pub(crate) use parameters::{Bert, Layer, Norm};
