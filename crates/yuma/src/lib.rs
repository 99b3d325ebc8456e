//! The Yuma Consensus epoch as a pure function.
