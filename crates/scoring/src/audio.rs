//! Judging speech: content, dominance and balance of speakers, noise, diarization error.
