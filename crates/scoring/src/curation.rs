//! Deciding about clips: scenes, spans, windows, motion, semantic duplicates, sampling, filters.
