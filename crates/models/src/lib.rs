//! Embedding models on burn.
