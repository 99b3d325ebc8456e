//! Fixture loader, golden-vector harness and the architecture tests; for development only.
