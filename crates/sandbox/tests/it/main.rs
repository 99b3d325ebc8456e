//! Tests of the sandbox with real programs.
#![cfg(test)]

mod attacks;
mod golden;
#[cfg(feature = "oci")]
mod oci;
mod python;
mod runs;
