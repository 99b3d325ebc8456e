//! Ranks with deterministic ties, top-k and robust means.
