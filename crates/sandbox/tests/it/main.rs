//! Tests of the sandbox with real programs.
#![cfg(test)]

mod attacks;
mod golden;
mod groups;
#[cfg(feature = "oci")]
mod oci;
mod python;
mod runs;
