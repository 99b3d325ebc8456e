//! A whole subnet on one machine.

fn main() {}
