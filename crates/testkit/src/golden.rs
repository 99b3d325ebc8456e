//! Golden vectors: answers recorded from the original systems, and the harness that asks ours.

mod compare;
mod file;
mod report;
mod rules;
mod suite;
mod vectors;

pub use compare::{Tolerance, difference, real};
pub use file::{GoldenCase, GoldenFile, Real, load_json};
pub use report::{Failure, FunctionReport, GoldenReport, Totals};
pub use rules::{Deviation, Elsewhere, GoldenRules, NotNeeded};
pub use suite::{GoldenSuite, Outcome};
pub use vectors::recipe_vector;
