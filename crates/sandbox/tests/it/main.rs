//! Tests of the sandbox with real programs.

mod attacks;
mod runs;
