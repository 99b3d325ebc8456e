//! The validator API binary.

fn main() {}
