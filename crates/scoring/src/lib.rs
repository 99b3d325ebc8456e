//! Every formula that judges an answer: pure, synchronous, deterministic.
