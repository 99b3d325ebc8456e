//! Tests of the sandbox with real programs.

mod attacks;
mod golden;
mod python;
mod runs;
