//! The architecture tests: the plan of the house, checked against the house.
//!
//! Each checker takes a workspace and answers with its violations, so that each is also shown
//! to fail on a small made-up workspace that breaks its rule.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test's setup fails by panicking"
)]

mod budget;
mod dependencies;
mod layers;
mod one_home;
mod reachable;
mod readme;
mod source;
mod tree;
mod workspace;
