//! The miner binary.

fn main() {}
