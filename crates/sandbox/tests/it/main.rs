//! Tests of the sandbox with real programs.
#![cfg(test)]

mod attacks;
mod golden;
mod python;
mod runs;
