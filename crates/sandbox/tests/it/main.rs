//! Tests of the sandbox with real programs.

mod runs;
