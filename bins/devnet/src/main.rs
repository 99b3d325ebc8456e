//! The local chain binary.

fn main() {}
